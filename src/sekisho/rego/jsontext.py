"""JSON text as Go's encoding/json reads and writes it, with exact numbers.

Used by every built-in that takes or gives JSON text: json.marshal, io.jwt.*, http.send, graphql.*.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn

from sekisho.rego.faults import BuiltinFault
from sekisho.rego.numbers import text as number_text
from sekisho.rego.values import Number, Set, Value, unkey

INTEGER_DIGITS: Final = 4_000
"""Longer integers stay decimals: Python refuses to convert over 4,300 digits at once."""

DEPTH: Final = 200
"""Levels of nesting: what a value may have (``meter.Limits.depth``), or its readers overflow the stack."""

_ESCAPES: Final = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
_quote: Final[Callable[[str], str]] = json.JSONEncoder(ensure_ascii=False).encode
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_ESCAPED: Final = re.compile("[<>&]")


def quote(text: str) -> str:
    """A JSON string; ``< > &`` and the two line separators are escaped, as Go does."""
    if text.isascii():
        quoted = _quote(text)
        return quoted.translate(_ESCAPES) if _ESCAPED.search(quoted) else quoted
    return _SURROGATES.sub(r"\\ufffd", _quote(text)).translate(_ESCAPES)


def key_text(form: Any) -> str:
    """An object key as JSON has it: strings as they are, all else as its JSON text."""
    return form if type(form) is str else marshal(unkey(form))


def marshal(value: Value) -> str:
    """A value as compact JSON; keys sorted, sets as sorted arrays."""
    parts: list[str] = []
    _write(value, parts.append)
    return "".join(parts)


def _write(value: Value, put: Callable[[str], None]) -> None:
    kind = type(value)
    if kind is str:
        put(quote(value))
    elif value is None:
        put("null")
    elif kind is bool:
        put("true" if value else "false")
    elif kind is dict:
        before = "{"
        for name, item in sorted([(key_text(k), v) for k, v in value.items()], key=_first):
            put(before)
            put(quote(name))
            put(":")
            _write(item, put)
            before = ","
        put("}" if value else "{}")
    elif kind is list or kind is Set:
        before = "["
        for item in value:
            put(before)
            _write(item, put)
            before = ","
        put("]" if len(value) else "[]")
    else:
        put(number_text(value))


def _first(pair: tuple[str, Value]) -> str:
    return pair[0]


def plain(value: Value) -> Any:
    """A value as JSON's own types: sets become sorted arrays, other keys than strings their JSON text.

    Bytes of a string that are not UTF-8 (``text.from_octets``) become U+FFFD.
    """
    kind = type(value)
    if kind is dict:
        return {plain(key_text(k)): plain(v) for k, v in value.items()}
    if kind is list or kind is Set:
        return [plain(item) for item in value]
    if kind is str and not value.isascii():
        return _SURROGATES.sub("\ufffd", value)
    return value


def unmarshal(text: str) -> Value:
    """The value of a JSON text. The last of duplicate keys wins.

    Raises BuiltinFault with Go's message, such as ``unexpected EOF``.
    """
    try:
        value = _DECODER.decode(text)
    except ValueError:
        explain(text)
    except RecursionError:
        raise BuiltinFault("exceeded max depth") from None
    if text.count("[") + text.count("{") > DEPTH and _depth(value) > DEPTH:
        raise BuiltinFault("exceeded max depth")
    return _repaired(value) if "\\u" in text else value


def _depth(value: Value) -> int:
    """The number of levels of a value."""
    level, found = [value], 0
    while level := [item for outer in level for item in _inside(outer)]:
        found += 1
    return found


def _inside(value: Value) -> Iterable[Value]:
    if type(value) is dict:
        return value.values()
    return value if type(value) is list else ()


def valid(text: str) -> bool:
    """Whether this is JSON."""
    try:
        _DECODER.decode(text)
    except (ValueError, RecursionError):
        return False
    except BuiltinFault:  # a number that nobody can compute with is JSON still
        return True
    return True


def _integer(text: str) -> int | Number:
    return int(text) if len(text) < INTEGER_DIGITS and text != "-0" else Number(text)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _decimal(text: str) -> Number:
    try:
        return Number(text)
    except ValueError as error:
        raise BuiltinFault(str(error)) from None


_DECODER: Final = json.JSONDecoder(parse_int=_integer, parse_float=_decimal, parse_constant=_no_constant)


def _repaired(value: Value) -> Value:
    """Half surrogate pairs become U+FFFD, since Rego's strings are Unicode."""
    kind = type(value)
    if kind is str:
        return _SURROGATES.sub("\ufffd", value)
    if kind is list:
        return [_repaired(item) for item in value]
    if kind is dict:
        return {_repaired(k): _repaired(v) for k, v in value.items()}
    return value


