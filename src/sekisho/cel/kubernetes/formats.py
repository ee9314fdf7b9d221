"""Kubernetes' format library: named formats. Facts from k8s.io/apiserver ``pkg/cel/library/format.go``.

Texts of names are those of ``kube.names``; uuid, byte, date and datetime are as kube-openapi's strfmt reads
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sekisho.cel.extensions.costs import matching
from sekisho.cel.functions import Overload
from sekisho.cel.kubernetes.costs import priced
from sekisho.cel.library import Library
from sekisho.cel.types import STRING, list_of, optional_of, struct
from sekisho.cel.values import NONE, OpaqueValue, Optional, Value
from sekisho.kube import names
from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang import gotime, gourl

FORMAT: Final = struct("kubernetes.NamedFormat")

_UUID: Final = re.compile("(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_BASE64: Final = re.compile("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})")
_DATE: Final = re.compile("([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME: Final = re.compile("([0-9]{2}):([0-9]{2}):([0-9]{2})(?:.[0-9]+)?(?:z|[+-][0-9]{2}:[0-9]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: its name, what is wrong with a text, and the length of its pattern, which costs go by."""

    name: str
    check: Callable[[str], Sequence[str]]
    pattern: int


class FormatValue(OpaqueValue):
    """A format as a value."""

    __slots__ = ("format",)
    cel_type = FORMAT

    def __init__(self, format: Format) -> None:
        self.format = format

    def equals(self, other: Value) -> bool:
        """Formats are known by their names."""
        return isinstance(other, FormatValue) and self.format.name == other.format.name

    def __str__(self) -> str:
        return self.format.name


# --- the checks -------------------------------------------------------------------------------------------


def _prefix(check: names.Check) -> names.Check:
    return lambda text: check(names.mask_trailing_dash(text))


def _unless(good: Callable[[str], bool], message: str) -> names.Check:
    return lambda text: () if good(text) else (message,)


def _uri(text: str) -> tuple[str, ...]:
    try:
        gourl.parse_request(text, strict=True)
    except BuiltinFault as fault:
        return (str(fault),)
    return ()


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def _is_base64(text: str) -> bool:
    return _BASE64.fullmatch(text) is not None


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    year, month, day = map(int, found.groups())
    return 1 <= month <= 12 and 1 <= day <= gotime.days_in(year, month)


def _is_datetime(text: str) -> bool:
    """A date and a time with an offset; Kubernetes looks at nothing behind a second T."""
    parts = text.lower().split("t")
    if len(parts) < 2 or not _is_date(parts[0]):
        return False
    found = _TIME.fullmatch(parts[1])
    return found is not None and found[1] <= "23" and found[2] <= "59" and found[3] <= "59"


FORMATS: Final[dict[str, Format]] = {
    "dns1123Label": Format(name="DNS1123Label", check=names.dns_label, pattern=30),
    "dns1123Subdomain": Format(name="DNS1123Subdomain", check=names.dns_subdomain, pattern=60),
    "dns1035Label": Format(name="DNS1035Label", check=names.dns_1035_label, pattern=30),
    "qualifiedName": Format(name="QualifiedName", check=names.label_key, pattern=60),
    "dns1123LabelPrefix": Format(name="DNS1123LabelPrefix", check=_prefix(names.dns_label), pattern=30),
    "dns1123SubdomainPrefix": Format(
        name="DNS1123SubdomainPrefix", check=_prefix(names.dns_subdomain), pattern=60
    ),
    "dns1035LabelPrefix": Format(name="DNS1035LabelPrefix", check=_prefix(names.dns_1035_label), pattern=30),
    "labelValue": Format(name="LabelValue", check=names.label_value, pattern=40),
    "uri": Format(name="URI", check=_uri, pattern=1103),
    "uuid": Format(name="uuid", check=_unless(_is_uuid, "does not match the UUID format"), pattern=70),
    "byte": Format(name="byte", check=_unless(_is_base64, "invalid base64"), pattern=84),
    "date": Format(name="date", check=_unless(_is_date, "invalid date"), pattern=71),
    "datetime": Format(name="datetime", check=_unless(_is_datetime, "invalid datetime"), pattern=71),
}
"""The formats by the names of their functions."""


# --- the functions ----------------------------------------------------------------------------------------


def _named(name: str) -> Optional:
    found = FORMATS.get(name)
    return NONE if found is None else Optional(FormatValue(found))


def _validate(value: FormatValue, text: str) -> Optional:
    wrong = list(value.format.check(text))
    return Optional(wrong) if wrong else NONE


def _validate_cost(value: FormatValue, text: str, _: Value) -> int:
    return matching(text, " " * value.format.pattern)


def _constant(name: str) -> Overload:
    value = FormatValue(FORMATS[name])
    function = f"format.{name}"
    return Overload(id=function, function=function, params=(), result=FORMAT, call=lambda: value)


NAMED_FORMATS: Final = Library(
    name="kubernetes.format",
    overloads=(
        *priced(
            (
                Overload(
                    id="format-named",
                    function="format.named",
                    params=(STRING,),
                    result=optional_of(FORMAT),
                    call=_named,
                    note="the format of this name, if there is one",
                ),
            )
        ),
        Overload(
            id="format-validate",
            function="validate",
            params=(FORMAT, STRING),
            result=optional_of(list_of(STRING)),
            call=_validate,
            member=True,
            cost=_validate_cost,
            note="what is wrong with a text; nothing, if it is good",
        ),
        *map(_constant, FORMATS),
    ),
)
