"""YAML as gator prints it: go-yaml v3's emitter, which indents by four and aligns what is below a dash."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

from yaml import emitter, events

from sekisho.lang.golang.gofloat import shortest
from sekisho.rego.builtins.yaml import scalar_style

INDENT: Final = 4
ENDLESS: Final = 1 << 62


def dump(value: Any) -> str:
    """A JSON-like value as one document; keys stay in the order that they have."""
    stream = io.StringIO()
    writer = _Emitter(stream)
    for event in _document(value):
        writer.emit(event)
    return stream.getvalue().removesuffix("...\n")


class _Emitter(emitter.Emitter):
    """PyYAML's emitter with go-yaml's indentation and no end of lines."""

    def __init__(self, stream: io.StringIO) -> None:
        super().__init__(stream, indent=INDENT, allow_unicode=True)
        self.best_width = ENDLESS

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """The next level: two columns below a dash, else the next multiple of four."""
        self.indents.append(self.indent)
        if self.indent is None:
            self.indent = INDENT if flow else 0
        elif self.states[-1] == self.expect_block_sequence_item:
            self.indent += 2
        else:
            self.indent = INDENT * (self.indent // INDENT + 1)


def _document(value: Any) -> Iterator[events.Event]:
    yield events.StreamStartEvent()
    yield events.DocumentStartEvent(explicit=False)
    yield from _node(value)
    yield events.DocumentEndEvent(explicit=False)
    yield events.StreamEndEvent()


def _node(value: Any) -> Iterator[events.Event]:
    if isinstance(value, dict):
        yield events.MappingStartEvent(None, None, implicit=True, flow_style=not value)
        for name, item in value.items():
            yield _text(name)
            yield from _node(item)
        yield events.MappingEndEvent()
    elif isinstance(value, list | tuple):
        yield events.SequenceStartEvent(None, None, implicit=True, flow_style=not value)
        for item in value:
            yield from _node(item)
        yield events.SequenceEndEvent()
    elif isinstance(value, str):
        yield _text(value)
    else:
        yield events.ScalarEvent(None, None, (True, False), _plain(value))


def _text(value: str) -> events.ScalarEvent:
    return events.ScalarEvent(None, None, (True, True), value, style=scalar_style(value))


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return shortest(value) if isinstance(value, float) else str(value)
