"""regex.*, in RE2's syntax, with Go's replacement templates."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

from sekisho.lang import re2
from sekisho.lang.golang.gotext import quote
from sekisho.lang.meter import Meter
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.globsmatch import intersect
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import BOOLEAN, NUMBER, STRING, Array, Function
from sekisho.rego.values import Value

T = TypeVar("T")


def _compile(pattern: str, meter: Meter) -> re2.Pattern:
    try:
        return re2.compile(pattern, meter)
    except re2.PatternError as error:
        raise BuiltinFault(str(error)) from None


def _is_valid(pattern: Value) -> bool:
    if type(pattern) is not str:
        return False
    try:
        re2.compile(pattern)
    except re2.PatternError:
        return False
    return True


def _match(context: EvalContext, pattern: Value, text: Value) -> bool:
    if type(pattern) is not str or type(text) is not str:
        operands.check_strings(pattern, text)
    return _compile(pattern, context.meter).search(text, context.meter)


def _find_n(context: EvalContext, pattern: Value, text: Value, limit: Value) -> list[str]:
    def whole(data: bytes, groups: re2.Groups) -> str:
        start, end = groups[0]
        return data[start:end].decode()

    return _found(context, pattern, text, limit, whole)


def _find_groups(context: EvalContext, pattern: Value, text: Value, limit: Value) -> list[list[str]]:
    def each(data: bytes, groups: re2.Groups) -> list[str]:
        context.meter.build(len(groups))
        return [data[start:end].decode() if start >= 0 else "" for start, end in groups]

    return _found(context, pattern, text, limit, each)


def _found(
    context: EvalContext, pattern: Value, text: Value, limit: Value, give: Callable[[bytes, re2.Groups], T]
) -> list[T]:
    operands.check_strings(pattern, text)
    count = operands.integer(limit, 3)
    compiled = _compile(pattern, context.meter)
    data = re2.encode(text)
    out = []
    for groups in compiled.find_all(data, context.meter, count):
        context.meter.build(1)
        out.append(give(data, groups))
    return out


def _split(context: EvalContext, pattern: Value, text: Value) -> list[str]:
    operands.check_strings(pattern, text)
    compiled = _compile(pattern, context.meter)
    if pattern and not text:
        return [""]
    data = re2.encode(text)
    out, begin, end = [], 0, 0
    for groups in compiled.find_all(data, context.meter):
        start, stop = groups[0]
        end = start
        if stop:
            context.meter.build(1)
            out.append(data[begin:start].decode())
        begin = stop
    if end != len(data):
        out.append(data[begin:].decode())
    return out


# --- replace ----------------------

_DIGITS: Final = frozenset("0123456789")


@lru_cache(maxsize=256)
def _template(text: str) -> tuple[str | tuple[int, str], ...]:
    """A replacement in pieces: literal text, and references as (number or -1, name)."""
    out: list[str | tuple[int, str]] = []
    literal = ""
    while True:
        before, dollar, text = text.partition("$")
        literal += before
        if not dollar:
            break
        if text.startswith("$"):
            literal += "$"
            text = text[1:]
            continue
        name, rest = _reference(text)
        if not name:
            literal += "$"
            continue
        out += [literal, (_group_number(name), name)]
        literal, text = "", rest
    return (*out, literal)


def _reference(text: str) -> tuple[str, str]:
    """The name after ``$`` and what follows it; no name where it is malformed."""
    brace = text.startswith("{")
    start = end = int(brace)
    while end < len(text) and (text[end] == "_" or text[end].isalpha() or text[end].isdecimal()):
        end += 1
    name = text[start:end]
    if brace:
        if text[end : end + 1] != "}":
            return "", text
        end += 1
    return name, text[end:]


def _group_number(name: str) -> int:
    if not _DIGITS.issuperset(name) or len(name) > 9 or (name[0] == "0" and len(name) > 1):
        return -1
    return int(name)


def _replace(context: EvalContext, text: Value, pattern: Value, value: Value) -> str:
    operands.check_strings(text, pattern, value)
    compiled = _compile(pattern, context.meter)
    pieces = [
        piece if isinstance(piece, str) else compiled.names.get(piece[1], -1) if piece[0] < 0 else piece[0]
        for piece in _template(value)
    ]
    data = re2.encode(text)
    out: list[str] = []
    length = at = 0
    for groups in compiled.find_all(data, context.meter):
        start, stop = groups[0]
        parts = [data[at:start].decode()]
        for piece in pieces:
            if isinstance(piece, str):
                parts.append(piece)
            elif 0 <= piece < len(groups) and groups[piece][0] >= 0:
                parts.append(data[groups[piece][0] : groups[piece][1]].decode())
        grown = length + sum(map(len, parts))
        context.meter.text(grown, length)
        length = grown
        out += parts
        at = stop
    if not out:
        return str(text)
    return "".join(out) + data[at:].decode()


# --- templates ----------------------


def _template_match(context: EvalContext, template: Value, text: Value, start: Value, end: Value) -> bool:
    """A template of literal text with expressions between delimiters: urn:foo:{.*}."""
    operands.check_strings(template, text, start, end)
    opening, closing = start.encode("utf-8", "replace"), end.encode("utf-8", "replace")
    if len(opening) != 1:
        raise BuiltinFault(f"start delimiter has to be exactly one character long but is {len(opening)} long")
    if len(closing) != 1:
        raise BuiltinFault(f"end delimiter has to be exactly one character long but is {len(opening)} long")
    pattern = "^"
    at = 0
    for first, last in _delimited(template, start, end):
        inner = template[first + 1 : last - 1]
        _compile(f"^{inner}$", context.meter)
        pattern += f"{re2.quote_meta(template[at:first])}({inner})"
        at = last
    pattern += f"{re2.quote_meta(template[at:])}$"
    return _compile(pattern, context.meter).search(text, context.meter)


def _delimited(text: str, start: str, end: str) -> list[tuple[int, int]]:
    out = []
    level = first = 0
    for at, char in enumerate(text):
        if char == start:
            level += 1
            if level == 1:
                first = at
        elif char == end:
            level -= 1
            if level == 0:
                out.append((first, at + 1))
            elif level < 0:
                break
    if level != 0:
        raise BuiltinFault(f"unbalanced braces in {quote(text)}")
    return out


def _globs_match(context: EvalContext, left: Value, right: Value) -> bool:
    operands.check_strings(left, right)
    return intersect(left, right, context.meter)


def _register() -> None:
    test = Function((STRING, STRING), BOOLEAN)
    strings = Array(dynamic=STRING)
    row("regex.is_valid", Function((STRING,), BOOLEAN), _is_valid)
    row("regex.match", test, _match, context=True)
    row("re_match", test, _match, context=True, deprecated=True)
    row("regex.find_n", Function((STRING, STRING, NUMBER), strings), _find_n, context=True)
    row(
        "regex.find_all_string_submatch_n",
        Function((STRING, STRING, NUMBER), Array(dynamic=strings)),
        _find_groups,
        context=True,
    )
    row("regex.split", Function((STRING, STRING), strings), _split, context=True)
    row("regex.replace", Function((STRING, STRING, STRING), STRING), _replace, context=True)
    row("regex.template_match", Function((STRING,) * 4, BOOLEAN), _template_match, context=True)
    row("regex.globs_match", test, _globs_match, context=True)


_register()
