"""What the processes of ``serve`` say to each other: frames over pipes.

A frame is a JSON object and any bytes: two lengths, the object, the bytes. Both ends are ours; what is no
frame means that the other side is broken, and ends the connection.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Any, Final, NamedTuple

import orjson

from sekisho.diag import Limit

_LENGTHS: Final = struct.Struct(">IQ")

HEAD: Final = Limit("the head of a frame", 64_000_000, "bytes", "figures and notes of a second are far less")
BODY: Final = Limit("a frame", 4_000_000_000, "bytes", "the inventory of a cluster with a million objects")


class Frame(NamedTuple):
    """One message: ``head["is"]`` names what it is."""

    head: dict[str, Any]
    body: bytes = b""

    @property
    def name(self) -> str:
        """What it is."""
        return str(self.head.get("is"))


class Broken(Exception):
    """The other side sent something that is no frame."""


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None at the end. Raises Broken."""
    try:
        head, body = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
        if HEAD.exceeded_by(head) or BODY.exceeded_by(body):
            raise Broken
        value = orjson.loads(await reader.readexactly(head))
        content = await reader.readexactly(body) if body else b""
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except ValueError:
        raise Broken from None
    if not isinstance(value, dict):
        raise Broken
    return Frame(value, content)


def packed(frame: Frame) -> bytes:
    """A frame as bytes."""
    head = orjson.dumps(frame.head)
    return _LENGTHS.pack(len(head), len(frame.body)) + head + frame.body


def lines(objects: tuple[Any, ...]) -> bytes:
    """Objects as JSON lines, so that a reader parses one at a time and lets others run in between."""
    return b"\n".join(orjson.dumps(row) for row in objects)


def objects(content: bytes) -> tuple[dict[str, Any], ...]:
    """The objects of JSON lines."""
    return tuple(orjson.loads(line) for line in content.split(b"\n") if line)