# --- what is wrong with a text that is not JSON ----------


class _Wrong(Exception):
    pass


def explain(text: str) -> NoReturn:
    """Raise BuiltinFault with Go's message for a text that is not JSON."""
    scanner = _Scanner(text)
    try:
        scanner.space()
        if scanner.at == len(text):
            raise BuiltinFault("EOF")
        scanner.value()
        scanner.space()
        char = scanner.peek()
        if char not in "[{":
            scanner.value()  # OPA's decoder reads one more token before it complains
    except _Wrong as wrong:
        raise BuiltinFault(str(wrong)) from None
    except RecursionError:
        raise BuiltinFault("exceeded max depth") from None
    raise BuiltinFault(f"error: invalid character {go_char(char)} after top-level value")


def go_char(char: str) -> str:
    """A byte as Go's messages quote it (the first byte of a longer character)."""
    byte = chr(char.encode("utf-8", "surrogatepass")[0])
    if byte in _CHARS:
        return _CHARS[byte]
    if byte < " " or "\x7f" <= byte <= "\xa0" or byte == "\xad":
        return f"'\\x{ord(byte):02x}'" if byte < "\x80" else f"'\\u{ord(byte):04x}'"
    return f"'{byte}'"


_CHARS: Final = {
    "'": r"'\''", '"': "'\"'", "\\": r"'\\'", "\n": r"'\n'", "\t": r"'\t'", "\r": r"'\r'",
    "\b": r"'\b'", "\f": r"'\f'", "\a": r"'\a'", "\v": r"'\v'",
}  # fmt: skip


class _Scanner:
    """Finds the first character that Go's scanner would stumble over."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def peek(self) -> str:
        if self.at >= len(self.text):
            raise _Wrong("unexpected EOF")
        return self.text[self.at]

    def stumble(self, where: str) -> NoReturn:
        raise _Wrong(f"invalid character {go_char(self.peek())} {where}")

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
            self.at += 1

    def value(self) -> None:
        char = self.peek()
        if char in "{[":
            self.at += 1
            self.members("}", "object key:value pair") if char == "{" else self.members("]", "array element")
        elif char == '"':
            self.string()
        elif char in "tfn":
            self.literal({"t": "true", "f": "false", "n": "null"}[char])
        elif char in "-0123456789":
            self.number()
        else:
            self.stumble("looking for beginning of value")

    def members(self, close: str, what: str) -> None:
        self.space()
        if self.peek() == close:
            self.at += 1
            return
        while True:
            self.space()
            if close == "}":
                if self.peek() != '"':
                    self.stumble("looking for beginning of object key string")
                self.string()
                self.space()
                if self.peek() != ":":
                    self.stumble("after object key")
                self.at += 1
                self.space()
            self.value()
            self.space()
            char = self.peek()
            if char not in {",", close}:
                self.stumble(f"after {what}")
            self.at += 1
            if char == close:
                return

    def string(self) -> None:
        self.at += 1
        while (char := self.peek()) != '"':
            if char == "\\":
                self.at += 1
                if self.peek() not in '"\\/bfnrtu':
                    self.stumble("in string escape code")
                if self.peek() == "u":
                    for _ in range(4):
                        self.at += 1
                        if self.peek() not in "0123456789abcdefABCDEF":
                            self.stumble("in \\u hexadecimal character escape")
            elif char < " ":
                self.stumble("in string literal")
            self.at += 1
        self.at += 1

    def literal(self, word: str) -> None:
        for char in word:
            if self.peek() != char:
                self.stumble(f"in literal {word} (expecting '{char}')")
            self.at += 1

    def number(self) -> None:
        if self.peek() == "-":
            self.at += 1
            self.digit("in numeric literal")
        if self.peek() == "0":
            self.at += 1
        else:
            self.digits()
        if self.text[self.at : self.at + 1] == ".":
            self.at += 1
            self.digit("after decimal point in numeric literal")
            self.digits()
        if self.text[self.at : self.at + 1] in {"e", "E"}:
            self.at += 1
            if self.peek() in "+-":
                self.at += 1
            self.digit("in exponent of numeric literal")
            self.digits()

    def digit(self, where: str) -> None:
        if self.peek() not in "0123456789":
            self.stumble(where)

    def digits(self) -> None:
        while self.text[self.at : self.at + 1] in set("0123456789"):
            self.at += 1
