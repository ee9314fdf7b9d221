"""Programs and queries: what ``compile`` gives, and how it is evaluated."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypedDict

from sekisho.diag import Diagnostic, DiagnosticError, Source, Span
from sekisho.lang.meter import Exhausted, Limits, Meter
from sekisho.lang.pyast import Writer, compile_module
from sekisho.rego import builtins, codes
from sekisho.rego.builtins.table import Builtin
from sekisho.rego.capabilities import NONE, Capabilities
from sekisho.rego.check.program import Checked
from sekisho.rego.codegen.functions import QueryWriter
from sekisho.rego.codegen.image import Image, generate, load, new_globals
from sekisho.rego.codegen.unit import Unit as CodeUnit
from sekisho.rego.nodes import Dialect, Module, Package
from sekisho.rego.parser import parse_module, parse_query
from sekisho.rego.plan.effects import Effects, effects, group_blocks
from sekisho.rego.plan.planner import Unit
from sekisho.rego.plan.query import QueryPlan, plan_query
from sekisho.rego.shim import check, check_query
from sekisho.rego.state import DEFAULTS, EvalState, Loaded, Options, error
from sekisho.rego.values import UNDEFINED, Value

if TYPE_CHECKING:
    from sekisho.diag import Deadline


QUERY: Final = "query"
"""The name of a query's source."""

Exists = Callable[[tuple[str, ...]], bool]
"""Whether base data have a value at a path, given without ``data``."""


class Location(TypedDict):
    """Where an expression of a query stands: row and column from one."""

    row: int
    col: int


class Expression(TypedDict):
    """The value of one expression of a query."""

    value: Value
    text: str
    location: Location


class Result(TypedDict, total=False):
    """One solution of a query: OPA's result object, with Rego values."""

    expressions: list[Expression]
    bindings: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule, ready to be evaluated many times: call it for the rule's value or UNDEFINED."""

    _loaded: Loaded
    _rule: Callable[[EvalState], Value]

    def __call__(
        self,
        input: Value,
        data: Value = None,
        *,
        deadline: Deadline | None = None,
        options: Options = DEFAULTS,
    ) -> Value:
        """Evaluate. DiagnosticError (REG5xx) if that fails."""
        loaded = self._loaded
        meter = Meter(loaded.limits, deadline)
        state = EvalState(loaded, input, {} if data is None else data, meter, options)
        try:
            return self._rule(state)
        except Exhausted as exhausted:
            raise _stopped(exhausted) from None
        except RecursionError:
            raise _too_deep() from None


class Query:
    """A prepared query of one program."""

    __slots__ = ("_function", "_loaded", "_names", "_texts")

    def __init__(
        self,
        loaded: Loaded,
        function: Callable[[EvalState, list[tuple[Value, ...]]], None],
        texts: tuple[tuple[str, int, int], ...],
        names: tuple[str, ...],
    ) -> None:
        self._loaded = loaded
        self._function = function
        self._texts = texts
        self._names = names

    def eval(
        self,
        input: Value = UNDEFINED,
        data: Value = None,
        *,
        now: int | None = None,
        deadline: Deadline | None = None,
        strict_errors: bool = False,
        printed: Callable[[str], None] | None = None,
        notes: Callable[[str], None] | None = None,
    ) -> list[Result]:
        """The result set. ``now`` is in nanoseconds since 1970; the clock's if absent.

        DiagnosticError (REG5xx) if evaluation fails. ``printed`` and ``notes`` take the lines of ``print``
        and ``trace``.
        """
        options = Options(now_ns=now, strict=strict_errors, printed=printed, notes=notes)
        return self.run(input, data, deadline=deadline, options=options)

    def run(
        self,
        input: Value = UNDEFINED,
        data: Value = None,
        *,
        deadline: Deadline | None = None,
        options: Options = DEFAULTS,
    ) -> list[Result]:
        """The same with all that may be said of an evaluation."""
        meter = Meter(self._loaded.limits, deadline)
        state = EvalState(self._loaded, input, {} if data is None else data, meter, options)
        rows: list[tuple[Value, ...]] = []
        try:
            self._function(state, rows)
        except Exhausted as exhausted:
            raise _stopped(exhausted) from None
        except RecursionError:
            raise _too_deep() from None
        return [self._result(row) for row in rows]

    def _result(self, row: tuple[Value, ...]) -> Result:
        count = len(self._texts)
        expressions: list[Expression] = [
            {"value": value, "text": text, "location": {"row": line, "col": column}}
            for value, (text, line, column) in zip(row[:count], self._texts, strict=True)
        ]
        result: Result = {"expressions": expressions}
        if self._names:
            result["bindings"] = dict(zip(self._names, row[count:], strict=True))
        return result


