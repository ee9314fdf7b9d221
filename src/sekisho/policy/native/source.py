"""The K8sNativeValidation code of a ConstraintTemplate (gatekeeper pkg/drivers/k8scel/schema)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, Path
from sekisho.kube import fielderror
from sekisho.kube.object import Object
from sekisho.kube.schema import parse_schema, validate
from sekisho.policy import shapes
from sekisho.policy.expressions import Expression, Expressions, Named, Validation
from sekisho.policy.native import codes

ENGINE: Final = "K8sNativeValidation"

RESERVED_PREFIX: Final = "gatekeeper_internal_"
PARAMS: Final = "params"
OBJECT: Final = "anyObject"

FAIL: Final = "Fail"
FAILURE_POLICIES: Final = (FAIL, "Ignore")

MADE: Final[Mapping[str, str]] = {
    OBJECT: 'object == null && request.operation == "DELETE" ? oldObject : object',
    PARAMS: "params.?spec.?parameters.orValue(null)",
}
"""The variables that every template has: the object, or the old one that is deleted; and the parameters."""

_TEXT: Final = {"type": "string"}


def _rows(*fields: str) -> dict[str, Any]:
    row = {"type": "object", "properties": dict.fromkeys(fields, _TEXT)}
    return {"type": "array", "nullable": True, "items": row}


_SHAPE: Final = parse_schema(
    {
        "type": "object",
        "properties": {
            "validations": _rows("expression", "message", "messageExpression"),
            "variables": _rows("name", "expression"),
            "matchCondition": _rows("name", "expression"),
            "failurePolicy": {"type": "string", "nullable": True},
            "generateVAP": {"type": "boolean", "nullable": True},
        },
        "x-kubernetes-preserve-unknown-fields": True,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The code, in which nothing is wrong but, perhaps, its expressions. ``path`` is where it stands.

    ``generate`` is what it says of being made a ValidatingAdmissionPolicy, None if nothing.
    """

    object: Object
    path: Path
    raw: Mapping[str, Any]
    failure_policy: str = FAIL
    generate: bool | None = None

    def expressions(self) -> Expressions:
        """Its expressions, with the variables that every template has before its own."""
        made = (
            Named(name=name, expression=Expression.made(text, self.object, name))
            for name, text in MADE.items()
        )
        return Expressions(
            validations=tuple(
                self._validation(index, row) for index, row in enumerate(self.raw.get("validations") or ())
            ),
            variables=(*made, *self._named("variables")),
            conditions=self._named("matchCondition"),
            fail=self.failure_policy == FAIL,
            variable_params=True,
            condition_variables=True,
            authorizer=False,
        )

    def _validation(self, index: int, row: Mapping[str, Any]) -> Validation:
        at: Path = (*self.path, "validations", index)
        message = (
            Expression.at(self.object, *at, "messageExpression") if row.get("messageExpression") else None
        )
        return Validation(
            expression=Expression.at(self.object, *at, "expression"),
            message=row.get("message") or "",
            message_expression=message,
        )

    def _named(self, field: str) -> tuple[Named, ...]:
        return tuple(
            Named(
                name=row.get("name") or "",
                expression=Expression.at(self.object, *self.path, field, index, "expression"),
            )
            for index, row in enumerate(self.raw.get(field) or ())
        )


def read_source(object: Object, path: Path) -> Source:
    """The code at a path of a template; raises DiagnosticError with all that is wrong (POL185)."""
    raw = object.get(*path)
    if not isinstance(raw, Mapping):
        message = "could not recognize the type"
        raise DiagnosticError(Diagnostic(code=codes.BAD_NATIVE, message=message, at=object.at(*path)))
    problems = validate(raw, _SHAPE, shapes.below(object, path), under=path)
    if not problems:
        problems = tuple(
            Diagnostic(code=codes.BAD_NATIVE, message=message, at=object.at(*path, *at))
            for at, message in _problems(raw)
        )
    if problems:
        raise DiagnosticError(problems)
    return Source(
        object=object,
        path=path,
        raw=raw,
        failure_policy=raw.get("failurePolicy") or FAIL,
        generate=raw.get("generateVAP"),
    )


def _problems(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for field, what, noun in (
        ("matchCondition", "match condition", "match condition"),
        ("variables", "variable definition", "variable"),
    ):
        for index, row in enumerate(raw.get(field) or ()):
            name, at = row.get("name") or "", (field, index, "name")
            if name.startswith(RESERVED_PREFIX):
                why = f'{name} is not a valid {noun}; cannot have "{RESERVED_PREFIX}" as a prefix'
                yield at, f"invalid {what}: {why}"
            elif field == "variables" and name in MADE:
                yield at, f'invalid {what}: {name} an invalid variable name, "{name}" is a reserved keyword'
    policy = raw.get("failurePolicy")
    if policy is not None and policy not in FAILURE_POLICIES:
        yield ("failurePolicy",), f"invalid failure policy: unrecognized failure policy: {policy}"
    for field in ("validations", "variables", "matchCondition"):
        for index, row in enumerate(raw.get(field) or ()):
            if not (row.get("expression") or "").strip():
                at = (field, index, "expression")
                yield at, fielderror.required(at, "expression is not specified")
