"""The formats that strings may be asked to have: a name, and whether a text has it.

The names are those that CustomResourceDefinitions support (apiextensions ``supportedVersionedFormats``);
unknown ones are ignored there, and so here. Hyphens in a name do not count. Patterns are compiled when a
schema first asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

Check = Callable[[str], bool]

_HEX: Final = "[0-9a-fA-F]"
_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DURATION: Final = r"(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_SCALA_DURATION: Final = (
    r"\d+\s*(ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?"
    r"|m|mins?|minutes?|h|hours?|hrs?|d|days?|w|weeks?)"
)


def _uuid(version: str = _HEX, variant: str = _HEX) -> str:
    return f"{_HEX}{{8}}-?{_HEX}{{4}}-?{version}{_HEX}{{3}}-?{variant}{_HEX}{{3}}-?{_HEX}{{12}}"


_PATTERNS: Final[dict[str, str]] = {
    "bsonobjectid": f"{_HEX}{{24}}",
    "byte": "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})",
    "datetime": (
        r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)([.,]\d+)?"
        r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)"
    ),
    "duration": rf"[+-]?(0|({_DURATION})+)|{_SCALA_DURATION}",
    "email": r'[^@\s<>"]+@[^@\s<>"]+',
    "hexcolor": f"#?({_HEX}{{3}}|{_HEX}{{6}})",
    "hostname": r"(?=.{1,255}\Z)[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*\.?",
    "k8slongname": rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*",
    "k8sshortname": "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
    "mac": f"{_HEX}{{2}}(:{_HEX}{{2}}){{5}}|{_HEX}{{2}}(-{_HEX}{{2}}){{5}}|({_HEX}{{2}}[:-]){{7}}{_HEX}{{2}}"
    rf"|({_HEX}{{4}}\.){{2}}{_HEX}{{4}}|({_HEX}{{4}}\.){{3}}{_HEX}{{4}}",
    "microtime": (
        r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}"
        r"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
    ),
    "quantity": r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?\s*",
    "rgbcolor": r"rgb\(\s*(\d{1,3}\s*,\s*){2}\d{1,3}\s*\)",
    "ssn": r"\d{3}[- ]?\d{2}[- ]?\d{4}",
    "uri": r"/[^\s\x00-\x1f]*|[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f]*",
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89abAB]"),
    "uuid5": _uuid("5", "[89abAB]"),
}
"""Formats that a regular expression describes. Only bounded or linear ones: values come from strangers."""


def _date(text: str) -> bool:
    from datetime import date

    plain = len(text) == 10 and text[4] == text[7] == "-"  # the parser takes week dates too
    return plain and _parses(date.fromisoformat, text)


def _ipv4(text: str) -> bool:
    from ipaddress import IPv4Address

    return _parses(IPv4Address, text)


def _ipv6(text: str) -> bool:
    from ipaddress import IPv6Address

    return "%" not in text and _parses(IPv6Address, text)


def _cidr(text: str) -> bool:
    """As Go's net.ParseCIDR: an address, a slash and a length; host bits may be set."""
    address, slash, length = text.partition("/")
    most = 32 if _ipv4(address) else 128 if _ipv6(address) else -1
    digits = length.isascii() and length.isdecimal() and len(length) <= 3
    return bool(slash) and digits and int(length) <= most


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _base64(text: str) -> bool:
    """As Go decodes bytes: line breaks do not count, and nothing is something."""
    packed = text.replace("\r", "").replace("\n", "")
    byte = _by_name("byte")
    return not packed or (byte is not None and byte(packed))


def _isbn10(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "").upper()
    if not re.fullmatch("[0-9]{9}[0-9X]", digits):
        return False
    return sum((10 - i) * (10 if d == "X" else int(d)) for i, d in enumerate(digits)) % 11 == 0


def _isbn13(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    if not re.fullmatch("[0-9]{13}", digits):
        return False
    return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0


def _credit_card(text: str) -> bool:
    digits = re.sub("[^0-9]", "", text)
    if not 13 <= len(digits) <= 16:
        return False
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


_FUNCTIONS: Final[dict[str, Check]] = {
    "base64": _base64,
    "cidr": _cidr,
    "creditcard": _credit_card,
    "date": _date,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "password": lambda _: True,
}


INTEGERS: Final[dict[str, tuple[int, int]]] = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
"""The formats of integers and the least and greatest value of each."""


@cache
def _by_name(name: str) -> Check | None:
    pattern = _PATTERNS.get(name)
    if pattern is None:
        return _FUNCTIONS.get(name)
    match = re.compile(pattern, re.ASCII).fullmatch
    return lambda text: match(text) is not None


def find(format: str) -> Check | None:
    """The check of a format; None for one that says nothing."""
    name = format.replace("-", "")
    return _by_name(name) if name in _PATTERNS or name in _FUNCTIONS else None


_LONG_QUANTITY: Final = 64
"""Characters of a quantity past which the exact parser of ``kube.quantity`` decides, which has limits."""


def plain_quantity(text: str) -> bool:
    """Whether a text is a quantity beyond doubt, such as ``100m`` or ``1.5Gi``."""
    check = _by_name("quantity")
    assert check is not None, "quantity is in the table"
    return len(text) <= _LONG_QUANTITY and check(text)