class Program:
    """Compiled modules. Immutable; evaluations may run in several threads at once."""

    def __init__(
        self,
        checked: Checked,
        dialect: Dialect,
        rows: Mapping[str, Builtin],
        capabilities: Capabilities,
        limits: Limits,
        *,
        strict: bool = False,
    ) -> None:
        self._sources = tuple(module.source for module in checked.modules)
        self._dialect = dialect
        self._builtins = rows
        self._capabilities = capabilities
        self._limits = limits
        self._strict = strict
        self._unit = Unit(checked, rows)
        self._groups = self._unit.groups()
        self._effects = effects(group_blocks(self._groups), self._unit.tree)
        self._code, self._image = self._generate(self._effects)
        self._loaded, self._globals = self._load(self._image)
        self._queries: dict[tuple[str, str, tuple[str, ...]], Query] = {}

    def _generate(self, found: Effects) -> tuple[CodeUnit, Image]:
        unit = CodeUnit(
            sources=self._sources,
            builtins=self._builtins,
            paths=tuple(self._unit.tree.paths),
            packages=tuple(self._unit.tree.packages),
            mockable=found.mockable,
            overridable=found.overridable,
        )
        return unit, generate(unit, self._groups)

    def _load(self, image: Image) -> tuple[Loaded, dict[str, Any]]:
        return load(image, self._sources, self._builtins, self._capabilities, self._limits)

    def rule(self, path: str | Sequence[str]) -> Entry:
        """The entry of a rule: ``data.template.violation``, or the steps of such a path below ``data``.

        DiagnosticError (REG530) if there is none.
        """
        steps = tuple(path.split(".")[1:]) if isinstance(path, str) else tuple(path)
        number = self._unit.tree.group(steps)
        if number < 0 or number in self._loaded.functions:
            name = path if isinstance(path, str) else ".".join(("data", *steps))
            raise DiagnosticError(Diagnostic(code=codes.NO_SUCH_RULE, message=f"there is no rule {name}"))
        return Entry(self._loaded, self._loaded.rules[number])

    def query(self, text: str, *, package: str = "", imports: Sequence[str] = ()) -> Query:
        """Prepare a query. DiagnosticError (REG1xx to REG4xx) if it cannot be compiled.

        Names in it are those of ``package`` (``a.b``) and of ``imports`` (``data.a.b as c``).
        """
        place = (text, package, tuple(imports))
        query = self._queries.get(place)
        if query is None:
            query = self._queries[place] = self._prepare(Source(QUERY, text), package, imports)
        return query

    def _prepare(self, source: Source, package: str, imports: Sequence[str]) -> Query:
        module = _surroundings(source, self._dialect, package, imports)
        body = parse_query(source, dialect=self._dialect, keywords=module.keywords)
        if not body:
            at = Span(source, 0, len(source.text))
            raise DiagnosticError(Diagnostic(code=codes.EMPTY_QUERY, message="the query is empty", at=at))
        query = check_query(  # type: ignore[no-untyped-call]
            self._unit.checked, body, module, capabilities=self._capabilities, strict=self._strict
        )
        plan = plan_query(self._unit, len(self._sources), query)
        found = self._effects.union(effects([plan.block], self._unit.tree))
        loaded, names, unit = self._loaded, self._globals, self._code
        if found != self._effects:
            unit, image = self._generate(found)
            loaded, names = self._load(image)
        loaded, function = _query_code(loaded, names, unit, source, plan)
        texts = []
        for expr, _ in query.expressions:
            line, column = source.position(expr.start)
            texts.append((source.text[expr.start : expr.end], line, column))
        return Query(loaded, function, tuple(texts), tuple(name for name, _ in plan.bindings))


