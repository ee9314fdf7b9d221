"""Templates and constraints as ValidatingAdmissionPolicies and bindings, under Gatekeeper's names.

A template with K8sNativeValidation becomes a policy whose params are its constraints; a constraint becomes a
binding. What a constraint's ``match`` says is told by match conditions, and by the binding's selectors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, Level
from sekisho.kube.names import SUBDOMAIN_MAX
from sekisho.kube.object import Object
from sekisho.policy.constraint import GROUP, VAP, VERSIONS, Constraint
from sekisho.policy.native.source import MADE, RESERVED_PREFIX, Source
from sekisho.policy.template import Template
from sekisho.policy.vap import codes

API_VERSION: Final = "admissionregistration.k8s.io/v1"
PREFIX: Final = "gatekeeper-"

ACTIONS: Final[Mapping[str, str]] = {"deny": "Deny", "warn": "Warn", "dryrun": "Audit"}

ALL_OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE", "CONNECT")
ANY: Final = "*"

WEBHOOK_CONFIGURATION: Final = "gatekeeper-validating-webhook-configuration"
WEBHOOK: Final = "validation.gatekeeper.sh"

_EACH: Final = "[object, oldObject].exists(o,\n  o != null && ({}))"
"""Gatekeeper matches the object or the old one."""

_IS_NAMESPACE: Final = 'o.apiVersion == "v1" && o.kind == "Namespace"'
_IN_NAMESPACE: Final = (
    f'({_IS_NAMESPACE}\n    ? o.metadata.?name.orValue("") : o.metadata.?namespace.orValue(""))'
)
"""The namespace that an object is in; of a Namespace it is its own name."""

_GLOB: Final = '.matches("^" + string(pattern).replace("*", ".*") + "$")'
_IN_PATTERN: Final = f"{_IN_NAMESPACE}{_GLOB}"


def _match(field: str, absent: str) -> str:
    return f"params.?spec.?match.?{field}.orValue({absent})"


def _among(field: str, wanted: str) -> str:
    rows = f"row.?{field}.orValue([])"
    return f'(size({rows}) == 0 || "*" in {rows} || {wanted} in {rows})'


_NAMESPACES: Final = _match("namespaces", "[]")
_EXCLUDED: Final = _match("excludedNamespaces", "[]")
_NAME: Final = _match("name", '""')
_KINDS: Final = _match("kinds", "[]")
_SCOPE: Final = _match("scope", '"*"')

CONDITIONS: Final[Mapping[str, str]] = {
    "match_excluded_namespaces": _EACH.format(
        f'{_IN_NAMESPACE} == "" ||\n    !{_EXCLUDED}.exists(pattern,\n    {_IN_PATTERN})'
    ),
    "match_namespaces": f"size({_NAMESPACES}) == 0 ||\n"
    + _EACH.format(f'{_IN_NAMESPACE} == "" ||\n    {_NAMESPACES}.exists(pattern,\n    {_IN_PATTERN})'),
    "match_name": f'{_NAME} == "" || [{_NAME}].exists(pattern,\n  '
    + _EACH.format(
        f'o.metadata.?name.orValue(""){_GLOB} ||\n'
        f'    (pattern.endsWith("*") && o.metadata.?generateName.orValue("") != "" &&\n'
        f"    o.metadata.generateName{_GLOB})"
    )
    + ")",
    "match_kinds": f"size({_KINDS}) == 0 ||\n{_KINDS}.exists(row,\n"
    f"  {_among('kinds', 'request.kind.kind')} &&\n  {_among('apiGroups', 'request.kind.group')})",
    "match_scope": f'!({_SCOPE} in ["Cluster", "Namespaced"]) ||\n'
    + _EACH.format(
        f'({_IS_NAMESPACE} || o.metadata.?namespace.orValue("") == "") ==\n    ({_SCOPE} == "Cluster")'
    ),
}
"""What a constraint's match says, as conditions over the constraint (``params``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What Gatekeeper's installation judges at admission, which policies made of templates keep to.

    ``constraints`` is the matchConstraints without operations of templates; ``conditions`` are those of its
    webhook; ``excluded`` are namespaces that a Config leaves out, ``exempt`` those that flags let be ignored.
    """

    constraints: Mapping[str, Any] = field(default_factory=lambda: DEFAULT_CONSTRAINTS)
    conditions: tuple[Mapping[str, Any], ...] = ()
    excluded: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()


DEFAULT_CONSTRAINTS: Final[Mapping[str, Any]] = {
    "resourceRules": [
        {
            "apiGroups": [ANY],
            "apiVersions": [ANY],
            "operations": ["CREATE", "UPDATE"],
            "resources": [ANY],
            "scope": ANY,
        }
    ]
}


def scope_of(objects: Iterable[Object], exempt: Sequence[str] = ()) -> Scope:
    """The scope that Gatekeeper's webhook and Config among these objects give."""
    constraints: Mapping[str, Any] = DEFAULT_CONSTRAINTS
    conditions: tuple[Mapping[str, Any], ...] = ()
    excluded: list[str] = []
    for object in objects:
        if object.kind == "ValidatingWebhookConfiguration" and object.name == WEBHOOK_CONFIGURATION:
            for row in object.get("webhooks") or ():
                if row.get("name") == WEBHOOK:
                    constraints = _webhook_constraints(row)
                    conditions = tuple(row.get("matchConditions") or ())
        if object.kind == "Config" and object.gvk.group == "config.gatekeeper.sh":
            for row in object.get("spec", "match") or ():
                if {"*", "webhook"} & set(row.get("processes") or ()):
                    excluded += row.get("excludedNamespaces") or ()
    return Scope(
        constraints=constraints, conditions=conditions, excluded=tuple(excluded), exempt=tuple(exempt)
    )


