"""Messages of the domain name system (RFC 1035), as far as looking up addresses needs them."""

from __future__ import annotations

from _struct import Struct

from sekisho.sandbox.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

HEADER: Final = Struct(">6H")
FIXED: Final = Struct(">HHIH")
"""Of a record after its name: type, class, time to live, length of its data."""

A, CNAME, AAAA, OPT = 1, 5, 28, 41
INTERNET: Final = 1
RESPONSE: Final = 0x8000
OPCODE: Final = 0x7800
WANTED: Final = 0x0100
"""Recursion is desired."""
GIVEN: Final = 0x0080
"""Recursion is available."""

OK, FAILED, NO_NAME, NOT_DONE = 0, 2, 3, 4

MESSAGE_MOST: Final = 4096
"""Bytes of a message that is looked at; answers with addresses are far shorter."""
JUMPS_MOST: Final = 32
"""Pointers in one name: more of them are a loop."""
NAME_MOST: Final = 255
RECORDS_MOST: Final = 256
CHAIN_MOST: Final = 16
"""Aliases of aliases."""
ADDRESSES_MOST: Final = 8
"""Addresses of one answer of ours: with the longest name, and of IPv6, it still has 512 bytes."""
ROOM: Final = b"\0" + FIXED.pack(OPT, 1232, 0, 0)
"""The record that tells a name server how long its answer may be (RFC 6891), so that none is cut short."""


class Malformed(Exception):
    """A message that cannot be read."""


@value
class Query:
    """A question: the message's id, the name in lower case without a dot at its end, the type. ``raw`` is the
    question as it was sent, capital letters and all.
    """

    id: int
    name: str
    kind: int
    recursion: bool
    raw: bytes


@value
class Answer:
    """What a name server says: its status, and addresses (4 or 16 bytes) with their times to live."""

    status: int
    addresses: tuple[tuple[bytes, int], ...]


def _name(message: bytes, at: int) -> tuple[str, int]:
    """The name at a place, and where what follows begins."""
    labels: list[str] = []
    end, jumps, length = -1, 0, 0
    while True:
        if at >= len(message):
            raise Malformed
        size = message[at]
        if size >= 0xC0:
            if at + 1 >= len(message) or jumps >= JUMPS_MOST:
                raise Malformed
            if end < 0:
                end = at + 2
            at = (size & 0x3F) << 8 | message[at + 1]
            jumps += 1
            continue
        if size > 63:
            raise Malformed
        at += 1
        if size == 0:
            break
        label = message[at : at + size]
        length += size + 1
        if len(label) != size or length > NAME_MOST or b"." in label or b"\0" in label:
            raise Malformed
        labels.append(label.decode("latin-1").lower())
        at += size
    return ".".join(labels), at if end < 0 else end


def read_query(message: bytes) -> Query:
    """A query with one question of the internet. Malformed if it is none."""
    if len(message) < HEADER.size:
        raise Malformed
    id, flags, questions, *_ = HEADER.unpack_from(message)
    if flags & (RESPONSE | OPCODE) or questions != 1:
        raise Malformed
    name, at = _name(message, HEADER.size)
    if len(message) < at + 4:
        raise Malformed
    kind, klass = int.from_bytes(message[at : at + 2], "big"), int.from_bytes(message[at + 2 : at + 4], "big")
    if klass != INTERNET:
        raise Malformed
    raw = message[HEADER.size : at + 4]
    return Query(id=id, name=name, kind=kind, recursion=bool(flags & WANTED), raw=raw)


def write_query(id: int, name: str, kind: int) -> bytes:
    """A query of ours."""
    labels = b"".join(bytes((len(label),)) + label.encode("latin-1") for label in name.split("."))
    question = labels + b"\0" + kind.to_bytes(2, "big") + b"\0\1"
    return HEADER.pack(id, WANTED, 1, 0, 0, 1) + question + ROOM


def read_answer(message: bytes, id: int, name: str, kind: int) -> Answer:
    """The answer to a query of ours: the addresses that the name leads to, by way of its aliases.

    Malformed if it is no answer to that query.
    """
    if len(message) < HEADER.size:
        raise Malformed
    given, flags, questions, answers, *_ = HEADER.unpack_from(message)
    if given != id or not flags & RESPONSE or questions != 1:
        raise Malformed
    asked, at = _name(message, HEADER.size)
    if asked != name or message[at : at + 4] != kind.to_bytes(2, "big") + b"\0\1":
        raise Malformed
    at += 4
    aliases: dict[str, str] = {}
    found: dict[str, list[tuple[bytes, int]]] = {}
    for _ in range(min(answers, RECORDS_MOST)):
        owner, at = _name(message, at)
        if len(message) < at + FIXED.size:
            raise Malformed
        type, klass, ttl, size = FIXED.unpack_from(message, at)
        at += FIXED.size
        data = message[at : at + size]
        if len(data) != size:
            raise Malformed
        if klass == INTERNET and type == CNAME:
            aliases[owner] = _name(message, at)[0]
        elif klass == INTERNET and type == kind and size == (4 if kind == A else 16):
            found.setdefault(owner, []).append((data, ttl))
        at += size
    for _ in range(CHAIN_MOST):
        if name not in aliases:
            break
        name = aliases[name]
    return Answer(status=flags & 15, addresses=tuple(found.get(name, ())))


def write_answer(query: Query, status: int, addresses: Iterable[tuple[bytes, int]] = ()) -> bytes:
    """Our answer to a query: an address record for each address, all of the name that was asked for."""
    records = [
        b"\xc0\x0c" + FIXED.pack(query.kind, INTERNET, ttl, len(data)) + data
        for data, ttl in (*addresses,)[:ADDRESSES_MOST]
    ]
    flags = RESPONSE | GIVEN | (WANTED if query.recursion else 0) | status
    return HEADER.pack(query.id, flags, 1, len(records), 0, 0) + query.raw + b"".join(records)


def cannot(message: bytes) -> bytes:
    """The answer to a message that is no query of ours: not implemented; empty if it has no id."""
    if len(message) < HEADER.size or message[2] & 0x80:
        return b""
    return message[:2] + HEADER.pack(0, RESPONSE | NOT_DONE, 0, 0, 0, 0)[2:]
