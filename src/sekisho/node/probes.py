"""Probes: asking a container whether it has started, lives, and is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from sekisho.node.problems import Problem
from sekisho.node.process import Program, Runtime, problem_of

Json = dict[str, Any]
Raw = Mapping[str, Any]

MOST: Final = 10 * 1024
"""Bytes of an answer or of a command's output that are read (kubelet's own bound)."""

AGENT: Final = "kube-probe/1.32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is probed: a container of the runtime, its ports by name, the Pod's address."""

    runtime: Runtime
    id: str
    ports: Mapping[str, int]
    address: str


class ProbeFailure(Exception):
    """The container does not do well. The text says how."""


async def probe(row: Raw, target: Target) -> None:
    """Ask once. Raises ProbeFailure."""
    kind = next((name for name in ASKS if row.get(name)), "")
    if not kind:
        return
    seconds = float(row.get("timeoutSeconds") or 1)
    try:
        await asyncio.wait_for(ASKS[kind](row[kind], target), seconds)
    except TimeoutError:
        raise ProbeFailure(_late(kind, row, seconds)) from None


def _late(kind: str, row: Raw, seconds: float) -> str:
    if kind == "exec":
        return (
            f"command timed out: {' '.join(row['exec'].get('command') or ())!r} timed out after {seconds:g}s"
        )
    return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


async def _exec(action: Raw, target: Target) -> None:
    code, output, problem = await run(target.runtime, target.id, action.get("command") or ())
    if problem or code:
        raise ProbeFailure(problem or output.decode("utf-8", "replace"))


async def run(runtime: Runtime, id: str, command: Any) -> tuple[int, bytes, str]:
    """A command in a container: its exit code, what it wrote, and why it could not be started."""
    program, log = await runtime.exec(id, tuple(command), stdin=False, tty=False)
    output = bytearray()

    async def keep(data: bytes) -> None:
        output.extend(data[: MOST - len(output)])

    try:
        code = await program.carry(keep, keep)
    finally:
        await program.kill()
        problem = problem_of(log)
    return code, bytes(output), problem


async def _tcp(action: Raw, target: Target) -> None:
    port = port_of(action.get("port"), target)
    if not await target.runtime.listens(target.id, port):
        raise ProbeFailure(f"dial tcp {target.address}:{port}: connect: connection refused")


async def _http(action: Raw, target: Target) -> None:
    port = port_of(action.get("port"), target)
    scheme = (action.get("scheme") or "HTTP").lower()
    path = action.get("path") or "/"
    path = path if path.startswith("/") else f"/{path}"
    host = action.get("host") or f"{target.address}:{port}"
    url = f"{scheme}://{target.address}:{port}{path}"
    if scheme != "http":
        raise ProbeFailure(f'Get "{url}": probes over TLS are not made')
    headers = {"Host": host, "User-Agent": AGENT, "Accept": "*/*", "Connection": "close"}
    headers.update({row["name"]: row.get("value") or "" for row in action.get("httpHeaders") or ()})
    lines = [f"GET {quote(path, safe='/?&=%:@!$,;+*~()-._')} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    request = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
    program, log = await target.runtime.connect(target.id, port)
    try:
        answer = await _answer(program, request)
    finally:
        await program.kill()
        problem = problem_of(log)
    if problem and not answer:
        raise ProbeFailure(f'Get "{url}": dial tcp {target.address}:{port}: connect: connection refused')
    words = answer.split(b"\r\n", 1)[0].split(b" ")
    code = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    if not 200 <= code < 400:
        raise ProbeFailure(f"HTTP probe failed with statuscode: {code}" if code else f'Get "{url}": EOF')


async def _answer(program: Program, request: bytes) -> bytes:
    """The beginning of an answer: its status line is all that counts."""
    assert program.process.stdout is not None
    try:
        await program.type(request)
    except ConnectionError:
        return b""
    found = b""
    while b"\r\n" not in found and len(found) < MOST:
        data = await program.process.stdout.read(MOST)
        if not data:
            break
        found += data
    return found


def port_of(value: object, target: Target) -> int:
    """A port by its number or its name. Raises ProbeFailure."""
    if isinstance(value, int):
        return value
    found = target.ports.get(str(value))
    if found is None:
        raise ProbeFailure(f"couldn't find port: {value}")
    return found


ASKS: Final[Mapping[str, Callable[[Raw, Target], Awaitable[None]]]] = {
    "exec": _exec,
    "httpGet": _http,
    "tcpSocket": _tcp,
}
"""The ways of asking; ``grpc`` is none of them, and is refused before the container runs."""


def check(container: Raw) -> None:
    """Raise Problem for probes and hooks that cannot be made."""
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if (container.get(name) or {}).get("grpc"):
            raise Problem("CreateContainerConfigError", f"{name}: probes by gRPC are not made here")


@dataclass(slots=True, kw_only=True)
class Count:
    """Answers in a row, and the verdict that they have brought about."""

    row: Raw
    verdict: bool
    good: int = 0
    bad: int = 0

    def add(self, *, good: bool) -> bool:
        """Take in an answer; whether the verdict has changed."""
        self.good, self.bad = (self.good + 1, 0) if good else (0, self.bad + 1)
        before = self.verdict
        if self.good >= int(self.row.get("successThreshold") or 1):
            self.verdict = True
        elif self.bad >= int(self.row.get("failureThreshold") or 3):
            self.verdict = False
        return self.verdict != before
