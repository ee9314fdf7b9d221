"""Admission as a whole, in Kubernetes' order.

Before validation: the plugins that complete objects, reviewers that mutate, mutating webhooks; where one of
the latter two has changed the object, the plugins once more, and the webhooks that want it. After validation:
the plugins that refuse, reviewers, validating webhooks, and the quota last, which counts only what everybody
else has let through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from sekisho.apiserver.admission.asked import Asked
from sekisho.apiserver.admission.chain import NO_REVIEWERS, Reviewers, patched, refusal, warnings_of
from sekisho.apiserver.admission.plugins import (
    DefaultClasses,
    LimitRanger,
    Priorities,
    Quotas,
    RuntimeClasses,
    ServiceAccounts,
    StorageProtection,
    Tolerations,
)
from sekisho.apiserver.admission.plugins.classes import CLAIMS, INGRESSES
from sekisho.apiserver.admission.plugins.pods import PODS
from sekisho.apiserver.admission.plugins.protection import VOLUMES
from sekisho.apiserver.admission.webhooks import GROUP, ReadConditions, Webhooks
from sekisho.apiserver.audit import note
from sekisho.apiserver.causes import parted
from sekisho.apiserver.registry import Registry
from sekisho.apiserver.status import invalid
from sekisho.apiserver.store import Store
from sekisho.apiserver.webhooks import Caller
from sekisho.diag import Diagnostic
from sekisho.kube.object import Object
from sekisho.kube.review import NOBODY, UserInfo, Verdict


def _nothing(_: Object) -> Sequence[Diagnostic]:
    return ()


def _idle(_: Any) -> None:
    return None


async def _ended() -> None:
    return None


async def _at_once(_: Written) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written: objects of a resource, all of them where there is no ``name``, and by whom."""

    resource: tuple[str, str]
    namespace: str = ""
    name: str = ""
    user: UserInfo = NOBODY


class Plugin(Protocol):
    """A part of the server that completes or refuses. Raises ApiError."""

    def admit(self, asked: Asked) -> None:
        """Complete the object, in place."""

    def validate(self, asked: Asked) -> None:
        """Refuse it, or not."""


Plugins = Callable[[Store], "tuple[Plugin, ...]"]
"""The built-in admission over a store."""


def default_plugins(store: Store) -> tuple[Plugin, ...]:
    """What kube-apiserver asks without being told, in its order."""
    return (
        LimitRanger(store),
        ServiceAccounts(store),
        Priorities(store),
        Tolerations(),
        DefaultClasses(store),
        RuntimeClasses(store),
        StorageProtection(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarding:
    """Who is asked beside the server itself.

    ``reviewers`` judge in process, ``conditions`` evaluates the match conditions of webhooks, ``problems``
    tells what keeps an object from being stored that reviewers would go by. ``begin`` is called with the Api
    before it answers, ``end`` when it has stopped. ``settle`` may hold up the answer to a write until what
    was written is in force. ``plugins`` is the admission that is part of the server.
    """

    reviewers: Reviewers = NO_REVIEWERS
    conditions: ReadConditions | None = None
    problems: Callable[[Object], Sequence[Diagnostic]] = _nothing
    begin: Callable[[Any], None] = _idle
    end: Callable[[], Awaitable[None]] = _ended
    settle: Callable[[Written], Awaitable[None]] = _at_once
    plugins: Plugins = default_plugins


UNGUARDED: Final = Guarding()

COMPLETED: Final = frozenset({PODS, CLAIMS, INGRESSES, VOLUMES})
"""Resources whose objects plugins change."""


class Admission:
    """Everybody who is asked about a write. ``reviewers`` may be exchanged at any time."""

    def __init__(
        self,
        store: Store,
        caller: Caller,
        registry: Callable[[], Registry],
        guarding: Guarding = UNGUARDED,
    ) -> None:
        self.reviewers = guarding.reviewers
        self._problems = guarding.problems
        self.quotas = Quotas(store)
        self._plugins = guarding.plugins(store)
        self._webhooks = Webhooks(store, caller, registry, guarding.conditions)

    async def mutate(self, asked: Asked) -> list[str]:
        """Complete and change ``asked.object``; warnings. Raises ApiError."""
        self._complete(asked)
        verdict = await self.reviewers.mutate(asked.request())
        note(verdict.audit_annotations)
        changed = self._take(asked, verdict)
        warnings = warnings_of(verdict)
        called: set[tuple[str, int]] = set()
        by_webhook, told = await self._webhooks.mutate(asked, called)
        warnings += told
        if changed or by_webhook:
            self._complete(asked)
        if by_webhook and called:
            again, told = await self._webhooks.mutate(asked, called, second=True)
            warnings += told
            if again:
                self._complete(asked)
        return warnings

    async def validate(self, asked: Asked) -> list[str]:
        """Refuse what may not be stored; warnings. Raises ApiError."""
        for plugin in self._plugins:
            plugin.validate(asked)
        self._webhooks.check(asked)
        self._check(asked)
        verdict = await self.reviewers.validate(asked.request())
        note(verdict.audit_annotations)
        _refuse(asked, verdict)
        warnings = warnings_of(verdict)
        warnings += await self._webhooks.validate(asked)
        self.quotas.validate(asked)
        return warnings

    async def close(self) -> None:
        """Stop what is under way."""
        await self.quotas.close()

    def release(self, asked: Asked) -> None:
        """Take back what was reserved for a write that did not come about."""
        self.quotas.release(asked)

    def _check(self, asked: Asked) -> None:
        """Refuse what reviewers could not go by. Raises ApiError (422)."""
        if asked.object is None or asked.subresource or asked.type.group != GROUP:
            return
        problems = self._problems(Object(asked.object))
        if problems:
            raise invalid(asked.type.gvk, asked.name, [parted(row.message) for row in problems])

    def _complete(self, asked: Asked) -> None:
        if asked.key in COMPLETED and asked.object is not None:
            # What is sent may be shared with what is kept of the request.
            asked.object = orjson.loads(orjson.dumps(asked.object))
        for plugin in self._plugins:
            plugin.admit(asked)

    def _take(self, asked: Asked, verdict: Verdict) -> bool:
        """Take over the changes of reviewers; whether there are any."""
        _refuse(asked, verdict)
        if asked.object is None or not verdict.patch:
            return False
        new = asked.shape(patched(asked.object, verdict.patch))
        changed = new != asked.object
        asked.object = new
        return changed


def _refuse(asked: Asked, verdict: Verdict) -> None:
    error = refusal(verdict, asked.type.resource, asked.name)
    if error is not None:
        raise error
