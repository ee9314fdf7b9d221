"""Providers over HTTPS: an edge, which only ``cli`` composes.

All providers are asked at the same time, each once for all its keys, and not for what is kept of it. A
provider that gave no answer is left alone for as long as it kept the caller waiting: it may take half of
everybody's time, not all of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from sekisho.diag import Code, Deadline, Diagnostic, Level
from sekisho.policy import codes
from sekisho.policy.external import wire
from sekisho.policy.external.answers import UNKNOWN, Answers, Outcome, Questions, State, unasked
from sekisho.policy.external.cache import AnswerCache
from sekisho.policy.external.provider import Provider
from sekisho.web import Client, Identity, Redirects, Request, Response, Tls, Trust, WebError
from sekisho.web import codes as web_codes

HEADERS: Final = {"Content-Type": "application/json"}

BAD_REQUEST: Final = 400
FAILURE: Final = 500
"""The status that Gatekeeper gives where it has no answer: of a provider it does not know, and otherwise."""


class _Rest(NamedTuple):
    """A provider is left alone until then, and gives this outcome."""

    until: float
    outcome: Outcome


class HttpsProviders:
    """Asks Provider resources. ``identity`` is the certificate that is shown to those that want one.

    ``help`` says what to do about a provider whose host may not be asked.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        client: Client,
        *,
        cache: AnswerCache | None = None,
        identity: Identity | None = None,
        help: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._providers = providers
        self._client = client
        self._cache = cache or AnswerCache(clock)
        self._identity = identity
        self._help = help
        self._clock = clock
        self._lock = threading.Lock()
        self._resting: dict[Provider, _Rest] = {}

    def ask(self, questions: Questions, deadline: Deadline | None = None) -> Answers:
        """An outcome for every question, by the deadline."""
        outcomes: dict[str, dict[str, Outcome]] = {}
        open: list[tuple[Provider, tuple[str, ...]]] = []
        for name, keys in questions.items():
            outcomes[name], left = self._known(name, tuple(dict.fromkeys(keys)))
            if left is not None:
                open.append(left)
        begun = self._clock()
        requests = [self._request(provider, keys) for provider, keys in open]
        warnings: list[Diagnostic] = []
        answers = self._client.send_all(requests, deadline=deadline) if requests else []
        for (provider, keys), answer in zip(open, answers, strict=True):
            found, told = self._read(provider, keys, answer, self._clock() - begun)
            outcomes[provider.name] |= found
            warnings += told
        return Answers(outcomes=outcomes, warnings=tuple(warnings))

    def _known(
        self, name: str, keys: tuple[str, ...]
    ) -> tuple[dict[str, Outcome], tuple[Provider, tuple[str, ...]] | None]:
        """The outcomes that are known without asking, and what is left to ask."""
        provider = self._providers.get(name)
        if provider is None:
            message = f"there is no external data provider {name}"
            cause = Diagnostic(code=codes.NO_ANSWER, level=Level.WARNING, message=message)
            return dict.fromkeys(keys, _failed(UNKNOWN, cause, BAD_REQUEST)), None
        found = {key: kept for key in keys if (kept := self._cache.get(provider, key)) is not None}
        left = tuple(key for key in keys if key not in found)
        if not left:
            return found, None
        with self._lock:
            rest = self._resting.get(provider)
        if rest is not None and self._clock() < rest.until:
            return {**found, **dict.fromkeys(left, rest.outcome)}, None
        if wire.KEYS.exceeded_by(sum(map(len, left))):
            cause = self._told(provider, codes.TOO_MANY_KEYS, str(wire.KEYS))
            return {**found, **dict.fromkeys(left, _failed(str(wire.KEYS), cause))}, None
        return found, (provider, left)

    def _request(self, provider: Provider, keys: Sequence[str]) -> Request:
        return Request(
            method="POST",
            url=provider.url,
            headers=HEADERS,
            body=wire.request(keys),
            trust=Trust(ca=provider.ca, minimum=Tls.V13, identity=self._identity),
            seconds=provider.seconds,
            connect_seconds=provider.seconds,
            limit=wire.BODY,
            redirects=Redirects.SAME_ORIGIN,
            repeatable=True,
        )

    def _read(
        self, provider: Provider, keys: tuple[str, ...], answer: Response | WebError, took: float
    ) -> tuple[dict[str, Outcome], list[Diagnostic]]:
        """The outcomes in an answer, and what is odd about it; what can be kept is kept."""
        try:
            if isinstance(answer, WebError):
                raise answer
            read = wire.read_response(answer.json(wire.DEPTH), keys, answer.status)
        except WebError as error:
            if error.code is web_codes.NOT_ALLOWED:
                return dict.fromkeys(keys, unasked(provider.name, error.message, self._help)), []
            what = "unmarshal" if error.code is web_codes.NOT_JSON else "send"
            noun = "response" if error.code is web_codes.NOT_JSON else "request"
            said = f"failed to {what} external data {noun}: {error.message}"
            cause = self._told(provider, codes.NO_ANSWER, f"{error.code}: {error.message}")
            return self._rest(provider, keys, _failed(said, cause), took), []
        except wire.WireError as error:
            said = f"failed to unmarshal external data response: {error}"
            cause = self._told(provider, codes.BAD_ANSWER, str(error))
            return self._rest(provider, keys, _failed(said, cause), took), []
        self._cache.put(provider, read.outcomes)
        warnings = [self._told(provider, codes.ODD_ANSWER, oddity) for oddity in read.oddities]
        if answer.status != 200:
            warnings.append(self._told(provider, codes.ODD_ANSWER, f"it answers with status {answer.status}"))
        return dict(read.outcomes), warnings

    def _rest(
        self, provider: Provider, keys: tuple[str, ...], outcome: Outcome, took: float
    ) -> dict[str, Outcome]:
        with self._lock:
            self._resting[provider] = _Rest(self._clock() + took, outcome)
        return dict.fromkeys(keys, outcome)

    def _told(self, provider: Provider, code: Code, message: str) -> Diagnostic:
        return Diagnostic(
            code=code,
            level=Level.WARNING,
            message=f"external data provider {provider.name}: {message}",
            at=provider.object.at("spec", "url"),
            data={"provider": provider.name},
        )


def _failed(system_error: str, cause: Diagnostic, status: int = FAILURE) -> Outcome:
    return Outcome(state=State.FAILED, system_error=system_error, status=status, cause=cause)
