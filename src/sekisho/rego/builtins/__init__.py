"""The built-in functions of Rego, a family a module.

``FAMILIES`` says which module has which rows, so that a program from the cache imports only the families that
it calls; a test compares it with the rows themselves.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from sekisho.rego.builtins.families import FAMILIES
from sekisho.rego.builtins.table import TABLE, Builtin

if TYPE_CHECKING:
    from sekisho.rego.capabilities import Capabilities

_HOMES = {name: module for module, names in FAMILIES.items() for name in names}


@cache
def load() -> Mapping[str, Builtin]:
    """The whole table: every family is imported, so that its rows are there."""
    for module in FAMILIES:
        importlib.import_module(f"{__name__}.{module}")
    return TABLE


def names(capabilities: Capabilities) -> frozenset[str]:
    """The names of the built-ins that a capability set has, without importing any."""
    own = _HOMES.keys() if capabilities.builtins is None else _HOMES.keys() & capabilities.builtins
    return frozenset(own) | capabilities.functions.keys()


def find(wanted: Iterable[str], capabilities: Capabilities) -> dict[str, Builtin]:
    """The rows of these names; only their families are imported. The embedder's rows come first."""
    rows: dict[str, Builtin] = {}
    for name in wanted:
        row = capabilities.functions.get(name)
        if row is None:
            importlib.import_module(f"{__name__}.{_HOMES[name]}")
            row = TABLE[name]
        assert isinstance(row, Builtin)
        rows[name] = row
    return rows
