"""The Common Expression Language: parser, checker, compiler to Python, functions.

``compile`` is imported when it is first asked for: programs from the cache do not need it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sekisho.cel.cached import cached, program_cache
from sekisho.cel.environment import KUBERNETES, Environment, Options
from sekisho.cel.errors import CelError
from sekisho.cel.functions import Overload
from sekisho.cel.library import Library, Macro
from sekisho.cel.program import Bounds, Explanation, Outcome, Program

if TYPE_CHECKING:
    from sekisho.cel.compiler import compile


def __getattr__(name: str) -> Any:
    if name == "compile":
        return importlib.import_module("sekisho.cel.compiler").compile
    raise AttributeError(name)


__all__ = [
    "KUBERNETES",
    "Bounds",
    "CelError",
    "Environment",
    "Explanation",
    "Library",
    "Macro",
    "Options",
    "Outcome",
    "Overload",
    "Program",
    "cached",
    "compile",
    "program_cache",
]
