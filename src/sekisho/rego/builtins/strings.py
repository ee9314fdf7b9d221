"""Strings. Positions and lengths count code points."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from sekisho.lang.golang.gotext import WHITE_SPACE
from sekisho.rego import gofmt
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import ANY, BOOLEAN, NUMBER, STRING, Array, Function, Object, SetOf, Union
from sekisho.rego.values import Set, Value, sorted_keys

_SHORT: Final = 65_536
"""A text that stays below this length needs no charge."""


# --- questions ----------------------


def _contains(context: EvalContext, text: Value, part: Value) -> bool:
    if type(text) is not str or type(part) is not str:
        operands.check_strings(text, part)
    if len(text) > _SHORT:
        context.meter.charge(len(text) >> 6)
    return part in text


def _startswith(text: Value, prefix: Value) -> bool:
    if type(text) is not str or type(prefix) is not str:
        operands.check_strings(text, prefix)
    return bool(text.startswith(prefix))


def _endswith(text: Value, suffix: Value) -> bool:
    if type(text) is not str or type(suffix) is not str:
        operands.check_strings(text, suffix)
    return bool(text.endswith(suffix))


def _some_strings(value: Value, position: int) -> list[str]:
    if type(value) is str:
        return [value]
    if type(value) is not list and type(value) is not Set:
        operands.wrong_type(position, value, "string", "set", "array")
    return operands.strings(value, position)


def _any_prefix(context: EvalContext, texts: Value, prefixes: Value) -> bool:
    candidates, wanted = _some_strings(texts, 1), tuple(_some_strings(prefixes, 2))
    context.meter.charge(len(candidates) * (1 + len(wanted) // 8))
    return any(text.startswith(wanted) for text in candidates)


def _any_suffix(context: EvalContext, texts: Value, suffixes: Value) -> bool:
    candidates, wanted = _some_strings(texts, 1), tuple(_some_strings(suffixes, 2))
    context.meter.charge(len(candidates) * (1 + len(wanted) // 8))
    return any(text.endswith(wanted) for text in candidates)


def _count(context: EvalContext, text: Value, part: Value) -> int:
    operands.check_strings(text, part)
    context.meter.charge(len(text) >> 6)
    return int(text.count(part))


def _indexof(context: EvalContext, text: Value, part: Value) -> int:
    operands.check_strings(text, part)
    context.meter.charge(len(text) >> 6)
    if not part:
        raise BuiltinFault("empty search character")
    return int(text.find(part))


def _indexof_n(context: EvalContext, text: Value, part: Value) -> list[int]:
    operands.check_strings(text, part)
    if not part:
        raise BuiltinFault("empty search character")
    out = []
    at = text.find(part)
    while at != -1:
        context.meter.build(1)
        out.append(at)
        at = text.find(part, at + 1)
    return out


# --- parts ----------------------


def _substring(context: EvalContext, text: Value, start: Value, length: Value) -> str:
    whole = operands.string(text, 1)
    first, size = operands.integer(start, 2), operands.integer(length, 3)
    if first < 0:
        raise BuiltinFault("negative offset")
    context.meter.text(len(whole))
    return whole[first:] if size < 0 else whole[first : first + size]


def _pieces(context: EvalContext, text: str, delimiter: str) -> list[str]:
    if not delimiter:
        context.meter.build(len(text))
        return list(text)
    if len(text) > _SHORT:
        context.meter.build(text.count(delimiter) + 1)
    return text.split(delimiter)


def _split(context: EvalContext, text: Value, delimiter: Value) -> list[str]:
    if type(text) is not str or type(delimiter) is not str:
        operands.check_strings(text, delimiter)
    return _pieces(context, text, delimiter)


def _split_n(context: EvalContext, text: Value, delimiter: Value, limit: Value) -> list[str]:
    """The first ``limit`` pieces, or the last ones when it is negative."""
    operands.check_strings(text, delimiter)
    count = operands.integer(limit, 3)
    pieces = _pieces(context, text, delimiter)
    return pieces[:count] if count >= 0 else pieces[count:]


def _trim(context: EvalContext, text: Value, cutset: Value) -> str:
    operands.check_strings(text, cutset)
    context.meter.text(len(text))
    return str(text.strip(cutset))


def _trim_left(context: EvalContext, text: Value, cutset: Value) -> str:
    operands.check_strings(text, cutset)
    context.meter.text(len(text))
    return str(text.lstrip(cutset))


def _trim_right(context: EvalContext, text: Value, cutset: Value) -> str:
    operands.check_strings(text, cutset)
    context.meter.text(len(text))
    return str(text.rstrip(cutset))


def _trim_prefix(context: EvalContext, text: Value, prefix: Value) -> str:
    operands.check_strings(text, prefix)
    context.meter.text(len(text))
    return str(text.removeprefix(prefix))


def _trim_suffix(context: EvalContext, text: Value, suffix: Value) -> str:
    operands.check_strings(text, suffix)
    context.meter.text(len(text))
    return str(text.removesuffix(suffix))


def _trim_space(context: EvalContext, text: Value) -> str:
    return _paid(context, text).strip(WHITE_SPACE)


def _paid(context: EvalContext, text: Value) -> str:
    """The only operand, a string; paid for as the result will be about as long."""
    whole = operands.string(text, 1)
    context.meter.text(len(whole))
    return whole


# --- new text ----------------------


def _concat(context: EvalContext, delimiter: Value, parts: Value) -> str:
    joint = operands.string(delimiter, 1)
    if type(parts) is not list and type(parts) is not Set:
        operands.wrong_type(2, parts, "set", "array")
    strings = operands.strings(parts, 2)
    context.meter.text(sum(map(len, strings)) + len(joint) * len(strings))
    return joint.join(strings)


def _replace(context: EvalContext, text: Value, old: Value, new: Value) -> str:
    if type(text) is not str or type(old) is not str or type(new) is not str:
        operands.check_strings(text, old, new)
    if len(text) + (len(text) + 1) * len(new) > _SHORT:
        context.meter.text(len(text) + text.count(old) * len(new))
    return str(text.replace(old, new))


def _replace_n(context: EvalContext, patterns: Value, text: Value) -> str:
    """Replace many at once: where several match, the first in the order of the keys wins."""
    table = operands.object_(patterns, 1)
    whole = operands.string(text, 2)
    keys = sorted_keys(table)
    for name in keys:
        if type(name) is not str:
            operands.fail(1, "non-string key found in pattern object")
        if type(table[name]) is not str:
            operands.fail(1, "non-string value found in pattern object")
    olds: list[str] = keys
    context.meter.charge((len(whole) + 1) * (len(olds) // 8 + 1) // 16 + len(olds))
    longest = max((len(new) for new in table.values()), default=0)
    if (len(whole) + 1) * (longest + 1) > _SHORT:
        context.meter.text(_replaced_length(whole, olds, table))
    return "".join(_replaced(whole, olds, table))


def _replaced_length(text: str, olds: list[str], table: dict[str, str]) -> int:
    return sum(map(len, _replaced(text, olds, table)))


def _replaced(text: str, olds: list[str], table: dict[str, str]) -> Iterable[str]:
    """The text in pieces. An empty key matches before each character that no match precedes."""
    nonempty = [old for old in olds if old]
    pattern = re.compile("|".join(map(re.escape, nonempty)) if nonempty else "(?!)")
    empty = table.get("")
    at, size = 0, len(text)
    if empty is None:
        for match in pattern.finditer(text):
            yield text[at : match.start()]
            yield table[match[0]]
            at = match.end()
        yield text[at:]
        return
    while at <= size:
        yield empty
        found = pattern.match(text, at)
        if found:
            yield table[found[0]]
            at = found.end()
        else:
            yield text[at : at + 1]
            at += 1


def _reverse(context: EvalContext, text: Value) -> str:
    return _paid(context, text)[::-1]


def _lower(context: EvalContext, text: Value) -> str:
    """Each code point by itself: Σ becomes σ even at the end of a word, İ becomes i."""
    whole = _paid(context, text)
    if whole.isascii():
        return whole.lower()
    return whole.replace("\u0130", "i").replace("Σ", "σ").lower()


def _upper(context: EvalContext, text: Value) -> str:
    """Each code point by itself: ß has no single capital and stays."""
    whole = _paid(context, text)
    raised = whole.upper()
    return raised if len(raised) == len(whole) else "".join(map(_upper_char, whole))


def _upper_char(char: str) -> str:
    raised = char.upper()
    if len(raised) == 1:
        return raised
    titled = char.title()  # of ᾳ and its kin the simple capital is the title form ᾼ
    return titled if len(titled) == 1 else char


def _sprintf(context: EvalContext, template: Value, arguments: Value) -> str:
    if type(template) is not str:
        operands.string(template, 1)
    if type(arguments) is not list:
        operands.array(arguments, 2)
    return gofmt.sprintf(context.meter, template, arguments)


_STRINGS: Final = Array(dynamic=STRING)
_ONE_OR_MORE: Final = Union((STRING, _STRINGS, SetOf(STRING)))


def _register() -> None:
    one, two = Function((STRING,), STRING), Function((STRING, STRING), STRING)
    test = Function((STRING, STRING), BOOLEAN)
    row("contains", test, _contains, context=True)
    row("startswith", test, _startswith)
    row("endswith", test, _endswith)
    several = Function((_ONE_OR_MORE, _ONE_OR_MORE), BOOLEAN)
    row("strings.any_prefix_match", several, _any_prefix, context=True)
    row("strings.any_suffix_match", several, _any_suffix, context=True)
    row("strings.count", Function((STRING, STRING), NUMBER), _count, context=True)
    row("indexof", Function((STRING, STRING), NUMBER), _indexof, context=True)
    row("indexof_n", Function((STRING, STRING), Array(dynamic=NUMBER)), _indexof_n, context=True)
    row("substring", Function((STRING, NUMBER, NUMBER), STRING), _substring, context=True)
    row("split", Function((STRING, STRING), _STRINGS), _split, context=True)
    row("strings.split_n", Function((STRING, STRING, NUMBER), _STRINGS), _split_n, context=True)
    for name, function in (
        ("trim", _trim),
        ("trim_left", _trim_left),
        ("trim_right", _trim_right),
        ("trim_prefix", _trim_prefix),
        ("trim_suffix", _trim_suffix),
    ):
        row(name, two, function, context=True)
    row("trim_space", one, _trim_space, context=True)
    row("concat", Function((STRING, Union((_STRINGS, SetOf(STRING)))), STRING), _concat, context=True)
    row("replace", Function((STRING, STRING, STRING), STRING), _replace, context=True)
    row(
        "strings.replace_n",
        Function((Object(dynamic=(STRING, STRING)), STRING), STRING),
        _replace_n,
        context=True,
    )
    row("strings.reverse", one, _reverse, context=True)
    row("lower", one, _lower, context=True)
    row("upper", one, _upper, context=True)
    row("sprintf", Function((STRING, Array(dynamic=ANY)), STRING), _sprintf, context=True)


_register()
