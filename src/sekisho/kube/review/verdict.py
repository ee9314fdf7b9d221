"""What a reviewer answers: an outcome, the findings behind it, and what else the caller needs.

Reviewers report findings with the rung that their policy asks for. Ladder, waivers and break-glass are
applied by ``enforce`` and nowhere else; until then ``Finding.asked`` and ``Finding.rung`` are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Protocol

from sekisho.diag import Deadline, Diagnostic, Level
from sekisho.kube.ladder import Rung
from sekisho.kube.review.request import Request

NONE: Final[Mapping[str, str]] = MappingProxyType({})


class Outcome(Enum):
    """The answer to one question. COULD_NOT_ASK is neither a no nor a yes."""

    ALLOW = "allow"
    DENY = "deny"
    COULD_NOT_ASK = "could-not-ask"


WAIVER: Final = "waiver"
"""The key, in the data of a reported finding, of the waiver that accepts it."""

_LEVELS: Final = {Rung.DENY: Level.ERROR, Rung.WARN: Level.WARNING, Rung.OBSERVE: Level.NOTE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one policy found in one place.

    ``asked`` is the rung that the policy asks for and ``rung`` the one in force after ladder, waivers and
    break-glass; ``because`` says, in order, what changed it. ``word`` is the original's own word for the
    action (``dryrun``, ``DRYRUN_AUDIT_LOG_ONLY``), ``bundle`` the bundle that the policy belongs to.
    ``line`` is the message as the original prints it; by default Gatekeeper's ``[constraint-name] msg``.
    ``failed``: the policy could not be evaluated, so nothing may waive this. The diagnostic's ``policy`` is
    the policy's identity, ``K8sRequiredLabels/must-have-owner``.
    """

    diagnostic: Diagnostic
    asked: Rung
    rung: Rung
    word: str = ""
    bundle: str = ""
    line: str = ""
    because: tuple[str, ...] = ()
    waiver: str = ""
    break_glass: str = ""
    failed: bool = False

    @classmethod
    def of(
        cls, diagnostic: Diagnostic, rung: Rung, *, word: str = "", bundle: str = "", line: str = ""
    ) -> Finding:
        """A finding as a policy reports it."""
        word = word or rung.word
        return cls(diagnostic=diagnostic, asked=rung, rung=rung, word=word, bundle=bundle, line=line)

    @property
    def policy(self) -> str:
        """The identity of the policy."""
        return self.diagnostic.policy

    def message(self) -> str:
        """The line for the person who is refused or warned."""
        if self.line:
            return self.line
        name = self.policy.rpartition("/")[2]
        return f"[{name}] {self.diagnostic.message}" if name else self.diagnostic.message

    def lowered(self, rung: Rung, because: str) -> Finding:
        """The same finding on a lower rung; never on a higher one."""
        assert rung <= self.rung, "enforcement only lowers"
        return replace(self, rung=rung, because=(*self.because, because))

    def report(self) -> Diagnostic:
        """The diagnostic with the level of the rung in force, and what changed it as notes."""
        diagnostic = replace(self.diagnostic, level=_LEVELS[self.rung])
        if self.waiver:
            diagnostic = replace(diagnostic, data={**diagnostic.data, WAIVER: self.waiver})
        for reason in self.because:
            diagnostic = diagnostic.with_note(reason)
        return diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """What the decision log keeps of one answer. JSON-like, without the object and without secrets."""

    uid: str
    at: datetime
    operation: str
    kind: str
    namespace: str
    name: str
    subresource: str
    user: str
    dry_run: bool
    outcome: Outcome
    findings: tuple[Mapping[str, str], ...] = ()
    failures: tuple[str, ...] = ()
    snapshots: Mapping[str, str] = field(default_factory=lambda: NONE)

    def to_json(self) -> dict[str, Any]:
        """The record as the log writes it."""
        return {
            "uid": self.uid,
            "at": self.at.isoformat(),
            "operation": self.operation,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "subresource": self.subresource,
            "user": self.user,
            "dryRun": self.dry_run,
            "outcome": self.outcome.value,
            "findings": [dict(finding) for finding in self.findings],
            "failures": list(self.failures),
            "snapshots": dict(self.snapshots),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer to a request.

    ``failures`` say why something could not be asked. ``patch`` is a list of JSON patch operations.
    ``evidence`` is what the answer rests on (attestations, keys, digests), JSON-like. ``reads`` names what
    was read beyond the object (inventory keys, labels of Namespaces) and ``expires`` is the earliest moment
    at which the same question may get another answer: an audit asks again when one of them changes.
    ``snapshot`` is the digest of the state that judged.
    """

    outcome: Outcome = Outcome.ALLOW
    findings: tuple[Finding, ...] = ()
    failures: tuple[Diagnostic, ...] = ()
    warnings: tuple[str, ...] = ()
    patch: tuple[Mapping[str, Any], ...] = ()
    audit_annotations: Mapping[str, str] = field(default_factory=lambda: NONE)
    evidence: tuple[Mapping[str, Any], ...] = ()
    reads: frozenset[str] = frozenset()
    expires: datetime | None = None
    snapshot: str = ""
    record: DecisionRecord | None = None

    @classmethod
    def of(cls, findings: Iterable[Finding], **fields: Any) -> Verdict:
        """The answer that follows from findings: deny if one of them is on that rung."""
        found = tuple(findings)
        return cls(outcome=outcome_of(found), findings=found, **fields)

    @classmethod
    def could_not_ask(cls, failures: Diagnostic | Sequence[Diagnostic]) -> Verdict:
        """No answer, and why."""
        items = (failures,) if isinstance(failures, Diagnostic) else tuple(failures)
        return cls(outcome=Outcome.COULD_NOT_ASK, failures=items)

    @property
    def allowed(self) -> bool:
        """Whether the request may pass. A question that could not be asked does not pass."""
        return self.outcome is Outcome.ALLOW

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Findings and failures as a report shows them."""
        return (*(finding.report() for finding in self.findings), *self.failures)

    def lines(self, rung: Rung) -> tuple[str, ...]:
        """The messages of the findings on one rung."""
        return tuple(finding.message() for finding in self.findings if finding.rung is rung)


ALLOWED: Final = Verdict()


def outcome_of(findings: Iterable[Finding]) -> Outcome:
    """Any finding on the rung deny denies."""
    denied = any(finding.rung is Rung.DENY for finding in findings)
    return Outcome.DENY if denied else Outcome.ALLOW


class Judge(Protocol):
    """The pure function inside a reviewer: request and time in, verdict out; no I/O, no waiting."""

    def __call__(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        """Judge the request as of ``now`` (aware), and stop by ``deadline``."""


class Reviewer(Protocol):
    """Who judges requests, and may have to wait for it (a registry, an external data provider)."""

    async def review(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        """Judge the request as of ``now`` (aware), and stop by ``deadline``."""
