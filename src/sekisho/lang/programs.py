"""The on-disk cache of compiled programs: code objects and plain tables, kept with ``marshal``.

``marshal`` is safe only on bytes that we wrote ourselves; the cache sees to that (its folder is ours alone,
each entry is checked). Nothing is pickled. A key holds what the code depends on: the compiler's format,
Python's bytecode and what the caller adds (sources, dialect, capabilities).
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
from typing import Any, Final

from sekisho.cache import Cache, digest_of

MAX_BYTES: Final = 64_000_000
"""All programs of one language: some two thousand policies; a library has a hundred."""


class Programs:
    """Compiled programs of one language.

    ``form`` is the number of the compiler's format: raise it with every change of the code that it makes.
    ``root`` None means that nothing is kept.
    """

    def __init__(self, root: str | None, *, kind: str, form: int, max_bytes: int = MAX_BYTES) -> None:
        tag = (sys.implementation.cache_tag or sys.implementation.name).replace("-", "")
        self._cache = Cache(root, kind=kind, format_version=f"{form}.{tag}", max_bytes=max_bytes)

    def key(self, *parts: bytes) -> str:
        """The key of what is compiled from these parts."""
        return digest_of(importlib.util.MAGIC_NUMBER, *parts)

    def get(self, key: str) -> object | None:
        """What was kept under a key, or None."""
        payload = self._cache.get(key)
        if payload is None:
            return None
        try:
            found: object = marshal.loads(payload)  # noqa: S302 - bytes of our own, see above
        except (EOFError, ValueError, TypeError):
            return None
        return found

    def put(self, key: str, value: tuple[Any, ...]) -> None:
        """Keep a value made of code objects, tuples, strings and numbers."""
        self._cache.put(key, marshal.dumps(value))
