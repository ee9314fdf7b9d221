"""A TLS server on the loopback that answers as the test says, byte for byte.

Every connection has a thread of its own, which ends with the server: a handler that hangs waits on
``stopped``. Handlers get requests as they were sent, and write what they like.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.simulators.certificates import Pair


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


class Exchange:
    """One request and the connection that it came through."""

    def __init__(self, asked: Asked, connection: socket.socket, stopped: threading.Event) -> None:
        self.asked = asked
        self.connection = connection
        self.stopped = stopped

    def write(self, content: bytes) -> None:
        """Write these bytes as they are."""
        self.connection.sendall(content)

    def answer(self, body: bytes, *, status: str = "200 OK", headers: dict[str, str] | None = None) -> None:
        """Write a whole answer."""
        rows = {"Content-Length": str(len(body)), "Content-Type": "application/json", **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in rows.items())
        self.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    def answer_json(self, value: Any, **more: Any) -> None:
        """Write a JSON answer."""
        self.answer(json.dumps(value).encode(), **more)


Handler = Callable[[Exchange], None]


def server_context(
    pair: Pair, *, newest: ssl.TLSVersion | None = None, client_ca: str = ""
) -> ssl.SSLContext:
    """The TLS context of a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pair.pem")
        file.write_text(f"{pair.certificate}\n{pair.key}")
        context.load_cert_chain(file)
    if newest is not None:
        context.maximum_version = newest
    if client_ca:
        context.load_verify_locations(cadata=client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class Server:
    """The server; a ``with`` starts and stops it. Without a context it speaks plain HTTP."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._context = context
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.asked: list[Asked] = []
        self.connections = 0

    @property
    def url(self) -> str:
        """Where it is."""
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}/"

    def __enter__(self) -> Server:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            while not self._stopped.is_set():
                asked = _read(connection)
                if asked is None:
                    return
                self.asked.append(asked)
                self._handler(Exchange(asked, connection, self._stopped))
        with suppress(OSError):
            connection.close()


def _read(connection: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return None
        data += more
        if not data[:1].isalpha():
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            return None
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rows = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (re.split(r":\s*", row, maxsplit=1) for row in rows)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65_536)
    method, path, _ = first.split(" ")
    return Asked(method, path, headers, body)
