"""Where the parts of a document stand: made on demand, from the same text, for one document.

A node is ``(start, end, children)``: offsets into the parsed text, ``children`` a dict from key to
``(key start, key end, node)`` for mappings, a list of nodes for sequences, None for scalars. A scalar's node
carries its style as a fourth item: ``|``, ``>``, ``"``, ``'`` or ``""`` for plain.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from sekisho.diag import Path

Node = tuple[Any, ...]

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_OTHER: Final = re.compile(r"[^\s,\]}]+")


def yaml_positions(text: str, index: int) -> Node:
    """The nodes of the ``index``-th document with content in a text that is known to be well-formed."""
    return _YamlPositions(text).document(index)


class _YamlPositions:
    def __init__(self, text: str) -> None:
        from yaml import events
        from yaml._yaml import CParser

        self._events = events
        self._event = CParser(text).get_event
        self._anchors: dict[str, Node] = {}

    def document(self, index: int) -> Node:
        events = self._events
        while True:
            event = self._event()
            assert not isinstance(event, events.StreamEndEvent), "the document was there when it was built"
            if not isinstance(event, events.DocumentStartEvent):
                continue
            self._anchors.clear()
            first = self._event()
            node = self._node(first)
            empty = isinstance(first, events.ScalarEvent) and not first.value and first.implicit[0]
            if empty:
                continue
            if index == 0:
                return node
            index -= 1

    def _node(self, event: Any) -> Node:
        events = self._events
        start = event.start_mark.index
        if isinstance(event, events.AliasEvent):
            target = self._anchors.get(event.anchor)
            node: Node = (start, event.end_mark.index, target[2] if target else None, "*")
            return node
        if isinstance(event, events.ScalarEvent):
            node = (start, event.end_mark.index, None, event.style or "")
        elif isinstance(event, events.SequenceStartEvent):
            items: list[Node] = []
            end = event.end_mark.index
            while not isinstance(item := self._event(), events.SequenceEndEvent):
                items.append(self._node(item))
                end = items[-1][1]
            node = (start, max(end, item.end_mark.index) if event.flow_style else end, items)
        else:
            node = self._mapping(event, start)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _mapping(self, event: Any, start: int) -> Node:
        events = self._events
        children: dict[str, tuple[int, int, Node]] = {}
        merged: list[Node] = []
        end = event.end_mark.index
        while not isinstance(key := self._event(), events.MappingEndEvent):
            name = _key_text(key) if isinstance(key, events.ScalarEvent) else None
            key_node = self._node(key)
            value = self._node(self._event())
            end = value[1]
            if name == "<<" and isinstance(key, events.ScalarEvent) and key.implicit[0]:
                merged += value[2] if isinstance(value[2], list) else [value]
            elif name is not None:
                children[name] = (key_node[0], key_node[1], value)
        for node in merged:
            if isinstance(node[2], dict):
                for name, child in node[2].items():
                    children.setdefault(name, child)
        return (start, max(end, key.end_mark.index) if event.flow_style else end, children)


def _key_text(event: Any) -> str:
    """The key as the value has it: words and numbers are written as JSON writes them."""
    from sekisho.manifest.scalars import plain

    if not event.implicit[0] or event.value == "<<":
        return str(event.value)
    value = plain(event.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def json_positions(text: str, start: int) -> Node:
    """The nodes of the JSON value that begins at or after ``start``, in a text known to be well-formed."""
    node, _ = _json_node(text, _skip(text, start))
    return node


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _json_node(text: str, at: int) -> tuple[Node, int]:
    if text[at] == "{":
        children: dict[str, tuple[int, int, Node]] = {}
        start, at = at, _skip(text, at + 1)
        while text[at] != "}":
            found = _STRING.match(text, at)
            assert found is not None
            key = json.loads(found.group())
            node, end = _json_node(text, _skip(text, _skip(text, found.end()) + 1))
            children[key] = (at, found.end(), node)
            at = _skip(text, end)
            if text[at] == ",":
                at = _skip(text, at + 1)
        return (start, at + 1, children), at + 1
    if text[at] == "[":
        items: list[Node] = []
        start, at = at, _skip(text, at + 1)
        while text[at] != "]":
            node, end = _json_node(text, at)
            items.append(node)
            at = _skip(text, end)
            if text[at] == ",":
                at = _skip(text, at + 1)
        return (start, at + 1, items), at + 1
    found = _STRING.match(text, at) if text[at] == '"' else _OTHER.match(text, at)
    assert found is not None
    return (at, found.end(), None, '"' if text[at] == '"' else ""), found.end()


def find(root: Node, path: Path, *, key: bool = False) -> tuple[int, int, Node | None]:
    """The stretch of the value at a path, or of its deepest existing parent; and its node if it is there.

    With ``key`` it is the stretch of the last key. A parent stands for a missing part by its own key, or by
    its first line where it has none.
    """
    node: Node = root
    span: tuple[int, int] | None = None
    for step in path:
        children = node[2]
        if isinstance(children, dict) and isinstance(step, str) and step in children:
            start, end, node = children[step]
            span = (start, end)
        elif isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
            node, span = children[step], None
        else:
            start, end = span or (node[0], node[1])
            return start, end, None
    if key and span is not None:
        return span[0], span[1], node
    return node[0], node[1], node
