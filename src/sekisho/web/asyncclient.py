"""The client inside an event loop, and the one module that talks to aiohttp.

It is imported when something is sent: with it come aiohttp and asyncio.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urljoin

import aiohttp
from multidict import CIMultiDict
from yarl import URL

import sekisho
from sekisho.diag import Deadline
from sekisho.web import codes
from sekisho.web.certificates import context_of
from sekisho.web.exchange import FOLLOWED, Redirects, Request, Response, Trust, origin, shown
from sekisho.web.failures import WebError, failure, translate
from sekisho.web.resolve import Resolver, addresses

CONNECTIONS: Final = 100
A_HOST: Final = 10
"""Connections at a time, and to one host: what Gatekeeper allows a provider."""

STREAMS: Final = 1_000
"""Answers that go on and on, at a time: a watch for each kind of a cluster with many. They keep their
connections, so they are not counted among those that come and go.
"""

CONTEXTS: Final = 256
"""TLS contexts that are kept; each takes a millisecond to make."""

CHUNK: Final = 65_536
"""Bytes that are read of an answer before its size is looked at again."""

HEADERS: Final[Mapping[str, str]] = {
    "User-Agent": f"sekisho/{sekisho.__version__}",
    "Accept-Encoding": "identity",
}
"""An answer that is not compressed cannot grow when it is unpacked."""

CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Headers that do not go to another host."""

RETRIED: Final = frozenset({codes.UNREACHABLE, codes.BROKEN})
"""What may be different a moment later."""

PAUSE: Final = 0.1
"""Seconds before a second try; each further one waits twice as long."""

_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_AS_IT_WAS: Final = frozenset({307, 308})
"""Redirects that keep method and body; after the others a GET follows, as in Go and in browsers."""


def _session(connections: int, a_host: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, limit_per_host=a_host, resolver=Resolver()),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
        auto_decompress=False,
    )


