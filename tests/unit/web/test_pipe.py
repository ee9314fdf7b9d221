"""Connections after an upgrade, over the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sekisho.web.pipe import Pipe, Upgrade
from sekisho.web.server import Incoming, Outgoing, Server

HEADERS = (("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", "portforward.k8s.io"))


async def shout(pipe: Pipe) -> None:
    """Say everything again, louder."""
    while data := await pipe.read():
        await pipe.write(data.upper())


def serve(upgrade: Upgrade, work: Callable[[int], Awaitable[None]]) -> None:
    async def handle(incoming: Incoming) -> Outgoing:
        return Outgoing(upgrade=upgrade)

    async def main() -> None:
        server = Server(handle)
        port = await server.start("127.0.0.1", 0)
        try:
            await asyncio.wait_for(work(port), 10)
        finally:
            await server.stop()

    asyncio.run(main())


def test_a_bare_connection_carries_bytes_both_ways_until_the_client_ends_it() -> None:
    async def work(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"X-Stream-Protocol-Version: portforward.k8s.io\r\n" in head
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"HELLO"
        writer.write(b"x" * 300_000)
        assert await reader.readexactly(300_000) == b"X" * 300_000
        writer.close()
        await writer.wait_closed()

    serve(Upgrade(serve=shout, headers=HEADERS), work)


def test_a_websocket_speaks_the_chosen_protocol_in_whole_messages() -> None:
    async def work(port: int) -> None:
        import aiohttp

        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{port}/x", protocols=("b", "a")) as socket,
        ):
            assert socket.protocol == "a"
            await socket.send_bytes(b"one")
            await socket.send_str("text, as Kubernetes' Python client writes")
            await socket.send_bytes(b"two")
            assert [await socket.receive_bytes() for _ in range(3)] == [
                b"ONE",
                b"TEXT, AS KUBERNETES' PYTHON CLIENT WRITES",
                b"TWO",
            ]

    serve(Upgrade(serve=shout, websocket="a"), work)


def test_the_server_ends_a_websocket_when_it_has_nothing_more_to_say() -> None:
    async def once(pipe: Pipe) -> None:
        await pipe.write(b"bye")

    async def work(port: int) -> None:
        import aiohttp

        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{port}/x", protocols=("a",)) as socket,
        ):
            assert await socket.receive_bytes() == b"bye"
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE

    serve(Upgrade(serve=once, websocket="a"), work)
