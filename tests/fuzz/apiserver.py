"""The hostile half of an API server's life: clients that send anything but what they should.

A server of its own process is attacked over raw TLS connections. After every attack it must still run and
answer a client that behaves, within its time; no answer may say anything of the program's inside; its memory
must stay within bounds, and nothing may be logged as unexpected.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz import apibodies
from tests.simulators.up import Up
from tests.simulators.wire import Access, Reply, Wire, access_of

MEMORY = 400.0
"""MB that the server may have at most: what bodies of 3 MB in a few dozen connections take, decoded."""
ANSWER_SECONDS = 10.0
"""How long a client that behaves may wait while others attack."""
ATTACK_SECONDS = 5.0
ATTACKERS = 12
INSIDE = (b"Traceback", b'File "', b".py", b"sekisho.", b"Exception(", b"object at 0x", b"/src/")
"""What only a program's inside has."""
KNOWN = (
    b"Too large resource version",
    b"resourceVersion should not be set on objects to be created",
    b", but received a ",
    b"strconv.ParseUint: parsing ",
    b"unable to find api field in struct ",
    b" does not contain declared merge key: ",
)
"""What a real server (kube-apiserver 1.33) answers with 504 and 500 too, each seen from it."""
LIVELY = 0.2
"""Seconds between two looks at the server."""
READS = 4 * 1024 * 1024

CONTENT_TYPES = (
    *("application/json",) * 6,
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
    "text/html; charset=no-such",
    "application/json; charset=utf-16",
    "",
)

PATCHES = tuple(name for name in CONTENT_TYPES if "patch" in name)


@dataclass(slots=True, kw_only=True)
class Found:
    """What attacks have shown: how many of each, and what broke."""

    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    failures: dict[str, bytes] = field(default_factory=dict)
    most: float = 0.0
    slowest: float = 0.0

    def fail(self, what: str, sent: bytes = b"") -> None:
        self.failures.setdefault(what, sent)


async def read(wire: Wire) -> bytes:
    """Whatever comes back until the other side closes or has nothing more to say."""
    got = b""
    with contextlib.suppress(TimeoutError, OSError, EOFError):
        async with asyncio.timeout(0.5):
            while len(got) < READS and (piece := await wire.reader.read(65536)):
                got += piece
    return got


Attack = Callable[[Wire, random.Random], Awaitable[tuple[bytes, bytes]]]
"""Does something bad over a new connection; what was sent and what came back."""


async def broken_bodies(wire: Wire, rng: random.Random) -> tuple[bytes, bytes]:
    """A whole request whose body, path, query or media type is wrong."""
    method = rng.choice(("POST", "POST", "PUT", "PATCH", "PATCH", "DELETE", "GET"))
    kind = rng.choice(apibodies.KINDS) if rng.random() < 0.8 else None
    path = apibodies.path(rng, method, kind)
    content_type = rng.choice(PATCHES if method == "PATCH" and rng.random() < 0.9 else CONTENT_TYPES)
    body = apibodies.body(rng, content_type, kind) if method != "GET" else b""
    sent = request(method, path, body, content_type)
    wire.writer.write(sent)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reply = await wire.reply()
    except (OSError, EOFError, ValueError):
        return sent, b""
    return sent, b"%d\r\n" % reply.code + reply.body


async def broken_heads(wire: Wire, rng: random.Random) -> tuple[bytes, bytes]:
    """Lines that are no HTTP, or hardly."""
    sent = rng.choice(apibodies.HEADS)
    sent = apibodies.bitten(rng, sent) if rng.random() < 0.5 else sent
    wire.writer.write(sent)
    return sent, await read(wire)


async def broken_chunks(wire: Wire, rng: random.Random) -> tuple[bytes, bytes]:
    """A chunked body whose sizes lie."""
    head = request("POST", apibodies.MAPS, None, "application/json", "Transfer-Encoding: chunked")
    sent = head + rng.choice(apibodies.CHUNKS)
    wire.writer.write(sent)
    return sent, await read(wire)


async def half_closed(wire: Wire, rng: random.Random) -> tuple[bytes, bytes]:
    """A body that is announced and never comes whole, and a connection that is cut anywhere."""
    body = apibodies.body(rng, "application/json")
    sent = request("POST", apibodies.MAPS, body, "application/json")
    cut = sent[: rng.randrange(len(sent))]
    wire.writer.write(cut)
    if rng.random() < 0.5:
        await asyncio.sleep(rng.random() * 0.2)
    return cut, b""


async def slow(wire: Wire, rng: random.Random) -> tuple[bytes, bytes]:
    """A byte at a time."""
    sent = request("POST", apibodies.MAPS, b'{"kind": "ConfigMap"}', "application/json")
    with contextlib.suppress(OSError):
        for at in range(min(len(sent), 40)):
            wire.writer.write(sent[at : at + 1])
            await asyncio.sleep(0.02)
    return sent, b""


async def huge(wire: Wire, rng: random.Random) -> tuple[bytes, bytes]:
    """Bodies and heads that are larger than allowed, in full or as a claim."""
    act = rng.randrange(4)
    if act == 0:
        sent = request("POST", apibodies.MAPS, b" " * 3_500_000, "application/json")
    elif act == 1:
        sent = request("POST", apibodies.MAPS, None, "", "Content-Length: 99999999999999") + b"x" * 100_000
    elif act == 2:
        sent = request("GET", apibodies.MAPS + "?x=" + "y" * 200_000)
    else:
        sent = request("GET", apibodies.MAPS, None, "", "X-Long: " + "z" * 500_000)
    with contextlib.suppress(OSError):
        wire.writer.write(sent)
    return sent[:300], await read(wire)


