"""Whether a policy's expressions fit the kinds that it is about (apiserver policy/validating, TypeChecker).

What does not fit is a warning, since a policy may look at the kind first. The texts are those that the API
server writes into ``status.typeChecking.expressionWarnings``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sekisho.cel.kubernetes.schemas import Declared, declare
from sekisho.cel.problems import display_all
from sekisho.cel.types import DYN
from sekisho.diag import Diagnostic, DiagnosticError, Level, Limit, path_text
from sekisho.kube.gvk import BUILT_IN, GVK, Scheme
from sekisho.kube.schema import NO_CUSTOM_KINDS, CustomKinds, Schema, builtin
from sekisho.policy.expressions import Compiler, Expression, Expressions, Types
from sekisho.policy.expressions.compiled import plain_compile
from sekisho.policy.vap import codes
from sekisho.policy.vap.load import expressions_of
from sekisho.policy.vap.policy import Written
from sekisho.policy.vap.resources import ANY, Rule

KINDS: Final = Limit("the kinds that a policy is checked against", 10, "kinds", "as the API server")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionWarning:
    """One row of ``status.typeChecking.expressionWarnings``, and where it is about."""

    expression: Expression
    warning: str
    errors: tuple[tuple[GVK, DiagnosticError], ...]

    @property
    def field_ref(self) -> str:
        """``spec.validations[0].expression``."""
        return path_text(self.expression.path)

    def to_json(self) -> dict[str, str]:
        """As the status has it."""
        return {"fieldRef": self.field_ref, "warning": self.warning}

    def diagnostic(self) -> Diagnostic:
        """The same as a finding about the policy; it stands where the first error does."""
        kind, error = self.errors[0]
        first = error.diagnostics[0]
        kinds = ", ".join(f"{gvk.api_version} {gvk.kind}" for gvk, _ in self.errors)
        found = Diagnostic(
            code=codes.TYPE_WARNING,
            level=Level.WARNING,
            message=f"{kind.kind}: {first.message}",
            at=first.at or self.expression.place,
            data=self.to_json(),
        )
        return found.with_note(f"checked against {kinds}")


def expression_warnings(
    written: Written, *, scheme: Scheme = BUILT_IN, custom: CustomKinds = NO_CUSTOM_KINDS
) -> tuple[ExpressionWarning, ...]:
    """The warnings about a policy's validations and their messages, for the kinds that its rules name."""
    kinds = [(gvk, schema) for gvk in _kinds(written, scheme) if (schema := _schema(gvk, custom))]
    if not kinds:
        return ()
    expressions = expressions_of(written)
    rows: dict[int, list[tuple[GVK, DiagnosticError]]] = {}
    checked = tuple(_checked(expressions))
    params = _params(written, custom)
    for gvk, schema in kinds:
        compiler = _compiler(expressions, declare(schema, gvk.kind), params)
        for index, expression in enumerate(checked):
            try:
                # The API server lets messages see the authorizer here.
                plain_compile(expression, compiler.against(authorizer=True))
            except DiagnosticError as error:
                rows.setdefault(index, []).append((gvk, error))
    return tuple(
        ExpressionWarning(
            expression=checked[index],
            warning="\n".join(f"{_go(gvk)}: {display_all(error)}\n" for gvk, error in errors),
            errors=tuple(errors),
        )
        for index, errors in sorted(rows.items())
    )


def type_checking(written: Written, warnings: Sequence[ExpressionWarning]) -> dict[str, Any]:
    """The ``status`` that the API server gives a policy whose expressions have been checked."""
    status: dict[str, Any] = {"typeChecking": {}}
    if warnings:
        status["typeChecking"]["expressionWarnings"] = [row.to_json() for row in warnings]
    generation = written.object.metadata.get("generation")
    return status if generation is None else {"observedGeneration": generation, **status}


def _go(gvk: GVK) -> str:
    """A kind as Go prints it: the core group is empty, and its slash stays."""
    return f"{gvk.group}/{gvk.version}, Kind={gvk.kind}"


def _compiler(expressions: Expressions, object: Declared | None, params: Declared | None) -> Compiler:
    types = Types(
        object=object.type if object else DYN,
        params=params.type if params else DYN,
        structs=(*(object.structs if object else ()), *(params.structs if params else ())),
    )
    compiler = Compiler(expressions, types=types)
    compiler.define_variables()
    return compiler


def _checked(expressions: Expressions) -> Iterator[Expression]:
    """The expressions that are checked: validations, each with its message."""
    for row in expressions.validations:
        yield row.expression
        if row.message_expression is not None:
            yield row.message_expression


def _schema(gvk: GVK, custom: CustomKinds) -> Schema | None:
    found = builtin().lookup(*gvk)
    return found.schema if found is not None else custom.get(gvk)


def _params(written: Written, custom: CustomKinds) -> Declared | None:
    kind = written.param_kind
    schema = _schema(kind, custom) if kind is not None else None
    # The types of params have names of their own, even where they are of the same kind as the object.
    return declare(schema, f"{kind.kind}.params") if schema is not None and kind is not None else None


def _kinds(written: Written, scheme: Scheme) -> list[GVK]:
    """The kinds that the rules name in so many words, in order."""
    found: set[GVK] = set()
    for rule in written.resources.rules:
        for count, gvk in enumerate(_kinds_of(rule, scheme), 1):
            found.add(gvk)
            if count == KINDS.value:
                return sorted(found)
    return sorted(found)


def _kinds_of(rule: Rule, scheme: Scheme) -> Iterator[GVK]:
    if _wild(rule.groups) or _wild(rule.versions):
        return
    resources = sorted(name for name, sub in rule.resources if not sub and not _wild([name]))
    for group in sorted(rule.groups):
        for version in sorted(rule.versions):
            for resource in resources:
                info = scheme.find_resource(group, resource)
                if info is not None and version in info.versions:
                    yield GVK(group, version, info.kind)


def _wild(values: Sequence[str]) -> bool:
    return any(ANY in value for value in values)
