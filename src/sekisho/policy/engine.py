"""The policy engine: an immutable snapshot of templates, constraints and inventory that judges requests.

``Engine.review`` is the package's entry: a request in, findings out, nothing else touched. A change of any
object makes a new engine (``build``); reviews under way keep the one that they began with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sekisho.diag import Deadline, Diagnostic, DiagnosticError, Level, ObjectRef, Source
from sekisho.kube.codes import OUT_OF_TIME
from sekisho.kube.defaults import apply_defaults
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Request, Verdict
from sekisho.policy import beyond, codes
from sekisho.policy.code import ANY_ENGINE, EXTERNAL_DATA, Choice, Compiler
from sekisho.policy.config import AUDIT as AUDIT_PROCESS
from sekisho.policy.config import NO_SETTINGS, Settings
from sekisho.policy.config import WEBHOOK as WEBHOOK_PROCESS
from sekisho.policy.constraint import AUDIT, GATOR, WEBHOOK, Constraint
from sekisho.policy.document import review_document
from sekisho.policy.expansion import NO_EXPANSIONS, Expansions, Resultant
from sekisho.policy.external import Providers, Session, Unasked
from sekisho.policy.findings import (
    Violation,
    autorejected,
    failed,
    no_message,
    unanswered,
    violated,
    violated_natively,
    with_session,
)
from sekisho.policy.held import SECRET, Explanations, explained
from sekisho.policy.implied import as_implied, child_request, is_default, without_repeats
from sekisho.policy.inventory import build_inventory
from sekisho.policy.loading import How, load_policies
from sekisho.policy.locate import LOCATED, Positions
from sekisho.policy.match import MatchError, Subject
from sekisho.policy.mutation import NO_MUTATORS, Occasion, Snapshot
from sekisho.policy.template import Template
from sekisho.policy.watch import Watch
from sekisho.rego import Options
from sekisho.rego.jsontext import marshal
from sekisho.rego.values import Set

if TYPE_CHECKING:
    from sekisho.policy.external.provider import Provider
    from sekisho.policy.native import Native
    from sekisho.policy.vap import Policies


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How to judge: at which enforcement point, until when, at what time, and whether to find positions.

    ``print_to`` takes the lines that templates print. ``workloads`` expands objects with a pod template of
    which no ExpansionTemplate speaks. ``explain`` tells with each violation which expressions held.
    ``reads`` takes what is read beyond the object (``beyond``), ``watch`` what was done and how long that
    took.
    """

    point: str = WEBHOOK
    deadline: Deadline | None = None
    now_ns: int | None = None
    positions: bool = True
    print_to: Callable[[str], None] | None = None
    workloads: bool = True
    explain: bool = False
    reads: set[str] | None = None
    watch: Watch | None = None


