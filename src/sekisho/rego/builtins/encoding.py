"""base64, base64url, hex, and JSON as text (urlquery is in ``uri``, YAML in ``yaml``).

What is decoded may be any bytes; see ``rego.text`` for how a string holds them.
"""

from __future__ import annotations

import base64
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.lang.golang import base64text
from sekisho.lang.golang.gotext import from_octets, quote_char, to_octets
from sekisho.lang.meter import Exhausted
from sekisho.rego import jsontext
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.text import bounded, text
from sekisho.rego.types import ANY, BOOLEAN, STRING, Function, Object
from sekisho.rego.values import Set, Value, sorted_keys, type_name, unkey

JSON: Final = Limit("a JSON text in a policy", 8_000_000, "characters", "reading it takes a second")


def _octets(context: EvalContext, value: Value) -> bytes:
    """The bytes of the operand; pays for a result of twice their number, which all of these stay below."""
    source = operands.string(value, 1)
    context.meter.text(2 * len(source))
    return to_octets(source)


def _paid(context: EvalContext, value: Value) -> str:
    source = operands.string(value, 1)
    context.meter.text(len(source))
    return source


def _base64_encode(context: EvalContext, value: Value) -> str:
    return base64.b64encode(_octets(context, value)).decode("ascii")


def _base64_decode(context: EvalContext, value: Value) -> str:
    return from_octets(base64text.decode(_paid(context, value)))


def _base64_is_valid(context: EvalContext, value: Value) -> bool:
    if type(value) is not str:
        return False
    context.meter.charge(len(value) >> 4)
    try:
        base64text.decode(value)
    except BuiltinFault:
        return False
    return True


def _base64url_encode(context: EvalContext, value: Value) -> str:
    return base64.urlsafe_b64encode(_octets(context, value)).decode("ascii")


def _base64url_encode_no_pad(context: EvalContext, value: Value) -> str:
    return base64text.encode_url(_octets(context, value))


def _base64url_decode(context: EvalContext, value: Value) -> str:
    return from_octets(base64text.decode_url(_paid(context, value)))


_HEX: Final = frozenset(b"0123456789abcdefABCDEF")


def _hex_encode(context: EvalContext, value: Value) -> str:
    return _octets(context, value).hex()


def _hex_decode(context: EvalContext, value: Value) -> str:
    data = _octets(context, value)
    for at in range(0, len(data) - 1, 2):
        for byte in data[at : at + 2]:
            if byte not in _HEX:
                raise _no_hex_digit(byte)
    if len(data) % 2:
        if data[-1] not in _HEX:
            raise _no_hex_digit(data[-1])
        raise BuiltinFault("encoding/hex: odd length hex string")
    return from_octets(bytes.fromhex(data.decode("ascii")))


def _no_hex_digit(byte: int) -> BuiltinFault:
    shown = f" {quote_char(chr(byte))}" if chr(byte).isprintable() else ""
    return BuiltinFault(f"encoding/hex: invalid byte: U+{byte:04X}{shown}")


# --- JSON ----------------------


def _marshal(context: EvalContext, value: Value) -> str:
    return bounded(value, context.meter, jsontext.marshal)


def _marshal_with_options(context: EvalContext, value: Value, options: Value) -> str:
    prefix, indent, pretty = "", "\t", None
    implied = False
    chosen = operands.object_(options, 2)
    for index, form in enumerate(sorted_keys(chosen)):
        name, option = unkey(form), chosen[form]
        if type(name) is not str:
            why = f"operand {index} must be string but got {type_name(name)}"
            operands.fail(2, f"failed to stringify key {text(name)} at index {index}: {why}")
        if name == "pretty":
            if type(option) is not bool:
                operands.fail(2, 'key "pretty" failed cast to bool')
            pretty = option
        elif name in {"prefix", "indent"}:
            if type(option) is not str:
                why = f"operand {index} must be string but got {type_name(option)}"
                operands.fail(2, f"key {text(name)} failed cast to string: {why}")
            prefix, indent = (option, indent) if name == "prefix" else (prefix, option)
            implied = True
        else:
            operands.fail(2, f"object contained unknown key {text(name)}")
    if not (implied if pretty is None else pretty):
        return _marshal(context, value)
    _marshal(context, value)  # pays for the text, and finds what is too deep
    return prefix + "".join(_Pretty(context, prefix, indent).lines(value, 0))


class _Pretty:
    """JSON with an element a line, each line after the prefix and its indentation."""

    def __init__(self, context: EvalContext, prefix: str, indent: str) -> None:
        self.meter = context.meter
        self.prefix = prefix
        self.indent = indent
        self.length = 0

    def break_(self, depth: int) -> str:
        grown = self.length + 1 + len(self.prefix) + len(self.indent) * depth
        self.meter.text(grown, self.length)
        self.length = grown
        return f"\n{self.prefix}{self.indent * depth}"

    def lines(self, value: Value, depth: int) -> list[str]:
        kind = type(value)
        items: list[tuple[str, Any]]
        if kind is dict:
            named = sorted((jsontext.key_text(name), item) for name, item in _pairs(value))
            items = [(f"{jsontext.quote(name)}: ", value[form]) for name, form in named]
        elif kind is list or kind is Set:
            items = [("", item) for item in value]
        else:
            return [jsontext.marshal(value)]
        opening, closing = ("{", "}") if kind is dict else ("[", "]")
        if not items:
            return [opening + closing]
        out = [opening]
        for number, (label, item) in enumerate(items):
            out.append(("," if number else "") + self.break_(depth + 1) + label)
            out.extend(self.lines(item, depth + 1))
        out.append(self.break_(depth) + closing)
        return out


def _pairs(value: dict[Any, Value]) -> list[tuple[Any, Any]]:
    return [(form, form) for form in value]


def _unmarshal(context: EvalContext, value: Value) -> Value:
    return jsontext.unmarshal(_json(context, operands.string(value, 1)))


def _json(context: EvalContext, source: str) -> str:
    """A text that is about to be read; paid for."""
    if len(source) > JSON.value:
        raise Exhausted(JSON)
    context.meter.build(len(source) >> 3)
    return source


def _json_is_valid(context: EvalContext, value: Value) -> bool:
    return type(value) is str and jsontext.valid(_json(context, value))


def _register() -> None:
    same, check = Function((STRING,), STRING), Function((STRING,), BOOLEAN)
    row("base64.encode", same, _base64_encode, context=True)
    row("base64.decode", same, _base64_decode, context=True)
    row("base64.is_valid", check, _base64_is_valid, context=True)
    row("base64url.encode", same, _base64url_encode, context=True)
    row("base64url.encode_no_pad", same, _base64url_encode_no_pad, context=True)
    row("base64url.decode", same, _base64url_decode, context=True)
    row("hex.encode", same, _hex_encode, context=True)
    row("hex.decode", same, _hex_decode, context=True)
    row("json.marshal", Function((ANY,), STRING), _marshal, context=True)
    options = Object(
        static=(("indent", STRING), ("prefix", STRING), ("pretty", BOOLEAN)), dynamic=(STRING, ANY)
    )
    row("json.marshal_with_options", Function((ANY, options), STRING), _marshal_with_options, context=True)
    row("json.unmarshal", Function((STRING,), ANY), _unmarshal, context=True)
    row("json.is_valid", check, _json_is_valid, context=True)


_register()