def _webhook_constraints(webhook: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = ("namespaceSelector", "objectSelector", "matchPolicy")
    out: dict[str, Any] = {key: webhook[key] for key in kept if webhook.get(key) is not None}
    out["resourceRules"] = [dict(rule) for rule in webhook.get("rules") or ()]
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """Policies, then bindings, as raw objects; and what could not be translated, or not whole."""

    objects: tuple[dict[str, Any], ...] = ()
    problems: tuple[Diagnostic, ...] = ()


def translate(
    templates: Mapping[str, Template],
    constraints: Iterable[Constraint],
    objects: Iterable[Object],
    *,
    exempt: Sequence[str] = (),
) -> Translated:
    """The policies and bindings of templates, by kind, and of constraints.

    ``objects`` are those among which Gatekeeper's webhook and Config are looked for; ``exempt`` are the
    namespaces that its flags exempt. A template that says ``generateVAP: false`` is left out.
    """
    scope = scope_of(objects, exempt)
    made: list[dict[str, Any]] = []
    problems: list[Diagnostic] = []
    kinds: set[str] = set()
    for kind, template in sorted(templates.items()):
        if template.native is None:
            problems.append(_without_cel(template))
            continue
        if template.native.source.generate is False:
            continue
        try:
            policy, warnings = to_policy(template, template.native.source, scope)
        except DiagnosticError as error:
            problems += error.diagnostics
            continue
        made.append(policy)
        problems += warnings
        kinds.add(kind)
    bound = (to_binding(row) for row in constraints if row.object.kind in kinds)
    return Translated(objects=(*made, *(row for row in bound if row is not None)), problems=tuple(problems))


def _without_cel(template: Template) -> Diagnostic:
    return Diagnostic(
        code=codes.NOT_TRANSLATED,
        message=f"{template.kind} has no K8sNativeValidation code, so that no policy can be made of it",
        level=Level.WARNING,
        at=template.object.at("spec", "targets", 0),
    )


def to_policy(
    template: Template, source: Source, scope: Scope
) -> tuple[dict[str, Any], tuple[Diagnostic, ...]]:
    """The policy for a template, and warnings. Raises DiagnosticError (POL175) where none can be."""
    constraints, warnings = _constraints(template, scope)
    spec: dict[str, Any] = {
        "paramKind": {"apiVersion": f"{GROUP}/{VERSIONS[0]}", "kind": template.kind},
        "matchConstraints": constraints,
        "matchConditions": _conditions(source, scope),
        "validations": [
            {key: row[key] for key in ("expression", "message", "messageExpression") if row.get(key)}
            for row in source.raw.get("validations") or ()
        ],
        "failurePolicy": source.failure_policy,
        "variables": [
            *({"name": name, "expression": text} for name, text in MADE.items()),
            *(
                {"name": row["name"], "expression": row["expression"]}
                for row in source.raw.get("variables") or ()
            ),
        ],
    }
    name = f"{PREFIX}{template.object.name}"
    return _object("ValidatingAdmissionPolicy", name, spec), warnings


def to_binding(constraint: Constraint) -> dict[str, Any] | None:
    """The binding for a constraint; None where it is not in force at the point ``vap.k8s.io``."""
    words = constraint.actions.get(VAP, ())
    actions = [ACTIONS[word] for word in words if word in ACTIONS]
    if not actions:
        return None
    if "Deny" in actions:
        # The API server takes Deny or Warn, which would say the same twice.
        actions = [action for action in actions if action != "Warn"]
    kind = constraint.object.kind
    match = constraint.object.get("spec", "match") or {}
    selectors = {"objectSelector": "labelSelector", "namespaceSelector": "namespaceSelector"}
    spec: dict[str, Any] = {
        "policyName": f"{PREFIX}{kind.lower()}",
        "paramRef": {"name": constraint.object.name, "parameterNotFoundAction": "Allow"},
        "matchResources": {key: match[field] for key, field in selectors.items() if match.get(field)},
        "validationActions": actions,
    }
    name = binding_name(kind, constraint.object.name)
    return _object("ValidatingAdmissionPolicyBinding", name, spec)


def binding_name(kind: str, name: str) -> str:
    """``gatekeeper-<kind>-<name>``; one that is too long ends in a digest of it."""
    full = f"{PREFIX}{kind.lower()}-{name}"
    if len(full) <= SUBDOMAIN_MAX:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:8]
    return f"{full[: SUBDOMAIN_MAX - len(digest) - 1].rstrip('-.')}-{digest}"


