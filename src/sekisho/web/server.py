"""An HTTP server: one handler for all paths, bounds on what comes in, streams that end with their client.

aiohttp does the protocol. The handler gets plain values and gives plain values back; it never sees aiohttp.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sekisho.web.patience import Bounds, Patience
from sekisho.web.pipe import Upgrade, serve_upgrade

if TYPE_CHECKING:
    from aiohttp import web

_LOG: Final = logging.getLogger(__name__)

MAX_BODY: Final = 3 * 1024 * 1024
"""Bytes of a request's body: an object of 1.5 MB, and what a patch may be larger (kube-apiserver's limit)."""

DRAIN_SECONDS: Final = 2.0
"""How long requests may take to end when the server stops."""

IDLE_SECONDS: Final = 3_630.0
"""How long a connection may rest between two requests (aiohttp's figure)."""

WAITING: Final = 1_024
"""Connections that may wait to be taken; more than that are tried again by their clients."""


class Listener:
    """A port of ours, which other processes can take over by the number of its descriptor."""

    def __init__(self, listening: socket.socket) -> None:
        self._socket = listening

    @classmethod
    def bind(cls, host: str, port: int) -> Listener:
        """Take a port, a free one for 0. Clients are refused until a server takes connections from it.

        Raises OSError.
        """
        listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
        except OSError:
            listening.close()
            raise
        listening.setblocking(False)
        return cls(listening)

    @classmethod
    def of(cls, descriptor: int) -> Listener:
        """What another process has taken."""
        listening = socket.socket(fileno=descriptor)
        listening.setblocking(False)
        return cls(listening)

    @property
    def descriptor(self) -> int:
        """The number under which a child process gets it."""
        return self._socket.fileno()

    @property
    def port(self) -> int:
        """The port."""
        return int(self._socket.getsockname()[1])

    def own(self) -> socket.socket:
        """A second descriptor, for a server that closes its own."""
        return self._socket.dup()

    def close(self) -> None:
        """Let it go; processes that took it over go on."""
        self._socket.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request. ``path`` is as it was sent, still quoted. ``certificate`` is the client's, in DER.

    ``body`` is None where it was longer than allowed; nobody has read it then.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = b""
    certificate: bytes = b""
    remote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """An answer: a body, a stream of pieces that are sent as they come, or what the connection becomes."""

    code: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None
    upgrade: Upgrade | None = None


TlsContext = ssl.SSLContext
"""What a server proves who it is with; ``web`` makes them."""

Handler = Callable[[Incoming], Awaitable[Outgoing]]


class Server:
    """One listening server. ``start`` and ``stop`` are called in its loop; the handler may not raise.

    With ``bounds`` its clients have to be quick, and are only so many.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        max_body: int = MAX_BODY,
        bounds: Bounds | None = None,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self._handler = handler
        self._max_body = max_body
        self._bounds = bounds
        self._drain_seconds = drain_seconds
        self._runner: web.BaseRunner | None = None
        self._patience: Patience | None = None
        self._listening: asyncio.Server | None = None
        self._under_way = 0
        self._stopping = False
        self._idle = asyncio.Event()

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; the port, which is a free one for 0. Raises OSError."""
        from aiohttp import web

        self._runner = runner = await self._set_up()
        await web.TCPSite(runner, host, port, ssl_context=tls, reuse_address=True).start()
        return int(runner.addresses[0][1])

    async def serve(self, listener: Listener, tls: ssl.SSLContext | None = None) -> None:
        """Take connections from a port that several processes may listen to.

        One at a time: a process that took all that wait would leave the others without work.
        """
        self._runner = runner = await self._set_up()
        assert runner.server is not None, "it is set up"
        own = listener.own()
        handshake = self._bounds.head if self._bounds is not None and tls is not None else None
        self._listening = await asyncio.get_running_loop().create_server(
            runner.server, sock=own, ssl=tls, backlog=1, ssl_handshake_timeout=handshake
        )
        own.listen(WAITING)

    async def _set_up(self) -> web.BaseRunner:
        from aiohttp import web

        app = web.Application(client_max_size=self._max_body, logger=_quiet())
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=_quiet(),
            shutdown_timeout=self._drain_seconds,
            keepalive_timeout=self._bounds.idle if self._bounds is not None else IDLE_SECONDS,
        )
        await runner.setup()
        if self._bounds is not None and runner.server is not None:
            self._patience = Patience(runner.server, self._bounds)
        return runner

    async def stop(self) -> None:
        """Take no more requests, let those under way end, and close."""
        if self._patience is not None:
            self._patience.close()
            self._patience = None
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            await self._drain()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _drain(self) -> None:
        """Let requests under way end, those too whose bodies still come in: aiohttp would drop the rest."""
        self._stopping = True
        if self._under_way:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), self._drain_seconds)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._under_way += 1
        try:
            response = await self._answered(request)
        finally:
            self._under_way -= 1
            if self._stopping and not self._under_way:
                self._idle.set()
        if self._stopping:
            response.force_close()
        return response

    async def _answered(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        try:
            async with asyncio.timeout(self._bounds.body if self._bounds is not None else None):
                incoming = await self._incoming(request)
        except TimeoutError:
            return _closing(web.Response(status=408))
        except (ConnectionError, web.RequestPayloadError):
            # The client broke off within its body, or its encoding is none: nobody is there to blame but it.
            return web.Response(status=400)
        try:
            outgoing = await self._handler(incoming)
        except Exception:  # noqa: BLE001 - a handler's fault ends one request; its client is told no more
            _LOG.exception("a handler failed: %s %s", incoming.method, incoming.path)
            return web.Response(status=500)
        if outgoing.upgrade is not None:
            return await serve_upgrade(request, outgoing.upgrade)
        if outgoing.stream is None:
            response = web.Response(status=outgoing.code, body=outgoing.body)
            _set(response, outgoing.headers)
            return response
        return await _stream(request, outgoing, outgoing.stream)

    async def _incoming(self, request: web.Request) -> Incoming:
        from aiohttp import web

        body: bytes | None = b""
        if request.can_read_body:
            try:
                body = await request.read()
            except web.HTTPRequestEntityTooLarge:
                body = None
        tls = request.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        return Incoming(
            method=request.method,
            path=request.rel_url.raw_path,
            query=tuple(request.query.items()),
            headers=request.headers,
            body=body,
            certificate=certificate or b"",
            remote=request.remote or "",
        )


def _closing(response: web.Response) -> web.Response:
    """An answer after which the connection ends."""
    response.force_close()
    return response


async def _stream(
    request: web.Request, outgoing: Outgoing, pieces: AsyncIterator[bytes]
) -> web.StreamResponse:
    from aiohttp import web

    response = web.StreamResponse(status=outgoing.code)
    _set(response, outgoing.headers)
    response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except (ConnectionResetError, asyncio.CancelledError):
        pass  # the client went away, or the server stops
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
    return response


def _set(response: web.StreamResponse, headers: Sequence[tuple[str, str]]) -> None:
    response.headers.popall("Content-Type", None)
    for name, value in headers:
        response.headers.add(name, value)


def _quiet() -> logging.Logger:
    """What clients do wrong is of no use in a log: broken heads, connections that are cut."""
    found = logging.getLogger(f"{__name__}.http")
    found.setLevel(logging.CRITICAL)
    return found