PROCESSES: Final[Mapping[str, str]] = {WEBHOOK: WEBHOOK_PROCESS, AUDIT: AUDIT_PROCESS}
"""The processes of which a Config speaks, by enforcement point; it does not speak of gator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A snapshot. ``problems`` are the findings about policies that could not be used, and warnings.

    The errors among them are in ``faults`` too, by the policy that is wrong.

    ``providers`` is where policies and mutators get external data; without it nobody can be asked. ``asks``:
    one of them does. ``declared`` are the Provider resources. ``settings`` are those of the Config and the
    SyncSets. ``explains``: its verdicts tell with each violation which expressions held. ``vap`` are the
    ValidatingAdmissionPolicies, which judge beside it (``chain``).
    """

    templates: Mapping[str, Template]
    constraints: tuple[Constraint, ...]
    namespaces: Mapping[str, Object]
    data: Mapping[str, Any]
    mutators: Snapshot = NO_MUTATORS
    expansions: Expansions = NO_EXPANSIONS
    providers: Providers | None = None
    asks: bool = False
    declared: Mapping[str, Provider] = field(default_factory=dict)
    settings: Settings = NO_SETTINGS
    explains: bool = False
    vap: Policies | None = None
    problems: tuple[Diagnostic, ...] = ()
    faults: Mapping[ObjectRef, Sequence[Diagnostic]] = field(default_factory=dict)
    _candidates: dict[tuple[str, str], tuple[Constraint, ...]] = field(default_factory=dict)
    _reads: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        policies: Iterable[Object],
        *,
        inventory: Iterable[Object] = (),
        compile: Compiler | None = None,
        choice: Choice = ANY_ENGINE,
        providers: Providers | None = None,
        any_action: bool = False,
        config: bool = True,
    ) -> Engine:
        """The engine of these policies, in any order; other objects among them are ignored.

        ``inventory`` is what referential templates see, and where Namespaces are looked up. Policies that are
        wrong are left out and told in ``problems``; the caller decides whether to go on without them.
        The other arguments are those of ``How``.
        """
        objects = tuple(inventory)
        how = How(compile=compile, choice=choice, any_action=any_action, config=config)
        loaded = load_policies(tuple(policies), objects, how)
        engine = cls.of(
            loaded.constraints,
            inventory=objects,
            mutators=loaded.mutators,
            expansions=loaded.expansions,
            settings=loaded.settings,
        )
        return replace(
            engine,
            templates=loaded.templates,
            providers=providers,
            declared=loaded.providers,
            vap=loaded.vap,
            problems=loaded.problems,
            faults=loaded.faults,
        )

    @classmethod
    def of(
        cls,
        constraints: Iterable[Constraint],
        *,
        inventory: Iterable[Object] = (),
        mutators: Snapshot = NO_MUTATORS,
        expansions: Expansions = NO_EXPANSIONS,
        settings: Settings = NO_SETTINGS,
    ) -> Engine:
        """The engine of constraints that are loaded already, each of which brings its template."""
        rows = tuple(sorted(constraints, key=lambda row: (row.object.kind, row.object.name)))
        objects = tuple(inventory)
        referential = any(row.template.facts.inventory for row in rows)
        return cls(
            templates={row.template.kind: row.template for row in rows},
            constraints=rows,
            namespaces={row.name: row for row in objects if row.is_namespace},
            data={"inventory": build_inventory(settings.inventory(objects) if referential else ())},
            mutators=mutators,
            expansions=expansions,
            asks=mutators.asks or any(row.template.asks for row in rows),
            settings=settings,
        )

    def asking(self) -> Engine:
        """The engine for one review, in which each question to a provider has one answer.

        What asks then keeps in the session (``providers``) what could not be asked and what is to be told of
        providers; reviews of an engine without a session raise Unasked (POL122).
        """
        if not self.asks or isinstance(self.providers, Session):
            return self
        return replace(self, providers=Session(self.providers))

    def with_inventory(self, inventory: Iterable[Object]) -> Engine:
        """The same policies over another inventory."""
        objects = tuple(inventory)
        engine = Engine.of(self.constraints, inventory=objects, settings=self.settings)
        vap = self.vap.with_inventory(objects) if self.vap is not None else None
        return replace(self, namespaces=engine.namespaces, data=engine.data, vap=vap)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of the policies' code, which findings may point into."""
        rows = [source for template in self.templates.values() for source in template.sources]
        return (*rows, *(self.vap.sources() if self.vap is not None else ()))

    def review(self, request: Request, ask: Ask = Ask()) -> tuple[Finding, ...]:
        """Every violation that the request is guilty of, by constraint kind, then name, then message.

        Those of the object come first, then those of the objects that it will bring about; there are none
        where the Config excludes the object's namespace. Raises DiagnosticError where it cannot be expanded,
        or where a provider could not be asked (see ``asking``).
        """
        process = PROCESSES.get(ask.point)
        if process is not None and self.excludes(process, request):
            return ()
        found = self.review_itself(request, ask)
        said = frozenset((finding.policy, finding.diagnostic.message) for finding in found)
        return (*found, *without_repeats(self.review_children(request, ask, said), found))

    def excludes(self, process: str, request: Request) -> bool:
        """Whether the Config leaves the request's object out of a process."""
        return self.settings.excludes(process, request.subject, request.namespace)

    def review_children(
        self, request: Request, ask: Ask, said: frozenset[tuple[str, str]] = frozenset()
    ) -> tuple[Finding, ...]:
        """The violations of what the request's object will bring about, each at the object's own field.

        What was ``said`` of the object already, by policy and message, is not said again of a child that it
        has without an ExpansionTemplate: finding its field a second time would be most of the work.
        """
        if not self.constraints:
            return ()
        found: list[Finding] = []
        session = self.providers if isinstance(self.providers, Session) else None
        left = len(session.unasked) if session is not None else 0
        for child in self._children(request, ask):
            known = said if is_default(child) else frozenset()
            findings = self.review_itself(child_request(request, child), ask, known)
            found += (as_implied(finding, child, request.subject) for finding in findings)
            if session is not None:
                left = session.place(child.place(request.subject, ()), left)
        return tuple(found)

    def _children(self, request: Request, ask: Ask) -> tuple[Resultant, ...]:
        occasion = Occasion(username=request.user.username, providers=self.providers, deadline=ask.deadline)
        subject = Subject(object=request.subject, namespace=self.namespace_of(request))
        children = self.expansions.expand(subject, self.mutators, occasion, implied=ask.workloads)
        if ask.point == GATOR:
            return children
        # A controller's object is created like any other one, so defaults follow what mutators made of it.
        return tuple(replace(child, object=apply_defaults(child.object)) for child in children)

    def review_itself(
        self, request: Request, ask: Ask, said: frozenset[tuple[str, str]] = frozenset()
    ) -> tuple[Finding, ...]:
        """The violations of the request's own object, without those already ``said``."""
        subjects = self._subjects(request)
        document: dict[str, Any] | None = None
        options = Options(now_ns=ask.now_ns, printed=ask.print_to)
        if self.asks:
            options = replace(options, services={EXTERNAL_DATA: Session.of(self.providers)})
        found: list[Finding] = []
        if ask.watch is not None:
            ask.watch.begin(str(request.subject.ref()), request.generated_by)
        admission = ask.point == WEBHOOK
        for constraint in self._may_match(request):
            action = constraint.action_at(ask.point)
            if action is None or (admission and not constraint.template.judges(request.operation)):
                continue
            if ask.reads is not None:
                ask.reads.update(beyond.of_match(constraint, request.namespace))
            try:
                matches = constraint.match.matches_any(*subjects)
            except MatchError as error:
                matches = False
                found.append(autorejected(constraint, action, request, error))
            if not matches:
                if ask.watch is not None:
                    ask.watch.passed_over(constraint)
                continue
            if ask.reads is not None:
                ask.reads.update(self._beyond(constraint.template, request.namespace))
            if document is None:
                document = review_document(request)
            input = {"review": document, "parameters": constraint.parameters}
            found += self._judge(_Case(constraint, action, request, input, ask, options), said)
        return tuple(found)

    def judge(
        self,
        request: Request,
        *,
        now: datetime,
        deadline: Deadline,
        point: str = WEBHOOK,
        positions: bool = True,
        watch: Watch | None = None,
    ) -> Verdict:
        """The pure judge for the chain of ``kube.review``: what the webhook, or an audit, would answer."""
        now_ns = int(now.timestamp() * 1_000_000_000)
        reads: set[str] = set()
        ask = Ask(
            point=point,
            deadline=deadline,
            now_ns=now_ns,
            positions=positions,
            explain=self.explains,
            reads=reads,
            watch=watch,
        )
        engine = self.asking()
        findings = engine.review(request, ask)
        expires = now if beyond.MOMENT in reads else None
        verdict = Verdict.of(findings, reads=frozenset(reads - {beyond.MOMENT}), expires=expires)
        return with_session(verdict, engine.providers)

    def namespace_of(self, request: Request) -> Object | None:
        """The Namespace of the request's object, where it is known."""
        if request.namespace_object is None and request.namespace:
            return self.namespaces.get(request.namespace)
        return request.namespace_object

    def _subjects(self, request: Request) -> tuple[Subject, ...]:
        namespace = self.namespace_of(request)
        source = "Generated" if request.generated_by else "Original"
        return tuple(
            Subject(object=object, namespace=namespace, source=source)
            for object in (request.object, request.old_object)
            if object is not None
        )

    def _may_match(self, request: Request) -> tuple[Constraint, ...]:
        """The constraints whose kinds do not rule the request out: an index, filled as kinds come by."""
        return self._by_kind(request.subject.gvk)

    def _beyond(self, template: Template, namespace: str) -> Sequence[str]:
        """What a template reads besides the object and the inventory; its text is searched once."""
        known = self._reads.get(template.kind)
        if known is None:
            known = self._reads[template.kind] = beyond.of_template(template)
        return [row.format(namespace) for row in known if namespace or "{" not in row] if known else ()

    def concerns(self, gvk: GVK) -> bool:
        """Whether a constraint may have to do with objects of a kind, or with what they bring about."""
        seen: set[GVK] = set()
        todo = [gvk]
        while todo:
            kind = todo.pop()
            if kind in seen:
                continue
            if self._by_kind(kind) or self.expansions.templates_for(kind, implied=False):
                return True  # what somebody wrote an ExpansionTemplate for may fail to expand
            if self.vap is not None and self.vap.concerns(kind):
                return True
            seen.add(kind)
            todo += (row.generated for row in self.expansions.templates_for(kind, implied=True))
        return False

    def _by_kind(self, gvk: GVK) -> tuple[Constraint, ...]:
        key = (gvk.group, gvk.kind)
        known = self._candidates.get(key)
        if known is None:
            known = tuple(
                constraint
                for constraint in self.constraints
                if constraint.match.kinds is None
                or any(
                    (kinds is None or gvk.kind in kinds) and (groups is None or gvk.group in groups)
                    for groups, kinds in constraint.match.kinds
                )
            )
            self._candidates[key] = known
        return known

    def _judge(self, case: _Case, said: frozenset[tuple[str, str]]) -> Iterator[Finding]:
        if case.constraint.template.native is not None:
            yield from self._judge_native(case, case.constraint.template.native, said)
            return
        watch = case.ask.watch
        started = watch.clock() if watch is not None else 0
        try:
            violations = self._evaluate(case)
        except Unasked as error:
            if not isinstance(self.providers, Session):
                raise
            self.providers.leave(unanswered(case.constraint, case.request, error))
            return
        except DiagnosticError as error:
            yield failed(case.constraint, case.action, case.request, error)
            return
        finally:
            if watch is not None:
                watch.evaluated(case.constraint, watch.clock() - started)
        if said:
            policy = case.constraint.policy
            violations = [row for row in violations if (policy, row.message) not in said]
        if not violations:
            return
        few = not LOCATED.exceeded_by(len(violations))
        find = None
        if case.ask.positions:
            find = Positions(case.constraint.template, case.input, self.data, case.options, case.ask.deadline)
        explanations = None
        if case.ask.explain and few:
            explanations = Explanations(
                case.constraint.template, case.input, self.data, case.options, case.ask.deadline
            )
        for violation in violations:
            at = case.request.subject.at()
            if find is not None:
                path = find.path(violation.element, violation.details, derive=few)
                at = case.request.subject.at(*path)
            finding = violated(violation, at)
            if explanations is not None:
                values = case.request.subject.kind != SECRET
                held = explanations.of(violation.element)
                told = explained(finding.diagnostic, held, values=values)
                finding = replace(finding, diagnostic=told)
            yield finding

    def _judge_native(
        self, case: _Case, native: Native, said: frozenset[tuple[str, str]]
    ) -> Iterator[Finding]:
        request = replace(case.request, namespace_object=self.namespace_of(case.request))
        policy, watch = case.constraint.policy, case.ask.watch
        started = watch.clock() if watch is not None else 0
        violations = native.violations(request, case.constraint.raw, case.ask.deadline)
        if watch is not None:
            watch.evaluated(case.constraint, watch.clock() - started)
        for violation in violations:
            if (policy, violation.message) in said:
                continue
            path = violation.path() if case.ask.positions else ()
            at = request.subject.at(*path)
            finding = violated_natively(violation, case.constraint, case.action, at)
            if case.ask.explain:
                finding = replace(finding, diagnostic=violation.explain(finding.diagnostic))
            yield finding

    def _evaluate(self, case: _Case) -> list[Violation]:
        constraint, deadline = case.constraint, case.ask.deadline
        if deadline is not None and deadline.passed():
            # An evaluation looks at the clock now and then; ten thousand short ones would never do.
            raise DiagnosticError(Diagnostic(code=OUT_OF_TIME, message="no time was left to evaluate it"))
        data, reads = self.data, case.ask.reads
        if reads is not None and constraint.template.facts.inventory:
            data = beyond.Watched(data)
        result = constraint.template.entry(case.input, data, deadline=deadline, options=case.options)
        if isinstance(data, beyond.Watched) and data.read and reads is not None:
            reads.update(beyond.of_inventory(constraint.template))
        if not isinstance(result, Set) or not len(result):
            return []
        found: list[Violation] = []
        for element in result:
            message = element.get("msg") if isinstance(element, dict) else None
            if not isinstance(message, str):
                raise DiagnosticError(no_message(constraint, element))
            details = json.loads(marshal(element.get("details", {})))
            found.append(
                Violation(
                    constraint=constraint,
                    action=case.action,
                    message=message,
                    details=details,
                    element=element,
                )
            )
        return found


class _Case(NamedTuple):
    """One constraint's question about one request."""

    constraint: Constraint
    action: str
    request: Request
    input: dict[str, Any]
    ask: Ask
    options: Options


def may_differ(engine: Engine) -> Iterator[Diagnostic]:
    """A note for each template in use whose verdict may differ at admission from one without a request."""
    for kind in sorted({constraint.template.kind for constraint in engine.constraints}):
        template = engine.templates[kind]
        if template.facts.may_differ:
            fields = ", ".join(template.facts.may_differ)
            yield Diagnostic(
                code=codes.MAY_DIFFER,
                level=Level.NOTE,
                message=f"{kind} reads {fields} of the review, so its verdict may differ at admission",
                at=template.object.at("metadata", "name"),
                policy=kind,
            )
