"""Programs and queries: what ``compile`` gives, and how it is evaluated."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypedDict

from sekisho import __version__
from sekisho.diag import DiagnosticError, Source
from sekisho.lang.meter import Exhausted, Limits, Meter
from sekisho.lang.programs import Programs
from sekisho.lang.pyast import Writer, compile_module
from sekisho.rego import builtins, codes
from sekisho.rego.builtins.table import Builtin
from sekisho.rego.capabilities import NONE, Capabilities
from sekisho.rego.check import Checked, check, check_query, known_builtins
from sekisho.rego.codegen.functions import QueryWriter
from sekisho.rego.codegen.image import FORMAT, Image, generate, load, new_globals
from sekisho.rego.codegen.unit import Unit as CodeUnit
from sekisho.rego.nodes import Dialect, Module, Package
from sekisho.rego.parser import parse_module, parse_query
from sekisho.rego.plan.effects import Effects, effects, group_blocks
from sekisho.rego.plan.planner import Unit
from sekisho.rego.plan.query import QueryPlan, plan_query
from sekisho.rego.plan.tree import Node
from sekisho.rego.state import DEFAULTS, EvalState, Loaded, Options, error
from sekisho.rego.values import UNDEFINED, Value

if TYPE_CHECKING:
    from sekisho.diag import Deadline


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a program is compiled for."""

    dialect: Dialect
    rows: Mapping[str, Builtin]
    capabilities: Capabilities
    limits: Limits
    strict: bool
    keep_print: bool


class Program:
    """Compiled modules. Immutable; evaluations may run in several threads at once."""

    def __init__(self, sources: tuple[Source, ...], image: Image, settings: Settings) -> None:
        self._sources = sources
        self._image = image
        self._settings = settings
        self._effects = Effects(frozenset(image.mockable), frozenset(image.overridable))
        self._loaded, self._globals = self._load(image)
        self._queries: dict[str, Query] = {}

    def rule(self, path: str) -> Entry:
        """The entry of a rule (``data.template.violation``). DiagnosticError (REG530) if there is none."""
        node: Node | None = self._loaded.tree
        for step in path.split(".")[1:]:
            node = node.children.get(step) if node is not None else None
        if node is None or node.group < 0 or node.group in self._loaded.functions:
            raise error(codes.NO_SUCH_RULE, f"there is no rule {path}", None)
        return Entry(self._loaded, self._loaded.rules[node.group])

    def query(self, text: str) -> Query:
        """Prepare a query. DiagnosticError (REG1xx to REG4xx) if it cannot be compiled."""
        query = self._queries.get(text)
        if query is None:
            query = self._queries[text] = self._prepare(Source("query", text))
        return query

    @cached_property
    def _unit(self) -> Unit:
        checked = _checked(self._sources, self._settings)
        return Unit(checked, self._settings.rows)

    def _load(self, image: Image) -> tuple[Loaded, dict[str, Any]]:
        settings = self._settings
        return load(image, self._sources, settings.rows, settings.capabilities, settings.limits)

    def _prepare(self, source: Source) -> Query:
        body = parse_query(source, dialect=self._settings.dialect)
        settings = self._settings
        context = Module(source, settings.dialect, Package(()))
        query = check_query(
            self._unit.checked,
            body,
            context,
            capabilities=settings.capabilities,
            keep_print=settings.keep_print,
        )
        plan = plan_query(self._unit, len(self._sources), query)
        found = self._effects.union(effects([plan.block], self._unit.tree))
        image, loaded, names = self._image, self._loaded, self._globals
        if found != self._effects:
            image = _image(self._unit, self._sources, found)
            loaded, names = self._load(image)
        loaded, function = _query_code(image, loaded, names, source, plan)
        texts = []
        for expr, _ in query.expressions:
            line, column = source.position(expr.start)
            texts.append((source.text[expr.start : expr.end], line, column))
        return Query(loaded, function, tuple(texts), tuple(name for name, _ in plan.bindings))


