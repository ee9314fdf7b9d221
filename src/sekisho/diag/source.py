"""Sources and spans: where in which text something stands.

Offsets count characters (code points), lines and columns count from one. Line and column are computed
when they are asked for, so a span costs two integers until somebody reads it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple


class Position(NamedTuple):
    """A place in a text: line and column, both from one, in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """Where a source stands inside another one, as a Rego module does in a YAML document.

    ``exact`` is true for a literal block scalar, which maps row for row: inner line n is line
    ``line + n - 1`` of the parent and every column is shifted by ``indent``. Folded and quoted scalars
    do not map; then every inner position is the start of the scalar.
    """

    parent: Source
    line: int
    column: int
    indent: int = 0
    exact: bool = True


@dataclass(slots=True, eq=False)
class Source:
    """A text with a name. The name is what the user typed: a path, or ``<stdin>``.

    ``embedded`` is where it stands in another one, or tells that when it is first asked: most texts that are
    embedded are read and never pointed into.
    """

    name: str
    text: str = field(repr=False)
    embedded: Embedding | Callable[[], Embedding] | None = field(default=None, repr=False)
    _starts: list[int] | None = field(default=None, repr=False)

    @property
    def embedding(self) -> Embedding | None:
        """Where it stands in another source, None if it does not."""
        if self.embedded is not None and not isinstance(self.embedded, Embedding):
            self.embedded = self.embedded()
        return self.embedded

    def position(self, offset: int) -> Position:
        """Line and column of an offset into this text. Offsets past the end mean the end."""
        starts = self._line_starts()
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(starts, offset)
        return Position(line, offset - starts[line - 1] + 1)

    def offset(self, line: int, column: int) -> int:
        """The inverse of ``position``; a column past the end of its line is the end of the line."""
        starts = self._line_starts()
        if line > len(starts):
            return len(self.text)
        start = starts[line - 1]
        return min(start + column - 1, start + len(self.line(line)))

    def line(self, number: int) -> str:
        """The text of a line, from one, without its line break; empty past the end."""
        starts = self._line_starts()
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._starts = starts
        return self._starts


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source: ``start`` and ``end`` are offsets, ``end`` exclusive."""

    source: Source
    start: int
    end: int

    @property
    def begins(self) -> Position:
        """Line and column of the first character, in this span's own source."""
        return self.source.position(self.start)

    @property
    def ends(self) -> Position:
        """Line and column just past the last character, in this span's own source."""
        return self.source.position(self.end)

    def outermost(self) -> Span:
        """The same stretch in the file that a person opens: embedded sources are resolved."""
        span = self
        while (inner := span.source.embedding) is not None:
            parent = inner.parent
            if not inner.exact:
                at = parent.offset(inner.line, inner.column)
                span = Span(parent, at, at)
                continue
            first, last = span.begins, span.ends
            start = parent.offset(inner.line + first.line - 1, inner.indent + first.column)
            end = parent.offset(inner.line + last.line - 1, inner.indent + last.column)
            span = Span(parent, start, max(start, end))
        return span
