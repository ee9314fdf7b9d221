"""Constraints: from the object to what the engine evaluates (policy.md 1.2, 1.4, 1.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, Level, Path
from sekisho.kube.object import Object, value_at
from sekisho.kube.review import Rung
from sekisho.kube.schema import default, validate
from sekisho.policy import codes, shapes
from sekisho.policy.match import Match, compile_match
from sekisho.policy.template import Template
from sekisho.policy.typos import match_warnings

GROUP: Final = "constraints.gatekeeper.sh"
VERSIONS: Final = ("v1beta1", "v1alpha1")

ACTIONS: Final[Mapping[str, Rung]] = {"deny": Rung.DENY, "warn": Rung.WARN, "dryrun": Rung.OBSERVE}
"""Gatekeeper's words for the rungs of the ladder. ``scoped`` gives a word for each enforcement point."""

SCOPED: Final = "scoped"
WEBHOOK: Final = "validation.gatekeeper.sh"
AUDIT: Final = "audit.gatekeeper.sh"
GATOR: Final = "gator.gatekeeper.sh"
VAP: Final = "vap.k8s.io"
POINTS: Final = (WEBHOOK, AUDIT, GATOR, VAP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A constraint that can be evaluated.

    ``actions`` has, for each enforcement point, the words that apply there, in the order written; a point
    without one does not evaluate the constraint. ``raw`` is the object with the template's defaults, and
    ``parameters`` are those of it.
    """

    object: Object
    raw: Any
    template: Template
    match: Match
    parameters: Any
    action: str
    actions: Mapping[str, tuple[str, ...]]
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def policy(self) -> str:
        """Its identity: ``K8sRequiredLabels/must-have-owner``."""
        return f"{self.object.kind}/{self.object.name}"

    def action_at(self, point: str) -> str | None:
        """The gravest word in force at an enforcement point, None where it is not evaluated."""
        words = self.actions.get(point, ())
        return max(words, key=rung_of) if words else None


def rung_of(word: str) -> Rung:
    """The rung that a word means; a word that nobody knows, where it is let pass, only observes."""
    return ACTIONS.get(word, Rung.OBSERVE)


def is_constraint(object: Object) -> bool:
    """Whether an object is a constraint of some template."""
    return object.gvk.group == GROUP


def load_constraint(object: Object, template: Template, *, any_action: bool = False) -> Constraint:
    """The constraint in an object; raises DiagnosticError with everything that is wrong with it.

    The order is that of the API server: defaults first, then the schema; then what no schema can say.
    ``any_action`` takes enforcement actions and points that nobody knows, as gator does: they are warnings.
    """
    raw = default(object.raw, template.schema)
    problems = [*_identity(object), *validate(raw, template.schema, shapes.locate(object))]
    problems = problems or [*_rule_problems(object, raw, template)]
    if problems:
        raise DiagnosticError(problems)
    spec = raw.get("spec") or {}
    action = spec.get("enforcementAction") or "deny"
    actions = [*_action_problems(object, spec, action)]
    problems = [] if any_action else actions
    warnings = [replace(row, level=Level.WARNING) for row in actions] if any_action else []
    try:
        match = compile_match(spec.get("match"), object)
    except DiagnosticError as error:
        problems += error.diagnostics
    if problems:
        raise DiagnosticError(problems)
    parameters = spec.get("parameters")
    return Constraint(
        object=object,
        raw=raw,
        template=template,
        match=match,
        parameters={} if parameters is None else parameters,
        action=action,
        actions=_actions(spec, action),
        warnings=(*warnings, *match_warnings(spec.get("match"), object)),
    )


def _rule_problems(object: Object, raw: Any, template: Template) -> Iterator[Diagnostic]:
    """What the rules of the parameters' schema say of parameters that are valid by it."""
    parameters = value_at(raw, ("spec", "parameters"))
    if template.rules is None or parameters is None:
        return
    from sekisho.cel.kubernetes.rules import as_finding, validate_rules

    for broken in validate_rules(template.rules, parameters, under=("spec", "parameters")):
        yield as_finding(broken, object)


def _identity(object: Object) -> Iterator[Diagnostic]:
    if object.gvk.version not in VERSIONS:
        message = (
            f'unsupported version "{object.gvk.version}" for Constraint "{object.name}"; '
            f"supported versions: {' '.join(VERSIONS)}"
        )
        yield _problem(codes.BAD_CONSTRAINT, object, ("apiVersion",), message)
    if not object.name:
        yield _problem(codes.BAD_CONSTRAINT, object, ("metadata",), "missing metadata.name")


def _action_problems(object: Object, spec: Mapping[str, Any], action: str) -> Iterator[Diagnostic]:
    if action != SCOPED and action not in ACTIONS:
        yield _unknown(object, action, (*ACTIONS, SCOPED), ("spec", "enforcementAction"))
    if action != SCOPED:
        return
    for index, row in enumerate(spec.get("scopedEnforcementActions") or ()):
        path: Path = ("spec", "scopedEnforcementActions", index)
        if row.get("action") not in ACTIONS:
            yield _unknown(object, str(row.get("action")), tuple(ACTIONS), (*path, "action"))
        for at, point in enumerate(row.get("enforcementPoints") or ()):
            if point.get("name") not in (*POINTS, "*"):
                message = f'the enforcement point "{point.get("name")}" is unknown'
                help = f"the points are {', '.join(POINTS)} and *"
                where = (*path, "enforcementPoints", at, "name")
                yield _problem(codes.BAD_ACTION, object, where, message, help)


def _unknown(object: Object, word: str, known: tuple[str, ...], path: Path) -> Diagnostic:
    message = f'the enforcement action "{word}" is unknown; supported: {", ".join(known)}'
    return _problem(codes.BAD_ACTION, object, path, message)


def _actions(spec: Mapping[str, Any], action: str) -> Mapping[str, tuple[str, ...]]:
    if action != SCOPED:
        return dict.fromkeys(POINTS, (action,))
    found: dict[str, list[str]] = {}
    for row in spec.get("scopedEnforcementActions") or ():
        for point in row.get("enforcementPoints") or ():
            name, word = point.get("name", ""), row.get("action", "")
            for each in POINTS if name == "*" else (name,):
                words = found.setdefault(each, [])
                if word not in words:
                    words.append(word)
    return {point: tuple(words) for point, words in found.items()}


def _problem(code: Code, object: Object, path: Path, message: str, help: str = "") -> Diagnostic:
    return Diagnostic(code=code, message=message, at=object.at(*path), help=help)
