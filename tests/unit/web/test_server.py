"""The HTTP server: faults of clients and of handlers end one request, and tell nobody of the inside."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sekisho.web.server import Incoming, Outgoing, Server

HEAD = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n"


async def _answer(incoming: Incoming) -> Outgoing:
    return Outgoing(body=b"ok")


async def _fail(incoming: Incoming) -> Outgoing:
    raise RuntimeError("the inside")


def exchange(handler: object, sent: bytes, *, cut: bool = False) -> bytes:
    """What comes back for some bytes; with ``cut`` the client goes away after them."""

    async def main() -> bytes:
        server = Server(handler)  # type: ignore[arg-type]
        reader, writer = await asyncio.open_connection("127.0.0.1", await server.start("127.0.0.1", 0))
        try:
            writer.write(sent)
            await writer.drain()
            if cut:
                await asyncio.sleep(0.05)
                writer.transport.abort()
                await asyncio.sleep(0.05)
                return b""
            return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        finally:
            writer.close()
            await server.stop()

    return asyncio.run(main())


def test_a_client_that_breaks_off_in_its_body_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    exchange(_answer, HEAD + b"\r\nhalf", cut=True)
    assert caplog.records == []


@pytest.mark.parametrize("sent", [b"GET /\xff\x00 HTTP/1.1\r\n\r\n", b"x\r\n\r\n"])
def test_a_head_that_is_no_http_is_refused_and_not_logged(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert exchange(_answer, sent).startswith(b"HTTP/1.0 400")
    assert caplog.records == []


def test_a_body_in_an_encoding_that_it_has_not_is_refused() -> None:
    assert b" 400 " in exchange(_answer, HEAD + b"Content-Encoding: gzip\r\n\r\n0123456789")


def test_a_handler_that_fails_is_logged_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    answer = exchange(_fail, HEAD + b"\r\n0123456789")
    assert b" 500 " in answer
    assert b"inside" not in answer
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
