"""The text form: ``file:line:column: error CODE: message``, the source line and a caret."""

from __future__ import annotations

import os
import unicodedata
from typing import IO, Final

from sekisho.diag.diagnostic import Diagnostic, Level, ObjectPath, path_text
from sekisho.diag.report import Report, span_of
from sekisho.diag.source import Span

WIDTH: Final = 160
"""Columns of a source line that are shown: enough for any hand-written line, bounded for minified JSON."""

TAB: Final = 4

_STYLES: Final = {Level.ERROR: "1;31", Level.WARNING: "1;33", Level.NOTE: "1;36"}
_BOLD, _DIM, _HELP = "1", "2", "32"


def use_colour(stream: IO[str]) -> bool:
    """Colour only on a terminal, and never with NO_COLOR (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def render(report: Report, stream: IO[str]) -> None:
    """Write the findings and one summary line."""
    colour = use_colour(stream)
    for finding in report.findings:
        stream.write(format_finding(finding, colour=colour))
    stream.write(summary(report))


def summary(report: Report) -> str:
    """One line: how many findings of which level, and what was judged."""
    counts = [
        f"{count} {level.value}{'' if count == 1 else 's'}"
        for level in Level
        if (count := report.count(level))
    ]
    line = ", ".join(counts) if counts else "no findings"
    if report.suppressed:
        line += f", {report.suppressed} accepted by the baseline"
    judged = report.facts.get("judged")
    return f"{line}; {judged}\n" if judged else f"{line}\n"


def format_finding(finding: Diagnostic, *, colour: bool = False) -> str:
    """One finding as text, ending in a line break."""
    paint = _paint if colour else _plain
    alias = f" ({finding.code.alias})" if finding.code.alias else ""
    level = paint(f"{finding.level.value} {finding.code.id}{alias}", _STYLES[finding.level])
    where = place(finding.at)
    head = f"{paint(where, _BOLD)}: {level}" if where else level
    lines = [f"{head}: {clean(finding.message, keep_breaks=True)}"]
    if finding.policy:
        lines[0] += paint(f" [{clean(finding.policy)}]", _DIM)
    span = span_of(finding.at)
    if span is not None:
        lines += excerpt(span)
    if isinstance(finding.at, ObjectPath) and span is not None:
        about = f"{finding.at.ref} {path_text(finding.at.path)}".strip()
        if about:
            lines.append(paint(f"  = {clean(about)}", _DIM))
    for note in finding.notes:
        at = place(note.at)
        lines.append(
            f"  {paint('note', _STYLES[Level.NOTE])}: {f'{at}: ' if at else ''}{clean(note.message)}"
        )
    if finding.help:
        lines.append(f"  {paint('help', _HELP)}: {clean(finding.help, keep_breaks=True)}")
    return "\n".join(lines) + "\n"


def place(at: Span | ObjectPath | None) -> str:
    """``file:line:column``, or the object and the path where there is no file."""
    span = span_of(at)
    if span is not None:
        begins = span.begins
        return f"{clean(span.source.name)}:{begins.line}:{begins.column}"
    if isinstance(at, ObjectPath):
        path = path_text(at.path)
        return clean(f"{at.ref} .{path}" if path else str(at.ref))
    return ""


def excerpt(span: Span) -> list[str]:
    """The line of a span's beginning, and a caret line under it."""
    begins, ends = span.begins, span.ends
    line = span.source.line(begins.line)
    if not line.strip():
        return []
    first = begins.column - 1
    last = ends.column - 1 if ends.line == begins.line else len(line)
    left = max(0, first - WIDTH // 2) if len(line) > WIDTH else 0
    shown = line[left : left + WIDTH]
    before = clean("…" * bool(left) + shown[: first - left])
    marked = clean(shown[first - left : max(first - left + 1, last - left)])
    after = clean(shown[max(first - left + 1, last - left) :]) + "…" * (left + WIDTH < len(line))
    carets = "^" * max(1, cells(marked))
    return [f"    {before}{marked}{after}".rstrip(), f"    {' ' * cells(before)}{carets}"]


def clean(text: str, *, keep_breaks: bool = False) -> str:
    """Text that cannot drive a terminal: control characters are shown as escapes, tabs as spaces."""
    if text.isprintable():
        return text
    out: list[str] = []
    for char in text:
        if char == "\t":
            out.append(" " * TAB)
        elif char == "\n" and keep_breaks:
            out.append("\n    ")
        elif char.isprintable():
            out.append(char)
        else:
            out.append(char.encode("unicode_escape").decode("ascii"))
    return "".join(out)


def cells(text: str) -> int:
    """How many terminal columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _paint(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m"


def _plain(text: str, _style: str) -> str:
    return text
