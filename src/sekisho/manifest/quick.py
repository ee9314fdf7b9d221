"""Block-style YAML as people and tools write it, line by line and without a parser: many times as fast.

``quick`` reads a document whose every line is a comment, ``key:``, ``key: value`` or one of these behind
``- ``, with spaces alone as indentation, values that end on their line, and blocks. On anything else,
and on whatever would be an error or a warning, it gives up, and the whole document goes to libyaml. So it
never decides what YAML is; tests compare the two on generated and on mutated text.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sekisho.manifest.limits import DEPTH
from sekisho.manifest.words import FLOW_DEPTH, KEYS, VALUES, Special, UnsureError, copied

GIVEN_UP: Final = object()
"""What ``quick`` returns when the document is not simple."""

_LINE: Final = re.compile(
    r"^( *)((?:- +)?)"
    r'(?:([A-Za-z0-9_./$][A-Za-z0-9_./$-]{0,200}|"[^"\\\n]{0,200}"'
    r"|'[^'\n]{0,200}'):(?=[ \n]|\Z))?"
    r"(.*)$",
    re.MULTILINE,
)
_BYTES: Final = bytes((9, 10, *range(32, 127)))
UNUSUAL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What YAML forbids, and what it takes for a line break beside the line feed."""


def quick(text: str) -> Any:
    """The value of one document, given without its ``---`` line; None if it is empty.

    GIVEN_UP if it is not simple. The text holds no ``---``, ``...`` or ``%`` at the beginning of a line.
    """
    if text.isascii():
        if text.encode().translate(None, _BYTES):
            return GIVEN_UP
    elif UNUSUAL.search(text):
        return GIVEN_UP
    try:
        return _Document().read(text)
    except UnsureError:
        return GIVEN_UP


class _Document:
    """The collections that are open, and where in the innermost of them the last value went."""

    __slots__ = ("_above", "_column", "_node", "_slot", "_waiting")

    def __init__(self) -> None:
        self._above: list[tuple[int, Any]] = []
        self._column = -1
        self._node: Any = [None]
        self._slot: Any = 0
        self._waiting = True  # the last value is not there yet: it may be on the next lines

    def read(self, text: str) -> Any:
        """The document's value; raises UnsureError."""
        root = self._node
        at = 0
        while at < len(text):
            at = self._lines(text, at)
        return root[0]

    def _lines(self, text: str, start: int) -> int:
        """Read lines up to the end of the text, or to the end of a block; the offset reached."""
        keys, values = KEYS, VALUES
        for found in _LINE.finditer(text, start):
            spaces, dash, key, rest = found.groups()
            column = len(spaces)
            if dash:
                self._to_list(column)
                self._add()
                if key is not None:
                    self._open(column + len(dash), {})
            elif key is None:
                if not rest or self._is_aside(rest, column):
                    continue
                raise UnsureError
            elif column != self._column or type(self._node) is not dict:
                self._to_mapping(column)
            node = self._node
            slot: str | int = -1
            if key is not None:
                self._slot = slot = keys[key]
                if slot in node:
                    raise UnsureError
            value = values[rest] if rest else None
            self._waiting = not rest
            if type(value) is Special:
                if value.kind in ("literal", "folded"):
                    lines, end = _block(text, found.end() + 1, self._column)
                    node[slot] = (_literal if value.kind == "literal" else _folded)(lines, value.detail)
                    return end
                value = self._special(value)
            node[slot] = value
        return len(text)

    def _is_aside(self, rest: str, column: int) -> bool:
        """Whether a line without key and value is a comment, or a dash with its item on the next lines."""
        value = VALUES[rest]
        kind = value.kind if type(value) is Special else ""
        if kind == "item":
            self._to_list(column)
            self._add()
        return kind in ("item", "nothing")

    def _special(self, value: Special) -> Any:
        if value.kind == "nothing":
            self._waiting = True
            return None
        if value.kind != "flow" or len(self._above) + FLOW_DEPTH > DEPTH.value:
            raise UnsureError
        return copied(value.detail)

    def _add(self) -> None:
        """One more item of the open list; what it is comes next."""
        self._node.append(None)
        self._slot, self._waiting = -1, True

    def _open(self, column: int, node: Any) -> None:
        """Put a collection where the last value belongs, and go on inside it."""
        if len(self._above) >= DEPTH.value:
            raise UnsureError
        self._node[self._slot] = node
        self._above.append((self._column, self._node))
        self._column, self._node, self._waiting = column, node, False

    def _close(self) -> None:
        self._column, self._node = self._above.pop()
        self._waiting = False

    def _to_list(self, column: int) -> None:
        """Make the list whose dashes stand in this column the open collection."""
        while self._column > column:
            self._close()
        if self._column == column and type(self._node) is list:
            return
        if not self._waiting:  # the items of a key may stand in the key's own column, if it has no value yet
            raise UnsureError
        self._open(column, [])

    def _to_mapping(self, column: int) -> None:
        """Make the mapping whose keys stand in this column the open collection."""
        while self._column > column or (self._column == column and type(self._node) is list):
            self._close()
        if self._column == column:
            return
        if not self._waiting:
            raise UnsureError
        self._open(column, {})


def _block(text: str, at: int, column: int) -> tuple[list[str], int]:
    """The lines of the block that begins at an offset, below a key or dash in ``column``; where it ends."""
    lines: list[str] = []
    indent = blank = 0
    while at < len(text):
        end = text.find("\n", at)
        if end < 0:
            raise UnsureError  # the rules for a last line without its break are the parser's business
        line = text[at:end]
        content = line.lstrip(" ")
        if content:
            spaces = len(line) - len(content)
            if not indent:
                if spaces <= column:
                    break
                if blank > spaces or content[0] == "\t":
                    raise UnsureError
                indent = spaces
            elif spaces < indent:
                break
        elif not indent:
            blank = max(blank, len(line))
        lines.append(line[indent:] if indent else "")
        at = end + 1
    return lines, at


def _literal(lines: list[str], chomp: str) -> str:
    body = "".join(f"{line}\n" for line in lines)
    if chomp != "+":
        body = body.rstrip("\n")
        if body and not chomp:
            body += "\n"
    return body


def _folded(lines: list[str], chomp: str) -> str:
    """Paragraphs. Lines that are indented further, or blank at the beginning, are the parser's business."""
    while lines and not lines[-1]:
        lines.pop()
    if lines and not lines[0]:
        raise UnsureError
    parts: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t"):
            raise UnsureError
        if not line:
            parts.append("\n")
        elif parts and parts[-1] != "\n":
            parts += (" ", line)
        else:
            parts.append(line)
    return "".join(parts) + ("" if chomp or not lines else "\n")
