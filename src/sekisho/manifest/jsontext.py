"""JSON text: values fast by orjson, positions and errors by a scanner that takes no stack."""

from __future__ import annotations

import math
import re
from typing import Any, Final, NamedTuple

from sekisho.diag.depth import deeper_than
from sekisho.manifest.limits import DEPTH
from sekisho.manifest.positions import Field, Node, Repeated, add

_TOKEN: Final = re.compile(
    r"[ \t\r\n]*(?:"
    r"([{}\[\],:])"
    r'|("[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*")'
    r"|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null)(?![\w.+-]))"
)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_STRING_START: Final = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
_WORD: Final = re.compile(r"[\w.+-]*")


class JsonError(Exception):
    """The text is not JSON, at an offset. ``deep`` if it is nested too deeply."""

    def __init__(self, at: int, message: str, *, deep: bool = False) -> None:
        super().__init__(message)
        self.at, self.message, self.deep = at, message, deep


class Value(NamedTuple):
    """A JSON value, the stretch that it is, and whether a key is repeated in it."""

    value: Any
    start: int
    end: int
    odd: bool


def parse_json(text: str) -> list[Value]:
    """The values of a text: one, or several after one another as kubectl reads them. Raises JsonError."""
    import orjson

    try:
        value = orjson.loads(text)
    except ValueError:
        return _several(text)
    if deeper_than(value, DEPTH.value):
        return _several(text)
    start = _skip(text, 0)
    # A repeated key is the one thing that the way through orjson loses: then quotes are missing.
    odd = "\\u0022" in text or orjson.dumps(value).count(b'"') != text.count('"')
    return [Value(value, start, len(text), odd)]


def _several(text: str) -> list[Value]:
    import orjson

    found: list[Value] = []
    at = _skip(text, 0)
    while at < len(text):
        scanner = JsonPositions(text, at)
        root = scanner.root()
        try:
            value = orjson.loads(text[root.start : root.end])
        except ValueError:
            raise JsonError(at, "a string has half of a surrogate pair, which is no character") from None
        found.append(Value(value, root.start, root.end, bool(scanner.repeated)))
        at = _skip(text, root.end)
    return found


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


class JsonPositions:
    """The nodes of the JSON value that begins at or after an offset. ``root`` raises JsonError.

    ``base`` is added to the offsets of nodes.
    """

    def __init__(self, text: str, start: int = 0, *, base: int = 0) -> None:
        self._text, self._base = text, base
        self._start = self._end = start  # of the last mark
        self.repeated: list[Repeated] = []

    def root(self) -> Node:
        """The root node."""
        above: list[Node] = []
        root = node = self._begin(self._mark())
        while True:
            if node.flow:
                mark = self._mark()
                if mark != _close(node):
                    above.append(node)
                    if len(above) > DEPTH.value:
                        raise JsonError(node.start, str(DEPTH), deep=True)
                    node = self._inside(node, mark)
                    continue
                node.end = self._base + self._end
            while above:
                mark = self._mark()
                if mark == ",":
                    node = self._inside(above[-1], self._mark())
                    break
                if mark != _close(above[-1]):
                    raise JsonError(self._start, f"there should be a comma or {_close(above[-1])} here")
                above.pop().end = self._base + self._end
            else:
                return root

    def _inside(self, outer: Node, mark: str) -> Node:
        """Begin the next value of a collection, whose first mark was just read."""
        if outer.items is not None:
            node = self._begin(mark)
            outer.items.append(node)
            return node
        assert outer.fields is not None
        if not mark.startswith('"'):
            raise JsonError(self._start, "a key in double quotes should stand here")
        start, end = self._start, self._end
        if self._mark() != ":":
            raise JsonError(self._start, "a colon should stand here, between key and value")
        node = self._begin(self._mark())
        add(
            outer.fields, _text(mark, start), Field(self._base + start, self._base + end, node), self.repeated
        )
        return node

    def _begin(self, mark: str) -> Node:
        """The node of a value that begins with this mark; ``flow`` is set for collections."""
        if mark in "}],:":
            raise JsonError(self._start, f"a value should stand here, before the {mark}")
        if mark[0] in "-0123456789" and math.isinf(float(mark)):
            raise JsonError(self._start, "the number is too large for any reader")
        node = Node(
            self._base + self._start, self._base + self._end, '"' if mark[0] == '"' else "", flow=mark in "{["
        )
        if mark == "{":
            node.fields = {}
        elif mark == "[":
            node.items = []
        return node

    def _mark(self) -> str:
        found = _TOKEN.match(self._text, self._end)
        if found is None:
            raise self._error(_skip(self._text, self._end))
        self._start, self._end = found.span(found.lastindex or 0)
        return found[found.lastindex or 0]

    def _error(self, at: int) -> JsonError:
        text = self._text
        if at == len(text):
            return JsonError(at, "the text ends here, and a bracket is still open")
        if text[at] == '"':
            string = _STRING_START.match(text, at)
            end = string.end() if string else at
            if end < len(text) and text[end] == "\\":
                return JsonError(end, "a backslash stands before a character that JSON does not escape")
            return JsonError(at, "the string that begins here does not end on its line")
        if text[at] == "'":
            return JsonError(at, "JSON has strings in double quotes only")
        if text.startswith(("//", "/*", "#"), at):
            return JsonError(at, "JSON has no comments")
        found = _WORD.match(text, at)
        word = found[0] if found and found[0] else text[at]
        return JsonError(at, f"{word[:40]} is no JSON value")


def _close(node: Node) -> str:
    return "}" if node.fields is not None else "]"


def _text(mark: str, at: int) -> str:
    import orjson

    try:
        return str(orjson.loads(mark))
    except ValueError:
        raise JsonError(at, "a string has half of a surrogate pair, which is no character") from None
