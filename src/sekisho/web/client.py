"""The client for synchronous code: the one of ``asyncclient``, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sekisho.diag import Deadline
from sekisho.web import codes
from sekisho.web.exchange import Request, Response, shown
from sekisho.web.failures import WebError, failure
from sekisho.web.looper import Looper

if TYPE_CHECKING:
    from types import TracebackType

    from sekisho.web.asyncclient import AsyncClient

CLOSING: Final = 1.0
"""Seconds for closing connections; then they are left as they are."""


class Client:
    """Sends requests from any thread, also from several at once. Close it, or use it in a ``with``.

    ``allowed`` are the hosts that it may ask, ``name`` or ``name:port``; None and ``*`` allow all.
    """

    def __init__(self, *, allowed: frozenset[str] | None = None) -> None:
        self._allowed = allowed
        self._looper = Looper()
        self._lock = threading.Lock()
        self._client: AsyncClient | None = None

    def send(self, request: Request, *, deadline: Deadline | None = None) -> Response:
        """The answer to a request. Raises WebError where there is none in time, or none that can be used."""
        [answer] = self.send_all((request,), deadline=deadline)
        if isinstance(answer, WebError):
            raise answer
        return answer

    def send_all(
        self, requests: Sequence[Request], *, deadline: Deadline | None = None
    ) -> list[Response | WebError]:
        """The answers to requests that are sent at the same time, or why there are none."""
        import asyncio

        seconds = max((request.seconds for request in requests), default=0.0)
        if deadline is not None:
            seconds = min(seconds, deadline.remaining())

        async def one(request: Request) -> Response | WebError:
            try:
                return await self._ready().send(request, deadline=deadline)
            except WebError as error:
                return error

        async def all() -> list[Response | WebError]:
            return await asyncio.gather(*map(one, requests))

        self._renew()
        try:
            return self._looper.run(all, seconds)
        except TimeoutError:
            late = (failure(codes.TIMEOUT, f"{shown(row.url)} did not answer in time") for row in requests)
            return [WebError(diagnostic) for diagnostic in late]

    def resolve(self, host: str, *, seconds: float) -> list[str]:
        """The addresses of a host, sorted. Raises WebError."""

        async def look() -> list[str]:
            return await self._ready().resolve(host, seconds=seconds)

        self._renew()
        try:
            return self._looper.run(look, seconds)
        except TimeoutError:
            raise WebError(failure(codes.TIMEOUT, f"the name {host} was not resolved in time")) from None

    def _renew(self) -> None:
        """Forget what belongs to a loop that is gone, as in a process that was forked."""
        with self._lock:
            if self._looper.fresh:
                self._client = None

    def _ready(self) -> AsyncClient:
        """The client inside the loop, made there when it is first asked for. Runs in the loop's thread."""
        from sekisho.web.asyncclient import AsyncClient

        if self._client is None:
            self._client = AsyncClient(allowed=self._allowed)
        return self._client

    def close(self) -> None:
        """Close connections and end the thread. The client can be used again, and then starts anew."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None and not self._looper.fresh:
            with suppress(TimeoutError):
                self._looper.run(client.close, CLOSING)
        self._looper.stop()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
