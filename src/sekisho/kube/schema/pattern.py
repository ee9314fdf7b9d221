"""Patterns of schemas: Go's regular expressions, which are RE2's."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

_KEPT = 4096
"""Compiled patterns that are remembered; a cluster's schemas have some hundreds."""


@lru_cache(maxsize=_KEPT)
def searcher(pattern: str) -> Callable[[str], bool] | str:
    """Whether a text contains a match; for a pattern that is none, the reason why."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "malformed"
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)

    def search(text: str) -> bool:
        try:
            return compiled.search(text) is not None
        except UnicodeEncodeError:  # a lone surrogate, which no pattern of valid UTF-8 matches
            return False

    return search
