"""From modules to programs: the stages in their order, and what a program needs of them later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sekisho.diag import Source, Span
from sekisho.lang.meter import Limits
from sekisho.lang.pyast import Writer, compile_module
from sekisho.rego import codes
from sekisho.rego.capabilities import NONE, Capabilities
from sekisho.rego.check import check, check_query, known_builtins
from sekisho.rego.codegen.functions import GroupWriter, QueryWriter
from sekisho.rego.codegen.generate import generate
from sekisho.rego.codegen.traced import TracedWriter
from sekisho.rego.codegen.unit import Unit as CodeUnit
from sekisho.rego.dialect import Dialect
from sekisho.rego.image import Image, Surroundings, load, new_globals
from sekisho.rego.nodes import Module, Package
from sekisho.rego.parser import parse_module, parse_query
from sekisho.rego.plan.effects import Effects, effects, group_blocks
from sekisho.rego.plan.planner import Unit
from sekisho.rego.plan.query import QueryPlan, plan_query
from sekisho.rego.program import QUERY, Program, Query
from sekisho.rego.state import EvalState, Loaded, error
from sekisho.rego.values import Value

Exists = Callable[[tuple[str, ...]], bool]
"""Whether base data have a value at a path, given without ``data``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a program is compiled for."""

    dialect: Dialect
    surroundings: Surroundings
    strict: bool
    keep_print: bool


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
    made = _Made(unit, settings)
    return Program(sources, image, load(image, sources, surroundings), lambda: made)


def _parsed(name: str, text: str | Source | Module, dialect: Dialect) -> Module:
    if isinstance(text, Module):
        return text
    return parse_module(text if isinstance(text, Source) else Source(name, text), dialect=dialect)


class _Made:
    """What a program was made from (``program.Origin``)."""

    def __init__(self, unit: Unit, settings: Settings) -> None:
        self._unit = unit
        self._settings = settings

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules, as parsed."""
        return self._unit.checked.modules

    def traced(self, program: Program) -> Image:
        """The program's code in the variant that notes what it reads."""
        own = Effects(frozenset(program.image.mockable), frozenset(program.image.overridable))
        return _image(self._unit, program.sources, own, TracedWriter)

    def explained(self, program: Program) -> Image:
        """The variant that also notes which expressions held."""
        own = Effects(frozenset(program.image.mockable), frozenset(program.image.overridable))
        return _image(replace(self._unit, explains=True), program.sources, own, TracedWriter)

    def prepare(self, program: Program, text: str, package: str, imports: Sequence[str]) -> Query:
        """Compile a query of the program."""
        unit, settings = self._unit, self._settings
        module = _context(Source(QUERY, text), settings.dialect, package, imports)
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
        plan = plan_query(unit, len(program.sources), query)
        image, loaded, names = program.image, program.loaded, program.scope
        own = Effects(frozenset(image.mockable), frozenset(image.overridable))
        found = own.union(effects([plan.block], unit.tree))
        if found != own:
            image = _image(unit, program.sources, found)
            loaded, names = load(image, program.sources, settings.surroundings)
        loaded, function = _query_code(image, loaded, names, source, plan)
        texts = []
        for expr, _ in query.expressions:
            line, column = source.position(expr.start)
            texts.append((source.text[expr.start : expr.end], line, column))
        return Query(loaded, function, tuple(texts), tuple(name for name, _ in plan.bindings))


def _surroundings(capabilities: Capabilities, limits: Limits | None) -> Surroundings:
    rows = known_builtins(capabilities)
    return Surroundings(builtins=rows, capabilities=capabilities, limits=limits or Limits())


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
