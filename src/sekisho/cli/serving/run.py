"""The controller process of ``serve``: makes snapshots, keeps the workers, answers probes and scrapes."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from sekisho.admission import Latest
from sekisho.admission.figures import Figures, Labels
from sekisho.admission.metrics import CONTENT_TYPE, Exposition, Gauge
from sekisho.cli.inputs import read_objects
from sekisho.cli.serving import health
from sekisho.cli.serving.crew import Crew
from sekisho.cli.serving.engines import EngineSnapshot, build, edition_of
from sekisho.cli.serving.frames import Frame
from sekisho.cli.serving.options import Serving
from sekisho.diag import Diagnostic, Level
from sekisho.web.server import Listener

ANY_HOST: Final = "0.0.0.0"  # noqa: S104 - webhooks, probes and scrapes come from other machines


async def run(serving: Serving) -> int:
    """Serve until a signal says to stop."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        controller = Controller(serving, stopping)
        await controller.start(stack)
        await stopping.wait()
        await asyncio.sleep(serving.shutdown_delay)
    return 0


class Controller:
    """What the controller process does for the webhooks."""

    def __init__(self, serving: Serving, stopping: asyncio.Event) -> None:
        self.snapshots: Latest[EngineSnapshot] = Latest()
        self.figures = Figures()
        self._serving = serving
        self._stopping = stopping
        self._listener = Listener.bind(serving.host or ANY_HOST, serving.port)
        self.crew = Crew(serving.workers, self._listener, self._begin)
        self.crew.on("figures", self._add)
        self._why = ""

    async def start(self, stack: AsyncExitStack) -> None:
        """Start everything; the stack ends it in the opposite order."""
        serving = self._serving
        host = serving.host or ANY_HOST
        probes = health.server(health.Health(alive=self._alive, ready=self._ready))
        stack.push_async_callback(probes.stop)
        ports = {"port": self._listener.port, "health": await probes.start(host, serving.health)}
        exposition = Exposition(self.figures, self._gauges)
        scrapes = health.server(health.Scraped(exposition.text, CONTENT_TYPE))
        stack.push_async_callback(scrapes.stop)
        ports["metrics"] = await scrapes.start(host, serving.metrics)
        working = asyncio.create_task(self.crew.run(), name="workers")
        stack.push_async_callback(_ended, working)
        publishing = asyncio.create_task(self._publish(), name="publish")
        stack.push_async_callback(_ended, publishing)
        loading = asyncio.create_task(self._load(), name="load")
        stack.push_async_callback(_ended, loading)
        stack.callback(self._listener.close)  # first: who comes now is not left waiting
        await asyncio.wait(
            [asyncio.create_task(self.crew.settled()), asyncio.create_task(self._stopping.wait()), working],
            return_when=asyncio.FIRST_COMPLETED,
        )
        print(json.dumps({"serving": ports}), flush=True)

    async def _load(self) -> None:
        """The policies of the files that were named; again at each SIGHUP.

        Files that cannot be read change nothing: the last good policies go on judging.
        """
        again = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, again.set)
        while True:
            inputs = await asyncio.to_thread(read_objects, self._serving.policies)
            _tell(inputs.problems)
            broken = any(row.level is Level.ERROR for row in inputs.problems)
            if not broken or self.snapshots.current is None:
                edition = edition_of(inputs.objects)
                snapshot = await asyncio.to_thread(build, edition, self._serving.webhook.how())
                _tell(snapshot.told)
                self.snapshots.set(snapshot)
            await again.wait()
            again.clear()

    async def _publish(self) -> None:
        """Give every snapshot to the workers."""
        digest = ""
        while True:
            snapshot = await self.snapshots.next(digest)
            digest = snapshot.digest
            self.crew.publish(snapshot, digest)

    def _begin(self) -> Mapping[str, Any]:
        head: dict[str, Any] = {"webhook": self._serving.webhook.to_json()}
        if self._serving.cert_dir:
            folder = Path(self._serving.cert_dir)
            chain, key = (folder / "tls.crt").read_text(), (folder / "tls.key").read_text()
            head |= {"identity": [chain, key], "clients": "", "minimum": "1.3"}
        return head

    def _alive(self) -> str:
        return self._why

    def _ready(self) -> str:
        if self._stopping.is_set():
            return "it is stopping"
        missing = [place.number for place in self.crew.places if not place.has]
        return f"workers without policies: {', '.join(map(str, missing))}" if missing else ""

    def _add(self, _: int, frame: Frame) -> None:
        self.figures.add(frame.head["figures"])

    def _gauges(self) -> Mapping[str, Gauge]:
        places = self.crew.places
        waiting: dict[Labels, float] = {(str(place.number),): float(place.waiting) for place in places}
        ended: dict[Labels, float] = {(str(place.number),): float(place.ended) for place in places}
        return {
            "sekisho_waiting_reviews": Gauge("Reviews that have not begun", ("worker",), waiting),
            "sekisho_worker_restarts": Gauge("How often a worker was started again", ("worker",), ended),
        }


async def _ended(task: asyncio.Task[None]) -> None:
    """End a task, and wait until it has."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


def _tell(problems: Sequence[Diagnostic]) -> None:
    """What is wrong with policies goes to standard error."""
    from sekisho.diag.render.text import format_finding, use_colour

    for problem in dict.fromkeys(format_finding(row, colour=use_colour(sys.stderr)) for row in problems):
        sys.stderr.write(problem)
