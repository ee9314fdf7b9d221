"""Types whose JSON is not that of their fields: times, quantities, raw JSON, lists with a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson

from sekisho.apiserver.protobuf.wire import Malformed, Raw, fields, signed, text

ABSENT: Final = object()
"""What a message says that stands for nothing (a time that is not set)."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Again(NamedTuple):
    """A value that is one of the message's fields; ``message`` and ``data`` are to be decoded for it."""

    message: str
    data: bytes


def _numbers(data: bytes) -> dict[int, Raw]:
    return {number: value for number, _, value in fields(data)}


def _int(value: Raw, bits: int) -> int:
    if not isinstance(value, int):
        raise Malformed("a number was expected")
    return signed(value, bits)


def _bytes(value: Raw) -> bytes:
    if not isinstance(value, bytes):
        raise Malformed("bytes were expected")
    return value


def _moment(data: bytes) -> datetime | None:
    rows = _numbers(data)
    if not rows:
        return None
    nanos = _int(rows.get(2, 0), 32)
    try:
        return EPOCH + timedelta(seconds=_int(rows.get(1, 0), 64), microseconds=nanos // 1_000)
    except OverflowError:
        raise Malformed("a time is out of range") from None


def time(data: bytes) -> Any:
    """``metav1.Time``: seconds in UTC."""
    moment = _moment(data)
    return ABSENT if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_time(data: bytes) -> Any:
    """``metav1.MicroTime``: six digits of a second."""
    moment = _moment(data)
    return ABSENT if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def quantity(data: bytes) -> Any:
    """``resource.Quantity``: its text."""
    return text(_bytes(_numbers(data).get(1, b"")))


def int_or_string(data: bytes) -> Any:
    """``intstr.IntOrString``: whichever it is."""
    rows = _numbers(data)
    if rows.get(1, 0) == 1:
        return text(_bytes(rows.get(3, b"")))
    return _int(rows.get(2, 0), 32)


def duration(data: bytes) -> Any:
    """``metav1.Duration``: as Go writes it (``time.Duration.String``)."""
    nanos = _int(_numbers(data).get(1, 0), 64)
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    if nanos < 1_000_000_000:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000)):
            if nanos >= size:
                return f"{sign}{_decimal(nanos, size)}{unit}"
        return f"{sign}{nanos}ns" if nanos else "0s"
    seconds, rest = divmod(nanos, 1_000_000_000)
    hours, minutes = seconds // 3_600, seconds // 60 % 60
    shown = _decimal(seconds % 60 * 1_000_000_000 + rest, 1_000_000_000)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{head}{shown}s"


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = f"{rest:0{len(str(unit)) - 1}}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def raw_json(data: bytes) -> Any:
    """``RawExtension``, ``JSON``, ``FieldsV1``: JSON in bytes."""
    raw = _bytes(_numbers(data).get(1, b""))
    if not raw:
        return ABSENT
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"raw JSON is malformed: {error}") from None


def strings(data: bytes) -> Any:
    """``Verbs``, ``ExtraValue``: a list with a name."""
    return [text(_bytes(value)) for number, _, value in fields(data) if number == 1]


def schema_or_array(data: bytes) -> Any:
    """``JSONSchemaPropsOrArray``: one schema, or a list."""
    rows = [(number, _bytes(value)) for number, _, value in fields(data) if number in (1, 2)]
    many = [Again(SCHEMA, value) for number, value in rows if number == 2]
    return many or next((Again(SCHEMA, value) for _, value in rows), ABSENT)


def schema_or_bool(data: bytes) -> Any:
    """``JSONSchemaPropsOrBool``: a schema, or whether anything goes."""
    rows = _numbers(data)
    return Again(SCHEMA, _bytes(rows[2])) if 2 in rows else bool(rows.get(1, 0))


def schema_or_strings(data: bytes) -> Any:
    """``JSONSchemaPropsOrStringArray``: a schema, or names."""
    rows = _numbers(data)
    if 1 in rows:
        return Again(SCHEMA, _bytes(rows[1]))
    return [text(_bytes(value)) for number, _, value in fields(data) if number == 2]


_META: Final = "k8s.io.apimachinery.pkg.apis.meta.v1"
_EXTENSIONS: Final = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1"
SCHEMA: Final = f"{_EXTENSIONS}.JSONSchemaProps"

SPECIAL: Final[Mapping[str, Callable[[bytes], Any]]] = {
    f"{_META}.Time": time,
    f"{_META}.MicroTime": micro_time,
    f"{_META}.Duration": duration,
    f"{_META}.FieldsV1": raw_json,
    f"{_META}.Verbs": strings,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": quantity,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": int_or_string,
    "k8s.io.apimachinery.pkg.runtime.RawExtension": raw_json,
    "k8s.io.api.authentication.v1.ExtraValue": strings,
    "k8s.io.api.authorization.v1.ExtraValue": strings,
    "k8s.io.api.certificates.v1.ExtraValue": strings,
    f"{_EXTENSIONS}.JSON": raw_json,
    f"{_EXTENSIONS}.JSONSchemaPropsOrArray": schema_or_array,
    f"{_EXTENSIONS}.JSONSchemaPropsOrBool": schema_or_bool,
    f"{_EXTENSIONS}.JSONSchemaPropsOrStringArray": schema_or_strings,
}
"""Message → from its bytes to its JSON. A result may hold messages that are still to be decoded."""
