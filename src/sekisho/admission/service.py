"""The webhook: an HTTP request in, an HTTP answer out, always within the time that the API server waits."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import orjson

from sekisho.admission import codes
from sekisho.admission.answer import JSON, PLAIN, Manner, reply, status
from sekisho.admission.decode import Incoming, decode
from sekisho.admission.judge import HOOKS, Answer, Asking, Hook, Settings, out_of_time
from sekisho.admission.lanes import Lanes, Late, Overloaded, Result
from sekisho.admission.snapshot import Snapshot, Timed
from sekisho.diag import Code, Deadline, Diagnostic, DiagnosticError
from sekisho.kube.review import Request, Verdict
from sekisho.web.server import Incoming as HttpRequest
from sekisho.web.server import Outgoing

_LOG: Final = logging.getLogger(__name__)

TIMEOUT: Final = 10.0
"""Seconds for a request that names none: Kubernetes' default for webhooks."""

LONGEST: Final = 30.0
"""Seconds that a request may name: Kubernetes takes no more for webhooks."""

RESERVE: Final = 0.1
MOST_RESERVE: Final = 0.5
"""The share of the time, and the seconds at most, that are left for the answer's way back."""

_DURATION: Final = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:h|ms|m|us|µs|ns|s))+\Z")
_PART: Final = re.compile(r"([\d.]+)(h|ms|m|us|µs|ns|s)")
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


class _Case(NamedTuple):
    """A question on its way."""

    hook: Hook
    incoming: Incoming
    snapshot: Snapshot | None
    at: datetime
    size: int


class Observed(NamedTuple):
    """An answer that was given, for metrics, logs and records."""

    hook: Hook
    request: Request
    answer: Answer
    at: datetime
    seconds: float
    snapshot: str


Observer = Callable[[Observed], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How answers read, whom to tell, and which clients may ask.

    ``client`` is the common name that a client's certificate must have; empty where anybody may ask, as
    Kubernetes' API server does without a certificate unless it is told otherwise. ``timed`` gets how long
    each policy took, of one review in ``sample``.
    """

    manner: Manner = PLAIN
    observers: Sequence[Observer] = ()
    client: str = ""
    timed: Timed | None = None
    sample: int = 16


class Service:
    """Answers requests by the newest snapshot. For one event loop."""

    def __init__(
        self, current: Callable[[], Snapshot | None], settings: Settings, options: Options | None = None
    ) -> None:
        self._current = current
        self._settings = settings
        self._options = options or Options()
        self._lanes = Lanes()
        self._count = 0

    @property
    def waiting(self) -> int:
        """Reviews that have not begun."""
        return self._lanes.waiting

    def close(self) -> None:
        """End what runs beside the event loop."""
        self._lanes.close()

    async def handle(self, incoming: HttpRequest) -> Outgoing:
        """The answer to one HTTP request."""
        started = time.monotonic()
        hook = HOOKS.get(incoming.path)
        if hook is None:
            return _refused(404, codes.NOT_SERVED, f"there is no webhook at {incoming.path[:200]}")
        if incoming.method != "POST":
            return _refused(405, codes.NOT_SERVED, "a webhook takes POST")
        if not self._may_ask(incoming.certificate):
            message = f"only a client whose certificate names {self._options.client} may ask"
            return _refused(403, codes.NOT_SERVED, message)
        try:
            asked = decode(incoming.body)
        except DiagnosticError as error:
            found = error.diagnostics[0]
            return _refused(413 if found.code is codes.TOO_MUCH else 400, found.code, found.message)
        deadline = Deadline(started - self._lanes.lag() + budget(incoming.query))
        case = _Case(hook, asked, self._current(), datetime.now(UTC), len(incoming.body or b""))
        answer = await self._answer(case, deadline)
        code, body = reply(answer, asked.request.uid, asked.version, self._options.manner)
        self._tell(case, answer, time.monotonic() - started)
        return Outgoing(code=code, headers=JSON, body=orjson.dumps(body))

    def _may_ask(self, certificate: bytes) -> bool:
        if not self._options.client:
            return True
        from sekisho.web.authority import name_of

        return bool(certificate) and name_of(certificate).user == self._options.client

    async def _answer(self, case: _Case, deadline: Deadline) -> Answer:
        hook, request, snapshot = case.hook, case.incoming.request, case.snapshot
        self._count += 1
        timed = self._options.timed if self._count % self._options.sample == 0 else None

        def work(until: Deadline) -> Result:
            asking = Asking(now=case.at, deadline=until, timed=timed)
            answer = hook.ask(request, snapshot, self._settings, asking)
            return Result(answer, answer.late)

        sort = (hook.name, request.kind, case.size.bit_length())
        try:
            found = await self._lanes.run(
                work, deadline, sort=sort, waits=snapshot is not None and snapshot.waits
            )
        except Overloaded:
            message = "more requests are waiting than can be answered in time, so this one was not judged"
            return Answer(verdict=_could_not(codes.OVERLOADED, message))
        except Late:
            return Answer(verdict=out_of_time())
        except Exception:  # noqa: BLE001 - ours, and the client is told no more than that
            _LOG.exception("a review failed")
            return Answer(verdict=_could_not(codes.FAILED, "the review failed, which is a bug of sekisho's"))
        assert isinstance(found, Answer), "the work's answer"
        return found

    def _tell(self, case: _Case, answer: Answer, seconds: float) -> None:
        """Whoever observes cannot change the answer, nor keep it from being given."""
        digest = case.snapshot.digest if case.snapshot is not None else ""
        observed = Observed(case.hook, case.incoming.request, answer, case.at, seconds, digest)
        for observer in self._options.observers:
            try:
                observer(observed)
            except Exception:  # noqa: BLE001 - a full disk, a closed pipe: the answer goes out all the same
                _LOG.exception("an answer could not be noted")


def budget(query: Sequence[tuple[str, str]]) -> float:
    """Seconds to answer in, of those that the API server waits (``?timeout=``)."""
    named = next((value for name, value in query if name == "timeout"), "")
    seconds = TIMEOUT
    if _DURATION.match(named):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(named))
        seconds = min(seconds, LONGEST) if seconds > 0 else TIMEOUT
    return seconds - min(MOST_RESERVE, RESERVE * seconds)


def _could_not(code: Code, message: str) -> Verdict:
    return Verdict.could_not_ask(Diagnostic(code=code, message=message))


def _refused(http: int, code: Code, message: str) -> Outgoing:
    reason = {403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 413: "RequestEntityTooLarge"}
    body = status(f"{code.id}: {message}", http, reason.get(http, "BadRequest"))
    return Outgoing(code=http, headers=JSON, body=orjson.dumps(body))
