"""What each webhook answers: pure functions of a request, a snapshot and who we are (policy.md 1.6).

``/v1/admit`` validates, ``/v1/mutate`` patches, ``/v1/admitlabel`` lets only exempt Namespaces have the label
that takes them out of the webhook. Texts of answers are Gatekeeper's where it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sekisho.admission import codes
from sekisho.admission.snapshot import WEBHOOK, Snapshot, Timed
from sekisho.diag import Deadline, Diagnostic
from sekisho.kube.review import ALLOWED, Judge, Operation, Outcome, Request, Step, Verdict, decide

IGNORE_LABEL: Final = "admission.gatekeeper.sh/ignore"

UNUSABLE: Final = 422
"""The code for a policy that could not be used, as of an invalid object."""

LONGEST_NAME: Final = 63
"""Characters of the name of a policy: it becomes the value of labels."""

POLICY_GROUPS: Final = frozenset(
    {
        "config.gatekeeper.sh",
        "connection.gatekeeper.sh",
        "constraints.gatekeeper.sh",
        "expansion.gatekeeper.sh",
        "externaldata.gatekeeper.sh",
        "mutations.gatekeeper.sh",
        "status.gatekeeper.sh",
        "syncset.gatekeeper.sh",
        "templates.gatekeeper.sh",
    }
)
"""Groups of Gatekeeper's own resources, which no mutator changes."""

