"""``/healthz``, ``/readyz`` and ``/metrics``: plain HTTP for the kubelet and for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sekisho.web.patience import Bounds
from sekisho.web.server import Incoming, Outgoing, Server

TEXT: Final = (("Content-Type", "text/plain; charset=utf-8"),)

BOUNDS: Final = Bounds(head=5.0, body=5.0, idle=75.0, connections=64)
"""Probes and scrapes come one at a time."""

MAX_BODY: Final = 1_024
"""Nobody has anything to send here."""

Probe = Callable[[], str]
"""Why something is not well; empty if it is."""


class Health:
    """Answers probes. Its server is started by whoever makes it."""

    def __init__(self, *, alive: Probe, ready: Probe) -> None:
        self._probes = {"/healthz": alive, "/livez": alive, "/readyz": ready}

    async def handle(self, incoming: Incoming) -> Outgoing:
        """The answer to one probe."""
        probe = self._probes.get(incoming.path)
        if probe is None:
            return Outgoing(code=404, headers=TEXT, body=b"not found\n")
        why = probe()
        return Outgoing(code=503 if why else 200, headers=TEXT, body=f"{why or 'ok'}\n".encode())


class Scraped:
    """Answers scrapes with the text of the moment."""

    def __init__(self, text: Callable[[], bytes], content_type: str) -> None:
        self._text = text
        self._headers = (("Content-Type", content_type),)

    async def handle(self, incoming: Incoming) -> Outgoing:
        """The answer to one scrape."""
        if incoming.path != "/metrics":
            return Outgoing(code=404, headers=TEXT, body=b"not found\n")
        return Outgoing(headers=self._headers, body=self._text())


def server(handler: Health | Scraped) -> Server:
    """A server for one of them."""
    return Server(handler.handle, max_body=MAX_BODY, bounds=BOUNDS)
