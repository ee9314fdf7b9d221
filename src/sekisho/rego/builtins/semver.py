"""semver.*: versions by semver.org, with an optional leading v."""

from __future__ import annotations

import re
from typing import Final

from sekisho.lang.golang.gotext import quote
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import ANY, BOOLEAN, NUMBER, STRING, Function
from sekisho.rego.values import Value

_VERSION: Final = re.compile(
    r"v?([0-9]+)\.([0-9]+)\.([0-9]+)"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?(?:\+(?:[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?"
)
_LARGEST: Final = 2**63 - 1

Version = tuple[list[int], list[str]]


def _version(text: str) -> Version | None:
    found = _VERSION.fullmatch(text) if text.isascii() and "\n" not in text else None
    if not found:
        return None
    release = [int(found[part]) if len(found[part]) < 21 else _LARGEST + 1 for part in (1, 2, 3)]
    if any(part > _LARGEST for part in release):
        return None
    return release, found[4].split(".") if found[4] else []


def _compare(context: EvalContext, left: Value, right: Value) -> int:
    operands.check_strings(left, right)
    context.meter.charge(len(left) + len(right))
    versions = []
    for position, text in enumerate((left, right), 1):
        version = _version(text)
        if version is None:
            raise BuiltinFault(f"operand {position}: string {quote(text)} is not a valid SemVer")
        versions.append(version)
    (a, before), (b, after) = versions
    if a != b:
        return 1 if a > b else -1
    if not before or not after:
        return bool(after) - bool(before)
    for x, y in zip(before, after, strict=False):
        if order := _identifiers(x, y):
            return order
    return (len(before) > len(after)) - (len(before) < len(after))


def _identifiers(x: str, y: str) -> int:
    """Numbers compare as numbers and come before words."""
    if x.isdecimal() and y.isdecimal():
        a, b = x.lstrip("0"), y.lstrip("0")
        return ((len(a), a) > (len(b), b)) - ((len(a), a) < (len(b), b))
    if x.isdecimal() != y.isdecimal():
        return -1 if x.isdecimal() else 1
    return (x > y) - (x < y)


def _is_valid(context: EvalContext, value: Value) -> bool:
    if type(value) is not str:
        return False
    context.meter.charge(len(value))
    return _version(value) is not None


row("semver.compare", Function((STRING, STRING), NUMBER), _compare, context=True)
row("semver.is_valid", Function((ANY,), BOOLEAN), _is_valid, context=True)
