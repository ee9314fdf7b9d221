"""A policy's expressions compiled, each against what it may see (apiserver plugin/cel, CompositedCompiler).

Variables are compiled in their order: each sees those before it, with the types that they turned out to have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sekisho import cel
from sekisho.cel.kubernetes.authorizer import AUTHORIZER_VARIABLES
from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.cel.types import BOOL, DYN, NULL, STRING, CelType, Field, Kind, Struct, struct
from sekisho.diag import Diagnostic, DiagnosticError, Source
from sekisho.kube import fielderror
from sekisho.policy.expressions import codes, names
from sekisho.policy.expressions.types import NAMESPACE, REQUEST, STRUCTS
from sekisho.policy.expressions.written import Expression, Expressions

Compile = Callable[[Expression, cel.Environment], cel.Program]
"""How an expression becomes a program: through the cache, or anew. Raises DiagnosticError."""

VARIABLES_TYPE: Final = "kubernetes.variables"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A compiled expression."""

    expression: Expression
    program: cel.Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A policy's programs. ``messages`` are beside ``validations``, None where there is none.

    ``names`` are those of all variables that they read.
    """

    written: Expressions
    variables: Mapping[str, Program]
    conditions: tuple[Program, ...]
    validations: tuple[Program, ...]
    messages: tuple[Program | None, ...]
    annotations: tuple[Program, ...]
    names: frozenset[str] = frozenset()

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of all expressions."""
        rows = (
            *self.variables.values(),
            *self.conditions,
            *self.validations,
            *self.messages,
            *self.annotations,
        )
        return tuple(row.expression.source for row in rows if row is not None)


def plain_compile(expression: Expression, environment: cel.Environment) -> cel.Program:
    """Compile without a cache."""
    return cel.compile(expression.source, environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """What is known of the types of ``object`` and ``params``."""

    object: CelType = DYN
    params: CelType = DYN
    structs: tuple[Struct, ...] = ()


NOTHING_KNOWN: Final = Types()


def environment(
    *, params: bool, authorizer: bool, variables: Mapping[str, CelType] | None, types: Types = NOTHING_KNOWN
) -> cel.Environment:
    """What an expression of a policy is compiled against; ``variables`` None leaves ``variables`` out."""
    known: dict[str, CelType] = {
        names.OBJECT: types.object,
        names.OLD_OBJECT: types.object,
        names.REQUEST: REQUEST.type,
        names.NAMESPACE: NAMESPACE.type,
    }
    structs = [*STRUCTS, *types.structs]
    if params:
        known[names.PARAMS] = types.params
    if authorizer:
        known.update(AUTHORIZER_VARIABLES)
    if variables is not None:
        known[names.VARIABLES] = struct(VARIABLES_TYPE)
        fields = {name: Field(type=type) for name, type in variables.items()}
        structs.append(Struct(name=VARIABLES_TYPE, fields=fields))
    return kubernetes_environment().with_structs(*structs).with_variables(known)


class Compiler:
    """Compiles the expressions of one policy and collects what is wrong with them."""

    def __init__(
        self, written: Expressions, *, compile: Compile = plain_compile, types: Types = NOTHING_KNOWN
    ) -> None:
        self.problems: list[Diagnostic] = []
        self.variables: dict[str, CelType] = {}
        self._written = written
        self._compile = compile
        self._types = types

    def policy(self) -> Compiled:
        """All of them; raises DiagnosticError (CEL…, POL150) with everything that is wrong."""
        written = self._written
        found = self.define_variables()
        conditions = [self.one(row.expression, (BOOL,), condition=True) for row in written.conditions]
        validations = [self.one(row.expression, (BOOL,)) for row in written.validations]
        messages = [
            self.one(row.message_expression, (STRING,), authorizer=False) if row.message_expression else None
            for row in written.validations
        ]
        annotations = [self.one(row.expression, (STRING, NULL)) for row in written.annotations]
        if self.problems:
            raise DiagnosticError(self.problems)
        programs = (*found.values(), *conditions, *validations, *messages, *annotations)
        return Compiled(
            written=written,
            variables={name: program for name, program in found.items() if program is not None},
            conditions=tuple(filter(None, conditions)),
            validations=tuple(filter(None, validations)),
            messages=tuple(messages),
            annotations=tuple(filter(None, annotations)),
            names=frozenset(name for row in programs if row is not None for name in row.program.variables),
        )

    def define_variables(self) -> dict[str, Program | None]:
        """The programs of the variables, whose types are known to what is compiled after this."""
        found: dict[str, Program | None] = {}
        for row in self._written.variables:
            params = self._written.params or self._written.variable_params
            program = self.one(row.expression, (), params=params)
            found[row.name] = program
            self.variables[row.name] = _as_declared(program.program.type) if program else DYN
        return found

    def against(
        self, *, params: bool | None = None, authorizer: bool | None = None, condition: bool = False
    ) -> cel.Environment:
        """What an expression is compiled against, with the variables that are defined so far."""
        return environment(
            params=self._written.params if params is None else params,
            authorizer=self._written.authorizer if authorizer is None else authorizer,
            variables=None if condition and not self._written.condition_variables else self.variables,
            types=self._types,
        )

    def one(
        self,
        expression: Expression,
        results: tuple[CelType, ...],
        *,
        params: bool | None = None,
        authorizer: bool | None = None,
        condition: bool = False,
    ) -> Program | None:
        """One of them, whose result must be of one of these types, any if there are none."""
        against = self.against(params=params, authorizer=authorizer, condition=condition)
        try:
            program = self._compile(expression, against)
        except DiagnosticError as error:
            self.problems += error.diagnostics
            return None
        if results and not any(program.type.same(type) for type in results):
            self.problems.append(_wrong_result(expression, results, program.type))
            return None
        return Program(expression=expression, program=program)


def _wrong_result(expression: Expression, wanted: tuple[CelType, ...], got: CelType) -> Diagnostic:
    shown = declared_name(wanted[0])
    if len(wanted) > 1:
        shown = f"one of [{' '.join(map(declared_name, wanted))}]"
    detail = f"must evaluate to {shown} but got {declared_name(got)}"
    message = fielderror.invalid(expression.path, expression.text.strip(), detail)
    return Diagnostic(code=codes.WRONG_RESULT, message=message, at=expression.place)


def declared_name(type: CelType) -> str:
    """A type as cel-go's declarations write it: ``null_type``, ``list(string)``."""
    if not type.params:
        return type.name
    return f"{type.name}({', '.join(map(declared_name, type.params))})"


_KEPT: Final = frozenset(
    {
        Kind.ANY,
        Kind.BOOL,
        Kind.BYTES,
        Kind.DOUBLE,
        Kind.DURATION,
        Kind.INT,
        Kind.NULL,
        Kind.STRING,
        Kind.TIMESTAMP,
        Kind.UINT,
    }
)


def _as_declared(type: CelType) -> CelType:
    """The type of a variable as expressions after it see it: of types with fields nothing is known."""
    if type.kind in _KEPT:
        return type
    if type.kind in (Kind.LIST, Kind.MAP) and type.params:
        return CelType(type.kind, type.name, tuple(map(_as_declared, type.params)))
    return DYN