def _query_code(
    loaded: Loaded, names: dict[str, Any], unit: CodeUnit, source: Source, plan: QueryPlan
) -> tuple[Loaded, Callable[[EvalState, list[tuple[Value, ...]]], None]]:
    code = replace(
        unit,
        sources=(*unit.sources, source),
        positions=list(unit.positions),
        constants=[],
        used={},
        prefix="q",
    )
    writer = QueryWriter(Writer(), code, len(unit.sources))
    operands = [*plan.values, *(operand for _, operand in plan.bindings)]
    function = writer.write("query", plan.block, operands)
    scope = new_globals(tuple(code.used.items()), code.builtins)
    scope = {**names, **scope}
    exec(compile_module([*code.constants, function], source.name), scope)  # noqa: S102 - as image.load
    changed = replace(loaded, sources=code.sources, positions=tuple(code.positions))
    return changed, scope["query"]


def _surroundings(source: Source, dialect: Dialect, package: str, imports: Sequence[str]) -> Module:
    """The module that a query stands in: its package and imports, without rules."""
    if not package and not imports:
        return Module(source=source, dialect=dialect, package=Package(path=()))
    lines = [f"package {package or QUERY}", *(f"import {path}" for path in imports)]
    header = parse_module(Source("imports of the query", "\n".join(lines) + "\n"), dialect=dialect)
    if not package:
        header = replace(header, package=Package(path=()))
    return replace(header, source=source)


def _stopped(exhausted: Exhausted) -> DiagnosticError:
    code = codes.EVAL_LIMIT if exhausted.limit else codes.EVAL_TIME
    return error(code, str(exhausted), None)


def _too_deep() -> DiagnosticError:
    limit = sys.getrecursionlimit()
    return error(codes.EVAL_DEPTH, f"evaluation is nested more than {limit} calls deep", None)


def compile(
    modules: Mapping[str, str | Source | Module],
    *,
    dialect: Dialect = Dialect.V1,
    capabilities: Capabilities = NONE,
    limits: Limits | None = None,
    strict: bool = False,
    exists: Exists | None = None,
) -> Program:
    """Compile modules, given by name: texts, sources, or trees of ``parse_module``.

    ``strict`` adds the checks of ``opa check --strict``; ``exists`` says where base data have values, which
    rules must not hide. DiagnosticError (REG1xx to REG4xx) for what is wrong with the modules.
    """
    parsed = []
    for name, text in modules.items():
        if isinstance(text, Module):
            parsed.append(text)
            continue
        source = text if isinstance(text, Source) else Source(name, text)
        parsed.append(parse_module(source, dialect=dialect))
    rows = available(capabilities)
    checked = check(parsed, capabilities=capabilities, strict=strict, exists=exists)  # type: ignore[no-untyped-call]
    return Program(checked, dialect, rows, capabilities, limits or Limits(), strict=strict)


def available(capabilities: Capabilities) -> Mapping[str, Builtin]:
    """The built-ins of a capability set, by name."""
    rows = {
        name: row
        for name, row in builtins.load().items()
        if name not in capabilities.denied
        and (capabilities.builtins is None or name in capabilities.builtins)
    }
    for name, row in capabilities.functions.items():
        assert isinstance(row, Builtin)
        rows[name] = row
    return rows


__all__ = ["Entry", "Program", "Query", "Span", "compile"]
