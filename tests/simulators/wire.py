"""HTTP/1.1 over TLS with as little as possible between a test and the bytes: connections that stay open.

No client library stands between, so that what is measured and attacked is the server.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass(slots=True, kw_only=True)
class Access:
    """Where a server is, and with what it is asked."""

    port: int
    context: ssl.SSLContext
    host: str = "127.0.0.1"
    token: str = ""


def access_of(kubeconfig: Path) -> Access:
    """What a kubeconfig says, whose one user has a certificate."""
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    with tempfile.TemporaryDirectory() as folder:  # ssl takes files only
        pair = Path(folder) / "pair.pem"
        pair.write_bytes(
            b"".join(base64.b64decode(user[f"client-{name}-data"]) for name in ("certificate", "key"))
        )
        context.load_cert_chain(pair)
    return Access(port=int(cluster["server"].rpartition(":")[2]), context=context)


@dataclass(slots=True, kw_only=True)
class Reply:
    """An answer: its status, its headers by lower-case name, its body."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True, kw_only=True)
class Wire:
    """One connection. Raises OSError and EOFError (asyncio.IncompleteReadError) when it breaks off."""

    access: Access
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    common: str = field(default="")

    @classmethod
    async def open(cls, access: Access) -> Wire:
        reader, writer = await asyncio.open_connection(
            access.host, access.port, ssl=access.context, limit=1 << 20
        )
        bearer = f"Authorization: Bearer {access.token}\r\n" if access.token else ""
        common = f"Host: {access.host}:{access.port}\r\nAccept: application/json\r\n{bearer}"
        return cls(access=access, reader=reader, writer=writer, common=common)

    def close(self) -> None:
        self.writer.transport.abort()

    def send(self, method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> None:
        """Send a request, and wait for nothing."""
        head = f"{method} {path} HTTP/1.1\r\n{self.common}Content-Length: {len(body)}\r\n"
        if body:
            head += f"Content-Type: {content_type}\r\n"
        self.writer.write(f"{head}\r\n".encode() + body)

    async def ask(
        self, method: str, path: str, body: bytes = b"", content_type: str = "application/json"
    ) -> Reply:
        """Send a request and read its answer."""
        self.send(method, path, body, content_type)
        return await self.reply()

    async def head(self) -> tuple[int, dict[str, str]]:
        """The status and the headers of the next answer."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        rows = (line.partition(":") for line in lines[1:] if line)
        return int(lines[0].split()[1]), {name.lower(): value.strip() for name, _, value in rows}

    async def reply(self) -> Reply:
        """The next answer."""
        code, headers = await self.head()
        if headers.get("transfer-encoding") == "chunked":
            pieces = [piece async for piece in self.chunks()]
            return Reply(code=code, headers=headers, body=b"".join(pieces))
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Reply(code=code, headers=headers, body=body)

    async def chunks(self) -> Any:
        """The chunks of an answer's body, as they come."""
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            yield await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readuntil(b"\r\n")

    async def lines(self) -> Any:
        """The lines of a chunked answer, a watch's events, as they come."""
        rest = b""
        async for piece in self.chunks():
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield line
