"""The API behind HTTP: requests become calls, answers become responses.

The number of requests under way is bounded. A client that goes away has its work cancelled, except for a
write that is on its way to the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sekisho.apiserver import status
from sekisho.apiserver.answer import Answer, answer_of
from sekisho.apiserver.api import Api
from sekisho.apiserver.authenticate import impersonated
from sekisho.apiserver.route import Call, target_of
from sekisho.kube.review import UserInfo
from sekisho.web import server as web

MAX_REQUESTS: Final = 400
"""Requests under way that are no watch; more are answered with 429 (apiserver's max-requests-inflight)."""

Authenticate = Callable[[web.Incoming], UserInfo]
"""Who asks; raises ApiError (401) for credentials that nobody has."""


class Server:
    """One listening API server. ``start`` and ``stop`` are called in its loop."""

    def __init__(self, api: Api, *, authenticate: Authenticate) -> None:
        self._api = api
        self._authenticate = authenticate
        self._busy = 0
        self._server = web.Server(self._handle)
        self.port = 0

    async def start(self, host: str, port: int, tls: web.TlsContext | None = None) -> int:
        """Listen; the port, which is a free one for 0. Raises OSError."""
        self.port = await self._server.start(host, port, tls)
        return self.port

    async def stop(self) -> None:
        """Take no more requests, let those under way end, and close."""
        await self._server.stop()

    async def _handle(self, incoming: web.Incoming) -> web.Outgoing:
        try:
            call = await self._call(incoming)
        except status.ApiError as error:
            return _outgoing(answer_of(error))
        if call.target.verb == "watch":
            return _outgoing(await self._api.handle(call))
        if self._busy >= MAX_REQUESTS:
            busy = status.too_many_requests("too many requests, please try again later.")
            return _outgoing(answer_of(busy))
        self._busy += 1
        try:
            return _outgoing(await self._api.handle(call))
        finally:
            self._busy -= 1

    async def _call(self, incoming: web.Incoming) -> Call:
        user = self._authenticate(incoming)
        user = await impersonated(user, incoming.headers.items(), self._api.authorizer)
        if incoming.body is None:
            raise status.too_large(web.MAX_BODY)
        query = dict(reversed(incoming.query))
        repeated: dict[str, tuple[str, ...]] = {}
        for name, value in incoming.query:
            repeated[name] = (*repeated.get(name, ()), value)
        headers = incoming.headers
        return Call(
            target=target_of(incoming.method, incoming.path, query),
            query=query,
            repeated=repeated,
            accept=headers.get("Accept", ""),
            content_type=headers.get("Content-Type", ""),
            user_agent=headers.get("User-Agent", ""),
            body=incoming.body,
            user=user,
            upgrade=headers.get("Upgrade", ""),
            websocket_protocols=_listed(headers, "Sec-WebSocket-Protocol"),
            stream_protocols=_listed(headers, "X-Stream-Protocol-Version"),
        )


def _listed(headers: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The items of a header that is a list, over all its lines."""
    lines = (value for key, value in headers.items() if key.lower() == name.lower())
    return tuple(item for line in lines for part in line.split(",") if (item := part.strip()))


def _outgoing(answer: Answer) -> web.Outgoing:
    headers = [
        ("Content-Type", answer.content_type),
        *({"Cache-Control": "no-cache, private"} | dict(answer.headers)).items(),
        *(("Warning", f'299 - "{_quoted(text)}"') for text in answer.warnings),
    ]
    return web.Outgoing(
        code=answer.code, headers=headers, body=answer.body, stream=answer.lines, upgrade=answer.upgrade
    )


def _quoted(text: str) -> str:
    """A warning as a header may hold it (RFC 7234, 5.5)."""
    line = " ".join(text.split())
    return line.replace("\\", "\\\\").replace('"', '\\"').encode("ascii", "replace").decode()
