"""Values inside templates, as Go's reflection and fmt see them.

Strings, booleans, nil, arrays and objects are Python's own; a number of the data is a ``JsonNumber``, which
Go takes for a string; integers and floats come from the template's own constants.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sekisho.lang.meter import Meter
from sekisho.rego import gofmt
from sekisho.rego.jsontext import key_text
from sekisho.rego.numbers import text as number_text
from sekisho.rego.values import Set, Value, is_number


class JsonNumber(str):
    """A number of the data: its text."""

    __slots__ = ()


class Missing:
    """What a map has for a key that is not there."""


MISSING: Final = Missing()


def native(value: Value) -> Any:
    """A Rego value as a template sees it."""
    kind = type(value)
    if kind is dict:
        return {key_text(name): native(item) for name, item in value.items()}
    if kind is list or kind is Set:
        return [native(item) for item in value]
    return JsonNumber(number_text(value)) if is_number(value) else value


def type_name(value: Any) -> str:
    """The name of a value's Go type."""
    names: dict[type, str] = {
        str: "string",
        JsonNumber: "json.Number",
        bool: "bool",
        int: "int",
        float: "float64",
        list: "[]interface {}",
        dict: "map[string]interface {}",
    }
    return names.get(type(value), "<nil>")


def true(value: Any) -> bool:
    """Whether a value counts as true: anything but false, zero, nil and what is empty."""
    return value is not MISSING and bool(value)


def text(value: Any, meter: Meter) -> str:
    """A value as ``print`` writes it (``%v``)."""
    if value is None or value is MISSING:
        return "<nil>"
    if isinstance(value, str):
        return str(value)
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, list):
        meter.charge(len(value))
        return f"[{' '.join(text(item, meter) for item in value)}]"
    if isinstance(value, dict):
        meter.charge(len(value))
        return f"map[{' '.join(f'{name}:{text(value[name], meter)}' for name in sorted(value))}]"
    return gofmt.sprintf(meter, "%v", [value])


def join(values: list[Any], meter: Meter, *, line: bool = False) -> str:
    """What ``print`` writes: a space between two operands neither of which is a string (println: always)."""
    out = ""
    for index, value in enumerate(values):
        apart = line or not (type(value) is str or type(values[index - 1]) is str)
        out += (" " if index and apart else "") + text(value, meter)
    return out + ("\n" if line else "")


_DIRECTIVE: Final = re.compile(r"%([#0+\- ]*)([0-9]*)(\.[0-9]*)?(.)", re.DOTALL)
_CONVERTED: Final = {"string": "json.Number", "int64": "int"}


def printf(template: str, values: list[Any], meter: Meter) -> str:
    """``printf``. Explicit indexes and ``*`` work where all operands are strings or numbers."""
    if all(type(value) in {str, int, float} for value in values) and "(" not in template:
        plain = gofmt.sprintf(meter, template, values)
        return plain.replace("(int64=", "(int=").replace("(EXTRA int64=", "(EXTRA int=")
    out: list[str] = []
    at, used = 0, 0
    while (percent := template.find("%", at)) != -1:
        out.append(template[at:percent])
        found = _DIRECTIVE.match(template, percent)
        if found is None:
            out.append("%!(NOVERB)")
            at = len(template)
            break
        at = found.end()
        if found.group(4) == "%":
            out.append("%")
        elif used == len(values):
            out.append(f"%!{found.group(4)}(MISSING)")
        else:
            out.append(_formatted(found, values[used], meter))
            used += 1
    out.append(template[at:])
    if used < len(values):
        extra = ", ".join(f"{type_name(value)}={text(value, meter)}" for value in values[used:])
        out.append(f"%!(EXTRA {extra})")
    return "".join(out)


def _formatted(found: re.Match[str], value: Any, meter: Meter) -> str:
    """One operand by one directive."""
    verb, directive = found.group(4), found.group()
    if verb == "T":
        return gofmt.sprintf(meter, f"{directive[:-1]}s", [type_name(value)])
    if isinstance(value, str) or type(value) in {int, float}:
        plain = str(value) if isinstance(value, str) else value
        made = gofmt.sprintf(meter, directive, [plain])
        for wrong, right in _CONVERTED.items():
            if made.startswith(f"%!{verb}({wrong}=") and type_name(value) == right:
                made = made.replace(f"({wrong}=", f"({right}=", 1)
        return made
    if isinstance(value, list | dict):
        return _parts(found, value, meter)
    if verb == "v" or (verb == "t" and type(value) is bool):
        return gofmt.sprintf(meter, f"{directive[:-1]}s", [text(value, meter)])
    if value is None or value is MISSING:
        return f"%!{verb}(<nil>)"
    return f"%!{verb}({type_name(value)}={text(value, meter)})"


def _parts(found: re.Match[str], value: Any, meter: Meter) -> str:
    """An array or a map with its parts by the same directive."""
    meter.charge(len(value))
    if isinstance(value, list):
        return f"[{' '.join(_formatted(found, item, meter) for item in value)}]"
    pairs = (
        f"{_formatted(found, name, meter)}:{_formatted(found, value[name], meter)}" for name in sorted(value)
    )
    return f"map[{' '.join(pairs)}]"
