"""From libyaml's events to values, quickly and without positions.

Events, not libyaml's own composer: that one recurses in C for as long as the text likes.
"""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any, Final

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from sekisho.diag import Code
from sekisho.manifest import codes
from sekisho.manifest.limits import DEPTH, NODES
from sekisho.manifest.scalars import MAY_BE_NUMBER, WORDS, float_value, number, plain

TAG: Final = "tag:yaml.org,2002:"
MERGE: Final = "<<"

Mark = Any
"""A libyaml mark: ``index``, ``line`` and ``column`` in characters, from zero."""


class BuildError(Exception):
    """Something that no value can be built of, at a mark."""

    def __init__(self, code: Code, message: str, mark: Mark, help: str = "") -> None:
        self.code, self.message, self.mark, self.help = code, message, mark, help
        super().__init__(message)


class Remark:
    """Something odd that has a value all the same: a duplicate key, an unknown tag."""

    __slots__ = ("code", "first", "mark", "message")

    def __init__(self, code: Code, message: str, mark: Mark, first: str = "") -> None:
        self.code, self.message, self.mark, self.first = code, message, mark, first


class Builder:
    """Builds the documents of one text. ``remarks`` are those of the document just built."""

    def __init__(self, text: str) -> None:
        self._event = CParser(text).get_event
        self.remarks: list[Remark] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open: set[str] = set()
        self._count = 0
        self._depth = 0

    def documents(self) -> list[Any]:
        """Every document's value; those without any content (comments only) are left out.

        Raises BuildError, and what libyaml raises (``yaml.YAMLError``).
        """
        found: list[Any] = []
        while True:
            event = self._event()
            kind = type(event)
            if kind is DocumentStartEvent:
                self._anchors.clear()
                first = self._event()
                value = self._node(first)
                if (
                    value is not None
                    or type(first) is not ScalarEvent
                    or first.value
                    or not first.implicit[0]
                ):
                    found.append(value)
            elif kind is StreamEndEvent:
                return found
            else:
                assert kind in (StreamStartEvent, DocumentEndEvent)

    def _node(self, event: Any) -> Any:
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
                    if type(value) is float and not math.isfinite(value):
                        raise _not_json(event)
            else:
                value = self._tagged(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = (value, 1)
            return value
        if kind is AliasEvent:
            return self._alias(event)
        self._depth += 1
        if self._depth > DEPTH.value:
            raise BuildError(codes.TOO_DEEP, str(DEPTH), event.start_mark, "flatten it")
        before, self._count = self._count, self._count + 1
        anchor = event.anchor
        if anchor is not None:
            self._open.add(anchor)
        value = self._mapping(event) if kind is MappingStartEvent else self._sequence(event)
        self._depth -= 1
        if anchor is not None:
            self._open.discard(anchor)
            self._anchors[anchor] = (value, self._count - before)
        return value

    def _sequence(self, event: Any) -> list[Any]:
        assert type(event) is SequenceStartEvent
        if event.tag not in (None, TAG + "seq"):
            self._unknown_tag(event)
        next_event, node = self._event, self._node
        out: list[Any] = []
        while True:
            event = next_event()
            if type(event) is SequenceEndEvent:
                return out
            out.append(node(event))

    def _mapping(self, event: Any) -> dict[str, Any]:
        if event.tag not in (None, TAG + "map"):
            self._unknown_tag(event)
        next_event, node = self._event, self._node
        out: dict[str, Any] = {}
        merged: list[Any] = []
        while True:
            event = next_event()
            if type(event) is MappingEndEvent:
                break
            key = event.value if type(event) is ScalarEvent and not event.implicit[0] else None
            if key is None or event.tag is not None or event.anchor is not None:
                key = self._key(event)
                if key is None:
                    merged.append((event, node(next_event())))
                    continue
            if key in out:
                message = f'the key "{key}" stands twice in this mapping; the last one holds'
                self.remarks.append(Remark(codes.DUPLICATE_KEY, message, event.start_mark, key))
            out[key] = node(next_event())
        return self._merge(out, merged) if merged else out

    def _key(self, event: Any) -> str | None:
        """A key as JSON has it; None for a merge key."""
        if type(event) is ScalarEvent:
            value = event.value
            if event.tag is None and event.implicit[0]:
                if value == MERGE:
                    return None
                if value and value not in WORDS and value[0] not in MAY_BE_NUMBER:
                    if event.anchor is not None:
                        self._anchors[event.anchor] = (value, 1)
                    return str(value)
        found = self._node(event)
        if isinstance(found, str):
            return found
        if isinstance(found, bool):
            return "true" if found else "false"
        if isinstance(found, int | float):
            return str(found)
        what = "null" if found is None else "a mapping" if isinstance(found, dict) else "a list"
        message = f"a key must be a string, this is {what}"
        raise BuildError(codes.BAD_KEY, message, event.start_mark, "quote it if it is meant as text")

    def _merge(self, out: dict[str, Any], merged: list[Any]) -> dict[str, Any]:
        """``<<``: the mapping's own keys win, then those of earlier mappings."""
        result: dict[str, Any] = {}
        for event, value in merged:
            rows = value if isinstance(value, list) else [value]
            if not all(isinstance(row, dict) for row in rows):
                message = "map merge requires map or sequence of maps as the value"
                raise BuildError(codes.SYNTAX, message, event.start_mark)
            for row in rows:
                self._spend(len(row), event)
                result.update((key, item) for key, item in row.items() if key not in result)
        result.update(out)
        return result

    def _alias(self, event: Any) -> Any:
        if event.anchor in self._open:
            message = f'anchor "{event.anchor}" value contains itself'
            raise BuildError(codes.EXPANSION, message, event.start_mark)
        if event.anchor not in self._anchors:
            message = f'unknown anchor "{event.anchor}" referenced'
            raise BuildError(
                codes.SYNTAX, message, event.start_mark, f"define it before with &{event.anchor}"
            )
        value, size = self._anchors[event.anchor]
        self._spend(size, event)
        return value

    def _spend(self, size: int, event: Any) -> None:
        self._count += size
        if self._count > NODES.value:
            raise BuildError(codes.EXPANSION, str(NODES), event.start_mark, "write the values out")

    def _tagged(self, event: Any) -> Any:
        tag, value = event.tag, event.value
        if tag == "!" or tag == TAG + "str":
            return value
        if tag == TAG + "binary":
            return self._binary(event)
        found = plain(value)
        if tag == TAG + "float" and isinstance(found, int) and not isinstance(found, bool):
            found = float_value(str(found))
        wanted = _TAGGED.get(tag)
        if wanted is None:
            self._unknown_tag(event)
            return value
        if type(found) not in wanted:
            message = f"cannot decode `{value}` as a !!{tag.removeprefix(TAG)}"
            raise BuildError(codes.SYNTAX, message, event.start_mark)
        if isinstance(found, float) and not math.isfinite(found):
            raise _not_json(event)
        return found

    def _binary(self, event: Any) -> str:
        try:
            return base64.b64decode("".join(event.value.split()), validate=True).decode("utf-8")
        except binascii.Error:
            raise BuildError(
                codes.SYNTAX, "!!binary value contains invalid base64 data", event.start_mark
            ) from None
        except UnicodeDecodeError:
            message = "the !!binary value is not UTF-8 and cannot be a JSON string"
            raise BuildError(codes.NOT_JSON, message, event.start_mark) from None

    def _unknown_tag(self, event: Any) -> None:
        tag = str(event.tag).replace(TAG, "!!")
        message = f"the tag {tag} is unknown; the value is read as if it were not there"
        self.remarks.append(Remark(codes.UNKNOWN_TAG, message, event.start_mark))


_TAGGED: Final[dict[str, tuple[type, ...]]] = {
    TAG + "null": (type(None),),
    TAG + "bool": (bool,),
    TAG + "int": (int,),
    TAG + "float": (float, int),
    TAG + "timestamp": (str,),
}


def _not_json(event: Any) -> BuildError:
    message = f"{event.value} cannot be written as JSON"
    return BuildError(codes.NOT_JSON, message, event.start_mark, "quote it if it is meant as text")
