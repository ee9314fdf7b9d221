"""ValidatingAdmissionPolicies: what is written in one, checked as the API server checks it.

What its expressions say is checked by ``expressions``, which compiles them; here are the texts and the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import DiagnosticError, Limit, Path
from sekisho.kube import fielderror
from sekisho.kube.gvk import GVK
from sekisho.kube.names import dns_1035_label, dns_subdomain, label_key
from sekisho.kube.object import Object
from sekisho.policy.expressions.names import is_identifier
from sekisho.policy.vap import codes
from sekisho.policy.vap.resources import Problem, Resources, read_resources, resources_problems
from sekisho.policy.vap.shape import GROUP, problems_of

KIND: Final = "ValidatingAdmissionPolicy"

FAIL: Final = "Fail"
IGNORE: Final = "Ignore"
FAILURE_POLICIES: Final = (FAIL, IGNORE)

REASONS: Final = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")
"""The reasons that a validation may give, in the order in which the API server lists them."""

CONDITIONS: Final = Limit(
    "the match conditions of a policy", 64, "conditions", "the API server takes no more"
)
ANNOTATIONS: Final = Limit("the audit annotations of a policy", 20, "annotations", "as above")
ANNOTATION_EXPRESSION: Final = Limit("a valueExpression", 5 * 1024, "bytes", "the API server takes no more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A policy as it is written, in which nothing is wrong but, perhaps, its expressions.

    ``param_kind`` None: it has no params.
    """

    object: Object
    resources: Resources
    fail: bool
    param_kind: GVK | None = None

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.object.name

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its raw spec."""
        spec: Mapping[str, Any] = self.object.raw["spec"]
        return spec


def is_policy(object: Object) -> bool:
    """Whether an object is a ValidatingAdmissionPolicy, of any version."""
    return object.gvk.group == GROUP and object.gvk.kind == KIND


def read_policy(object: Object) -> Written:
    """The policy in an object; raises DiagnosticError with all that is wrong with it (KUB1xx, POL160)."""
    problems = problems_of(object, codes.BAD_POLICY, lambda spec: _problems(object, spec, ("spec",)))
    if problems:
        raise DiagnosticError(problems)
    spec = object.raw["spec"]
    kind = spec.get("paramKind")
    return Written(
        object=object,
        resources=read_resources(spec.get("matchConstraints")),
        fail=(spec.get("failurePolicy") or FAIL) == FAIL,
        param_kind=None if kind is None else GVK.of(kind["apiVersion"], kind["kind"]),
    )


def _problems(object: Object, spec: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    policy, at = spec.get("failurePolicy"), (*path, "failurePolicy")
    if policy is not None and policy not in FAILURE_POLICIES:
        yield at, fielderror.not_supported(at, policy, FAILURE_POLICIES)
    if spec.get("paramKind") is not None:
        yield from _param_kind_problems(spec["paramKind"], (*path, "paramKind"))
    at = (*path, "matchConstraints")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield at, fielderror.required(at)
    else:
        yield from resources_problems(constraints, at)
        if not constraints.get("resourceRules"):
            yield (*at, "resourceRules"), fielderror.required((*at, "resourceRules"))
    yield from condition_problems(spec.get("matchConditions") or (), (*path, "matchConditions"))
    yield from variable_problems(spec.get("variables") or (), (*path, "variables"))
    validations, annotations = spec.get("validations") or (), spec.get("auditAnnotations") or ()
    if not validations and not annotations:
        detail = "validations or auditAnnotations must contain at least one item"
        for field in ("validations", "auditAnnotations"):
            yield (*path, field), fielderror.required((*path, field), detail)
    for index, row in enumerate(validations):
        yield from _validation_problems(row, (*path, "validations", index))
    yield from _annotation_problems(object.name, annotations, (*path, "auditAnnotations"))


def _param_kind_problems(raw: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    text, at = raw.get("apiVersion") or "", (*path, "apiVersion")
    parts = text.split("/")
    if not text:
        yield at, fielderror.required(at)
    elif len(parts) > 2:
        yield at, fielderror.invalid(at, text, f"unexpected GroupVersion string: {text}")
    else:
        group, version = parts if len(parts) == 2 else ("", text)
        wrong = dns_subdomain(group) if group else ()
        if wrong:
            yield at, fielderror.invalid(at, group, ",".join(wrong))
        if not version:
            yield at, fielderror.invalid(at, text, "version must be specified")
        elif wrong := dns_1035_label(version):
            yield at, fielderror.invalid(at, version, ",".join(wrong))
    kind, at = raw.get("kind") or "", (*path, "kind")
    if not kind:
        yield at, fielderror.required(at)
    elif wrong := dns_1035_label(kind.lower()):
        detail = f"may have mixed case, but should otherwise match: {','.join(wrong)}"
        yield at, fielderror.invalid(at, kind, detail)


def condition_problems(rows: Sequence[Mapping[str, Any]], path: Path) -> Iterator[Problem]:
    """What is wrong with matchConditions, of a policy or of a webhook, apart from their expressions."""
    if len(rows) > CONDITIONS.value:
        yield path, fielderror.too_many(path, len(rows), CONDITIONS.value)
    seen: set[str] = set()
    for index, row in enumerate(rows):
        at: Path = (*path, index, "expression")
        if not (row.get("expression") or "").strip():
            yield at, fielderror.required(at)
        name, at = row.get("name") or "", (*path, index, "name")
        if not name:
            yield at, fielderror.required(at)
            continue
        for message in label_key(name):
            yield at, fielderror.invalid(at, name, message)
        if name in seen:
            yield at, fielderror.duplicate(at, name)
        seen.add(name)


def variable_problems(rows: Sequence[Mapping[str, Any]], path: Path) -> Iterator[Problem]:
    """What is wrong with variables, apart from their expressions."""
    for index, row in enumerate(rows):
        name, at = row.get("name") or "", (*path, index, "name")
        if not name.strip():
            yield at, fielderror.required(at, "name is not specified")
        elif not is_identifier(name):
            yield at, fielderror.invalid(at, name, "must be a valid CEL identifier")
        at = (*path, index, "expression")
        if not (row.get("expression") or "").strip():
            yield at, fielderror.required(at, "expression is not specified")


_LINE_BREAK: Final = re.compile(r"[\n\r]")


def _validation_problems(raw: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    at: Path = (*path, "expression")
    if not (raw.get("expression") or "").strip():
        yield at, fielderror.required(at, "expression is not specified")
    for field in ("messageExpression", "message"):
        text, at = raw.get(field) or "", (*path, field)
        if text and not text.strip():
            yield at, fielderror.invalid(at, text, "must be non-empty if specified")
        elif field == "message" and _LINE_BREAK.search(text.strip()):
            yield at, fielderror.invalid(at, text, "must not contain line breaks")
    reason, at = raw.get("reason"), (*path, "reason")
    if reason is not None and reason not in REASONS:
        yield at, fielderror.not_supported(at, reason, REASONS)


def _annotation_problems(name: str, rows: Sequence[Mapping[str, Any]], path: Path) -> Iterator[Problem]:
    if len(rows) > ANNOTATIONS.value:
        detail = f"must not have more than {ANNOTATIONS.value} auditAnnotations"
        yield path, fielderror.invalid(path, list(rows), detail)
    seen: set[str] = set()
    for index, row in enumerate(rows):
        key, at = row.get("key") or "", (*path, index, "key")
        if not name:
            yield at, fielderror.invalid(at, key, "requires metadata.name be non-empty")
        for message in label_key(f"{name}/{key}") if name else ():
            yield at, fielderror.invalid(at, f"{name}/{key}", message)
        if key in seen:
            yield at, fielderror.duplicate(at, key)
        seen.add(key)
        text, at = (row.get("valueExpression") or "").strip(), (*path, index, "valueExpression")
        if not text:
            yield at, fielderror.required(at, "valueExpression is not specified")
        elif len(text.encode("utf-8", "surrogatepass")) > ANNOTATION_EXPRESSION.value:
            detail = f"must not exceed {ANNOTATION_EXPRESSION.value} bytes in length"
            yield at, fielderror.required(at, detail)