class AsyncClient:
    """Sends requests in the event loop that it is made in. ``allowed`` is that of ``Client``."""

    def __init__(self, *, allowed: frozenset[str] | None = None) -> None:
        self._allowed = allowed
        self._contexts: dict[Trust, ssl.SSLContext] = {}
        self._session = _session(CONNECTIONS, A_HOST)
        self._streams = _session(STREAMS, STREAMS)

    async def send(self, request: Request, *, deadline: Deadline | None = None) -> Response:
        """The answer to a request. Raises WebError where there is none in time, or none that can be used."""
        seconds, until = request.seconds, f"within {request.seconds:g} s"
        if deadline is not None and deadline.remaining() < seconds:
            seconds, until = deadline.remaining(), "before the deadline"
        late = failure(codes.TIMEOUT, f"{shown(request.url)} did not answer {until}")
        if seconds <= 0:
            raise WebError(late)
        try:
            async with asyncio.timeout(seconds):
                return await self._try(request)
        except TimeoutError:
            raise WebError(late) from None

    @asynccontextmanager
    async def open(self, request: Request, *, idle: float) -> AsyncIterator[Stream]:
        """The beginning of an answer, and its body piece by piece, for one that goes on and on.

        ``request.seconds`` is how long the beginning may take, ``idle`` how long nothing may come after it.
        Nothing is followed or asked for again. Raises WebError, also while it is read.
        """
        scheme, host, port = origin(request.url)
        place = shown(request.url)
        if scheme == "http" and not request.plain:
            raise WebError(failure(codes.BAD_URL, f"{place} cannot be asked: only https is"))
        self._check(request.url, host, port)
        context = self._context(request.trust) if scheme == "https" else None
        try:
            async with asyncio.timeout(request.seconds):
                answer = await self._streams.request(**_arguments(request, context, idle))
        except TimeoutError:
            late = f"{place} did not answer within {request.seconds:g} s"
            raise WebError(failure(codes.TIMEOUT, late)) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise translate(error, place) from None
        try:
            yield Stream(status=answer.status, headers=_headers(answer), pieces=_pieces(answer, place, idle))
        finally:
            answer.close()

    async def resolve(self, host: str, *, seconds: float) -> list[str]:
        """The addresses of a host, sorted. Raises WebError."""
        self._check(f"https://{host}/", host, 443)
        try:
            async with asyncio.timeout(seconds):
                rows = await addresses(host, 0)
        except TimeoutError:
            raise WebError(failure(codes.TIMEOUT, f"the name {host} was not resolved in time")) from None
        except OSError as error:
            raise translate(error, host) from None
        return sorted({str(row[4][0]) for row in rows})

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._streams.close()

    async def _try(self, request: Request) -> Response:
        """The answer, asked for again where there is none and that is wanted."""
        pause = PAUSE
        for _ in range(request.tries - 1):
            try:
                return await self._follow(request)
            except WebError as error:
                if error.code not in RETRIED:
                    raise
            await asyncio.sleep(pause)
            pause *= 2
        return await self._follow(request)

    async def _follow(self, request: Request) -> Response:
        """The answer, after redirects as far as they are followed."""
        for _ in range(FOLLOWED.value + 1):
            response = await self._exchange(request)
            target = response.headers.get("location", ("",))[0]
            if response.status not in _MOVED or not target or request.redirects is Redirects.ANSWER:
                return response
            request = _redirected(request, response.status, _joined(request.url, target))
        raise WebError(failure(codes.REDIRECT, f"{shown(request.url)} leads on and on: {FOLLOWED}"))

    async def _exchange(self, request: Request) -> Response:
        scheme, host, port = origin(request.url)
        if scheme == "http" and not request.plain:
            message = f"{shown(request.url)} cannot be asked: only https is"
            raise WebError(failure(codes.BAD_URL, message))
        self._check(request.url, host, port)
        context = self._context(request.trust) if scheme == "https" else None
        place = shown(request.url)
        for attempt in (1, 2):
            try:
                return await self._attempt(request, context)
            except (aiohttp.ServerDisconnectedError, ConnectionResetError) as error:
                # A kept connection may be closed by the other side at any moment, also at this one.
                if attempt == 2 or not request.repeatable:
                    raise translate(error, place) from None
            except aiohttp.InvalidURL:
                raise WebError(failure(codes.BAD_URL, f"{place} cannot be asked: it is malformed")) from None
            except TimeoutError:
                raise
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise translate(error, place) from None
        raise AssertionError("the second attempt ends it")

    async def _attempt(self, request: Request, context: ssl.SSLContext | None) -> Response:
        async with self._session.request(**_arguments(request, context)) as answer:
            return Response(
                url=request.url,
                status=answer.status,
                reason=answer.reason or "",
                headers=_headers(answer),
                body=await _body(answer, request),
            )

    def _check(self, url: str, host: str, port: int) -> None:
        """Whether this host may be asked at all."""
        allowed = self._allowed
        if allowed is None or not allowed.isdisjoint({"*", host, f"{host}:{port}", f"[{host}]:{port}"}):
            return
        raise WebError(
            failure(codes.NOT_ALLOWED, f"{shown(url)} may not be asked: {host}:{port} is not allowed")
        )

    def _context(self, trust: Trust) -> ssl.SSLContext:
        found = self._contexts.get(trust)
        if found is None:
            found = context_of(trust)
            if len(self._contexts) >= CONTEXTS:
                self._contexts.clear()
            self._contexts[trust] = found
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An answer that is still coming. ``pieces`` are as they come; their ends mean nothing."""

    status: int
    headers: Mapping[str, tuple[str, ...]]
    pieces: AsyncIterator[bytes]


def _arguments(request: Request, context: ssl.SSLContext | None, idle: float | None = None) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": URL(request.url, encoded=True),
        "data": request.body or None,
        "headers": CIMultiDict([*{**HEADERS, **request.headers}.items(), *request.more]),
        "allow_redirects": False,
        "ssl": context if context is not None else True,
        "skip_auto_headers": ("Content-Type",),
        "server_hostname": request.trust.name or None,
        "proxy": request.proxy or None,
        "timeout": aiohttp.ClientTimeout(total=None, sock_connect=request.connect_seconds, sock_read=idle),
    }


def _headers(answer: aiohttp.ClientResponse) -> dict[str, tuple[str, ...]]:
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in answer.headers.items():
        headers[name.lower()] = (*headers.get(name.lower(), ()), value)
    return headers


async def _pieces(answer: aiohttp.ClientResponse, place: str, idle: float) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.content.iter_any():
            yield piece
    except TimeoutError:
        message = f"{place} sent nothing for {idle:g} s"
        raise WebError(failure(codes.TIMEOUT, message)) from None
    except (aiohttp.ClientError, OSError) as error:
        raise translate(error, place) from None


async def _body(answer: aiohttp.ClientResponse, request: Request) -> bytes:
    """The whole body, as long as it is not too long, and not compressed."""
    place, limit = shown(request.url), request.limit
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        message = f"there is no sound answer from {place}: it is compressed, which was not asked for"
        raise WebError(failure(codes.BROKEN, message))
    chunks: list[bytes] = []
    size = answer.content_length or 0
    if not limit.exceeded_by(size):
        size = 0
        async for chunk in answer.content.iter_chunked(CHUNK):
            size += len(chunk)
            if limit.exceeded_by(size):
                break
            chunks.append(chunk)
    if limit.exceeded_by(size):
        answer.close()
        raise WebError(failure(codes.TOO_LARGE, f"the answer of {place} is refused: {limit}"))
    return b"".join(chunks)


def _joined(url: str, target: str) -> str:
    """The URL that a redirect leads to. Raises WebError (CLU006) where that is none."""
    try:
        return urljoin(url, target)
    except ValueError:
        raise WebError(failure(codes.REDIRECT, f"{shown(url)} leads to what is no URL")) from None


def _redirected(request: Request, status: int, url: str) -> Request:
    """The request that follows a redirect. Raises WebError (CLU006) where none does."""
    here, there = origin(request.url), origin(url)
    if here != there:
        if request.redirects is Redirects.SAME_ORIGIN or there[0] != "https":
            message = f"{shown(request.url)} leads to {shown(url)}, which is not followed"
            raise WebError(failure(codes.REDIRECT, message, "give the URL that it leads to, if it is right"))
        kept = {name: value for name, value in request.headers.items() if name.lower() not in CREDENTIALS}
        request = replace(request, headers=kept)
    if status not in _AS_IT_WAS and request.method not in ("GET", "HEAD"):
        request = replace(request, method="GET", body=b"")
    return replace(request, url=url)
