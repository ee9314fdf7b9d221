"""The program cache, composed: how commands compile templates.

A template's program and the facts about it are kept apart: the program by the Rego package, in its own
format, the facts as JSON. Both go by the text of the sources, so a changed template is compiled anew.
"""

from __future__ import annotations

import sys
from typing import Final

from sekisho import __version__, rego
from sekisho.cache import Cache, default_root, digest_of
from sekisho.policy.code import CAPABILITIES, Code, Compiled, Compiler, Facts

KIND: Final = "templates"
FORMAT: Final = "3"
MAX_BYTES: Final = 4_000_000
"""All facts: a few hundred bytes a template."""


def cached_compile(*, enabled: bool) -> Compiler:
    """Compile through the cache of this user, or anew."""
    root = default_root() if enabled else None
    return _anew if root is None else _Cached(root).compile


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
            self._program(code, compiled)
            self._warn()
            return compiled
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
