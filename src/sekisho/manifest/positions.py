"""Where the parts of a document stand: made on demand, from the same text, for one document at a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sekisho.manifest.limits import REMARKS


class Node:
    """A value's stretch of the text. Mappings have ``fields``, lists have ``items``, scalars neither.

    ``style`` of a scalar is ``|``, ``>``, ``"``, ``'``, ``*`` for an alias, or empty. ``flow`` says that a
    collection stands in brackets. ``target`` of an alias is the node that it stands for.
    """

    __slots__ = ("end", "fields", "flow", "items", "start", "style", "target")

    def __init__(self, start: int, end: int, style: str = "", *, flow: bool = False) -> None:
        self.start, self.end, self.style, self.flow = start, end, style, flow
        self.fields: dict[str, Field] | None = None
        self.items: list[Node] | None = None
        self.target: Node | None = None


class Field(NamedTuple):
    """A key's stretch, and the node of its value."""

    start: int
    end: int
    node: Node


class Repeated(NamedTuple):
    """A key that stands twice in one mapping; ``merged`` if a merge key brought it the second time."""

    key: str
    first: Field
    second: Field
    merged: bool


class Found(NamedTuple):
    """The deepest node on a path, the field that it is the value of, and how many steps lead to it."""

    node: Node
    field: Field | None
    steps: int


def find(root: Node, path: tuple[str | int, ...]) -> Found:
    """Follow a path as far as it goes."""
    node, field = root, None
    for done, step in enumerate(path):
        if node.fields is not None and isinstance(step, str) and step in node.fields:
            field = node.fields[step]
            node = field.node
        elif node.items is not None and isinstance(step, int) and 0 <= step < len(node.items):
            node, field = node.items[step], None
        else:
            return Found(node, field, done)
    return Found(node, field, len(path))


def add(fields: dict[str, Field], key: str, field: Field, repeated: list[Repeated]) -> None:
    """Put a field in its mapping; the last one of each key stands."""
    if key in fields and len(repeated) < REMARKS:
        repeated.append(Repeated(key, fields[key], field, merged=False))
    fields[key] = field


_PROPERTIES: Final = re.compile(r"(?:[&!][^\s]*\s+)*")


class YamlPositions:
    """The nodes of the first document of a text that was read before. Offsets begin at ``base``."""

    def __init__(self, text: str, *, base: int = 0) -> None:
        from yaml import events
        from yaml._yaml import CParser

        from sekisho.manifest.build import is_merge, scalar_key

        self._text, self._base = text, base
        self._events = events
        self._next: Callable[[], Any] = CParser(text).get_event
        self._is_merge, self._scalar_key = is_merge, scalar_key
        self._anchors: dict[str, tuple[Node, str | None]] = {}
        self.repeated: list[Repeated] = []

    def root(self) -> Node:
        """The root node."""
        self._next()
        start = self._next()
        assert type(start) is self._events.DocumentStartEvent, "the stretch is a document"
        return self._node(self._next())

    def _node(self, event: Any) -> Node:
        events = self._events
        start, end = event.start_mark.index, event.end_mark.index
        kind = type(event)
        if kind is events.AliasEvent:
            node = Node(start + self._base, end + self._base, "*")
            target = self._anchors[event.anchor][0]
            node.target, node.fields, node.items = target, target.fields, target.items
            return node
        if event.tag is not None or event.anchor is not None:
            limit = end if kind is events.ScalarEvent else len(self._text)
            properties = _PROPERTIES.match(self._text, start, limit)
            start = properties.end() if properties else start
        start, end = start + self._base, end + self._base
        if kind is events.ScalarEvent:
            node = Node(start, max(start, end), event.style or "")
            if event.anchor is not None:
                self._anchors[event.anchor] = (node, self._scalar_key(event))
            return node
        node = Node(start, end, flow=event.flow_style)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, None)
        if kind is events.SequenceStartEvent:
            self._sequence(node)
        else:
            self._mapping(node)
        return node

    def _sequence(self, node: Node) -> None:
        items: list[Node] = []
        node.items = items
        end_event: Any = self._events.SequenceEndEvent
        while type(event := self._next()) is not end_event:
            items.append(self._node(event))
        node.end = self._base + event.end_mark.index if node.flow or not items else items[-1].end

    def _mapping(self, node: Node) -> None:
        fields: dict[str, Field] = {}
        node.fields = fields
        base = self._base
        end_event: Any = self._events.MappingEndEvent
        while type(event := self._next()) is not end_event:
            key_start, key_end = event.start_mark.index + base, event.end_mark.index + base
            if self._is_merge(event):
                event = self._next()
                value = self._node(event)
                self._merge(fields, value, Field(key_start, key_end, value))
            else:
                key = self._key(event)
                value = self._node(self._next())
                add(fields, key, Field(key_start, key_end, value), self.repeated)
            node.end = max(value.end, key_end)
        if node.flow:
            node.end = base + event.end_mark.index

    def _key(self, event: Any) -> str:
        if type(event) is self._events.AliasEvent:
            return self._anchors[str(event.anchor)][1] or ""
        self._node(event)
        return self._scalar_key(event) or ""

    def _merge(self, fields: dict[str, Field], value: Node, at: Field) -> None:
        for row in [value] if value.items is None else reversed(value.items):
            for key, field in (row.fields or {}).items():
                if key in fields and len(self.repeated) < REMARKS:
                    self.repeated.append(Repeated(key, fields[key], at, merged=True))
                fields[key] = field
