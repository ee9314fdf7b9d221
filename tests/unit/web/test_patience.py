"""Clients that are slow on purpose: heads that never end, bodies that stop, connections without a word."""

from __future__ import annotations

import asyncio
import time

import pytest

from sekisho.web.patience import Bounds
from sekisho.web.server import Incoming, Listener, Outgoing, Server

BOUNDS = Bounds(head=0.4, body=0.4, idle=30.0, connections=4)


async def answer(incoming: Incoming) -> Outgoing:
    return Outgoing(body=incoming.body or b"")


async def closes(sent: bytes) -> tuple[bytes, float]:
    """What comes back to these bytes until the server closes, and how long that takes."""
    server, listener = Server(answer, bounds=BOUNDS, drain_seconds=0.1), Listener.bind("127.0.0.1", 0)
    await server.serve(listener)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(sent)
        started = time.monotonic()
        async with asyncio.timeout(20):
            got = await reader.read()
        writer.close()
        return got, time.monotonic() - started
    finally:
        listener.close()
        await server.stop()


@pytest.mark.parametrize("sent", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_end_ends_the_connection(sent: bytes) -> None:
    got, took = asyncio.run(closes(sent))
    assert got == b""
    assert took > BOUNDS.head


def test_a_body_that_stops_is_told_and_ends_the_connection() -> None:
    got, _ = asyncio.run(closes(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"))
    assert got.startswith(b"HTTP/1.1 408 ")


def test_there_are_only_so_many_connections() -> None:
    async def run() -> int:
        server, listener = Server(answer, bounds=BOUNDS, drain_seconds=0.1), Listener.bind("127.0.0.1", 0)
        await server.serve(listener)
        pairs = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(8)]
        for reader, writer in pairs:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(4 * BOUNDS.head)
        ended = sum(reader.at_eof() for reader, _ in pairs)
        for _, writer in pairs:
            writer.close()
        listener.close()
        await server.stop()
        return ended

    assert asyncio.run(run()) == 8 - BOUNDS.connections


def test_nobody_is_left_waiting_at_a_port_that_nobody_serves() -> None:
    async def run() -> None:
        listener = Listener.bind("127.0.0.1", 0)
        try:
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", listener.port)
        finally:
            listener.close()

    asyncio.run(run())
