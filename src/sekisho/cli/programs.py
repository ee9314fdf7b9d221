"""The program cache, composed: how commands compile templates.

A template's program and the facts about it are kept apart: the program by the Rego package, in its own
format, the facts as JSON. Both go by the text of the sources, so a changed template is compiled anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from sekisho import __version__, rego
from sekisho.cache import Cache, default_root, digest_of
from sekisho.policy.code import CAPABILITIES, CEL, REGO, Choice, Code, Compiled, Compiler, Facts

if TYPE_CHECKING:
    from sekisho import cel
    from sekisho.diag import Source
    from sekisho.lang.programs import Programs
    from sekisho.policy.expressions import Expression

ENGINES: Final[Mapping[str, str]] = {"": "", "cel": CEL, "rego": REGO}
"""The words of ``--engine``; none lets CEL win over Rego."""

KIND: Final = "templates"
FORMAT: Final = "4"
MAX_BYTES: Final = 4_000_000
"""All facts: a thousand bytes or two a template."""


def cached_compile(*, enabled: bool) -> Compiler:
    """Compile through the cache of this user, or anew."""
    root = default_root() if enabled else None
    return _anew if root is None else _Cached(root).compile


def cached_choice(*, enabled: bool, engine: str = "") -> Choice:
    """How templates' engines are chosen, with the cache of this user for expressions, or without."""
    compile = CachedExpressions(default_root()) if enabled else None
    sources = compile.source if compile is not None else None
    return Choice(engine=ENGINES[engine], compile=compile, compile_source=sources)


def cached_rules(*, enabled: bool) -> Callable[[Source, cel.Environment], cel.Program] | None:
    """How rules of schemas are compiled: through the cache of this user, or anew."""
    return CachedExpressions(default_root()).source if enabled else None


def cached_expressions() -> CachedExpressions:
    """How expressions of policies are compiled: through the cache of this user."""
    return CachedExpressions(default_root())


class CachedExpressions:
    """Compiles expressions through a cache, which is opened when the first one comes."""

    def __init__(self, root: str | None) -> None:
        self._root = root
        self._programs: Programs | None = None

    def __call__(self, expression: Expression, environment: cel.Environment) -> cel.Program:
        """The program of an expression of a policy."""
        return self.source(expression.source, environment)

    def source(self, source: Source, environment: cel.Environment) -> cel.Program:
        """The program of any expression."""
        from sekisho import cel

        if self._programs is None:
            self._programs = cel.program_cache(self._root)
        return cel.cached(source, environment, self._programs)


def _anew(code: Code) -> Compiled:
    """Compile; imported here, since what comes from the cache needs no compiler."""
    from sekisho.policy.compiler import compile_code

    return compile_code(code)


class _Cached:
    def __init__(self, root: str) -> None:
        self._programs = rego.program_cache(root)
        self._facts = Cache(root, kind=KIND, format_version=FORMAT, max_bytes=MAX_BYTES)
        self._warned = False

    def compile(self, code: Code) -> Compiled:
        """The program and the facts, from the cache where both are there."""
        import orjson

        texts = [source.text.encode("utf-8", "surrogatepass") for source in code.sources]
        key = digest_of(__version__.encode(), code.dialect.value.encode(), *texts)
        kept = self._facts.get(key)
        if kept is None:
            compiled = _anew(code)
            self._facts.put(key, orjson.dumps(compiled.facts.row()))
            program = self._program(code, compiled)
            self._warn()
            return Compiled(program=program, facts=compiled.facts)
        return Compiled(program=self._program(code, None), facts=Facts.of_row(orjson.loads(kept)))

    def _warn(self) -> None:
        """Say once, on standard error, why nothing is kept."""
        problem = self._facts.problem
        if problem is not None and not self._warned:
            from sekisho.diag.render.text import format_finding, use_colour

            self._warned = True
            sys.stderr.write(format_finding(problem, colour=use_colour(sys.stderr)))

    def _program(self, code: Code, compiled: Compiled | None) -> rego.Program:
        return rego.cached(
            lambda: (compiled or _anew(code)).program,
            cache=self._programs,
            sources=code.sources,
            salt=(KIND, code.dialect.value),
            capabilities=CAPABILITIES,
        )
