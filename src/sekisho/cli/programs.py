"""The program cache, composed: how templates are compiled by commands."""

from __future__ import annotations

from sekisho.policy.template import Compile, compile_anew


def cached_compile(*, enabled: bool) -> Compile:
    """Compile through the cache, or anew."""
    return compile_anew
