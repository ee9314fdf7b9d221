"""The encoders library of cel-go: base64 and JSON. Facts from cel-go's ``ext/encoders.go``.

Version 1 brought json.encode. Kubernetes does not have the library.
"""

from __future__ import annotations

import base64
import math
from typing import Final

from sekisho.cel.errors import CelError
from sekisho.cel.functions import Overload
from sekisho.cel.library import Library
from sekisho.cel.standard.conversions import double_to_text
from sekisho.cel.standard.optionals import value_of
from sekisho.cel.state import State
from sekisho.cel.times import duration_text, timestamp_text
from sekisho.cel.types import BYTES, DYN, STRING, CelType
from sekisho.cel.values import Duration, Optional, Timestamp, Value, type_of, value_of_key
from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang import base64text, gofloat

LATEST: Final = 1
"""The newest version."""

_EXACT: Final = 1 << 53
"""Integers up to this are JSON numbers; greater ones are strings, since readers would round them."""

_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _decode(text: str) -> bytes:
    """Padded or not, as cel-go takes both."""
    try:
        return base64text.decode(text)
    except BuiltinFault:
        pass
    try:
        return base64text.decode_unpadded(text)
    except BuiltinFault as fault:
        raise CelError(str(fault)) from None


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _json(state: State, value: Value) -> str:
    out: list[str] = []
    try:
        _write(value, out)
    except RecursionError:
        raise CelError("a value is nested too deeply for JSON") from None
    state.meter.text(sum(map(len, out)))
    return "".join(out)


def _write(value: Value, out: list[str]) -> None:
    if isinstance(value, dict):
        out.append("{")
        for key in value:
            if type(key) is not str:
                kind = type_of(value_of_key(key)).name
                raise CelError(f"unsupported type conversion from '{kind}' to string")
        for index, key in enumerate(sorted(value)):
            out.append(f"{',' if index else ''}{_quoted(key)}:")
            _write(value[key], out)
        out.append("}")
    elif isinstance(value, list | tuple):
        out.append("[")
        for index, item in enumerate(value):
            out.append("," if index else "")
            _write(item, out)
        out.append("]")
    elif isinstance(value, Optional):
        _write(value_of(value), out)
    else:
        out.append(_scalar(value))


def _scalar(value: Value) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case int():
            return str(int(value)) if abs(value) < _EXACT else f'"{int(value)}"'
        case float():
            if not math.isfinite(value):
                shown = double_to_text(value)
                raise CelError(f"proto: google.protobuf.Value.number_value: invalid {shown} value")
            return gofloat.json(value)
        case bytes():
            return f'"{_encode(value)}"'
        case Timestamp():
            return f'"{timestamp_text(value)}"'
        case Duration():
            return f'"{duration_text(value)}"'
        case CelType():
            raise CelError("type conversion not supported for 'type'")
    raise CelError("unsupported type conversion to '*structpb.Value'")


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in text) + '"'


_ROWS: Final = (
    Overload(
        id="base64_decode_string",
        function="base64.decode",
        params=(STRING,),
        result=BYTES,
        call=_decode,
        note="the bytes of base64, padded or not",
    ),
    Overload(
        id="base64_encode_bytes",
        function="base64.encode",
        params=(BYTES,),
        result=STRING,
        call=_encode,
        note="padded base64",
    ),
)

_JSON: Final = Overload(
    id="json_encode_dyn",
    function="json.encode",
    params=(DYN,),
    result=STRING,
    call=_json,
    context=True,
    note="JSON without white space, keys sorted",
)


def encoders(version: int = LATEST) -> Library:
    """The library in a version."""
    rows = (*_ROWS, *((_JSON,) if version >= 1 else ()))
    return Library(name="cel.lib.ext.encoders", overloads=rows, version=version)
