"""Hostile clients of the webhook: bodies that are deep, huge, of wrong types, cut, half sent, or no HTTP at all.

``sekisho serve`` runs in processes of its own. After every attack a client that behaves must get its verdict, no
answer may say anything of the program's inside, no worker may have ended, and memory stays bounded.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.simulators.serve import Serve, serve
from tests.unit.admission.reviews import TEMPLATE, constraint, pod, review

MEMORY = 400.0
"""MB of each worker at most: bodies of 3 MB on a few connections, decoded."""
ANSWER_SECONDS = 10.0
INSIDE = (b"Traceback", b'File "', b".py", b"sekisho.", b"Exception(", b"object at 0x", b"/src/")
ATTACKERS = 4

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**18, "", "x", "\u0000", "\ud83d\ude00", "a" * 10_000, [], {}, [[]], {"": None},
)  # fmt: skip
PATHS = ("/v1/admit", "/v1/mutate", "/v1/admitlabel", "/v1/admit/", "/", "/v1/../v1/admit", "/v1/admit%00")
QUERIES = (
    "",
    "?timeout=1s",
    "?timeout=",
    "?timeout=-5s",
    "?timeout=9999999h",
    "?timeout=1e9",
    "?" + "a=b&" * 500,
)


@dataclass(slots=True, kw_only=True)
class Found:
    """What attacks have shown: how many of each, the answers, and what broke."""

    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    failures: dict[str, bytes] = field(default_factory=dict)
    most: float = 0.0
    slowest: float = 0.0

    def fail(self, what: str, sent: bytes = b"") -> None:
        self.failures.setdefault(what, sent[:100_000])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a value."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += places(item, (*path, key))
    return found


def changed(rng: random.Random) -> bytes:
    """A review with some fields of wrong types, taken out, or renamed."""
    value = json.loads(json.dumps(review(pod(owner="x") if rng.random() < 0.5 else pod())))
    for _ in range(rng.randint(1, 5)):
        found = places(value)
        if not found:
            break
        path = rng.choice(found)
        at = value
        try:
            for step in path[:-1]:
                at = at[step]
            if rng.random() < 0.3:
                del at[path[-1]]
            else:
                at[path[-1]] = rng.choice(VALUES)
        except (KeyError, IndexError, TypeError):
            continue
    return json.dumps(value).encode()


def deep(rng: random.Random) -> bytes:
    """A review around something nested very deeply."""
    depth = rng.choice((150, 250, 1_000, 5_000, 100_000, 1_000_000))
    text = json.dumps(review({**pod(), "spec": "HERE"}))
    opened, closed = ("[", "]") if rng.random() < 0.5 else ('{"a":', "}")
    inner = opened * depth + ("1" if closed == "}" else "") + closed * depth
    return text.replace('"HERE"', inner).encode()


def huge(rng: random.Random) -> bytes:
    """A review of megabytes, below the limit or above."""
    size = rng.choice((500_000, 2_900_000, 3_500_000, 12_000_000))
    labels = {f"key-{n}": "v" * 100 for n in range(size // 120)} if rng.random() < 0.5 else {"a": "v" * size}
    return json.dumps(review(pod(**labels))).encode()


def cut(rng: random.Random) -> bytes:
    """A review that ends somewhere."""
    whole = json.dumps(review(pod())).encode()
    return whole[: rng.randrange(len(whole))]


def noise(rng: random.Random) -> bytes:
    """A review with bytes that are no text, or nothing but these."""
    if rng.random() < 0.3:
        return rng.randbytes(rng.randrange(2_000))
    whole = bytearray(json.dumps(review(pod())).encode())
    for _ in range(rng.randint(1, 20)):
        whole[rng.randrange(len(whole))] = rng.randrange(256)
    return bytes(whole)


BODIES: dict[str, Callable[[random.Random], bytes]] = {
    "changed": changed,
    "deep": deep,
    "huge": huge,
    "cut": cut,
    "noise": noise,
}


class Attack:
    """One attack after the other until the time is up."""

    def __init__(self, running: Serve, found: Found, rng: random.Random) -> None:
        self._running = running
        self._found = found
        self._rng = rng

    def run(self, until: float) -> None:
        """Attack."""
        while time.monotonic() < until:
            if self._rng.random() < 0.7:
                self._send()
            else:
                self._raw()

    def _send(self) -> None:
        name = self._rng.choice(list(BODIES))
        body = BODIES[name](self._rng)
        path = self._rng.choice(PATHS[:3] * 5 + PATHS) + self._rng.choice(QUERIES)
        self._found.counts[name] += 1
        connection = http.client.HTTPConnection("127.0.0.1", self._running.ports["port"], timeout=30)
        try:
            connection.request(
                "POST", path, body, {"Content-Type": self._rng.choice(("application/json", ""))}
            )
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._found.codes[0] += 1  # broken off, as for what is far too long
            return
        finally:
            connection.close()
        self._found.codes[answer.status] += 1
        for mark in INSIDE:
            if mark in content and mark not in body:
                self._found.fail(f"an answer says {mark!r}", body)
        if answer.status == 500:
            self._found.fail(f"an answer with 500: {content[:200]!r}", body)

    def _raw(self) -> None:
        """Bytes that are no request, or only the beginning of one, on a connection that may stay."""
        whole = json.dumps(review(pod())).encode()
        head = b"POST /v1/admit HTTP/1.1\r\nHost: x\r\n"
        kinds: dict[str, bytes] = {
            "half a head": head[: self._rng.randrange(len(head))],
            "half a body": head + b"Content-Length: %d\r\n\r\n" % len(whole) + whole[:50],
            "a length that lies": head + b"Content-Length: 10\r\n\r\n" + whole,
            "two lengths": head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + whole,
            "a bad chunk": head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + whole,
            "a large head": head + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
            "many headers": head + b"A: b\r\n" * 5_000 + b"\r\n",
            "a bomb": head
            + b"Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n"
            + self._rng.randbytes(10),
            "no http": self._rng.randbytes(self._rng.randrange(1, 500)),
        }
        name = self._rng.choice(list(kinds))
        self._found.counts[name] += 1
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._running.ports["port"]), timeout=5) as wire,
        ):
            wire.sendall(kinds[name])
            wire.settimeout(self._rng.choice((0.01, 0.2)))
            content = wire.recv(65_536)
            if any(mark in content for mark in INSIDE):
                self._found.fail(f"the answer to {name} says {content[:200]!r}", kinds[name])


def look(running: Serve, found: Found, workers: set[int]) -> None:
    """A client that behaves, the workers that must be the same, and their memory."""
    started = time.monotonic()
    code, value = running.ask(json.dumps(review(pod())).encode())
    found.slowest = max(found.slowest, time.monotonic() - started)
    if code != 200 or value["response"]["status"].get("message") != "[owner] it needs an owner":
        found.fail(f"a client that behaves got {code}: {str(value)[:200]}")
    if found.slowest > ANSWER_SECONDS:
        found.fail("a client that behaves waited too long")
    if set(running.workers()) != workers:
        found.fail("a worker ended")
    for pid in running.workers():
        rows = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        size = next((int(row.split()[1]) / 1024 for row in rows if row.startswith("VmRSS")), 0.0)
        found.most = max(found.most, size)
    if found.most > MEMORY:
        found.fail(f"a worker has {found.most:.0f} MB")


def run(*, seconds: float, rng: random.Random) -> Found:
    """Attack for some seconds."""
    found = Found()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "policies.yaml"
        file.write_text(yaml.safe_dump_all([TEMPLATE, constraint()]), encoding="utf-8")
        with serve("--policies", str(file)) as running:
            workers = set(running.workers())
            until = time.monotonic() + seconds
            threads = [
                threading.Thread(
                    target=Attack(running, found, random.Random(rng.random())).run, args=(until,)
                )
                for _ in range(ATTACKERS)
            ]
            for thread in threads:
                thread.start()
            while time.monotonic() < until:
                look(running, found, workers)
                time.sleep(0.2)
            for thread in threads:
                thread.join()
            look(running, found, workers)
    return found
