"""The reference page of CEL's functions, from the rows of its libraries."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sekisho.cel.environment import Environment
from sekisho.cel.extensions.encoders import encoders
from sekisho.cel.extensions.lists import lists as extension_lists
from sekisho.cel.extensions.math import maths
from sekisho.cel.extensions.network import NETWORK
from sekisho.cel.extensions.optionals import OPTIONAL_LISTS
from sekisho.cel.extensions.regex import REGEX as EXTENSION_REGEX
from sekisho.cel.extensions.sets import SETS
from sekisho.cel.extensions.strings import strings
from sekisho.cel.functions import Overload
from sekisho.cel.kubernetes.authorizer import AUTHZ, AUTHZ_SELECTORS
from sekisho.cel.kubernetes.environment import LATEST, kubernetes_environment
from sekisho.cel.kubernetes.formats import NAMED_FORMATS
from sekisho.cel.kubernetes.jsonpatch import JSON_PATCH
from sekisho.cel.kubernetes.lists import lists
from sekisho.cel.kubernetes.net import ADDRESSES, NETWORKS
from sekisho.cel.kubernetes.quantity import QUANTITIES
from sekisho.cel.kubernetes.regex import REGEX
from sekisho.cel.kubernetes.semver import semver
from sekisho.cel.kubernetes.urls import URLS
from sekisho.cel.library import Library
from sekisho.cel.standard import BINDINGS, OPTIONALS, STANDARD, TWO_VARIABLES
from sekisho.cel.types import DURATION, TIMESTAMP, CelType

INTRODUCTION = (
    "*since* is the version of Kubernetes that has a function, *always* from the first on; those without "
    "one are cel-go's, and Kubernetes does not have them."
)

OLDEST = 25
"""The first version of Kubernetes in which CEL was on by default."""

LISTS = (extension_lists(), lists())

SECTIONS: tuple[tuple[str, str, tuple[Library, ...]], ...] = (
    ("Standard", "The standard library of CEL", (STANDARD,)),
    (
        "Optional values",
        "Values that may not be there, in Kubernetes from 1.28 on",
        (OPTIONALS, OPTIONAL_LISTS),
    ),
    (
        "Two-variable comprehensions",
        "Key and value, or index and element; from 1.32 on",
        (TWO_VARIABLES,),
    ),
    ("Strings", "The strings library of cel-go", (strings(),)),
    ("Lists", "The lists libraries of cel-go (with `sortBy` from 1.34 on) and of Kubernetes", LISTS),
    ("Sets", "Lists as sets: the sets library of cel-go", (SETS,)),
    ("Patterns", "Kubernetes' regex library: RE2", (REGEX,)),
    ("URLs", "Kubernetes' urls library", (URLS,)),
    ("Quantities", "Kubernetes' quantity library", (QUANTITIES,)),
    ("Addresses and networks", "Kubernetes' ip and cidr libraries", (ADDRESSES, NETWORKS)),
    ("Formats", "Kubernetes' format library", (NAMED_FORMATS,)),
    ("Semantic versions", "Kubernetes' semver library", (semver(),)),
    ("Authorizer", "Kubernetes' authz library", (AUTHZ, AUTHZ_SELECTORS)),
    ("JSON Patch", "Kubernetes' jsonpatch library, for mutating policies only", (JSON_PATCH,)),
    ("Math", "The math library of cel-go", (maths(),)),
    ("Encoders", "The encoders library of cel-go", (encoders(),)),
    ("Replacing and extracting", "The regex library of cel-go", (EXTENSION_REGEX,)),
    ("Masks", "What the network library of cel-go has more than that of Kubernetes", (NETWORK,)),
    ("Bindings", "Names for parts of an expression", (BINDINGS,)),
)

_INFIX = re.compile(r"_(\W+)_")
_SHORT = {TIMESTAMP: "timestamp", DURATION: "duration"}


def page(made: str) -> str:
    """The page."""
    lines = [
        "# CEL's functions",
        "",
        f"{INTRODUCTION} {made}",
    ]
    since = _versions()
    seen: set[str] = set()
    for title, what, libraries in SECTIONS:
        lines += ["", f"## {title}", "", f"{what}."]
        macros = sorted({macro.name for library in libraries for macro in library.macros})
        if macros:
            lines += ["", f"Macros: {', '.join(f'`{name}`' for name in macros)}."]
        rows = [row for library in libraries for row in library.overloads if row.id not in seen]
        seen |= {row.id for row in rows}
        if any(map(_is_shown, rows)):
            lines += ["", "| function | since | note |", "| --- | --- | --- |"]
            lines += _table(filter(_is_shown, rows), since)
    return "\n".join(lines) + "\n"


def _is_shown(row: Overload) -> bool:
    """What macros become has a name that nobody can write."""
    return "@" not in row.function or row.function == "@in"


def _versions() -> dict[str, int]:
    """The first version of Kubernetes that has an overload."""
    found: dict[str, int] = {}
    for minor in range(OLDEST, LATEST + 1):
        environment: Environment = kubernetes_environment(f"1.{minor}", patches=True)
        for rows in environment.functions.values():
            for row in rows:
                found.setdefault(row.id, minor)
    return found


def _table(rows: Iterable[Overload], since: dict[str, int]) -> list[str]:
    """A line for each function, form and version; calls that differ in types alone stand in one cell."""
    cells: dict[tuple[str, bool, int, str, str], list[str]] = {}
    for row in rows:
        minor = since.get(row.id)
        version = "" if minor is None else "always" if minor == OLDEST else f"1.{minor}"
        form = (row.function, row.member, len(row.params), version, row.note)
        cells.setdefault(form, []).append(f"`{_call(row)}`".replace("||", "\\|\\|"))
    return [f"| {'<br>'.join(calls)} | {version} | {note} |" for (*_, version, note), calls in cells.items()]


def _call(row: Overload) -> str:
    """``string.charAt(int) → string``."""
    params = [_type(param) for param in row.params]
    result = f" → {_type(row.result)}"
    infix = _INFIX.fullmatch(row.function)
    if row.function == "_?_:_":
        return f"{params[0]} ? {params[1]} : {params[2]}{result}"
    if row.function in ("_[_]", "_[?_]"):
        return f"{params[0]}{row.function.replace('_', '', 1).replace('_', params[1])}{result}"
    if infix or row.function == "@in":
        return f"{params[0]} {infix[1] if infix else 'in'} {params[1]}{result}"
    if row.function in ("!_", "-_"):
        return f"{row.function[0]}{params[0]}{result}"
    target = f"{params.pop(0)}." if row.member else ""
    return f"{target}{row.function}({', '.join(params)}){result}"


def _type(type: CelType) -> str:
    return _SHORT.get(type) or str(type).replace("optional_type(", "optional(")
