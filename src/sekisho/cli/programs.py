"""The program cache, composed: how commands compile templates.

A template's program and the facts about it are kept apart: the program by the Rego package, in its own
format, the facts as JSON. Both go by the text of the sources, so a changed template is compiled anew.
"""

from __future__ import annotations

from typing import Final

from sekisho import __version__, rego
from sekisho.cache import Cache, default_root, digest_of
from sekisho.policy.code import CAPABILITIES, Code, Compiled, Compiler, Facts, compile_code

KIND: Final = "templates"
FORMAT: Final = "1"
MAX_BYTES: Final = 4_000_000
"""All facts: a few hundred bytes a template."""


def cached_compile(*, enabled: bool) -> Compiler:
    """Compile through the cache of this user, or anew."""
    root = default_root() if enabled else None
    if root is None:
        return compile_code
    return _Cached(root).compile


class _Cached:
    def __init__(self, root: str) -> None:
        self._programs = rego.program_cache(root)
        self._facts = Cache(root, kind=KIND, format_version=FORMAT, max_bytes=MAX_BYTES)

    def compile(self, code: Code) -> Compiled:
        """The program and the facts, from the cache where both are there."""
        import orjson

        texts = [source.text.encode("utf-8", "surrogatepass") for source in code.sources]
        key = digest_of(__version__.encode(), code.dialect.value.encode(), *texts)
        kept = self._facts.get(key)
        if kept is None:
            compiled = compile_code(code)
            self._facts.put(key, orjson.dumps(compiled.facts.row()))
            self._program(code, compiled)
            return compiled
        return Compiled(program=self._program(code, None), facts=Facts.of_row(orjson.loads(kept)))

    def _program(self, code: Code, compiled: Compiled | None) -> rego.Program:
        return rego.cached(
            lambda: (compiled or compile_code(code)).program,
            cache=self._programs,
            sources=code.sources,
            salt=(KIND, code.dialect.value),
            capabilities=CAPABILITIES,
        )
