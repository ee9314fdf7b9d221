"""Where something stands in a document that ``quick`` has read: found by its path, without reading the rest.

Such a document has its structure in its columns. The keys of a mapping are the lines that begin in its
column, the items of a list those that begin with a dash in its column; comments may stand anywhere, and
blocks of text only further to the right. So a path is followed from region to region. ``positions`` gives the
same for any document, and whatever is inside brackets is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from sekisho.manifest.positions import Field, Found, Node
from sekisho.manifest.words import KEYS

_CONTENT: Final = re.compile(r"[ \n]*+(?:#[^\n]*+[ \n]*+)*+")
"""What stands before the next content: blank lines and comments."""

_KEY: Final = re.compile(r"""("[^"\\\n]*"|'[^'\n]*'|[A-Za-z0-9_./$][A-Za-z0-9_./$-]*):(?=[ \n]|\Z)""")
_DASH: Final = re.compile(r"-(?: +|(?=\n|\Z))")
_QUOTED: Final = re.compile(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*\'""")
_SPACES: Final = re.compile(" *")

_LARGE: Final = 32_768
"""Collections of more characters than this are gone through once, not for every path that leads into them."""

_COLUMNS: Final = 128
"""Beyond this column, the other way is taken: patterns are kept for each column."""


class _Region(NamedTuple):
    """A block collection: where its first key or dash stands, in which column, and where it ends."""

    first: int
    column: int
    end: int


class _Entry(NamedTuple):
    """A key of a mapping, as written: where it begins and ends, and where its value ends at the latest."""

    key: str
    start: int
    end: int
    limit: int


class _Item(NamedTuple):
    """A dash, and where its item ends at the latest."""

    dash: int
    limit: int


Index = dict[int, Any]
"""By the offset of a large collection: all its entries or items. It belongs to one document."""


def find_plain(
    text: str, stretch: tuple[int, int], path: tuple[str | int, ...], index: Index
) -> Found | None:
    """Follow a path in the document that is a stretch of a text, offsets being those of the text.

    None if the path leads into brackets or too far to the right.
    """
    start, end = stretch
    region = _block(text, start, end)
    if region is None:
        return None
    node, field = _node(text, region), None
    for done, step in enumerate(path):
        if region is None or type(step) is not (str if node.items is None else int):
            return None if node.flow else Found(node, field, done)
        if region.column > _COLUMNS:
            return None
        if isinstance(step, str):
            entry = _entry(text, region, step, index)
            if entry is None:
                return Found(node, field, done)
            node, region = _value(text, entry.end + 1, entry.limit, region.column)
            field = Field(entry.start, entry.end, node)
        else:
            item = _item(text, region, step, index)
            if item is None:
                return Found(node, field, done)
            node, region = _item_value(text, item, region.column)
            field = None
    return Found(node, field, len(path))


def _block(text: str, at: int, end: int) -> _Region | None:
    """The collection that begins on the next lines; None if there is none."""
    found = _CONTENT.match(text, at, end)
    first = found.end() if found else end
    if first >= end:
        return None
    return _Region(first, first - text.rfind("\n", 0, first) - 1, end)


def _node(text: str, region: _Region) -> Node:
    node = Node(region.first, region.end)
    if _DASH.match(text, region.first, region.end):
        node.items = []
    else:
        node.fields = {}
    return node


def _entry(text: str, region: _Region, wanted: str, index: Index) -> _Entry | None:
    if region.end - region.first < _LARGE:
        return next((entry for entry in _entries(text, region) if KEYS[entry.key] == wanted), None)
    if region.first not in index:
        index[region.first] = {KEYS[entry.key]: entry for entry in _entries(text, region)}
    entries: dict[str, _Entry] = index[region.first]
    return entries.get(wanted)


def _item(text: str, region: _Region, wanted: int, index: Index) -> _Item | None:
    if wanted < 0:
        return None
    if region.end - region.first < _LARGE:
        return next(islice(_items(text, region), wanted, None), None)
    if region.first not in index:
        index[region.first] = list(_items(text, region))
    items: list[_Item] = index[region.first]
    return items[wanted] if wanted < len(items) else None


def _entries(text: str, region: _Region) -> Iterator[_Entry]:
    at = region.first
    for following in chain(_keys(region.column).finditer(text, at, region.end), (None,)):
        key = _KEY.match(text, at, region.end)
        assert key is not None, "the document was read before"
        yield _Entry(key[1], *key.span(1), following.start() + 1 if following else region.end)
        at = following.end() if following else region.end


def _items(text: str, region: _Region) -> Iterator[_Item]:
    at = region.first
    for following in chain(_dashes(region.column).finditer(text, at, region.end), (None,)):
        yield _Item(at, following.start() + 1 if following else region.end)
        at = following.end() if following else region.end


@lru_cache(maxsize=_COLUMNS + 1)
def _keys(column: int) -> re.Pattern[str]:
    return re.compile(f"\n {{{column}}}(?=[^ #\n-])")


@lru_cache(maxsize=_COLUMNS + 1)
def _dashes(column: int) -> re.Pattern[str]:
    return re.compile(rf"\n {{{column}}}(?=-[ \n]|-\Z)")


def _item_value(text: str, item: _Item, column: int) -> tuple[Node, _Region | None]:
    dash, end = item
    behind = _DASH.match(text, dash, end)
    at = behind.end() if behind else dash + 1
    if _KEY.match(text, at, end):
        region = _Region(at, column + at - dash, end)
        return _node(text, region), region
    return _value(text, dash + 1, end, column)


def _value(text: str, at: int, end: int, column: int) -> tuple[Node, _Region | None]:
    """The value that begins behind a colon or a dash, or on the next lines, down to ``end``."""
    spaces = _SPACES.match(text, at, end)
    first = spaces.end() if spaces else at
    mark = text[first : first + 1] if first < end else ""
    if mark in ("", "\n", "#"):
        region = _block(text, first, end)
        if region is None or region.column < column:
            return Node(at, at), None
        return _node(text, region), region
    node = Node(first, _scalar_end(text, first, end, mark), mark if mark in "\"'|>" else "")
    if mark in "[{":
        node.flow = True
        if mark == "[":
            node.items = []
        else:
            node.fields = {}
    return node, None


def _scalar_end(text: str, first: int, end: int, mark: str) -> int:
    """Where a scalar ends on its line: at its quote, before its comment; a block with its first line."""
    if mark in "\"'" and (quoted := _QUOTED.match(text, first, end)):
        return quoted.end()
    break_ = text.find("\n", first, end)
    last = break_ if break_ >= 0 else end
    comment = text.find(" #", first, last) if mark not in "|>" else -1
    line = text[first : comment if comment >= 0 else last]
    return first + len(line.rstrip(" "))
