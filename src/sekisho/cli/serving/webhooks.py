"""The webhook part of ``serve``: workers, their editions, probes, scrapes, and what workers report."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from sekisho.admission import Edition
from sekisho.admission.decisions import Head
from sekisho.admission.figures import Figures, Labels
from sekisho.admission.metrics import CONTENT_TYPE, Exposition, Gauge
from sekisho.cli.serving import health
from sekisho.cli.serving.certs import FolderStore, Keeper, Report, SecretStore
from sekisho.cli.serving.crew import Crew
from sekisho.cli.serving.frames import Frame
from sekisho.cluster.events import Note, Recorder, Reference, Source, Type
from sekisho.web.server import Listener

if TYPE_CHECKING:
    from sekisho.cli.serving.options import Serving
    from sekisho.cluster.client import Client
    from sekisho.diag import Diagnostic
    from sekisho.web import Identity

_LOG: Final = logging.getLogger(__name__)

ANY_HOST: Final = "0.0.0.0"  # noqa: S104 - webhooks, probes and scrapes come from other machines

LOOPBACK: Final = ("localhost", "127.0.0.1")
"""Names of a webhook that is asked on the same machine."""

CONTROLLER: Final = "gatekeeper-webhook"
"""The component that Events name: Gatekeeper's."""


class Webhooks:
    """Keeps workers that answer webhooks. ``publish`` gives them what to judge by."""

    def __init__(self, serving: Serving, stopping: asyncio.Event, client: Client | None) -> None:
        self.figures = Figures()
        self.instance = f"{os.uname().nodename}-{secrets.token_hex(4)}"
        self.heads: dict[str, Head] = {}
        """The ends of the workers' decision logs, by the number of their process."""
        self._serving = serving
        self._stopping = stopping
        self._client = client
        self._listener = Listener.bind(serving.host or ANY_HOST, serving.port)
        self._identity: tuple[str, str] | None = None
        self._shown = asyncio.Event()
        self._recorder: Recorder | None = None
        self._lost: dict[str, int] = {}
        self._put_back = 0
        self.crew = Crew(serving.workers, self._listener, self._begin)
        self.crew.on("figures", self._add)

    def publish(self, edition: Edition, digest: str) -> None:
        """Have the workers judge by this."""
        self.crew.publish(edition, digest)

    async def start(self, stack: AsyncExitStack) -> dict[str, int]:
        """Start everything; the stack ends it in the opposite order. The ports, by what they are for."""
        serving = self._serving
        host = serving.host or ANY_HOST
        probes = health.server(health.Health(alive=lambda: "", ready=self._ready))
        stack.push_async_callback(probes.stop)
        ports = {"port": self._listener.port, "health": await probes.start(host, serving.health)}
        exposition = Exposition(self.figures, self._gauges)
        scrapes = health.server(health.Scraped(exposition.text, CONTENT_TYPE))
        stack.push_async_callback(scrapes.stop)
        ports["metrics"] = await scrapes.start(host, serving.metrics)
        if self._client is not None:
            self._recorder = Recorder(self._client, Source(CONTROLLER, self.instance))
            await stack.enter_async_context(self._recorder)
        keeper = self._keeper()
        if keeper is not None:
            keeping = asyncio.create_task(keeper.run(), name="certificates")
            stack.push_async_callback(ended, keeping)
            await _first(self._shown.wait(), self._stopping.wait())
        working = asyncio.create_task(self.crew.run(), name="workers")
        stack.push_async_callback(ended, working)
        stack.callback(self._listener.close)  # first: who comes when it stops is not left waiting
        return ports

    async def settled(self) -> None:
        """Wait until all workers judge by the newest edition, or a signal says to stop."""
        await _first(self.crew.settled(), self._stopping.wait())

    def _keeper(self) -> Keeper | None:
        serving = self._serving
        if not serving.cert_dir and self._client is None:
            return None
        report = Report(ready=lambda: self.crew.ready, show=self._show, told=self._told)
        if serving.cert_dir:
            store: FolderStore | SecretStore = FolderStore(Path(serving.cert_dir))
        else:
            assert self._client is not None, "one of both is there"
            store = SecretStore(self._client, serving.registered.namespace)
        names = serving.registered.server_names()
        if self._client is None or serving.registered.url:
            names = (*names, *LOOPBACK)
        return Keeper(store, serving.registered, report, client=self._client, names=names)

    def _show(self, identity: Identity) -> None:
        self._identity = (identity.chain, identity.key.reveal())
        self.crew.show(*self._identity)
        self._shown.set()

    def _told(self, found: Diagnostic, value: Mapping[str, Any]) -> None:
        """Others changed what keeps the guard on: a line in the log, a figure, and an Event."""
        self._put_back += 1
        line = {"level": "error", "logger": "webhook", "code": found.code.id, "msg": found.message}
        os.write(2, orjson.dumps(line) + b"\n")
        if self._recorder is not None:
            about = Reference.of(value)
            self._recorder.record(
                Note(about=about, reason="ConfigurationRestored", text=found.message, type=Type.WARNING)
            )

    def _begin(self) -> Mapping[str, Any]:
        serving = self._serving
        head: dict[str, Any] = {"webhook": serving.webhook.to_json(), "instance": self.instance}
        if self._identity is not None:
            clients = ""
            if serving.clients:
                clients = (Path(serving.cert_dir) / serving.clients).read_text(encoding="utf-8")
            head |= {"identity": list(self._identity), "clients": clients, "minimum": serving.minimum}
        return head

    def _ready(self) -> str:
        if self._stopping.is_set():
            return "it is stopping"
        missing = [place.number for place in self.crew.places if not place.has]
        return f"workers without policies: {', '.join(map(str, missing))}" if missing else ""

    def _add(self, number: int, frame: Frame) -> None:
        self.figures.add(frame.head["figures"])
        if "head" in frame.head:
            process = self.crew.places[number].process
            name = f"{self.instance}-{process.pid if process is not None else 0}"
            self.heads[name] = Head.of(frame.head["head"])
            self._lost[name] = int(frame.head["lost"])
        for row in frame.head["notes"]:
            if self._recorder is not None:
                about = Reference(row["apiVersion"], row["kind"], row["namespace"], row["name"], row["uid"])
                self._recorder.record(
                    Note(about=about, reason=row["reason"], text=row["text"], type=Type.WARNING)
                )

    def _gauges(self) -> Mapping[str, Gauge]:
        places = self.crew.places
        waiting: dict[Labels, float] = {(str(place.number),): float(place.waiting) for place in places}
        ended: dict[Labels, float] = {(str(place.number),): float(place.ended) for place in places}
        lost: dict[Labels, float] = {(): float(sum(self._lost.values()))}
        put_back: dict[Labels, float] = {(): float(self._put_back)}
        return {
            "sekisho_waiting_reviews": Gauge("Reviews that have not begun", ("worker",), waiting),
            "sekisho_worker_restarts": Gauge("How often a worker was started again", ("worker",), ended),
            "sekisho_decisions_lost": Gauge("Records that the decision log could not take", (), lost),
            "sekisho_configurations_restored": Gauge("Webhook configurations put back", (), put_back),
        }


async def ended(task: asyncio.Task[None]) -> None:
    """End a task, and wait until it has."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


async def _first(*waits: Any) -> None:
    """Wait until one of these is over, and let the others be."""
    tasks = [asyncio.ensure_future(row) for row in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
