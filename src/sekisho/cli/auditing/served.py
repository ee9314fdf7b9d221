"""The status page, served: by default on the loopback, where nobody but this machine's people come."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sekisho.audit.page import Page, Status
from sekisho.diag import Diagnostic, DiagnosticError, register
from sekisho.diag.code import Blame
from sekisho.web.patience import Bounds
from sekisho.web.server import Incoming, Outgoing, Server

if TYPE_CHECKING:
    from typing import Self

NOT_SERVED: Final = register("CLI130", "the status page cannot be served", blame=Blame.ENVIRONMENT)

LOOPBACK: Final = "127.0.0.1"

BOUNDS: Final = Bounds(head=5.0, body=5.0, idle=75.0, connections=64)
"""People look at it, not programs."""

MAX_BODY: Final = 1_024
"""Nobody has anything to send here."""


class ServedPage:
    """The page on a port. ``url`` is where it is."""

    def __init__(self, server: Server, url: str) -> None:
        self._server = server
        self.url = url

    @classmethod
    async def start(cls, source: Callable[[], Status], *, host: str = LOOPBACK, port: int = 0) -> Self:
        """Listen; port 0 is any free one. Raises DiagnosticError (CLI130).

        On the loopback only who asks for it by the loopback's names is answered; elsewhere the names under
        which it is known are not known here.
        """
        known: set[str] = set()
        page: list[Page] = []

        async def handle(incoming: Incoming) -> Outgoing:
            host = incoming.headers.get("Host", "")
            answer = await asyncio.to_thread(page[0].answer, incoming.method, incoming.path, host)
            return Outgoing(code=answer.code, headers=answer.headers, body=answer.body)

        server = Server(handle, max_body=MAX_BODY, bounds=BOUNDS)
        try:
            taken = await server.start(host, port)
        except OSError as error:
            message = f"the status page cannot be served at {host}:{port}: {error.strerror or error}"
            help = "name another port; 0 is any free one"
            raise DiagnosticError(Diagnostic(code=NOT_SERVED, message=message, help=help)) from None
        if _loopback(host):
            known |= {f"{name}:{taken}" for name in (LOOPBACK, "localhost", "[::1]")}
        page.append(Page(source, hosts=frozenset(known)))
        return cls(server, f"http://{f'[{host}]' if ':' in host else host}:{taken}/")

    async def stop(self) -> None:
        """Listen no more."""
        await self._server.stop()


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
