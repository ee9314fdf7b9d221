"""The formats of JSON Schema as gojsonschema checks them. Values that are no strings fit every format."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from sekisho.lang.golang import gourl
from sekisho.rego.builtins.net import parse_ip
from sekisho.rego.faults import BuiltinFault

_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.,][0-9]+)?"
_ZONE: Final = r"(?:Z|[-+](?:[01][0-9]|2[0-4]):[0-5][0-9])"
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_TIME: Final = re.compile(rf"{_CLOCK}{_ZONE}?\Z")
_MOMENT: Final = re.compile(rf"([0-9-]{{10}})T{_CLOCK}{_ZONE}\Z")
_LABEL: Final = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]{0,61}[a-zA-Z0-9])"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_UUID: Final = re.compile(r"[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}\Z")
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~0|~1)*)*\Z")
_RELATIVE: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~0|~1)*)*)\Z")
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x{80}-\x{10ffff}-]+"
_DOTTED: Final = rf"{_ATOM}(?:\.{_ATOM})*"
_ADDRESS: Final = rf'(?:{_DOTTED}|"(?:[^"\\\r\n]|\\.)*")@(?:{_DOTTED}|\[[^\[\]\\\s]*\])'
_MAIL: Final = rf'\s*(?:{_ADDRESS}|(?:[^<>@,;:\\"]*|\s*"[^"]*"\s*)<{_ADDRESS}>)\s*'
_TEMPLATE: Final = r"(?:[^{]*(?:{[^}]*})?)*"
"""RE2, since strangers' texts meet them."""


def fits(name: str, value: object) -> bool:
    """Whether a value is of this format. Formats that are unknown fit all."""
    check = _FORMATS.get(name)
    return type(value) is not str or check is None or check(value)


def _date(text: str) -> bool:
    found = _DATE.match(text)
    if found is None:
        return False
    year, month, day = map(int, found.groups())
    if not 1 <= month <= 12:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = 29 if month == 2 and leap else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
    return 1 <= day <= days


def _time(text: str) -> bool:
    return _TIME.match(text) is not None


def _moment(text: str) -> bool:
    found = _MOMENT.match(text)
    return _date(found.group(1)) if found else _date(text) or _time(text)


def _uri(text: str) -> bool:
    url = _parsed(text)
    return url is not None and url.scheme != ""


def _reference(text: str) -> bool:
    return _parsed(text) is not None


def _template(text: str) -> bool:
    url = _parsed(text)
    return url is not None and _linear(_TEMPLATE)(url.path)


def _parsed(text: str) -> gourl.Url | None:
    if "\\" in text:
        return None
    try:
        return gourl.parse(text)
    except BuiltinFault:
        return None


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.match(text) is not None


def _linear(pattern: str) -> Callable[[str], bool]:
    return lambda text: _own(pattern).fullmatch(text) is not None


@cache
def _own(pattern: str) -> Any:
    return compiled(pattern)


def _host(text: str) -> bool:
    return len(text) < 256 and _HOST.match(text) is not None


def _regex(text: str) -> bool:
    return compiled(text) is not None


@cache
def _options() -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    return options


def compiled(pattern: str) -> Any:
    """A pattern in RE2's syntax, or None if it is none."""
    import re2

    try:
        return re2.compile(pattern, _options())
    except re2.error:
        return None


_FORMATS: Final[dict[str, Callable[[str], bool]]] = {
    "date": _date,
    "time": _time,
    "date-time": _moment,
    "hostname": _host,
    "email": _linear(_MAIL),
    "idn-email": _linear(_MAIL),
    "ipv4": lambda text: "." in text and parse_ip(text) is not None,
    "ipv6": lambda text: ":" in text and parse_ip(text) is not None,
    "uri": _uri,
    "uri-reference": _reference,
    "iri": _uri,
    "iri-reference": _reference,
    "uri-template": _template,
    "uuid": _matches(_UUID),
    "regex": _regex,
    "json-pointer": _matches(_POINTER),
    "relative-json-pointer": _matches(_RELATIVE),
}