async def pipelined(wire: Wire, rng: random.Random) -> tuple[bytes, bytes]:
    """Many requests at once, whose answers nobody reads."""
    sent = b"".join(request("GET", apibodies.path(rng, "GET")) for _ in range(rng.randrange(2, 60)))
    wire.writer.write(sent)
    await asyncio.sleep(0.1)
    return sent[:3000], b""


async def deaf_watchers(wire: Wire, rng: random.Random) -> tuple[bytes, bytes]:
    """A watch that is never read, from any version."""
    version = rng.choice(("0", "1", "-1", "99999999999999999999", "x", ""))
    more = rng.choice(("", "&allowWatchBookmarks=true", "&sendInitialEvents=true", "&timeoutSeconds=-5"))
    sent = request("GET", f"/api/v1/configmaps?watch=1&resourceVersion={version}{more}")
    wire.writer.write(sent)
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.sleep(rng.random() * 0.5)
    return sent, b""


ATTACKS: tuple[tuple[Attack, int], ...] = (
    (broken_bodies, 30),
    (broken_heads, 4),
    (broken_chunks, 3),
    (half_closed, 3),
    (slow, 1),
    (huge, 2),
    (pipelined, 1),
    (deaf_watchers, 2),
)
"""Each with how often it comes."""


def request(method: str, path: str, body: bytes | None = b"", content_type: str = "", *headers: str) -> bytes:
    """The bytes of a request; no length is said where there is no body."""
    rows = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
    if content_type:
        rows.append(f"Content-Type: {content_type}")
    if body is not None:
        rows.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*rows, "", "")).encode("utf-8", "surrogateescape") + (body or b"")


async def attacker(access: Access, rng: random.Random, found: Found, until: float) -> None:
    """Attack until the time is up, each time over a new connection."""
    attacks, weights = zip(*ATTACKS, strict=True)
    while time.monotonic() < until:
        [attack] = rng.choices(attacks, weights)
        name = attack.__name__
        try:
            wire = await asyncio.wait_for(Wire.open(access), ANSWER_SECONDS)
        except (OSError, TimeoutError) as error:
            found.fail(f"no connection: {type(error).__name__}")
            await asyncio.sleep(LIVELY)
            continue
        sent = got = b""
        try:
            async with asyncio.timeout(ANSWER_SECONDS + ATTACK_SECONDS):
                sent, got = await attack(wire, rng)
        except TimeoutError:
            found.fail(f"{name}: no answer within {ANSWER_SECONDS:.0f} s")
        finally:
            wire.close()
        found.counts[name] += 1
        judge(name, sent, got, found)


def judge(name: str, sent: bytes, got: bytes, found: Found) -> None:
    """What an answer may not be."""
    if name == "broken_bodies" and got:
        code = int(got[:3])
        found.codes[code] += 1
        if code >= 500 and not any(text in got for text in KNOWN):
            found.fail(f"{name}: {code} {got[5:205]!r}", sent)
    # What a client sent may come back to it: a name in a message.
    inside = next((word for word in INSIDE if word in got and word not in sent), None)
    if inside is not None and not (inside == b".py" and b"aiohttp" in got):
        found.fail(f"{name}: an answer has {inside!r}: {got[:300]!r}", sent)


async def good_client(up: Up, access: Access, found: Found, until: float) -> None:
    """Someone who behaves, and wants an answer all the while; keeps an eye on the server's memory."""
    serial = 0
    while time.monotonic() < until:
        if not up.running:
            found.fail("the server is down")
            return
        start = time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await _work(access, serial)
        except (OSError, EOFError, TimeoutError, AssertionError, ValueError) as error:
            found.fail(f"a good client fails: {type(error).__name__} {error}")
        found.slowest = max(found.slowest, time.monotonic() - start)
        found.most = max(found.most, up.megabytes)
        if found.most > MEMORY:
            found.fail(f"the server has {found.most:.0f} MB")
        serial += 1
        await asyncio.sleep(LIVELY)


async def _work(access: Access, serial: int) -> None:
    """Make an object, change it, read it, delete it."""
    wire = await Wire.open(access)
    try:
        name = f"good-{serial}"
        value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}}
        _expect(await wire.ask("POST", apibodies.MAPS, json.dumps(value).encode()), 201)
        merge = "application/merge-patch+json"
        _expect(await wire.ask("PATCH", f"{apibodies.MAPS}/{name}", b'{"data": {"a": "2"}}', merge), 200)
        reply = await wire.ask("GET", f"{apibodies.MAPS}/{name}")
        _expect(reply, 200)
        assert reply.value["data"] == {"a": "2"}
        _expect(await wire.ask("DELETE", f"{apibodies.MAPS}/{name}"), 200)
    finally:
        wire.close()


def _expect(reply: Reply, code: int) -> None:
    assert reply.code == code, f"{reply.code} {reply.body[:200]!r}"


async def _attack(up: Up, rng: random.Random, found: Found, seconds: float) -> None:
    until = time.monotonic() + seconds
    access = access_of(up.kubeconfig)
    attackers = [attacker(access, random.Random(rng.random()), found, until) for _ in range(ATTACKERS)]
    await asyncio.gather(good_client(up, access, found, until), *attackers)


def run(folder: Path, *, seconds: float, rng: random.Random) -> Found:
    """Attack a new server for so long."""
    found = Found()
    with Up.start(folder) as up:
        asyncio.run(_attack(up, rng, found, seconds))
        running = up.running
        if not running or up.stop() != 0:
            found.fail("the server does not stop as it should")
    if "Traceback" in up.log:
        found.fail(f"something is logged: {up.log[up.log.index('Traceback') :][:3000]}")
    return found
