"""What opa's verbs write: indented JSON, tables, and errors in OPA's shape."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import IO, Any, Final

from sekisho.diag import Diagnostic
from sekisho.diag.render.text import cells, format_finding, use_colour
from sekisho.diag.report import span_of
from sekisho.rego import QUERY
from sekisho.rego.jsontext import key_text, quote
from sekisho.rego.numbers import text as number_text
from sekisho.rego.values import Set, Value

INDENT: Final = "  "


class Fields(dict[str, Any]):
    """An object whose keys keep their order: the fields of a struct, as Go writes them."""


def dumps(value: Value) -> str:
    """A Rego value as indented JSON, as Go writes it: keys sorted, sets as sorted arrays."""
    parts: list[str] = []
    _write(value, "\n", parts)
    return "".join(parts)


def _write(value: Value, line: str, parts: list[str]) -> None:
    kind = type(value)
    if kind is str:
        parts.append(quote(value))
    elif value is None:
        parts.append("null")
    elif kind is bool:
        parts.append("true" if value else "false")
    elif kind is Fields or kind is dict:
        rows = [(key_text(name), item) for name, item in value.items()]
        if kind is dict:
            rows.sort(key=_name)
        inner, before = line + INDENT, "{"
        for name, item in rows:
            parts += (before, inner, quote(name), ": ")
            _write(item, inner, parts)
            before = ","
        parts.append(line + "}" if rows else "{}")
    elif kind is list or kind is Set:
        inner, before = line + INDENT, "["
        for item in value:
            parts += (before, inner)
            _write(item, inner, parts)
            before = ","
        parts.append(line + "]" if len(value) else "[]")
    else:
        parts.append(number_text(value))


def _name(row: tuple[str, Value]) -> str:
    return row[0]


# --- tables -----------------------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in a frame: header centred, cells to the left. A header may have several lines."""
    heads = [name.split("\n") for name in header]
    lines = [list(row) for row in rows]
    widths = [
        max(*(cells(line) for line in head), *(cells(row[at]) for row in lines), 0)
        for at, head in enumerate(heads)
    ]
    out = [_rule("┌┬┐", widths)]
    for number in range(max(map(len, heads))):
        shown = [head[number] if number < len(head) else "" for head in heads]
        out.append(_row([_centred(text, width) for text, width in zip(shown, widths, strict=True)]))
    out.append(_rule("├┼┤", widths))
    out += [_row([_left(text, width) for text, width in zip(row, widths, strict=True)]) for row in lines]
    out.append(_rule("└┴┘", widths))
    return "\n".join(out) + "\n"


def _rule(corners: str, widths: Sequence[int]) -> str:
    return corners[0] + corners[1].join("─" * (width + 2) for width in widths) + corners[2]


def _row(texts: Sequence[str]) -> str:
    return "│" + "│".join(f" {text} " for text in texts) + "│"


def _left(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def _centred(text: str, width: int) -> str:
    space = width - cells(text)
    return " " * (space // 2) + text + " " * (space - space // 2)


# --- errors -----------------------------------------------------------------------------------------------


def error_fields(finding: Diagnostic) -> Fields:
    """A finding in the shape of OPA's errors; its code is OPA's where OPA has one.

    ``details`` has the further lines of a message (OPA's own details are parts of its syntax tree), and for
    errors of the parser the line and the offset in it.
    """
    message = finding.data.get("message", finding.message)
    fields = Fields(message=message, code=finding.code.alias or finding.code.id)
    span = span_of(finding.at)
    if span is not None:
        begins = span.begins
        name = "" if span.source.name == QUERY else span.source.name
        fields["location"] = Fields(file=name, row=begins.line, col=begins.column)
        if finding.code.alias == "rego_parse_error":
            fields["details"] = Fields(line=span.source.line(begins.line), idx=begins.column - 1)
    if "details" in finding.data:
        fields["details"] = finding.data["details"]
    return fields


def ordered(value: Any) -> Any:
    """A value whose objects all have sorted keys: what Go makes of fields that it has read again."""
    if type(value) is Fields or type(value) is dict:
        return {name: ordered(item) for name, item in value.items()}
    if type(value) is list:
        return [ordered(item) for item in value]
    return value


def tell(findings: Iterable[Diagnostic], stream: IO[str] | None = None) -> None:
    """Write findings in the text form; to standard error unless told otherwise."""
    stream = stream or sys.stderr
    colour = use_colour(stream)
    for finding in findings:
        stream.write(format_finding(finding, colour=colour))
