"""DER: just enough to take certificates apart without losing a byte of what they are made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BITS: Final = 0x03
OCTETS: Final = 0x04
OID: Final = 0x06
UTC_TIME: Final = 0x17
GENERAL_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31

_TEXT: Final = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1E: "utf-16-be",
}
"""The tags of strings: UTF-8, numeric, printable, T.61, IA5, BMP."""


class Malformed(Exception):
    """What was read is not DER, or not what was expected there."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag, its content, and all of its bytes."""

    tag: int
    content: bytes
    raw: bytes

    def expect(self, tag: int) -> Element:
        """This element, if it has that tag."""
        if self.tag != tag:
            raise Malformed
        return self

    def inside(self) -> Reader:
        """A reader of what it contains."""
        return Reader(self.content)

    def integer(self) -> int:
        """An INTEGER's value (also of one with an implicit tag)."""
        if not self.content:
            raise Malformed
        return int.from_bytes(self.content, signed=True)

    def boolean(self) -> bool:
        """A BOOLEAN's value."""
        if self.content not in {b"\x00", b"\xff"}:
            raise Malformed
        return self.content == b"\xff"

    def bits(self) -> bytes:
        """A BIT STRING's bytes."""
        if not self.content or self.content[0] > 7:
            raise Malformed
        return self.content[1:]

    def oid(self) -> tuple[int, ...]:
        """An OBJECT IDENTIFIER's arcs."""
        arcs: list[int] = []
        arc = 0
        if not self.content or self.content[-1] & 0x80:
            raise Malformed
        for octet in self.content:
            arc = arc << 7 | octet & 0x7F
            if not octet & 0x80:
                arcs.append(arc)
                arc = 0
        first = min(arcs[0] // 40, 2)
        return (first, arcs[0] - 40 * first, *arcs[1:])

    def text(self) -> str:
        """A string's text."""
        if self.tag not in _TEXT:
            raise Malformed
        try:
            return self.content.decode(_TEXT[self.tag])
        except UnicodeDecodeError:
            raise Malformed from None

    def ia5(self) -> str:
        """The text of an IA5String with an implicit tag."""
        try:
            return self.content.decode("ascii")
        except UnicodeDecodeError:
            raise Malformed from None

    def time(self) -> dt.datetime:
        """A UTCTime or GeneralizedTime, in UTC."""
        form = {UTC_TIME: "%y%m%d%H%M%SZ", GENERAL_TIME: "%Y%m%d%H%M%SZ"}.get(self.tag)
        if form is None:
            raise Malformed
        try:
            found = dt.datetime.strptime(self.content.decode("ascii"), form).replace(tzinfo=dt.UTC)
        except ValueError:
            raise Malformed from None
        if self.tag == UTC_TIME and found.year >= 2050:
            return found.replace(year=found.year - 100)
        return found


class Reader:
    """Reads elements one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def tag(self) -> int:
        """The tag of the next element; 0 at the end."""
        return self._data[self._at] if self._at < len(self._data) else 0

    def next(self, tag: int | None = None) -> Element:
        """The next element. Raises Malformed where there is none, or none with this tag."""
        data, start = self._data, self._at
        if start + 2 > len(data) or data[start] & 0x1F == 0x1F:
            raise Malformed
        size, at = data[start + 1], start + 2
        if size & 0x80:
            octets = size & 0x7F
            if not 1 <= octets <= 4 or at + octets > len(data):
                raise Malformed
            size, at = int.from_bytes(data[at : at + octets]), at + octets
            if size < 0x80 or size >> 8 * (octets - 1) == 0:
                raise Malformed
        end = at + size
        if end > len(data):
            raise Malformed
        self._at = end
        element = Element(data[start], data[at:end], data[start:end])
        return element if tag is None else element.expect(tag)

    def maybe(self, tag: int) -> Element | None:
        """The next element if it has this tag."""
        return self.next() if self.tag == tag else None

    def all(self) -> Iterator[Element]:
        """The elements that are left."""
        while self._at < len(self._data):
            yield self.next()

    def end(self) -> None:
        """Raise Malformed if anything is left."""
        if self._at < len(self._data):
            raise Malformed
