"""The built-in functions of Rego, a family a module."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from sekisho.rego.builtins.table import TABLE, Builtin


@cache
@cache
def load() -> Mapping[str, Builtin]:
    """The whole table: every module of this package is imported, so that its rows are there."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return TABLE
