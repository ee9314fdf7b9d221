"""Expansion: the objects that an object will bring about, judged before it exists (policy.md 1.8).

An ExpansionTemplate says which part of an object becomes another one: a Deployment's ``spec.template`` a Pod.
Such a child is made from that part, gets a name, a namespace and its owner, is mutated as a generated object,
and is expanded in its turn. Kinds with a pod template that no ExpansionTemplate speaks of are expanded all
the same (``IMPLIED``), so that policies for Pods hold for whatever makes Pods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import Any, Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, Level, Limit, ObjectPath, Path
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object, value_at
from sekisho.kube.podspec import POD_SPEC_PATHS
from sekisho.kube.schema import validate
from sekisho.policy import codes, shapes
from sekisho.policy.constraint import ACTIONS
from sekisho.policy.match import Subject
from sekisho.policy.mutation import NO_MUTATORS, NO_OCCASION, Change, Occasion, Snapshot

GROUP: Final = "expansion.gatekeeper.sh"
VERSIONS: Final = ("v1beta1", "v1alpha1")

DEPTH: Final = Limit(
    "expansion", 30, "levels", "no controller's objects are nested deeper; Gatekeeper's limit"
)
CHILDREN: Final = Limit(
    "expansion of an object", 1_000, "children", "two templates on each of thirty levels would make a billion"
)
KINDS: Final = Limit("applyTo", 1_000, "kinds", "each is an entry in the index of every review")
NAME_LENGTH: Final = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpansionTemplate:
    """What becomes of a part of an object. ``object`` is None for those that need no writing down.

    ``action`` replaces the constraint's enforcement action in findings about children; empty for none.
    """

    name: str
    kinds: frozenset[GVK]
    source: Path
    generated: GVK
    action: str = ""
    object: Object | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resultant:
    """A child: ``base`` is where it stands in the object that was expanded first.

    ``changes`` are those that mutators made of it.
    """

    object: Object
    template: ExpansionTemplate
    base: Path
    changes: tuple[Change, ...] = ()

    def place(self, ancestor: Object, path: Path) -> ObjectPath:
        """Where a field of the child stands in the object that was expanded first.

        Fields that nobody wrote lead to what they were made from.
        """
        made = next((place for start, place in _MADE if path[: len(start)] == start), None)
        return ancestor.at(*((*self.base, *path) if made is None else made or self.base))


_MADE: Final[tuple[tuple[Path, Path], ...]] = (
    (("apiVersion",), ()),
    (("kind",), ()),
    (("metadata", "name"), ("metadata", "name")),
    (("metadata", "namespace"), ("metadata", "namespace")),
    (("metadata", "ownerReferences"), ()),
)
"""Fields of a child that it does not have from its parent's template, and what they are made from."""


def _implied() -> Iterator[tuple[tuple[str, str], ExpansionTemplate]]:
    """A row for each kind that has a pod template: what it makes, and from what."""
    pod, job = GVK("", "v1", "Pod"), GVK("batch", "v1", "Job")
    for (group, kind), path in POD_SPEC_PATHS.items():
        if kind == "Pod":
            continue
        source, generated = (path[:2], job) if kind == "CronJob" else (path[:-1], pod)
        name = f"default-{kind.lower()}"
        yield (
            (group, kind),
            ExpansionTemplate(name=name, kinds=frozenset(), source=source, generated=generated),
        )


IMPLIED: Final[Mapping[tuple[str, str], ExpansionTemplate]] = dict(_implied())
"""By group and kind: how workloads are expanded of which no ExpansionTemplate speaks."""


def is_expansion_template(object: Object) -> bool:
    """Whether an object is an ExpansionTemplate, of any version."""
    return object.gvk.group == GROUP and object.kind == "ExpansionTemplate"


