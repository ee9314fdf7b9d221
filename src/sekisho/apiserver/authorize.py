"""Who may do what: the seam between a call and whatever decides about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sekisho.apiserver.route import Call
from sekisho.apiserver.status import ApiError, Resource, forbidden
from sekisho.apiserver.types import ResourceType
from sekisho.kube.review import UserInfo

MASTERS: Final = "system:masters"
"""The group that may do everything, whatever else is said."""

SERVICE_ACCOUNT: Final = "system:serviceaccount:"
"""How the user name of a service account begins: namespace and name follow."""

AUTHENTICATED: Final = "system:authenticated"
UNAUTHENTICATED: Final = "system:unauthenticated"
ANONYMOUS: Final = UserInfo(username="system:anonymous", groups=(UNAUTHENTICATED,))

PUBLIC: Final = ("/healthz", "/livez", "/readyz", "/version", "/version/")
"""Paths for everybody (the ClusterRole system:public-info-viewer)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """One question: may this user do this to that. ``path`` is set where the path is no resource."""

    user: UserInfo
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @classmethod
    def of(cls, call: Call) -> Attributes:
        """The question that a call asks."""
        target = call.target
        if not target.resource:
            return cls(user=call.user, verb=target.verb, path=target.path)
        return cls(
            user=call.user,
            verb=target.verb,
            group=target.group,
            version=target.version,
            resource=target.plural,
            subresource=target.subresource,
            namespace=target.namespace,
            name=target.name,
        )

    @property
    def full_resource(self) -> str:
        """``pods`` or ``pods/log``."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An answer: ``allowed``; ``denied`` says no whatever others say; neither is no opinion, which is no."""

    allowed: bool = False
    denied: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What a user may do, as SelfSubjectRulesReview lists it. ``paths`` are those of no resource."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """All that is known of what a user may do in a namespace; ``incomplete`` where that is not all."""

    rows: Sequence[Permission] = field(default_factory=tuple)
    incomplete: bool = False
    problem: str = ""


class Authorizer(Protocol):
    """Decides. Must be quick: it is asked for every call."""

    async def decide(self, question: Attributes) -> Decision:
        """The answer to a question."""

    async def permissions(self, user: UserInfo, namespace: str) -> Permissions:
        """What a user may do in a namespace."""


class AnyUser:
    """Everybody who is known may do everything; strangers may see what is public."""

    async def decide(self, question: Attributes) -> Decision:
        """Whether somebody asks whom the server knows."""
        if UNAUTHENTICATED not in question.user.groups:
            return Decision(allowed=True)
        return Decision(allowed=question.verb == "get" and question.path in PUBLIC)

    async def permissions(self, user: UserInfo, namespace: str) -> Permissions:  # noqa: ARG002 - the protocol's shape
        """Everything, or what is public."""
        if UNAUTHENTICATED in user.groups:
            return Permissions(rows=[Permission(verbs=("get",), paths=PUBLIC)])
        every = ("*",)
        return Permissions(
            rows=[
                Permission(verbs=every, groups=every, resources=every),
                Permission(verbs=every, paths=every),
            ]
        )


class Guard(Protocol):
    """Refuses writes that their writer may not make, whatever else is allowed."""

    def check(
        self,
        call: Call,
        type: ResourceType,
        new: Mapping[str, Any],
        old: Mapping[str, Any] | None,
    ) -> None:
        """Look at an object as it is about to be stored. Raises ApiError (403)."""


class _NoGuard:
    """Refuses nothing."""

    def check(
        self,
        call: Call,
        type: ResourceType,
        new: Mapping[str, Any],
        old: Mapping[str, Any] | None,
    ) -> None:
        """Nothing is wrong."""


NO_GUARD: Final[Guard] = _NoGuard()


async def check(authorizer: Authorizer, question: Attributes) -> None:
    """Ask, and raise ApiError (403) for anything but yes. ``system:masters`` are not asked about."""
    decision = await decide(authorizer, question)
    if not decision.allowed:
        raise refusal(question, decision.reason)


async def decide(authorizer: Authorizer, question: Attributes) -> Decision:
    """The answer, which is yes for ``system:masters``."""
    if MASTERS in question.user.groups:
        return Decision(allowed=True)
    return await authorizer.decide(question)


def refusal(question: Attributes, reason: str = "") -> ApiError:
    """The error of a call that is not allowed, in apiserver's words (``responsewriters.Forbidden``)."""
    who = f'User "{question.user.username}" cannot {question.verb}'
    tail = f": {reason}" if reason else ""
    if question.path:
        return forbidden(Resource(), "", f'{who} path "{question.path}"{tail}')
    where = f'in the namespace "{question.namespace}"' if question.namespace else "at the cluster scope"
    what = f'resource "{question.full_resource}" in API group "{question.group}"'
    resource = Resource(group=question.group, plural=question.resource)
    return forbidden(resource, question.name, f"{who} {what} {where}{tail}")
