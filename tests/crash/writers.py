"""Clients that write without pause and remember what was acknowledged, until the server is gone.

What a write leaves open is remembered too: a request whose answer never came may have been done or not, and
both are right. Every object says in itself what it must hold, so that a torn one is seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import Any

from tests.simulators.wire import Access, Reply, Wire

NAMES = 12
"""Objects of one writer: few, so that they are made, changed and deleted again and again."""
LONGEST = 8000
"""Bytes of an object's data at most: more than one page of the file."""
PATH = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What an object holds; ``version`` is its resourceVersion, 0 where nobody was told it."""

    serial: int
    version: int = 0


@dataclass(slots=True, kw_only=True)
class Writer:
    """One client. ``acked`` has the state of every name that the server confirmed, None for a deleted one."""

    name: str
    rng: random.Random
    acked: dict[str, State | None] = field(default_factory=dict)
    open: dict[str, State | None] = field(default_factory=dict)
    writes: int = 0
    serial: int = 0

    async def run(self, access: Access) -> None:
        """Write until the connection breaks; an answer that does not fit raises AssertionError."""
        with contextlib.suppress(OSError, EOFError, asyncio.IncompleteReadError):
            wire = await Wire.open(access)
            try:
                while True:
                    await self._once(wire)
            finally:
                wire.close()

    async def _once(self, wire: Wire) -> None:
        name = f"{self.name}-{self.rng.randrange(NAMES)}"
        before = self.acked.get(name)
        self.serial += 1
        state: State | None = State(serial=self.serial)
        if before is None:
            reply = await self._ask(wire, name, state, "POST", PATH, body_of(name, self.serial))
        elif (act := self.rng.random()) < 0.3:
            state = None
            reply = await self._ask(wire, name, None, "DELETE", f"{PATH}/{name}")
        elif act < 0.65:
            reply = await self._ask(wire, name, state, "PUT", f"{PATH}/{name}", body_of(name, self.serial))
        else:
            patch = {"data": data_of(self.serial)}
            reply = await self._ask(wire, name, state, "PATCH", f"{PATH}/{name}", patch)
        assert reply.code in (200, 201), f"{name}: {reply.code} {reply.body[:300]!r}"
        if state is not None:
            state = State(serial=state.serial, version=int(reply.value["metadata"]["resourceVersion"]))
        self.acked[name] = state
        del self.open[name]
        self.writes += 1

    async def _ask(
        self, wire: Wire, name: str, state: State | None, method: str, path: str, body: Any = None
    ) -> Reply:
        self.open[name] = state
        sent = json.dumps(body).encode() if body is not None else b""
        return await wire.ask(method, path, sent, MERGE if method == "PATCH" else "application/json")

    def settle(self, found: dict[str, dict[str, Any]]) -> list[str]:
        """Compare with what is there after a restart, and go on from that. Says what is wrong."""
        wrong = []
        for name in {*self.acked, *self.open}:
            there = state_of(found[name]) if name in found else None
            allowed = [self.acked.get(name), *([self.open[name]] if name in self.open else [])]
            if not any(_same(there, row) for row in allowed):
                wrong.append(f"{name}: {there} is there, and {allowed} was written")
            self.acked[name] = there
        wrong += [torn for name in {*self.acked} & {*found} if (torn := _torn(found[name]))]
        self.open.clear()
        return wrong


def _same(there: State | None, row: State | None) -> bool:
    if there is None or row is None:
        return there is row
    return there.serial == row.serial and row.version in (0, there.version)


def data_of(serial: int) -> dict[str, str]:
    """Data of an object: a text that differs in every state, and its digest."""
    rng = random.Random(serial)
    text = f"{serial} " + chr(97 + serial % 26) * rng.randrange(LONGEST)
    return {"serial": str(serial), "text": text, "digest": hashlib.sha256(text.encode()).hexdigest()}


def body_of(name: str, serial: int) -> dict[str, Any]:
    """A whole object."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default", "labels": {"crash": "yes"}},
        "data": data_of(serial),
    }


def state_of(value: dict[str, Any]) -> State:
    """The state of an object that the server shows."""
    return State(serial=int(value["data"]["serial"]), version=int(value["metadata"]["resourceVersion"]))


def _torn(value: dict[str, Any]) -> str:
    """What is wrong with an object by itself."""
    name, data = value["metadata"]["name"], value["data"]
    return "" if data == data_of(int(data["serial"])) else f"{name}: torn"
