"""Values back to YAML, in the form that kubectl writes: block style, keys as they come, lists not indented.

A string is plain only if no reader would take it for anything else: not Kubernetes' (``scalars``), and not
those that know base 60 and timestamps. Strings of several lines are literal blocks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, Final

from sekisho.diag.depth import deeper_than
from sekisho.manifest.limits import DEPTH
from sekisho.manifest.quick import UNUSUAL
from sekisho.manifest.scalars import plain

_INDENT: Final = "  "
_INDICATORS: Final = frozenset(",[]{}#&*!|>'\"%@`?:=<~")
_OTHERS: Final = re.compile(
    r"[-+]?[0-9][0-9_]*(?::[0-9_]+)+(?:\.[0-9_]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|[-+]?[0-9._]+(?:[eE][-+]?[0-9]*)?"
)
"""What other readers take for a number or a timestamp."""

_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
_KEY: Final = 900
"""A longer key must be marked with a question mark: readers look for its colon no further than 1,024 away."""


def dump(value: Any) -> str:
    """One JSON-like value as a YAML document. Floats must be finite, keys strings."""
    return dump_all((value,))


def dump_all(values: Iterable[Any]) -> str:
    """Several values as YAML documents, with ``---`` between them."""
    documents = []
    for value in values:
        assert not deeper_than(value, DEPTH.value), "what can be read is not so deep"
        lines: list[str] = []
        _write(value, "", "", lines)
        documents.append("".join(f"{line}\n" for line in lines))
    return "---\n".join(documents)


def _write(value: Any, lead: str, indent: str, lines: list[str]) -> None:
    """Write a value behind ``lead``, which is the beginning of its first line (``  key: ``, ``- ``).

    ``indent`` is where the keys or dashes of a collection stand, and what the lines of a block exceed.
    """
    if value and type(value) is dict:
        for key, item in value.items():
            assert type(key) is str, "keys are strings"
            _write_field(key, item, lead, indent, lines)
            lead = indent
    elif value and type(value) is list:
        for item in value:
            _write_item(item, lead, indent, lines)
            lead = indent
    else:
        lines.append(f"{lead}{_scalar(value)}")


def _write_field(key: str, value: Any, lead: str, indent: str, lines: list[str]) -> None:
    name = _text(key)
    if len(name) > _KEY:
        lines.append(f"{lead}? {name}")
        lead, name = indent, ""
    if value and type(value) is dict:
        lines.append(f"{lead}{name}:")
        _write(value, indent + _INDENT, indent + _INDENT, lines)
    elif value and type(value) is list:
        lines.append(f"{lead}{name}:")
        _write(value, indent, indent, lines)
    elif type(value) is str and _is_block(value):
        _write_block(value, f"{lead}{name}: ", indent, lines)
    else:
        lines.append(f"{lead}{name}: {_scalar(value)}")


def _write_item(value: Any, lead: str, indent: str, lines: list[str]) -> None:
    if type(value) is str and _is_block(value):
        _write_block(value, f"{lead}- ", indent, lines)
    else:
        _write(value, f"{lead}- ", indent + _INDENT, lines)


def _is_block(text: str) -> bool:
    return "\n" in text and bool(text.strip("\n\t ")) and UNUSUAL.search(text) is None


def _write_block(text: str, lead: str, indent: str, lines: list[str]) -> None:
    """A literal block. The sign says its indentation where that cannot be seen, and how it ends."""
    sign = str(len(_INDENT)) if text.lstrip("\n").startswith((" ", "\t")) else ""
    if not text.endswith("\n"):
        sign += "-"
    elif text.endswith("\n\n"):
        sign += "+"
    lines.append(f"{lead}|{sign}")
    rows = text.removesuffix("\n").split("\n")
    lines += [f"{indent}{_INDENT}{row}" if row else "" for row in rows]


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    kind = type(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is str:
        return _text(value)
    if kind is int:
        return str(value)
    if kind is float:
        assert math.isfinite(value), "JSON has no such number"
        return repr(value)
    assert kind in (dict, list), f"{kind.__name__} is not JSON"
    return "{}" if kind is dict else "[]"


def _text(text: str) -> str:
    """A string on one line: plain, in single quotes, or in double quotes with escapes.

    As Go writes it: double quotes also say that something is a string which could be taken for another value.
    """
    if not text.isprintable() or not _is_string(text):
        return f'"{"".join(_escaped(char) for char in text)}"'
    return text if _is_plain(text) else "'" + text.replace("'", "''") + "'"


def _is_string(text: str) -> bool:
    """Whether every reader takes the text without quotes for a string."""
    return bool(text) and type(plain(text)) is str and not _OTHERS.fullmatch(text)


def _is_plain(text: str) -> bool:
    """Whether a string can stand without quotes."""
    if text[0] in _INDICATORS or text[0] == " " or text[-1] in " :":
        return False
    if text[0] == "-" and not (text[1:2].isalnum() or (text[1:2] == "-" and text[2:3].isalnum())):
        return False
    return not (": " in text or " #" in text or text.startswith("..."))


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