def _query_code(
    image: Image, loaded: Loaded, names: dict[str, Any], source: Source, plan: QueryPlan
) -> tuple[Loaded, Callable[[EvalState, list[tuple[Value, ...]]], None]]:
    unit = CodeUnit(
        sources=(*loaded.sources, source),
        builtins=loaded.builtins,
        paths=image.paths,
        packages=image.packages,
        mockable=frozenset(image.mockable),
        overridable=frozenset(image.overridable),
        positions=list(image.positions),
        prefix="q",
    )
    writer = QueryWriter(Writer(), unit, len(loaded.sources))
    operands = [*plan.values, *(operand for _, operand in plan.bindings)]
    function = writer.write("query", plan.block, operands)
    scope = {**names, **new_globals(tuple(unit.used.items()), unit.builtins)}
    exec(compile_module([*unit.constants, function], source.name), scope)  # noqa: S102 - as image.load
    return replace(loaded, sources=unit.sources, positions=tuple(unit.positions)), scope["query"]


def _checked(sources: tuple[Source, ...], settings: Settings) -> Checked:
    modules = [parse_module(source, dialect=settings.dialect) for source in sources]
    return check(
        modules,
        capabilities=settings.capabilities,
        strict=settings.strict,
        keep_print=settings.keep_print,
    )


def _image(unit: Unit, sources: tuple[Source, ...], found: Effects | None = None) -> Image:
    """The image of a unit, whose code lets a ``with`` replace what it uses itself, or ``found``."""
    groups = unit.groups()
    if found is None:
        found = effects(group_blocks(groups), unit.tree)
    code = CodeUnit(
        sources=sources,
        builtins=unit.builtins,
        paths=tuple(unit.tree.paths),
        packages=tuple(unit.tree.packages),
        mockable=found.mockable,
        overridable=found.overridable,
    )
    return generate(code, groups)


def _stopped(exhausted: Exhausted) -> DiagnosticError:
    code = codes.EVAL_LIMIT if exhausted.limit else codes.EVAL_TIME
    return error(code, str(exhausted), None)


def _too_deep() -> DiagnosticError:
    limit = sys.getrecursionlimit()
    return error(codes.EVAL_DEPTH, f"evaluation is nested more than {limit} calls deep", None)


def compile(
    modules: Mapping[str, str | Source],
    *,
    dialect: Dialect = Dialect.V1,
    capabilities: Capabilities = NONE,
    limits: Limits | None = None,
    strict: bool = False,
    keep_print: bool = True,
    cache: Programs | None = None,
) -> Program:
    """Compile modules, given by name. DiagnosticError (REG1xx to REG4xx) for what is wrong with them.

    ``strict`` adds the checks of ``opa check --strict``; without ``keep_print``, ``print`` calls are dropped.
    With a ``cache`` (see ``program_cache``), what was compiled before is taken from there; its warnings are
    not found again.
    """
    sources = tuple(
        text if isinstance(text, Source) else Source(name, text) for name, text in modules.items()
    )
    builtins.load()
    rows = known_builtins(capabilities)
    settings = Settings(
        dialect=dialect,
        rows=rows,
        capabilities=capabilities,
        limits=limits or Limits(),
        strict=strict,
        keep_print=keep_print,
    )
    key = "" if cache is None else _key(cache, sources, settings)
    image = Image.of_row(cache.get(key)) if cache is not None else None
    if image is not None:
        return Program(sources, image, settings)
    unit = Unit(_checked(sources, settings), rows)
    image = _image(unit, sources)
    if cache is not None:
        cache.put(key, image.row())
    program = Program(sources, image, settings)
    program.__dict__["_unit"] = unit
    return program


def program_cache(root: str | None) -> Programs:
    """The cache of Rego programs in a cache folder (see ``sekisho.cache``); None keeps nothing."""
    return Programs(root, kind="rego", form=FORMAT)


def _key(cache: Programs, sources: tuple[Source, ...], settings: Settings) -> str:
    capabilities = settings.capabilities
    names = ",".join(sorted(settings.rows))
    parts = [__version__, settings.dialect.value, names, str(capabilities.deprecated)]
    parts += [str(settings.strict), str(settings.keep_print)]
    for source in sources:
        parts += [source.name, source.text]
    return cache.key(*(part.encode("utf-8", "surrogatepass") for part in parts))


__all__ = ["Entry", "Program", "Query", "Settings", "compile", "program_cache"]
