"""Rounds of writing, killing and starting again, on one folder."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash.writers import PATH, Writer
from tests.simulators.up import Up
from tests.simulators.wire import Access, Wire, access_of

WRITERS = 8
LONGEST = 1.0
"""Seconds until the kill at most. The least is nothing: a server may be killed in its first write."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What all rounds together showed: seconds of every start, and what was wrong."""

    rounds: int = 0
    writes: int = 0
    unanswered: int = 0
    starts: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def run(
    folder: Path, *, times: int, rng: random.Random, tell: Callable[[Outcome], None] = lambda _: None
) -> Outcome:
    """So many rounds; ``tell`` hears of each."""
    outcome = Outcome()
    writers = [Writer(name=f"w{at}", rng=random.Random(rng.random())) for at in range(WRITERS)]
    for _ in range(times):
        up = Up.start(folder)
        try:
            outcome.starts.append(up.seconds)
            asyncio.run(_round(up, writers, rng, outcome))
        finally:
            up.kill()
        outcome.rounds += 1
        tell(outcome)
    with Up.start(folder) as up:
        asyncio.run(_verify(access_of(up.kubeconfig), writers, outcome))
    return outcome


async def _round(up: Up, writers: list[Writer], rng: random.Random, outcome: Outcome) -> None:
    """Look whether all is there that the last round left, write, and kill at a random moment."""
    access = access_of(up.kubeconfig)
    await _verify(access, writers, outcome)
    before = sum(row.writes for row in writers)
    tasks = [asyncio.create_task(row.run(access)) for row in writers]
    await asyncio.sleep(rng.random() * LONGEST)
    assert up.running, "the server ended by itself"
    up.process.kill()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException):
            outcome.wrong.append(str(result))
    outcome.writes += sum(row.writes for row in writers) - before
    outcome.unanswered += sum(len(row.open) for row in writers)


async def _verify(access: Access, writers: list[Writer], outcome: Outcome) -> None:
    wire = await Wire.open(access)
    try:
        found = {row["metadata"]["name"]: row for row in await _listed(wire)}
        listed = {**found}
        for writer in writers:
            outcome.wrong += writer.settle(found)
            for name in writer.acked:
                listed.pop(name, None)
        outcome.wrong += [f"{name}: nobody wrote it" for name in listed]
        outcome.wrong += [row async for row in _ungettable(wire, list(found)[:WRITERS], found)]
    finally:
        wire.close()


async def _listed(wire: Wire) -> list[dict[str, Any]]:
    reply = await wire.ask("GET", f"{PATH}?labelSelector=crash%3Dyes")
    assert reply.code == 200, reply.body[:300]
    items: list[dict[str, Any]] = reply.value["items"]
    return items


async def _ungettable(wire: Wire, names: list[str], found: dict[str, dict[str, Any]]) -> Any:
    """What a list shows and a get does not, or otherwise."""
    for name in names:
        reply = await wire.ask("GET", f"{PATH}/{name}")
        if reply.code != 200 or reply.value["data"] != found[name]["data"]:
            yield f"{name}: listed, and a get answers {reply.code}"


def percentiles(seconds: list[float]) -> Iterator[tuple[str, float]]:
    """Least, median and most of some times."""
    rows = sorted(seconds)
    yield from (("least", rows[0]), ("median", rows[len(rows) // 2]), ("most", rows[-1]))