def load_expansion_template(object: Object) -> ExpansionTemplate:
    """The template in an object; raises DiagnosticError with everything that is wrong with it."""
    problems = list(validate(object.raw, shapes.expansion(), shapes.locate(object)))
    if problems:
        raise DiagnosticError(problems)
    spec = object.get("spec") or {}
    raw = spec.get("generatedGVK") or {}
    generated = GVK(*(raw.get(part) or "" for part in ("group", "version", "kind")))
    kinds = frozenset(_kinds(spec.get("applyTo") or ()))
    problems += _problems(object, spec, generated, kinds)
    if problems:
        raise DiagnosticError(problems)
    return ExpansionTemplate(
        name=object.name,
        kinds=kinds,
        source=tuple(spec["templateSource"].split(".")),
        generated=generated,
        action=spec.get("enforcementAction") or "",
        object=object,
    )


def _kinds(rows: Iterable[Mapping[str, Any]]) -> Iterator[GVK]:
    """The kinds of ``applyTo``, one more than there may be where there are too many."""
    for row in rows:
        parts = product(row.get("groups") or (), row.get("versions") or (), row.get("kinds") or ())
        yield from (GVK(*part) for part in islice(parts, KINDS.value + 1))


def _problems(
    object: Object, spec: Mapping[str, Any], generated: GVK, kinds: frozenset[GVK]
) -> Iterator[Diagnostic]:
    name = object.name
    if object.gvk.version not in VERSIONS:
        message = (
            f'unsupported version "{object.gvk.version}" for ExpansionTemplate "{name}"; '
            f"supported versions: {' '.join(VERSIONS)}"
        )
        yield _problem(object, ("apiVersion",), message)
    if not name:
        yield _problem(object, ("metadata",), "ExpansionTemplate has empty name field")
    elif len(name) > NAME_LENGTH:
        message = f"ExpansionTemplate name must be less than {NAME_LENGTH + 1} characters"
        yield _problem(object, ("metadata", "name"), message)
    if not spec.get("templateSource"):
        yield _problem(object, ("spec",), f"ExpansionTemplate {name} has empty source field")
    if generated == GVK("", "", ""):
        yield _problem(object, ("spec",), f"ExpansionTemplate {name} has empty generatedGVK field")
    if not kinds:
        message = f"ExpansionTemplate {name} must specify ApplyTo"
        help = "with at least one of each of groups, versions and kinds"
        yield _problem(object, ("spec", "applyTo"), message, help=help)
    if KINDS.exceeded_by(len(kinds)):
        yield _problem(object, ("spec", "applyTo"), str(KINDS))
    if generated in kinds:
        shown = f"{generated.api_version}, Kind={generated.kind}"
        message = f"ExpansionTemplate {name} generates GVK {shown}, but also applies to that same GVK"
        yield _problem(object, ("spec", "generatedGVK"), message, codes.EXPANSION_CYCLE)
    action = spec.get("enforcementAction") or ""
    if action and action not in ACTIONS:
        message = f'the enforcement action "{action}" is unknown; supported: {", ".join(ACTIONS)}'
        yield _problem(object, ("spec", "enforcementAction"), message, codes.BAD_ACTION)


