"""Programs and queries: what ``compile`` gives, and how it is evaluated."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypedDict

from sekisho import __version__
from sekisho.diag import DiagnosticError, Source, Span
from sekisho.lang.meter import Exhausted, Limits, Meter
from sekisho.lang.programs import Programs
from sekisho.lang.pyast import Writer, compile_module
from sekisho.rego import builtins, codes
from sekisho.rego.capabilities import NONE, Capabilities
from sekisho.rego.check import check, check_query, known_builtins
from sekisho.rego.codegen.functions import GroupWriter, QueryWriter
from sekisho.rego.codegen.image import FORMAT, Image, Surroundings, generate, load, new_globals
from sekisho.rego.codegen.traced import TracedWriter
from sekisho.rego.codegen.unit import Unit as CodeUnit
from sekisho.rego.nodes import Dialect, Module, Package
from sekisho.rego.parser import parse_module, parse_query
from sekisho.rego.plan.effects import Effects, effects, group_blocks
from sekisho.rego.plan.planner import Unit
from sekisho.rego.plan.query import QueryPlan, plan_query
from sekisho.rego.state import DEFAULTS, EvalState, Loaded, Options, error
from sekisho.rego.trail import TRACED_GLOBALS, Read, Trail, input_paths, reads_of, trail_rule
from sekisho.rego.values import UNDEFINED, Set, Value, key

if TYPE_CHECKING:
    from sekisho import __version__
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
        state = _state(self._loaded, input, data, deadline, options)
        rows: list[tuple[Value, ...]] = []
        _run(lambda: self._function(state, rows))
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
    surroundings: Surroundings
    strict: bool
    keep_print: bool


class Program:
    """Compiled modules. Immutable; evaluations may run in several threads at once.

    ``image`` is the code as data. ``origin`` gives what it was made from when a query asks for that.
    """

    def __init__(
        self,
        sources: tuple[Source, ...],
        image: Image,
        loaded: tuple[Loaded, dict[str, Any]],
        origin: Callable[[], tuple[Unit, Settings]],
    ) -> None:
        self._sources = sources
        self.image = image
        self._loaded, self._globals = loaded
        self._origin = origin
        self._queries: dict[tuple[str, str, tuple[str, ...]], Query] = {}

    def rule(self, path: str | Sequence[str]) -> Entry:
        """The entry of a rule: ``data.template.violation``, or the steps of such a path below ``data``.

        DiagnosticError (REG530) if there is none.
        """
        return Entry(self._loaded, self._loaded.rules[_group(self._loaded, path)])

    def query(self, text: str, *, package: str = "", imports: Sequence[str] = ()) -> Query:
        """Prepare a query. DiagnosticError (REG1xx to REG4xx) if it cannot be compiled.

        Names in it are those of ``package`` (``a.b``) and of ``imports`` (``data.a.b as c``).
        """
        place = (text, package, tuple(imports))
        query = self._queries.get(place)
        if query is None:
            unit, settings = self.origin
            module = _context(Source(QUERY, text), settings.dialect, package, imports)
            query = self._queries[place] = self._prepare(module, unit, settings)
        return query

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules that it was compiled from, as parsed."""
        return self.origin[0].checked.modules

    @cached_property
    def origin(self) -> tuple[Unit, Settings]:
        """What the program was compiled from, and how."""
        return self._origin()

    def explain_reads(
        self,
        path: str,
        input: Value,
        data: Value = None,
        *,
        deadline: Deadline | None = None,
        options: Options = DEFAULTS,
    ) -> list[tuple[Value, tuple[Read, ...]]]:
        """Evaluate a rule, and say what of the input its value stands on.

        For each element of a partial set, the reads of its first derivation, in their order; for any other
        rule, its value and the reads of it, or nothing where it is undefined.
        """
        loaded = self._traced
        rule = _group(loaded, path)
        state = _state(loaded, input, data, deadline, options)
        state.trail = trail = Trail()
        value = _run(lambda: trail_rule(state, rule, loaded.rules[rule], None))
        if value is UNDEFINED:
            return []
        paths = input_paths(state.input)
        notes = trail.notes.get(id(value))
        if type(value) is not Set or notes is None:
            return [(value, reads_of(trail, trail.entries, paths, loaded.span))]
        return [
            (element, reads_of(trail, notes.elements[key(element)], paths, loaded.span)) for element in value
        ]

    @cached_property
    def _traced(self) -> Loaded:
        """The code that notes what it reads, made when it is first asked for."""
        unit, settings = self.origin
        own = Effects(frozenset(self.image.mockable), frozenset(self.image.overridable))
        image = _image(unit, self._sources, own, TracedWriter)
        return load(image, self._sources, settings.surroundings, TRACED_GLOBALS)[0]

    def _prepare(self, module: Module, unit: Unit, settings: Settings) -> Query:
        source = module.source
        body = parse_query(source, dialect=settings.dialect, keywords=module.keywords)
        if not body:
            raise error(codes.EMPTY_QUERY, "the query is empty", Span(source, 0, len(source.text)))
        query = check_query(
            unit.checked,
            body,
            module,
            capabilities=settings.surroundings.capabilities,
            strict=settings.strict,
            keep_print=settings.keep_print,
        )
        plan = plan_query(unit, len(self._sources), query)
        image, loaded, names = self.image, self._loaded, self._globals
        own = Effects(frozenset(image.mockable), frozenset(image.overridable))
        found = own.union(effects([plan.block], unit.tree))
        if found != own:
            image = _image(unit, self._sources, found)
            loaded, names = load(image, self._sources, settings.surroundings)
        loaded, function = _query_code(image, loaded, names, source, plan)
        texts = []
        for expr, _ in query.expressions:
            line, column = source.position(expr.start)
            texts.append((source.text[expr.start : expr.end], line, column))
        return Query(loaded, function, tuple(texts), tuple(name for name, _ in plan.bindings))


