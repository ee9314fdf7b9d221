"""A server and a proxy on the loopback, which note who asks them, and how."""

from __future__ import annotations

import json
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from tests.simulators.certificates import Authority, Pair
from tests.simulators.server import Exchange, Server, server_context

NAME = "api.internal"
"""The only name of the server's second certificate."""

GROUPS = {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}

SEEN = ("authorization", "impersonate-user", "impersonate-uid")


@dataclass
class World:
    """What there is to ask, and what was seen."""

    ca: str
    other_ca: str
    client: Pair
    url: str
    named_url: str
    proxy: str
    plain_url: str
    seen: list[dict[str, Any]] = field(default_factory=list)
    proxied: list[str] = field(default_factory=list)

    def take(self) -> dict[str, Any] | None:
        """What the first request showed, None if there was none; and forget all."""
        found = self.seen[0] if self.seen else None
        if found is not None:
            found = {**found, "proxied": bool(self.proxied)}
        self.seen.clear()
        self.proxied.clear()
        return found


@contextmanager
def world() -> Iterator[World]:
    """The servers, while they run."""
    authority, other = Authority(), Authority("other CA")
    client = authority.issue(client=True)
    found = World(authority.certificate, other.certificate, client, "", "", "", "")

    def handler(exchange: Exchange) -> None:
        found.seen.append(_noted(exchange))
        groups = exchange.asked.path.partition("?")[0].endswith("/apis")
        exchange.answer_json(GROUPS if groups else {"kind": "APIVersions", "versions": ["v1"]})

    def context(pair: Pair) -> ssl.SSLContext:
        made = server_context(pair, client_ca=authority.certificate)
        made.verify_mode = ssl.CERT_OPTIONAL
        return made

    with (
        Server(handler, context(authority.issue("localhost", addresses=("127.0.0.1",)))) as server,
        Server(handler, context(authority.issue(NAME))) as named,
        Server(handler) as plain,
        _proxy(found.proxied) as proxy,
    ):
        found.url = server.url.rstrip("/")
        found.named_url = named.url.rstrip("/")
        found.plain_url = plain.url.rstrip("/")
        found.proxy = proxy
        yield found


def _noted(exchange: Exchange) -> dict[str, Any]:
    headers = exchange.asked.headers
    seen: dict[str, Any] = {name: headers[name] for name in SEEN if name in headers}
    more = {name: value for name, value in headers.items() if name.startswith("impersonate-extra-")}
    certificate = ""
    if isinstance(exchange.connection, ssl.SSLSocket):
        shown = exchange.connection.getpeercert(binary_form=True)
        if shown:
            certificate = format(x509.load_der_x509_certificate(shown).serial_number, "x")
    return {**seen, **more, "path": exchange.asked.path.partition("?")[0], "certificate": certificate}


@contextmanager
def _proxy(asked: list[str]) -> Iterator[str]:
    """A proxy that connects wherever it is told to, on this machine."""

    def handler(exchange: Exchange) -> None:
        host, _, port = exchange.asked.path.partition(":")
        asked.append(exchange.asked.path)
        if exchange.asked.method != "CONNECT" or host != "127.0.0.1":
            exchange.answer(json.dumps({}).encode(), status="403 Forbidden")
            return
        with socket.create_connection((host, int(port)), timeout=5) as there:
            exchange.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _shuttle(exchange.connection, there, exchange.stopped)

    with Server(handler) as server:
        yield server.url.rstrip("/")


def _shuttle(here: socket.socket, there: socket.socket, stopped: threading.Event) -> None:
    with suppress(OSError):
        while not stopped.is_set():
            ready, _, _ = select.select([here, there], [], [], 0.1)
            for side in ready:
                data = side.recv(65_536)
                if not data:
                    return
                (there if side is here else here).sendall(data)
