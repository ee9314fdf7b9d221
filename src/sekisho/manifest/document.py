"""A document: a value, and the origin of everything that is said about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sekisho.diag import Embedding, Path, Source, Span
from sekisho.manifest.positions import Node, find, json_positions, yaml_positions

FIRST_LINE = "\n"


@dataclass(slots=True, eq=False, kw_only=True)
class Chunk:
    """A stretch of a source that was parsed by itself; its documents share one set of positions each."""

    source: Source
    start: int
    end: int
    json: bool = False
    _nodes: dict[int, Node] = field(default_factory=dict)

    def node(self, index: int) -> Node:
        """The root node of the ``index``-th document of this chunk; for JSON, the one at that offset."""
        node = self._nodes.get(index)
        if node is None:
            text = self.source.text[self.start : self.end]
            node = json_positions(text, index) if self.json else yaml_positions(text, index)
            self._nodes[index] = node
        return node


@dataclass(slots=True, eq=False, kw_only=True)
class Document:
    """One document of a source, or one item of a ``kind: List``.

    ``value`` is JSON-like, shared, and never to be changed. A Document is a ``diag.Origin``.
    """

    value: Any
    chunk: Chunk
    index: int = 0
    prefix: Path = ()

    @property
    def source(self) -> Source:
        """The text that it stands in."""
        return self.chunk.source

    def locate(self, path: Path, *, key: bool = False) -> Span:
        """The span of the value at ``path`` (or of its key), or of its deepest existing parent.

        A collection is shown by its key, or by its first line: nobody wants forty lines underlined.
        """
        start, end, node = find(self.chunk.node(self.index), (*self.prefix, *path), key=key)
        if node is not None and node[2] is not None and not key and path:
            key_start, key_end, found = find(self.chunk.node(self.index), (*self.prefix, *path), key=True)
            if found is not None and (key_start, key_end) != (start, end):
                start, end = key_start, key_end
        base, text = self.chunk.start, self.source.text
        first, last = base + start, base + end
        line_end = text.find(FIRST_LINE, first, last)
        if line_end >= 0:
            last = line_end
        while last > first and text[last - 1] in " \t\r":
            last -= 1
        return Span(self.source, first, last)

    def embedded(self, path: Path) -> Source | None:
        """The string at ``path`` as a source whose positions resolve into this document's file.

        Exact for literal blocks, and for scalars that stand on one line as they are; otherwise every position
        is the start of the scalar. None where there is no string.
        """
        _, _, node = find(self.chunk.node(self.index), (*self.prefix, *path))
        value = self.value
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        if node is None or not isinstance(value, str):
            return None
        return Source(self.source.name, value, self._embedding(node, value))

    def _embedding(self, node: Node, value: str) -> Embedding:
        source = self.source
        start, end = self.chunk.start + node[0], self.chunk.start + node[1]
        style = node[3] if len(node) > 3 else ""
        at = source.position(start)
        if style == "|":
            indent = _indent(source, at.line + 1, value)
            if indent is not None:
                return Embedding(parent=source, line=at.line + 1, column=indent + 1, indent=indent)
        quotes = 1 if style in ("'", '"') else 0
        if source.text[start + quotes : end - quotes] == value and "\n" not in value:
            indent = at.column - 1 + quotes
            return Embedding(parent=source, line=at.line, column=indent + 1, indent=indent)
        return Embedding(parent=source, line=at.line, column=at.column, exact=False)


def _indent(source: Source, line: int, value: str) -> int | None:
    """By how much a literal block is indented: what stands before its first line with content."""
    for offset, wanted in enumerate(value.split("\n")):
        if wanted.strip():
            have = source.line(line + offset)
            return len(have) - len(wanted) if have.endswith(wanted) else None
    return None
