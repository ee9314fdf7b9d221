"""The policy engine: an immutable snapshot of templates, constraints and inventory that judges requests.

``Engine.review`` is the package's entry: a request in, findings out, nothing else touched. A change of any
object makes a new engine (``build``); reviews under way keep the one that they began with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from sekisho.diag import Deadline, Diagnostic, DiagnosticError, Level, ObjectPath
from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Request, Verdict
from sekisho.policy import codes
from sekisho.policy.code import Compiler
from sekisho.policy.constraint import WEBHOOK, Constraint, is_constraint, load_constraint, rung_of
from sekisho.policy.document import review_document
from sekisho.policy.expansion import NO_EXPANSIONS, Expansions, Resultant, is_expansion_template
from sekisho.policy.held import SECRET, Explanations, explained
from sekisho.policy.implied import as_implied, child_request, is_default, without_repeats
from sekisho.policy.inventory import build_inventory
from sekisho.policy.locate import Positions
from sekisho.policy.match import MatchError, Subject
from sekisho.policy.mutation import NO_MUTATORS, Occasion, Snapshot, is_mutator
from sekisho.policy.providers import Providers
from sekisho.policy.template import Template, is_template, load_template
from sekisho.rego import Options
from sekisho.rego.jsontext import marshal
from sekisho.rego.values import Set


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One violation of one constraint: what the template said, before it is placed in the object.

    ``details`` is JSON; ``element`` is the member of the template's set, as Rego has it.
    """

    constraint: Constraint
    action: str
    message: str
    details: Any
    element: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How to judge: at which enforcement point, until when, at what time, and whether to find positions.

    ``print_to`` takes the lines that templates print. ``workloads`` expands objects with a pod template of
    which no ExpansionTemplate speaks. ``explain`` tells with each violation which expressions held.
    """

    point: str = WEBHOOK
    deadline: Deadline | None = None
    now_ns: int | None = None
    positions: bool = True
    print_to: Callable[[str], None] | None = None
    workloads: bool = True
    explain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A snapshot. ``problems`` are the findings about policies that could not be used, and warnings.

    ``providers`` is where mutators get external data; without it their failure policies hold. ``explains``:
    its verdicts tell with each violation which expressions held.
    """

    templates: Mapping[str, Template]
    constraints: tuple[Constraint, ...]
    namespaces: Mapping[str, Object]
    data: Mapping[str, Any]
    mutators: Snapshot = NO_MUTATORS
    expansions: Expansions = NO_EXPANSIONS
    providers: Providers | None = None
    explains: bool = False
    problems: tuple[Diagnostic, ...] = ()
    _candidates: dict[tuple[str, str], tuple[Constraint, ...]] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        policies: Iterable[Object],
        *,
        inventory: Iterable[Object] = (),
        compile: Compiler | None = None,
        providers: Providers | None = None,
        any_action: bool = False,
    ) -> Engine:
        """The engine of these policies, in any order; other objects among them are ignored.

        ``inventory`` is what referential templates see, and where Namespaces are looked up. Policies that are
        wrong are left out and told in ``problems``; the caller decides whether to go on without them.
        ``any_action`` is that of ``load_constraint``.
        """
        return _Builder(compile, any_action=any_action).build(tuple(policies), tuple(inventory), providers)

    @classmethod
    def of(
        cls,
        constraints: Iterable[Constraint],
        *,
        inventory: Iterable[Object] = (),
        mutators: Snapshot = NO_MUTATORS,
        expansions: Expansions = NO_EXPANSIONS,
    ) -> Engine:
        """The engine of constraints that are loaded already, each of which brings its template."""
        rows = tuple(sorted(constraints, key=lambda row: (row.object.kind, row.object.name)))
        objects = tuple(inventory)
        referential = any(row.template.facts.inventory for row in rows)
        return cls(
            templates={row.template.kind: row.template for row in rows},
            constraints=rows,
            namespaces={row.name: row for row in objects if row.is_namespace},
            data={"inventory": build_inventory(objects if referential else ())},
            mutators=mutators,
            expansions=expansions,
        )

    def with_inventory(self, inventory: Iterable[Object]) -> Engine:
        """The same policies over another inventory."""
        engine = Engine.of(self.constraints, inventory=inventory)
        return replace(self, namespaces=engine.namespaces, data=engine.data)

    def review(self, request: Request, ask: Ask = Ask()) -> tuple[Finding, ...]:
        """Every violation that the request is guilty of, by constraint kind, then name, then message.

        Those of the object come first, then those of the objects that it will bring about. Raises
        DiagnosticError where it cannot be expanded.
        """
        found = self.review_itself(request, ask)
        said = frozenset((finding.policy, finding.diagnostic.message) for finding in found)
        return (*found, *without_repeats(self.review_children(request, ask, said), found))

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
        for child in self._children(request, ask):
            known = said if is_default(child) else frozenset()
            findings = self.review_itself(child_request(request, child), ask, known)
            found += (as_implied(finding, child, request.subject) for finding in findings)
        return tuple(found)

    def _children(self, request: Request, ask: Ask) -> tuple[Resultant, ...]:
        occasion = Occasion(username=request.user.username, providers=self.providers, deadline=ask.deadline)
        subject = Subject(object=request.subject, namespace=self.namespace_of(request))
        return self.expansions.expand(subject, self.mutators, occasion, implied=ask.workloads)

    def review_itself(
        self, request: Request, ask: Ask, said: frozenset[tuple[str, str]] = frozenset()
    ) -> tuple[Finding, ...]:
        """The violations of the request's own object, without those already ``said``."""
        subjects = self._subjects(request)
        document: dict[str, Any] | None = None
        options = Options(now_ns=ask.now_ns, printed=ask.print_to)
        found: list[Finding] = []
        for constraint in self._may_match(request):
            action = constraint.action_at(ask.point)
            if action is None:
                continue
            try:
                if not constraint.match.matches_any(*subjects):
                    continue
            except MatchError as error:
                found.append(_autoreject(constraint, action, request, error))
                continue
            if document is None:
                document = review_document(request)
            input = {"review": document, "parameters": constraint.parameters}
            found += self._judge(_Case(constraint, action, request, input, ask, options), said)
        return tuple(found)

    def judge(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        """The pure judge for the chain of ``kube.review``: what the webhook would answer."""
        now_ns = int(now.timestamp() * 1_000_000_000)
        findings = self.review(request, Ask(deadline=deadline, now_ns=now_ns, explain=self.explains))
        return Verdict.of(findings)

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
        gvk = request.subject.gvk
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
        try:
            violations = self._evaluate(case)
        except DiagnosticError as error:
            yield _failed(case.constraint, case.action, case.request, error)
            return
        if said:
            policy = case.constraint.policy
            violations = [row for row in violations if (policy, row.message) not in said]
        if not violations:
            return
        find = None
        if case.ask.positions:
            find = Positions(case.constraint.template, case.input, self.data, case.options)
        explanations = None
        if case.ask.explain:
            explanations = Explanations(case.constraint.template, case.input, self.data, case.options)
        for violation in violations:
            at = case.request.subject.at()
            if find is not None:
                at = case.request.subject.at(*find.path(violation.element, violation.details))
            finding = _finding(violation, at)
            if explanations is not None:
                values = case.request.subject.kind != SECRET
                held = explanations.of(violation.element)
                told = explained(finding.diagnostic, held, values=values)
                finding = replace(finding, diagnostic=told)
            yield finding

    def _evaluate(self, case: _Case) -> list[Violation]:
        constraint = case.constraint
        result = constraint.template.entry(
            case.input, self.data, deadline=case.ask.deadline, options=case.options
        )
        if not isinstance(result, Set) or not len(result):
            return []
        found: list[Violation] = []
        for element in result:
            message = element.get("msg") if isinstance(element, dict) else None
            if not isinstance(message, str):
                raise DiagnosticError(_no_message(constraint, element))
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


def is_policy(object: Object) -> bool:
    """Whether an object is a policy itself: a template, a constraint, a mutator, an expansion template."""
    return is_template(object) or is_constraint(object) or is_mutator(object) or is_expansion_template(object)


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


def _mutators(objects: Iterable[Object]) -> Snapshot:
    """The mutators among these objects; what reads them is imported only where there are some."""
    if not any(is_mutator(object) for object in objects):
        return NO_MUTATORS
    from sekisho.policy.mutation import Mutators

    return Mutators.build(objects)


class _Builder:
    """Puts an engine together and collects what is wrong on the way."""

    def __init__(self, compile: Compiler | None, *, any_action: bool) -> None:
        self._any_action = any_action
        if compile is None:
            # Imported here, since a program from the cache needs no compiler.
            from sekisho.policy.compiler import compile_code

            compile = compile_code
        self._compile = compile
        self._problems: list[Diagnostic] = []
        self._failed: set[str] = set()

    def build(
        self, policies: tuple[Object, ...], inventory: tuple[Object, ...], providers: Providers | None
    ) -> Engine:
        templates = self._templates(policies)
        engine = Engine.of(
            self._constraints(policies, templates),
            inventory=inventory,
            mutators=_mutators(policies),
            expansions=Expansions.build(policies),
        )
        self._problems += (*engine.mutators.problems, *engine.expansions.problems)
        return replace(engine, templates=templates, providers=providers, problems=tuple(self._problems))

    def _templates(self, policies: tuple[Object, ...]) -> dict[str, Template]:
        templates: dict[str, Template] = {}
        for object in policies:
            if not is_template(object):
                continue
            try:
                template = load_template(object, compile=self._compile)
            except DiagnosticError as error:
                self._problems += error.diagnostics
                self._failed.add(str(object.get("spec", "crd", "spec", "names", "kind") or object.name))
                continue
            other = templates.get(template.kind)
            if other is not None and other.object.raw != object.raw:
                self._problems.append(_twice(codes.SAME_KIND, object, other.object, "ConstraintTemplate"))
            self._problems += template.warnings
            templates[template.kind] = template
        return templates

    def _constraints(self, policies: tuple[Object, ...], templates: dict[str, Template]) -> list[Constraint]:
        found: dict[str, Constraint] = {}
        for object in policies:
            if not is_constraint(object):
                continue
            template = templates.get(object.kind)
            if template is None:
                self._problems.append(_without_template(object, failed=object.kind in self._failed))
                continue
            try:
                constraint = load_constraint(object, template, any_action=self._any_action)
            except DiagnosticError as error:
                self._problems += error.diagnostics
                continue
            other = found.get(constraint.policy)
            if other is not None and other.object.raw != object.raw:
                self._problems.append(_twice(codes.SAME_CONSTRAINT, object, other.object, "constraint"))
            self._problems += constraint.warnings
            found[constraint.policy] = constraint
        return list(found.values())


def _without_template(object: Object, *, failed: bool) -> Diagnostic:
    if failed:
        message = f"the ConstraintTemplate for {object.kind} could not be used, so nothing is judged by this"
        return Diagnostic(code=codes.TEMPLATE_FAILED, message=message, at=object.at("kind"))
    return Diagnostic(
        code=codes.NO_TEMPLATE,
        message=f"there is no ConstraintTemplate for the kind {object.kind}",
        at=object.at("kind"),
        help="give the template's file too; the order does not matter",
    )


def _twice(code: Any, object: Object, other: Object, what: str) -> Diagnostic:
    return Diagnostic(
        code=code,
        message=f"this {what} is given twice with different contents; the last one holds",
        level=Level.WARNING,
        at=object.at("metadata", "name"),
    ).with_note("the other one is here", other.at("metadata", "name"))


def _finding(violation: Violation, at: ObjectPath) -> Finding:
    constraint = violation.constraint
    data = {"details": violation.details} if violation.details else {}
    diagnostic = Diagnostic(
        code=codes.VIOLATION, message=violation.message, at=at, policy=constraint.policy, data=data
    )
    return _as_finding(diagnostic, constraint, violation.action)


def _failed(constraint: Constraint, action: str, request: Request, error: DiagnosticError) -> Finding:
    """An evaluation that failed is a violation, so that nothing passes for want of an answer."""
    cause = error.diagnostics[0]
    alias = f"{cause.code.alias}: " if cause.code.alias else ""
    diagnostic = Diagnostic(
        code=codes.EVALUATION,
        message=f"{alias}{cause.message}",
        at=request.subject.at(),
        policy=constraint.policy,
        help=cause.help,
    )
    if cause.at is not None:
        diagnostic = diagnostic.with_note(f"{cause.code.id}: the evaluation failed here", cause.at)
    return replace(_as_finding(diagnostic, constraint, action), failed=True)


def _autoreject(constraint: Constraint, action: str, request: Request, error: MatchError) -> Finding:
    """A match that failed rejects the object, in Gatekeeper's words."""
    namespace = request.namespace
    where = f"error matching the requested object: {request.subject.name}"
    diagnostic = Diagnostic(
        code=codes.AUTOREJECT,
        message=f"unable to match constraints: {where} :failed to run Match criteria: {error}",
        at=request.subject.at("metadata", "namespace"),
        policy=constraint.policy,
        help=f"add the Namespace {namespace} to the input" if namespace else "",
    )
    return replace(_as_finding(diagnostic, constraint, action), failed=True)


def _as_finding(diagnostic: Diagnostic, constraint: Constraint, action: str) -> Finding:
    line = f"[{constraint.object.name}] {diagnostic.message}"
    return Finding.of(diagnostic, rung_of(action), word=action, line=line)


def _no_message(constraint: Constraint, element: Any) -> Diagnostic:
    got = type(element.get("msg")).__name__ if isinstance(element, dict) and "msg" in element else "nothing"
    return Diagnostic(
        code=codes.VIOLATION_SHAPE,
        message=f"violation must be a set of objects with a string msg, this has {got}",
        at=constraint.template.object.at("spec", "targets", 0),
    )