def _object(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def _conditions(source: Source, scope: Scope) -> list[dict[str, str]]:
    rows = [(row["name"], row["expression"]) for row in source.raw.get("matchCondition") or ()]
    rows += ((f"{RESERVED_PREFIX}{name}", text) for name, text in CONDITIONS.items())
    for name, namespaces, more in (
        ("match_global_excluded_namespaces", scope.excluded, ""),
        ("match_global_exempted_namespaces", scope.exempt, _IGNORED),
    ):
        if namespaces:
            quoted = ", ".join(f'"{row}"' for row in namespaces)
            held = f"[{quoted}].exists(pattern,\n    {_IN_PATTERN}){more}"
            text = _EACH.format(f'{_IN_NAMESPACE} == "" ||\n    !({held})')
            rows.append((f"{RESERVED_PREFIX}{name}", text))
    rows += ((row["name"], row["expression"]) for row in scope.conditions)
    return [{"name": name, "expression": text} for name, text in rows]


_IGNORED: Final = (
    f' && (!({_IS_NAMESPACE}) || "admission.gatekeeper.sh/ignore" in o.metadata.?labels.orValue({{}}))'
)
"""A Namespace itself is exempt only where it has the label that lets it be ignored."""


def _constraints(template: Template, scope: Scope) -> tuple[dict[str, Any], tuple[Diagnostic, ...]]:
    """The matchConstraints: the webhook's, for the operations of the template."""
    wanted = _expanded(template.operations)
    constraints = dict(scope.constraints)
    if not wanted:
        return constraints, ()
    rules: list[Any] = []
    narrowed = False
    for rule in constraints["resourceRules"]:
        offered = _expanded(rule.get("operations") or ())
        common = [operation for operation in ALL_OPERATIONS if operation in wanted and operation in offered]
        if not common:
            raise DiagnosticError(
                _about(template, "no matching operations between webhook and constraint template")
            )
        narrowed |= set(common) != set(wanted)
        rules.append({**rule, "operations": common})
    constraints["resourceRules"] = rules
    message = "operations mismatch between webhook and constraint template"
    warnings = (_about(template, message, Level.WARNING),) if narrowed else ()
    return constraints, warnings


def _expanded(operations: Sequence[str]) -> tuple[str, ...]:
    return ALL_OPERATIONS if ANY in operations else tuple(operations)


def _about(template: Template, message: str, level: Level = Level.ERROR) -> Diagnostic:
    at = template.object.at("spec", "targets", 0, "operations")
    return Diagnostic(code=codes.NOT_TRANSLATED, message=message, level=level, at=at)
