"""From objects to policies: what an engine is made of, and all that is wrong with it, told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, Level, ObjectPath, ObjectRef
from sekisho.kube.gvk import BUILT_IN
from sekisho.kube.object import Object
from sekisho.policy import codes
from sekisho.policy.code import ANY_ENGINE, Choice, Compiler
from sekisho.policy.config import KINDS, NO_SETTINGS, Settings, is_config
from sekisho.policy.constraint import GROUP as CONSTRAINTS
from sekisho.policy.constraint import Constraint, is_constraint, load_constraint
from sekisho.policy.expansion import GROUP as EXPANSIONS
from sekisho.policy.expansion import Expansions, is_expansion_template
from sekisho.policy.external import declared, is_provider
from sekisho.policy.external.kinds import GROUP as PROVIDERS
from sekisho.policy.mutation import GROUP as MUTATORS
from sekisho.policy.mutation import NO_MUTATORS, Snapshot, is_mutator
from sekisho.policy.template import GROUP as TEMPLATES
from sekisho.policy.template import Template, is_template, load_template
from sekisho.policy.typos import kind_warnings

if TYPE_CHECKING:
    from sekisho.policy.external.provider import Provider
    from sekisho.policy.vap import Policies

POLICY_GROUPS: Final = frozenset(
    {TEMPLATES, CONSTRAINTS, MUTATORS, EXPANSIONS, PROVIDERS, *(group for group, _ in KINDS)}
)
"""The API groups whose objects are policies of Gatekeeper's, or say how these are applied."""

