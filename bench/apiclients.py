"""Clients of an API server for benchmarks: the same bytes for any server, over connections that stay open."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.simulators.wire import Access, Wire

WATCH_PATIENCE = 60.0
"""Seconds that watchers may take, after the last write, to hear of it."""


def pod(namespace: str, name: str) -> bytes:
    """A Pod as clusters have them, about 1.4 kB when it is stored."""
    container = {
        "name": "app",
        "image": "registry.example/team/app:1.2.3",
        "ports": [{"containerPort": 8080, "name": "http"}],
        "env": [{"name": f"SETTING_{at}", "value": f"value-{at}"} for at in range(6)],
        "resources": {
            "requests": {"cpu": "100m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "128Mi"},
        },
        "securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
    }
    metadata = {
        "name": name,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/name": "app", "app.kubernetes.io/part-of": "shop"},
    }
    spec = {"containers": [container]}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}).encode()


def config_map(namespace: str, name: str) -> bytes:
    """A small object."""
    metadata = {"name": name, "namespace": namespace}
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"key": "value" * 20}}
    return json.dumps(value).encode()


async def create(access: Access, path: str, bodies: list[bytes], connections: int) -> float:
    """Create all, as fast as so many connections can; objects a second. A refusal raises AssertionError."""
    wires = [await Wire.open(access) for _ in range(connections)]
    rest = iter(bodies)

    async def work(wire: Wire) -> None:
        for body in rest:
            reply = await wire.ask("POST", path, body)
            assert reply.code == 201, reply.body[:300]

    start = time.perf_counter()
    await asyncio.gather(*(work(wire) for wire in wires))
    took = time.perf_counter() - start
    for wire in wires:
        wire.close()
    return len(bodies) / took


async def namespace(access: Access, name: str) -> None:
    """Make a namespace."""
    wire = await Wire.open(access)
    body = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).encode()
    reply = await wire.ask("POST", "/api/v1/namespaces", body)
    assert reply.code == 201, reply.body[:300]
    wire.close()


async def list_all(access: Access, path: str, expected: int, *, times: int = 5) -> tuple[float, float]:
    """The best of some lists of everything: milliseconds, and the answer's size in MB."""
    wire, best, size = await Wire.open(access), float("inf"), 0
    for _ in range(times):
        start = time.perf_counter()
        reply = await wire.ask("GET", path)
        best, size = min(best, time.perf_counter() - start), len(reply.body)
        assert reply.code == 200, reply.body[:300]
        assert len(reply.value["items"]) == expected
    wire.close()
    return best * 1000, size / 1e6


@dataclass(slots=True, kw_only=True)
class Watched:
    """What watchers heard: events a second over all, and how many were lost, doubled or out of order."""

    rate: float
    events: int
    lost: int
    doubled: int
    disordered: int


@dataclass(slots=True)
class _Watcher:
    names: Counter[str] = field(default_factory=Counter)
    versions: list[int] = field(default_factory=list)

    async def run(self, wire: Wire, expected: int) -> None:
        async for line in wire.lines():
            event: dict[str, Any] = json.loads(line)
            assert event["type"] == "ADDED", line[:300]
            metadata = event["object"]["metadata"]
            self.names[metadata["name"]] += 1
            self.versions.append(int(metadata["resourceVersion"]))
            if len(self.names) == expected:
                return


async def watch(access: Access, path: str, bodies: list[bytes], watchers: int) -> Watched:
    """Create objects while so many watch, and see what each of them hears."""
    wires, heard = [await Wire.open(access) for _ in range(watchers)], [_Watcher() for _ in range(watchers)]
    version = (await wires[0].ask("GET", f"{path}?limit=1")).value["metadata"]["resourceVersion"]
    for wire in wires:
        wire.send("GET", f"{path}?watch=true&resourceVersion={version}")
        code, _ = await wire.head()
        assert code == 200, code
    start = time.perf_counter()
    tasks = [asyncio.create_task(one.run(wire, len(bodies))) for one, wire in zip(heard, wires, strict=True)]
    await create(access, path, bodies, 4)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*tasks), WATCH_PATIENCE)
    took = time.perf_counter() - start
    for wire in wires:
        wire.close()
    events = sum(one.names.total() for one in heard)
    return Watched(
        rate=events / took,
        events=events,
        lost=sum(len(bodies) - len(one.names) for one in heard),
        doubled=sum(one.names.total() - len(one.names) for one in heard),
        disordered=sum(one.versions != sorted(one.versions) for one in heard),
    )