def _group(loaded: Loaded, path: str | Sequence[str]) -> int:
    """The number of the rule at a path."""
    steps = tuple(path.split(".")[1:]) if isinstance(path, str) else tuple(path)
    node = loaded.tree.find(steps)
    if node is None or node.group < 0 or node.group in loaded.functions:
        name = path if isinstance(path, str) else ".".join(("data", *steps))
        raise error(codes.NO_SUCH_RULE, f"there is no rule {name}", None)
    return node.group


def _state(
    loaded: Loaded, input: Value, data: Value, deadline: Deadline | None, options: Options
) -> EvalState:
    meter = Meter(loaded.limits, deadline)
    return EvalState(loaded, input, {} if data is None else data, meter, options)


def _run(work: Callable[[], Value]) -> Value:
    """What an evaluation gives; its limits end it with a diagnostic."""
    try:
        return work()
    except Exhausted as exhausted:
        raise _stopped(exhausted) from None
    except RecursionError:
        raise _too_deep() from None


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


def _context(source: Source, dialect: Dialect, package: str, imports: Sequence[str]) -> Module:
    """The module that a query stands in: its package and imports, without rules."""
    if not package and not imports:
        return Module(source=source, dialect=dialect, package=Package(path=()))
    lines = [f"package {package or QUERY}", *(f"import {path}" for path in imports)]
    header = parse_module(Source("imports of the query", "\n".join(lines) + "\n"), dialect=dialect)
    if not package:
        header = replace(header, package=Package(path=()))
    return replace(header, source=source)


def _image(
    unit: Unit,
    sources: tuple[Source, ...],
    found: Effects | None = None,
    write: type[GroupWriter] = GroupWriter,
) -> Image:
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
    return generate(code, groups, write)


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
    keep_print: bool = True,
    exists: Exists | None = None,
) -> Program:
    """Compile modules, given by name: texts, sources, or trees of ``parse_module``.

    ``strict`` adds the checks of ``opa check --strict``; without ``keep_print``, ``print`` calls are dropped.
    ``exists`` says where base data have values, which rules must not hide. DiagnosticError (REG1xx to REG4xx)
    for what is wrong with the modules.
    """
    parsed = [_parsed(name, text, dialect) for name, text in modules.items()]
    surroundings = _surroundings(capabilities, limits)
    settings = Settings(dialect=dialect, surroundings=surroundings, strict=strict, keep_print=keep_print)
    checked = check(parsed, capabilities=capabilities, strict=strict, keep_print=keep_print, exists=exists)
    unit = Unit(checked, surroundings.builtins)
    sources = tuple(module.source for module in checked.modules)
    image = _image(unit, sources)
    return Program(sources, image, load(image, sources, surroundings), lambda: (unit, settings))


def _parsed(name: str, text: str | Source | Module, dialect: Dialect) -> Module:
    if isinstance(text, Module):
        return text
    return parse_module(text if isinstance(text, Source) else Source(name, text), dialect=dialect)


def _surroundings(capabilities: Capabilities, limits: Limits | None) -> Surroundings:
    builtins.load()
    rows = known_builtins(capabilities)
    return Surroundings(builtins=rows, capabilities=capabilities, limits=limits or Limits())


def program_cache(root: str | None) -> Programs:
    """The cache of Rego programs in a cache folder (see ``sekisho.cache``); None keeps nothing."""
    return Programs(root, kind="rego", form=FORMAT)


def cached(
    build: Callable[[], Program],
    *,
    cache: Programs,
    sources: Sequence[Source],
    salt: Sequence[str] = (),
    capabilities: Capabilities = NONE,
    limits: Limits | None = None,
) -> Program:
    """What ``build`` compiles from these sources, in their order; from the cache if that was done before.

    ``salt`` says all else that the result depends on: the dialect, how sources are changed before they are
    compiled. Capabilities and limits are those that ``build`` gives to ``compile``. A program from the cache
    builds itself when it is asked for a query.
    """
    surroundings = _surroundings(capabilities, limits)
    parts = [
        __version__,
        ",".join(sorted(surroundings.builtins)),
        ",".join(sorted(capabilities.denied)),
        *salt,
        "",
    ]
    parts += [part for source in sources for part in (source.name, source.text)]
    key = cache.key(*(part.encode("utf-8", "surrogatepass") for part in parts))
    image = Image.of_row(cache.get(key))
    if image is None:
        program = build()
        cache.put(key, program.image.row())
        return program
    loaded = load(image, tuple(sources), surroundings)
    return Program(tuple(sources), image, loaded, lambda: build().origin)


__all__ = ["QUERY", "Entry", "Program", "Query", "Settings", "cached", "compile", "program_cache"]