POLICIES: Final = (is_template, is_constraint, is_mutator, is_expansion_template, is_config, is_provider)
"""What makes an object a policy of Gatekeeper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How policies are read: ``compile`` their code, through a cache or anew (None).

    ``choice`` says which engine of templates judges. ``any_action`` is that of ``load_constraint``;
    ``config``: whether a Config is heeded.
    """

    compile: Compiler | None = None
    choice: Choice = ANY_ENGINE
    any_action: bool = False
    config: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Policies that can be used, templates by kind; ``problems`` tell of the others, and warnings.

    ``faults`` are the errors among these, by the object that is wrong.
    """

    templates: Mapping[str, Template]
    constraints: Sequence[Constraint]
    mutators: Snapshot
    expansions: Expansions
    settings: Settings
    providers: Mapping[str, Provider]
    vap: Policies | None
    problems: tuple[Diagnostic, ...]
    faults: Mapping[ObjectRef, Sequence[Diagnostic]]


def load_policies(policies: Sequence[Object], inventory: Sequence[Object], how: How) -> Loaded:
    """The policies among these objects, in any order; the rest of both is where definitions are looked up."""
    loader = _Loader(how)
    settings = Settings.build(policies) if how.config else NO_SETTINGS
    templates = loader.templates(policies)
    constraints = loader.constraints(policies, templates)
    mutators, expansions = _mutators(policies), Expansions.build(policies)
    providers = declared(policies)
    vap = _vap(policies, inventory, how.choice)
    problems = (
        *loader.problems,
        *mutators.problems,
        *expansions.problems,
        *(providers.problems if providers else ()),
        *settings.problems,
        *(vap.problems if vap is not None else ()),
        *settings.unsynced(templates.values()),
        *_of_no_kind(policies, inventory),
    )
    return Loaded(
        templates=templates,
        constraints=constraints,
        mutators=mutators,
        expansions=expansions,
        settings=settings,
        providers=providers.providers if providers else {},
        vap=vap,
        problems=problems,
        faults={
            **faults_by_object(problems),
            **loader.faults,
            **(vap.faults if vap is not None else {}),
        },
    )


def faults_by_object(problems: Iterable[Diagnostic]) -> dict[ObjectRef, list[Diagnostic]]:
    """The errors that are about a field of an object, by that object."""
    found: dict[ObjectRef, list[Diagnostic]] = {}
    for problem in problems:
        if problem.level is Level.ERROR and isinstance(problem.at, ObjectPath):
            found.setdefault(problem.at.ref, []).append(problem)
    return found


def is_policy(object: Object) -> bool:
    """Whether an object is a policy itself, or governs policies: templates, constraints, mutators, …"""
    return is_vap(object) or any(is_one(object) for is_one in POLICIES)


def _mutators(objects: Iterable[Object]) -> Snapshot:
    """The mutators among these objects; what reads them is imported only where there are some."""
    if not any(is_mutator(object) for object in objects):
        return NO_MUTATORS
    from sekisho.policy.mutation import Mutators

    return Mutators.build(objects)


def _vap(policies: Sequence[Object], inventory: Sequence[Object], choice: Choice) -> Policies | None:
    """The ValidatingAdmissionPolicies among these objects; imports what reads them where there are some."""
    if not any(is_vap(object) for object in policies):
        return None
    from sekisho.policy.vap import Policies

    return Policies.build(policies, inventory=inventory, compile=choice.compile)


def is_vap(object: Object) -> bool:
    """Whether an object is a ValidatingAdmissionPolicy or a binding of one."""
    return object.gvk.group == ADMISSION_GROUP and object.kind in VAP_KINDS


ADMISSION_GROUP: Final = "admissionregistration.k8s.io"
VAP_KINDS: Final = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


def _of_no_kind(policies: Sequence[Object], inventory: Sequence[Object]) -> Iterator[Diagnostic]:
    """Warnings about kinds that neither Kubernetes nor a CustomResourceDefinition at hand has."""
    crds = [row.raw for row in (*policies, *inventory) if row.kind == "CustomResourceDefinition"]
    scheme = BUILT_IN.with_crds(crds) if crds else BUILT_IN
    named = (is_constraint, is_mutator, is_expansion_template)
    return kind_warnings((row for row in policies if any(is_one(row) for is_one in named)), scheme)


class _Loader:
    """Reads templates, then constraints, and collects what is wrong on the way."""

    def __init__(self, how: How) -> None:
        self.problems: list[Diagnostic] = []
        self.faults: dict[ObjectRef, Sequence[Diagnostic]] = {}
        self._any_action = how.any_action
        self._choice = how.choice
        self._failed: set[str] = set()
        compile = how.compile
        if compile is None:
            # Imported here, since a program from the cache needs no compiler.
            from sekisho.policy.compiler import compile_code

            compile = compile_code
        self._compile = compile

    def templates(self, policies: Sequence[Object]) -> dict[str, Template]:
        templates: dict[str, Template] = {}
        for object in policies:
            if not is_template(object):
                continue
            try:
                template = load_template(object, compile=self._compile, choice=self._choice)
            except DiagnosticError as error:
                self.problems += error.diagnostics
                self.faults[object.ref()] = error.diagnostics
                self._failed.add(str(object.get("spec", "crd", "spec", "names", "kind") or object.name))
                continue
            other = templates.get(template.kind)
            if other is not None and other.object.raw != object.raw:
                self.problems.append(_twice(codes.SAME_KIND, object, other.object, "ConstraintTemplate"))
            self.problems += template.warnings
            templates[template.kind] = template
        return templates

    def constraints(self, policies: Sequence[Object], templates: dict[str, Template]) -> list[Constraint]:
        found: dict[str, Constraint] = {}
        for object in policies:
            if not is_constraint(object):
                continue
            template = templates.get(object.kind)
            if template is None:
                self.problems.append(_without_template(object, failed=object.kind in self._failed))
                continue
            try:
                constraint = load_constraint(object, template, any_action=self._any_action)
            except DiagnosticError as error:
                self.problems += error.diagnostics
                continue
            other = found.get(constraint.policy)
            if other is not None and other.object.raw != object.raw:
                self.problems.append(_twice(codes.SAME_CONSTRAINT, object, other.object, "constraint"))
            self.problems += constraint.warnings
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
