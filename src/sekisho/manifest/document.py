"""A document: a value, and the origin of everything that is said about it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sekisho.diag import Embedding, Path, Source, Span
from sekisho.manifest.jsontext import JsonPositions
from sekisho.manifest.places import Index, find_plain
from sekisho.manifest.positions import Found, Node, Repeated, YamlPositions, find

_TREES: Final = 8
"""The positions of no more documents than these are kept: all would take more room than the values."""


@dataclass(slots=True, eq=False, kw_only=True)
class Chunk:
    """A stretch of a source that is one YAML or JSON document. The items of a List share theirs.

    ``plain`` says that ``quick`` has read it. Offsets of nodes are those of the source.
    """

    source: Source
    start: int
    end: int
    json: bool = False
    plain: bool = False
    _root: Node | None = field(default=None, repr=False)
    _index: Index = field(default_factory=dict, repr=False)

    def find(self, path: Path) -> Found:
        """Follow a path as far as it goes."""
        if self.plain:
            found = find_plain(self.source.text, (self.start, self.end), path, self._index)
            if found is not None:
                return found
        root = self._root
        if root is None:
            root = self._root = self._positions().root()
            _recent.append(self)
            if len(_recent) > _TREES:
                _recent.popleft()._root = None
        return find(root, path)

    def repeated(self) -> list[Repeated]:
        """The keys that stand twice in one mapping."""
        positions = self._positions()
        positions.root()
        return positions.repeated

    def _positions(self) -> YamlPositions | JsonPositions:
        text = self.source.text[self.start : self.end]
        return JsonPositions(text, base=self.start) if self.json else YamlPositions(text, base=self.start)

    def span(self, start: int, end: int) -> Span:
        """A stretch, without what is past its first line."""
        text = self.source.text
        break_ = text.find("\n", start, end)
        last = end if break_ < 0 else break_
        while last > start and text[last - 1] in " \t\r":
            last -= 1
        return Span(self.source, start, last)


_recent: deque[Chunk] = deque()


@dataclass(slots=True, eq=False, kw_only=True)
class Document:
    """One document of a source, or one item of a ``kind: List``.

    ``value`` is JSON-like, shared, and never to be changed. ``index`` counts the documents of the source from
    0, and ``prefix`` is the path inside its YAML document, empty except for items. A ``diag.Origin``.
    """

    value: Any
    chunk: Chunk
    index: int = 0
    prefix: Path = ()

    @property
    def source(self) -> Source:
        """The text that it stands in."""
        return self.chunk.source

    @property
    def start(self) -> int:
        """The offset in the source at which its YAML or JSON document begins."""
        return self.chunk.start

    @property
    def end(self) -> int:
        """The offset in the source behind its YAML or JSON document."""
        return self.chunk.end

    def locate(self, path: Path, *, key: bool = False) -> Span:
        """The span of the value at ``path`` (or of its key), or of its deepest existing parent.

        Collections, empty values and parents that stand for something missing are shown by their key, or by
        their first line where they have none: nobody wants forty lines underlined.
        """
        found = self._find(path)
        node, at = found.node, found.field
        missing = found.steps < len(self.prefix) + len(path)
        empty = node.start == node.end
        if at is not None and (key or missing or empty or node.fields is not None or node.items is not None):
            return self.chunk.span(at.start, at.end)
        if empty and node.start > self.chunk.start:
            return self.chunk.span(node.start - 1, node.end)  # the dash of an empty item
        is_block = (node.fields is not None or node.items is not None) and not node.flow
        return self.chunk.span(node.start, self.chunk.end if is_block else node.end)

    def embedded(self, path: Path) -> Source | None:
        """The string at ``path`` as a source whose positions resolve into this document's file.

        Exact wherever the string's lines stand in the file as they are: in literal blocks, and in scalars on
        one line without escapes. Otherwise every position is the start of the scalar. None where there is no
        string.
        """
        value = self.value
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        if type(value) is not str:
            return None
        return Source(self.source.name, value, partial(self._embedding, path, value))

    def _find(self, path: Path) -> Found:
        return self.chunk.find((*self.prefix, *path))

    def _embedding(self, path: Path, value: str) -> Embedding:
        source, found = self.source, self._find(path)
        node = found.node.target or found.node
        at = source.position(node.start)
        if found.steps < len(self.prefix) + len(path):  # merged in from elsewhere: nothing stands here
            return Embedding(parent=source, line=at.line, column=at.column, exact=False)
        rows = value.split("\n")
        if node.style in ("|", ">"):
            line, indent = at.line + 1, _indent(source, at.line + 1, rows)
        else:
            line, indent = at.line, at.column - 1 + (node.style in ("'", '"'))
        if all(_stands(source.line(line + n), indent, row) for n, row in enumerate(rows) if row):
            return Embedding(parent=source, line=line, column=indent + 1, indent=indent)
        return Embedding(parent=source, line=at.line, column=at.column, exact=False)


def _indent(source: Source, line: int, rows: list[str]) -> int:
    """By how much a literal block is indented: what stands before its first line with content."""
    for offset, row in enumerate(rows):
        if row:
            return max(0, len(source.line(line + offset)) - len(row))
    return 0


def _stands(have: str, indent: int, row: str) -> bool:
    """Whether a row of a string stands in a line of the file, behind the indentation."""
    return have.startswith(row, indent)