def _problem(
    object: Object, path: Path, message: str, code: Code = codes.BAD_EXPANSION, help: str = ""
) -> Diagnostic:
    return Diagnostic(code=code, message=message, at=object.at(*path), help=help)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansions:
    """A snapshot of ExpansionTemplates; those that form a cycle are left out."""

    templates: tuple[ExpansionTemplate, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    _index: dict[GVK, tuple[ExpansionTemplate, ...]] = field(default_factory=dict)

    @classmethod
    def build(cls, objects: Iterable[Object]) -> Expansions:
        """The templates among these objects; what is wrong is left out and told in ``problems``."""
        problems: list[Diagnostic] = []
        found: dict[str, ExpansionTemplate] = {}
        for object in objects:
            if not is_expansion_template(object):
                continue
            try:
                template = load_expansion_template(object)
            except DiagnosticError as error:
                problems += error.diagnostics
                continue
            other = found.get(template.name)
            if other is not None and other.object is not None and other.object.raw != object.raw:
                problems.append(_twice(object, other.object))
            found[template.name] = template
        ordered = sorted(found.values(), key=lambda template: template.name)
        cycles = _cycles(ordered)
        problems += _cycle_problems(cycles)
        cyclic = {template.name for cycle in cycles for template in cycle}
        kept = tuple(template for template in ordered if template.name not in cyclic)
        index: dict[GVK, tuple[ExpansionTemplate, ...]] = {}
        for template in kept:
            for gvk in template.kinds:
                index[gvk] = (*index.get(gvk, ()), template)
        return cls(templates=kept, problems=tuple(problems), _index=index)

    def action(self, name: str) -> str:
        """The enforcement action that the template of this name sets; empty for none."""
        return next((template.action for template in self.templates if template.name == name), "")

    def templates_for(self, gvk: GVK, *, implied: bool) -> tuple[ExpansionTemplate, ...]:
        """The templates that apply to a kind; the one for workloads if there are none and it is asked for."""
        found = self._index.get(gvk, ())
        if found or not implied:
            return found
        default = IMPLIED.get((gvk.group, gvk.kind))
        return (default,) if default else ()

    def expand(
        self,
        subject: Subject,
        mutators: Snapshot = NO_MUTATORS,
        occasion: Occasion = NO_OCCASION,
        *,
        implied: bool = False,
    ) -> tuple[Resultant, ...]:
        """Every child of an object, and of its children; those of a child come before their siblings.

        ``implied`` expands workloads of which no template speaks. Raises DiagnosticError: POL063 for an
        object without the part that a template names, POL064 for too many children, and what mutation raises.
        """
        if not self.templates_for(subject.object.gvk, implied=implied):
            return ()
        return tuple(_Run(self, subject.object, mutators, occasion, implied).expand(subject, (), 0))


NO_EXPANSIONS: Final = Expansions()


class _Run:
    """The expansion of one object. What goes wrong with its children is told at its own fields."""

    def __init__(
        self, system: Expansions, root: Object, mutators: Snapshot, occasion: Occasion, implied: bool
    ) -> None:
        self._system = system
        self._root = root
        self._mutators = mutators
        self._occasion = occasion
        self._implied = implied
        self._count = 0

    def expand(self, subject: Subject, base: Path, depth: int) -> list[Resultant]:
        parent = subject.object
        if depth >= DEPTH.value:
            raise self._stopped(f"maximum recursion depth of {DEPTH.value} reached")
        templates = self._system.templates_for(parent.gvk, implied=self._implied)
        children = [child for row in templates if (child := self._child(subject, row, base)) is not None]
        below = [
            grandchild
            for child in children
            for grandchild in self.expand(replace(subject, object=child.object), child.base, depth + 1)
        ]
        return [*below, *children]

    def _child(self, subject: Subject, template: ExpansionTemplate, base: Path) -> Resultant | None:
        """The child that a template makes; None where a workload has no pod template: its schema says so."""
        parent = subject.object
        source = value_at(parent.raw, template.source)
        if not isinstance(source, dict):
            if template.object is None:
                return None
            raise DiagnosticError(_no_source(self._root, parent, template, base))
        self._count += 1
        if CHILDREN.exceeded_by(self._count):
            raise self._stopped(str(CHILDREN))
        made = Object(_child_raw(subject, template, source))
        child = Resultant(object=made, template=template, base=(*base, *template.source))
        generated = Subject(object=made, namespace=subject.namespace, source="Generated")
        try:
            mutation = self._mutators.mutate(generated, self._occasion)
        except DiagnosticError as error:
            raise DiagnosticError([self._placed(row, child) for row in error.diagnostics]) from None
        return replace(child, object=mutation.object, changes=mutation.changes)

    def _stopped(self, why: str) -> DiagnosticError:
        root = self._root
        message = f"error expanding {root.ref()}: {why}"
        return DiagnosticError(Diagnostic(code=codes.EXPANSION_LIMIT, message=message, at=root.at()))

    def _placed(self, problem: Diagnostic, child: Resultant) -> Diagnostic:
        path = problem.at.path if isinstance(problem.at, ObjectPath) else ()
        message = f"[Implied by {child.template.name}] {problem.message}"
        return replace(problem, message=message, at=child.place(self._root, path))


def _child_raw(subject: Subject, template: ExpansionTemplate, source: Mapping[str, Any]) -> dict[str, Any]:
    """The child before mutation: the part of the parent, shared, and what makes it an object."""
    parent, generated = subject.object, template.generated
    old = source.get("metadata")
    metadata = dict(old) if isinstance(old, dict) else {}
    name = parent.name or parent.generate_name.rstrip("-")
    metadata["name"] = f"{name}-{generated.kind}".lower() if generated.kind else name.lower()
    namespace = subject.namespace.name if subject.namespace else parent.namespace
    if namespace:
        metadata["namespace"] = namespace
    if parent.api_version and parent.kind and parent.name:
        _own(metadata, parent)
    return {**source, "apiVersion": generated.api_version, "kind": generated.kind, "metadata": metadata}


def _own(metadata: dict[str, Any], parent: Object) -> None:
    """Add the parent to the owners, unless it is among them."""
    identity = {"apiVersion": parent.api_version, "kind": parent.kind, "name": parent.name}
    rows = metadata.get("ownerReferences")
    owners = rows if isinstance(rows, list) else []
    if not any(isinstance(row, dict) and identity.items() <= row.items() for row in owners):
        metadata["ownerReferences"] = [*owners, {**identity, "uid": ""}]


def _no_source(root: Object, parent: Object, template: ExpansionTemplate, base: Path) -> Diagnostic:
    problem = Diagnostic(
        code=codes.NO_SOURCE,
        message=(
            f"error expanding {parent.ref()}: "
            f'could not find source field "{".".join(map(str, template.source))}" in resource {parent.name}'
        ),
        at=root.at(*base, *template.source),
        policy=f"ExpansionTemplate/{template.name}",
    )
    if template.object is not None:
        at = template.object.at("spec", "templateSource")
        problem = problem.with_note(f"{template.name} is here", at)
    return problem


def _cycles(templates: list[ExpansionTemplate]) -> list[list[ExpansionTemplate]]:
    """Templates that generate one another in a circle: strongly connected components of more than one.

    Tarjan's algorithm, with a stack of its own: a chain of templates may be as long as the input.
    """
    takers: dict[GVK, list[int]] = {}
    for number, template in enumerate(templates):
        for gvk in template.kinds:
            takers.setdefault(gvk, []).append(number)
    follow = [takers.get(template.generated, []) for template in templates]
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    open_: list[int] = []
    is_open: set[int] = set()
    cycles: list[list[ExpansionTemplate]] = []
    for root in range(len(templates)):
        if root in order:
            continue
        work: list[tuple[int, Iterator[int]]] = [(root, iter(follow[root]))]
        order[root] = low[root] = len(order)
        open_.append(root)
        is_open.add(root)
        while work:
            here, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[here])
                if low[here] == order[here]:
                    members = [open_.pop()]
                    while members[-1] != here:
                        members.append(open_.pop())
                    is_open.difference_update(members)
                    if len(members) > 1:
                        cycles.append([templates[member] for member in sorted(members)])
            elif following not in order:
                order[following] = low[following] = len(order)
                open_.append(following)
                is_open.add(following)
                work.append((following, iter(follow[following])))
            elif following in is_open:
                low[here] = min(low[here], order[following])
    return cycles


NAMED: Final = 5
"""Templates that a message names; more hide it."""


def _cycle_problems(cycles: Iterable[list[ExpansionTemplate]]) -> Iterator[Diagnostic]:
    for cycle in cycles:
        names = [template.name for template in cycle]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        for template in cycle:
            assert template.object is not None, "only what is written down can be wrong"
            yield Diagnostic(
                code=codes.EXPANSION_CYCLE,
                message=f"template forms expansion cycle: {', '.join(names[:NAMED])}{more}",
                at=template.object.at("spec", "generatedGVK"),
                help="none of them is applied",
            )


def _twice(object: Object, other: Object) -> Diagnostic:
    return Diagnostic(
        code=codes.SAME_EXPANSION,
        message="this ExpansionTemplate is given twice with different contents; the last one holds",
        level=Level.WARNING,
        at=object.at("metadata", "name"),
    ).with_note("the other one is here", other.at("metadata", "name"))