STATUS_GROUP: Final = "status.gatekeeper.sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exempt:
    """The Namespaces that may have the ignore label: Gatekeeper's three flags."""

    names: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()

    def covers(self, namespace: str) -> bool:
        """Whether a Namespace is exempt."""
        return (
            namespace in self.names
            or any(namespace.startswith(row) for row in self.prefixes)
            or any(namespace.endswith(row) for row in self.suffixes)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What keeps the cluster from being locked by its own policies.

    Policies are not asked about the objects in ``namespace``, which is the guard's own, about what the
    guard's own ``account`` does, and about what ``users`` and ``groups`` do to policies (``kinds`` are the
    groups of these): whoever may mend a policy that denies everything can do so.
    """

    namespace: str = ""
    account: str = ""
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    kinds: frozenset[str] = POLICY_GROUPS

    def is_own(self, request: Request) -> bool:
        """Whether the guard itself asks."""
        return bool(self.account) and request.user.username == self.account

    def is_inside(self, request: Request) -> bool:
        """Whether the object is in the guard's own Namespace, or is that Namespace."""
        if not self.namespace:
            return False
        subject = request.subject
        name = subject.name or request.name
        return request.namespace == self.namespace or (subject.is_namespace and name == self.namespace)

    def may_mend(self, request: Request) -> bool:
        """Whether a named principal changes a policy."""
        return request.kind.group in self.kinds and self.is_named(request)

    def is_named(self, request: Request) -> bool:
        """Whether one of the named principals asks."""
        user = request.user
        return user.username in self.users or not self.groups.isdisjoint(user.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Who we are and what is asked before policies: ``guards`` judge first, and nothing lowers their no."""

    exempt: Exempt = Exempt()
    repair: Repair = Repair()
    guards: tuple[Step[Judge], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verdict with what Gatekeeper says beside it: the message of an answer that allows, another code."""

    verdict: Verdict
    message: str = ""
    code: int = 0
    asked: bool = True
    """Whether policies were asked; only then it counts as a review."""
    late: bool = False
    """Whether the deadline kept some of them from judging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """When and until when it is judged, and who wants to know how long a policy takes."""

    now: datetime
    deadline: Deadline
    timed: Timed | None = None


Ask = Callable[[Request, Snapshot | None, Settings, Asking], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook: what it is called in metrics and to Kubernetes, and what it answers."""

    name: str
    webhook: str
    ask: Ask = field(repr=False)


def admit(request: Request, snapshot: Snapshot | None, settings: Settings, asking: Asking) -> Answer:
    """The validating webhook: guards, then the policy itself if it is one, then all policies."""
    repair = settings.repair
    if repair.is_own(request):
        return _allowed("sekisho does not self-manage")
    guarded = _decide(settings.guards, request, asking) if settings.guards else ALLOWED
    if not guarded.allowed:
        return Answer(verdict=guarded, asked=False)
    if repair.is_inside(request):
        return _allowed("policies are not asked about sekisho's own Namespace")
    wrong = _unusable(request, snapshot)
    if wrong is not None:
        return wrong
    if repair.may_mend(request):
        return _allowed("policies are not asked about what a named principal does to policies")
    if snapshot is None:
        return Answer(verdict=not_ready())
    verdict, late = _judged(request, snapshot, asking, mutating=False)
    return Answer(verdict=verdict, late=late)


def mutate(request: Request, snapshot: Snapshot | None, settings: Settings, asking: Asking) -> Answer:
    """The mutating webhook: a patch, or none."""
    if settings.repair.is_own(request):
        return _allowed("sekisho does not self-manage")
    if request.operation not in (Operation.CREATE, Operation.UPDATE):
        return _allowed("Mutating only on create or update")
    if request.kind.group in settings.repair.kinds:
        return _allowed("Not mutating gatekeeper resources")
    if settings.repair.is_inside(request):
        return _allowed("mutators do not change what is in sekisho's own Namespace")
    if snapshot is None:
        return Answer(verdict=not_ready())
    verdict, late = _judged(request, snapshot, asking, mutating=True)
    unchanged = verdict.allowed and not verdict.patch
    return Answer(verdict=verdict, message="Resource was not mutated" if unchanged else "", late=late)


def admit_label(
    request: Request,
    snapshot: Snapshot | None,  # noqa: ARG001 - the table's shape
    settings: Settings,
    asking: Asking,  # noqa: ARG001 - the table's shape
) -> Answer:
    """Only exempt Namespaces may have the ignore label."""
    if request.operation is Operation.DELETE:
        return _allowed("Delete is always allowed")
    subject = request.subject
    if request.kind.group or request.kind.kind != "Namespace":
        return _allowed("Not a namespace")
    if settings.exempt.covers(subject.name):
        return _allowed(f"Namespace {subject.name} is allowed to set {IGNORE_LABEL}")
    if IGNORE_LABEL in subject.labels:
        message = f"Only exempt namespace can have the {IGNORE_LABEL} label"
        return Answer(verdict=Verdict(outcome=Outcome.DENY), message=message, asked=False)
    return _allowed(f"Namespace is not setting the {IGNORE_LABEL} label")


HOOKS: Final[Mapping[str, Hook]] = {
    "/v1/admit": Hook(name="validation", webhook="validation.gatekeeper.sh", ask=admit),
    "/v1/mutate": Hook(name="mutation", webhook="mutation.gatekeeper.sh", ask=mutate),
    "/v1/admitlabel": Hook(name="label", webhook="check-ignore-label.gatekeeper.sh", ask=admit_label),
}
"""The webhooks by path, as Gatekeeper has them."""


def not_ready() -> Verdict:
    """The answer before there are policies."""
    message = "no policies are loaded yet, so the request could not be judged"
    return Verdict.could_not_ask(Diagnostic(code=codes.NOT_READY, message=message))


def out_of_time() -> Verdict:
    """The answer to a request that waited or was judged for too long."""
    message = "the time that the API server waits ran out before the request was judged"
    return Verdict.could_not_ask(Diagnostic(code=codes.OUT_OF_TIME, message=message))


def _allowed(message: str) -> Answer:
    return Answer(verdict=ALLOWED, message=message, asked=False)


def _unusable(request: Request, snapshot: Snapshot | None) -> Answer | None:
    """The refusal of a policy that could not be used; None for what is none, or can."""
    kind, subject = request.kind, request.subject
    if kind.group not in POLICY_GROUPS or request.subresource:
        return None
    if request.operation is Operation.DELETE:
        return None  # what is wrong must be possible to take away
    name = request.name or subject.name
    if kind.group != STATUS_GROUP and len(name) > LONGEST_NAME:
        message = f"resource cannot have metadata.name larger than {LONGEST_NAME} char; length: {len(name)}"
        return Answer(verdict=Verdict(outcome=Outcome.DENY), message=message, code=500, asked=False)
    problems = snapshot.problems(subject) if snapshot is not None else ()
    if not problems:
        return None
    verdict = Verdict(outcome=Outcome.DENY, failures=tuple(problems))
    return Answer(verdict=verdict, code=UNUSABLE, asked=False)


def _judged(request: Request, snapshot: Snapshot, asking: Asking, *, mutating: bool) -> tuple[Verdict, bool]:
    """The verdict, and whether the deadline kept a policy from judging.

    An evaluation that the deadline ended counts as failed, and a failed one denies. But nobody said no: so
    what others found stands, and if nobody denied, the question could not be asked.
    """
    if request.namespace_object is None and request.namespace:
        request = _placed(request, snapshot)
    steps = [row for row in snapshot.steps(WEBHOOK, timed=asking.timed) if row.mutating is mutating]
    if not steps:
        return ALLOWED, False
    verdict = decide(
        steps, request, now=asking.now, deadline=asking.deadline, rules=snapshot.rules, recorded=False
    )
    if not asking.deadline.passed():
        return _located(verdict, request, snapshot, asking), False
    if verdict.outcome is Outcome.COULD_NOT_ASK:
        return verdict, True
    sure = tuple(row for row in verdict.findings if not row.failed)
    if len(sure) == len(verdict.findings):
        return verdict, False
    if Verdict.of(sure).allowed:
        return out_of_time(), True
    return replace(verdict, findings=sure), True


def _located(verdict: Verdict, request: Request, snapshot: Snapshot, asking: Asking) -> Verdict:
    """A refusal with the fields at fault; there is time for that, or it is left out."""
    if verdict.outcome is not Outcome.DENY or not verdict.findings:
        return verdict
    found = snapshot.located(request, verdict.findings, now=asking.now, deadline=asking.deadline)
    return replace(verdict, findings=tuple(found))


def _placed(request: Request, snapshot: Snapshot) -> Request:
    return replace(request, namespace_object=snapshot.namespace(request.namespace))


def _decide(steps: tuple[Step[Judge], ...], request: Request, asking: Asking) -> Verdict:
    return decide(steps, request, now=asking.now, deadline=asking.deadline, recorded=False)
