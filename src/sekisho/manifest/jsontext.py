"""JSON text: one value or several after one another, as kubectl reads files."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Final

from sekisho.diag import Diagnostic, Level, Source, Span
from sekisho.manifest import codes
from sekisho.manifest.limits import DEPTH

_SPACE: Final = re.compile(r"[ \t\r\n]*")


def parse_json(source: Source) -> tuple[list[tuple[int, Any]], list[Diagnostic]] | None:
    """The values of a text with the offsets they begin at, and what is odd; None if it is no JSON at all.

    What begins with a brace may be YAML in flow style; the caller tries that when this gives up, and YAML's
    message is then the one that people see, unless the file is called ``.json``.
    """
    text = source.text
    duplicates: list[str] = []

    def pairs(rows: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(rows)
        if len(out) != len(rows):
            counts = Counter(key for key, _ in rows)
            duplicates.extend(key for key, count in counts.items() if count > 1)
        return out

    decoder = json.JSONDecoder(object_pairs_hook=pairs, parse_constant=_constant)
    values: list[tuple[int, Any]] = []
    at = _skip(text, 0)
    try:
        while at < len(text):
            value, end = decoder.raw_decode(text, at)
            _check_depth(value)
            values.append((at, value))
            at = _skip(text, end)
    except json.JSONDecodeError as error:
        if not source.name.endswith(".json"):
            return None
        place = Span(source, error.pos, error.pos)
        return values, [Diagnostic(code=codes.SYNTAX, message=f"malformed JSON: {error.msg}", at=place)]
    except _NotJson as error:
        where = max(0, text.find(str(error)))
        message = f"{error} is not JSON"
        return values, [Diagnostic(code=codes.NOT_JSON, message=message, at=Span(source, where, where))]
    except RecursionError:
        return values, [Diagnostic(code=codes.TOO_DEEP, message=str(DEPTH), at=Span(source, at, at))]
    return values, [_duplicate(source, key) for key in duplicates]


class _NotJson(Exception):
    """NaN or Infinity, which Python's decoder would take."""


def _constant(name: str) -> Any:
    raise _NotJson(name)


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH.value + 1):
        level = [
            item
            for row in level
            if isinstance(row, dict | list)
            for item in (row.values() if isinstance(row, dict) else row)
        ]
        if not level:
            return
    raise RecursionError


def _duplicate(source: Source, key: str) -> Diagnostic:
    """The last place where such a key stands: which of several mappings it was is not known any more."""
    at = max(0, source.text.rfind(json.dumps(key)))
    message = f'the key "{key}" stands twice in one mapping; the last one holds'
    place = Span(source, at, at + len(key) + 2)
    return Diagnostic(code=codes.DUPLICATE_KEY, level=Level.WARNING, message=message, at=place)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
