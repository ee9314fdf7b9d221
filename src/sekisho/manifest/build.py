"""From libyaml's events to values, without positions: for every document that ``quick`` gives up.

Events, not libyaml's own composer: that one recurses in C for as long as the text likes. This module imports
PyYAML, so it is imported only when it is needed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from sekisho.diag import Code
from sekisho.diag.depth import deeper_than
from sekisho.manifest import codes
from sekisho.manifest.limits import DEPTH, NODES
from sekisho.manifest.scalars import MAY_BE_NUMBER, WORDS, is_json, number, plain, to_json, to_key

TAGS: Final = "tag:yaml.org,2002:"
MERGE: Final = "<<"

_TAGGED: Final[dict[str, type]] = {"null": type(None), "bool": bool, "int": int, "float": float}
_TIMESTAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(?:[Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]{1,9})?(?:Z|[-+][0-9]{2}:[0-9]{2})?)?"
)

_OPEN: Final = object()
"""What an anchor stands for while its own value is being read."""


class BuildError(Exception):
    """Something that no value can be built of, at a stretch of the text."""

    def __init__(self, code: Code, message: str, event: Any, help: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.help = code, message, help
        self.start, self.end = event.start_mark.index, event.end_mark.index


class Built(NamedTuple):
    """A document: its value, the stretch of the text that it is, whether its positions hold remarks."""

    value: Any
    start: int
    end: int
    odd: bool


class Builder:
    """Builds the documents of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._event: Callable[[], Any] = CParser(text).get_event
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0  # values so far, with what aliases stand for
        self._aliased = 0
        self._depth = 0
        self._odd = False
        self.documents: list[Built] = []
        """Those read so far; after an error these are whole."""

    def run(self) -> None:
        """Read all documents; raises BuildError, and what libyaml raises (``yaml.YAMLError``).

        Documents without any content (comments only) are left out.
        """
        while True:
            event = self._event()
            kind = type(event)
            if kind is DocumentStartEvent:
                self._document(event)
            elif kind is StreamEndEvent:
                return

    def _document(self, event: Any) -> None:
        self._anchors.clear()
        self._aliased = 0
        self._odd = False
        start = event.start_mark.index
        line = start - event.start_mark.column
        if not self._text[line:start].strip():  # columns must stay what they are
            start = line
        first = self._event()
        value = self._item(first)
        last = self._event()
        if self._aliased:
            self._check_depth(value, first)
        if value is not None:
            self.documents.append(Built(value, start, last.end_mark.index, self._odd))

    def _node(self, event: Any) -> Any:
        """The value of a node, before its way through JSON if it is a scalar."""
        kind = type(event)
        if kind is ScalarEvent:
            self._count += 1
            value = event.value
            if event.tag is None:
                # The common case in line: most scalars are plain words that mean themselves.
                if event.implicit[0]:
                    if value in WORDS:
                        value = WORDS[value]
                    elif value[0] in MAY_BE_NUMBER:
                        value = number(value)
            else:
                value = _tagged(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = (value, 1)
            return value
        if kind is AliasEvent:
            return self._alias(event)
        return self._collection(event, kind is MappingStartEvent)

    def _collection(self, event: Any, mapping: bool) -> Any:
        self._depth += 1
        if self._depth > DEPTH.value:
            raise BuildError(codes.TOO_DEEP, str(DEPTH), event, "flatten it")
        tag = event.tag
        if tag is not None and tag not in ("!", f"{TAGS}{'map' if mapping else 'seq'}"):
            raise _bad_tag(event, f"a {'mapping' if mapping else 'list'}")
        before = self._count
        self._count += 1
        anchor = event.anchor
        if anchor is None:
            value: Any = self._mapping() if mapping else self._sequence()
        else:
            mark = (_OPEN, 0)
            self._anchors[anchor] = mark
            value = self._mapping() if mapping else self._sequence()
            if self._anchors[anchor] is mark:  # else the anchor was set anew inside
                self._anchors[anchor] = (value, self._count - before)
        self._depth -= 1
        return value

    def _sequence(self) -> list[Any]:
        out: list[Any] = []
        next_event, item = self._event, self._item
        while type(event := next_event()) is not SequenceEndEvent:
            out.append(item(event))
        return out

    def _item(self, event: Any) -> Any:
        value = self._node(event)
        if type(value) is not float:
            return value
        if not is_json(value):
            message = f"{event.value if type(event) is ScalarEvent else value} cannot be written as JSON"
            raise BuildError(codes.NOT_JSON, message, event, "quote it if it is meant as text")
        return to_json(value)

    def _mapping(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        next_event, item = self._event, self._item
        while type(event := next_event()) is not MappingEndEvent:
            if is_merge(event):
                self._count += 1
                self._merge(out, next_event())
                continue
            key = self._key(event)
            if key in out:
                self._odd = True
            out[key] = item(next_event())
        return out

    def _key(self, event: Any) -> str:
        found = self._node(event)
        if type(found) is str:
            return found
        key = None if found.__class__ in (dict, list) else to_key(found)
        if key is not None:
            return key
        what = {dict: "a mapping", list: "a list", int: "an integer of more than 64 bits"}
        message = f"a key must be a string, this is {what.get(type(found), 'null')}"
        help = "quote it if it is meant as text"
        if type(found) is dict and self._text[event.start_mark.index - 1 :].startswith("{{"):
            help = "this looks like a template, such as Helm's: render it, and check what comes out"
        raise BuildError(codes.BAD_KEY, message, event, help)

    def _merge(self, out: dict[str, Any], event: Any) -> None:
        """``<<``, as go-yaml v2 does it: in its place, so that it overrides the keys before it."""
        value = self._node(event)
        rows = value[::-1] if type(value) is list and type(event) is not AliasEvent else [value]
        for row in rows:
            if type(row) is not dict:
                message = "a merge key needs a mapping, or a list of mappings"
                raise BuildError(codes.BAD_MERGE, message, event, 'quote it ("<<") if it is a plain key')
            self._spend(len(row), event)
            if not self._odd and not out.keys().isdisjoint(row):
                self._odd = True
            out.update(row)

    def _alias(self, event: Any) -> Any:
        name = event.anchor
        value, size = self._anchors.get(name, (None, -1))
        if size < 0:
            help = f"write &{name} before the value that is meant, above this place in the same document"
            raise BuildError(codes.BAD_ALIAS, f"there is no anchor &{name} before this alias", event, help)
        if value is _OPEN:
            raise BuildError(codes.BAD_ALIAS, f"the value of the anchor &{name} contains itself", event)
        self._spend(size, event)
        return value

    def _spend(self, size: int, event: Any) -> None:
        self._count += size
        self._aliased += size
        if self._aliased > NODES.value:
            raise BuildError(codes.EXPANSION, str(NODES), event, "write the values out")

    def _check_depth(self, value: Any, event: Any) -> None:
        """Aliases nest what each by itself is flat."""
        if deeper_than(value, DEPTH.value):
            raise BuildError(codes.TOO_DEEP, str(DEPTH), event, "flatten it")


def is_merge(event: Any) -> bool:
    """Whether a key is ``<<``, not quoted."""
    return (
        type(event) is ScalarEvent
        and event.value == MERGE
        and (event.implicit[0] or event.tag == f"{TAGS}merge")
    )


def scalar_key(event: Any) -> str | None:
    """The key that a scalar event is, in a text that was built before."""
    return to_key(_tagged(event) if event.tag is not None else _untagged(event))


def _untagged(event: Any) -> Any:
    return plain(event.value) if event.implicit[0] else event.value


def _tagged(event: Any) -> Any:
    tag, text = event.tag, event.value
    if tag == "!":
        return text
    name = tag.removeprefix(TAGS) if tag.startswith(TAGS) else ""
    if name == "str":
        return text
    if name == "binary":
        return _binary(event)
    if name == "timestamp" and _TIMESTAMP.fullmatch(text):
        return text
    wanted = _TAGGED.get(name)
    found = plain(text)
    if wanted is float and type(found) is int:
        found = float(found)
    if wanted is None or type(found) is not wanted:
        raise _bad_tag(event, repr(text))
    return found


def _bad_tag(event: Any, what: str) -> BuildError:
    tag = event.tag
    name = tag.removeprefix(TAGS)
    if name != tag and name in (*_TAGGED, "str", "map", "seq", "timestamp"):
        return BuildError(codes.BAD_TAG, f"{what} is no !!{name}", event)
    shown = f"!!{name}" if name != tag else tag
    help = "remove the tag; a Kubernetes object has no use for it"
    return BuildError(codes.BAD_TAG, f"the tag {shown} is unknown to Kubernetes", event, help)


def _binary(event: Any) -> str:
    try:
        content = base64.b64decode("".join(event.value.split("\n")), validate=True)
    except (binascii.Error, ValueError):
        raise BuildError(codes.BAD_TAG, "the !!binary value is not base64", event) from None
    # As Go writes bytes that are not UTF-8 into JSON: one replacement character for each of them.
    return re.sub("[\udc80-\udcff]", "\ufffd", content.decode("utf-8", "surrogateescape"))
