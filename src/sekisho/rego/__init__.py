"""The Rego language: parser, checks, compiler to Python, built-ins. It knows nothing of Kubernetes.

``compile`` and ``parse_module`` are imported when they are first asked for: programs from the cache need
neither.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from sekisho.rego.capabilities import Capabilities
from sekisho.rego.dialect import Dialect
from sekisho.rego.held import Held
from sekisho.rego.program import QUERY, Entry, Program, Query, cached, program_cache
from sekisho.rego.state import Options
from sekisho.rego.trail import Read

if TYPE_CHECKING:
    from sekisho.rego.compiler import compile
    from sekisho.rego.parser import parse_module

_LATER: Final = {"compile": "sekisho.rego.compiler", "parse_module": "sekisho.rego.parser"}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(name)


__all__ = [
    "QUERY",
    "Capabilities",
    "Dialect",
    "Entry",
    "Held",
    "Options",
    "Program",
    "Query",
    "Read",
    "cached",
    "compile",
    "parse_module",
    "program_cache",
]
