"""A worker of ``serve``: answers the webhooks by the newest edition that the controller has sent.

Started by the controller as ``python -m sekisho.cli.serving.worker``; frames come in by standard input and go
out by standard output. It ends when it is told to, and when its controller is gone.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from sekisho.admission import Edition, Observed, Observer, Options, Service, logs
from sekisho.admission.decisions import Fsync, Writer, record_of
from sekisho.admission.figures import Figures
from sekisho.cli.serving import frames
from sekisho.cli.serving.engines import EngineSnapshot, build
from sekisho.cli.serving.frames import Frame
from sekisho.cli.serving.options import Webhook
from sekisho.diag import Limit, Secret
from sekisho.web import Identity, Tls
from sekisho.web.authority import server_context
from sekisho.web.certificates import load_identity
from sekisho.web.patience import Bounds
from sekisho.web.server import Listener, Server, TlsContext

_LOG: Final = logging.getLogger(__name__)

BOUNDS: Final = Bounds(head=5.0, body=10.0, idle=120.0, connections=1_024)
"""An API server sends a request at once, and keeps a connection for 90 seconds; there are few of them."""

REPORTS: Final = 1.0
"""Seconds between two reports of figures."""

SWITCH: Final = 0.001
"""Seconds after which the thread that builds a snapshot lets reviews run: a fifth of Python's figure."""


class Worker:
    """One worker, from its first frame to its end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._webhook = Webhook()
        self._figures = Figures()
        self._snapshot: EngineSnapshot | None = None
        self._edition = Edition()
        self._tls: TlsContext | None = None
        self._listener: Listener | None = None
        self._service: Service | None = None
        self._server: Server | None = None
        self._decisions: Writer | None = None
        self._notes: list[dict[str, Any]] = []
        self._building = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Do what frames say, until there are none."""
        reporting = asyncio.create_task(self._report())
        try:
            while (frame := await frames.read(self._reader)) is not None and frame.name != "stop":
                await _DO[frame.name](self, frame)
        finally:
            reporting.cancel()
            for task in self._tasks:
                task.cancel()
            await self._end()

    async def begin(self, frame: Frame) -> None:
        """What to listen to, and how to answer."""
        self._webhook = Webhook.of_json(frame.head["webhook"])
        self._listener = Listener.of(int(frame.head["listener"]))
        if frame.head.get("identity"):
            self._tls = server_context(
                _identity(frame.head), frame.head.get("clients", ""), minimum=Tls(frame.head["minimum"])
            )
        webhook = self._webhook
        if webhook.decisions:
            name = f"decisions-{frame.head['instance']}-{os.getpid()}"
            self._decisions = Writer(Path(webhook.decisions), name, fsync=Fsync(webhook.fsync))
        options = Options(
            manner=webhook.manner(),
            observers=tuple(self._observers()),
            client=webhook.client,
            timed=self._figures.policy,
        )
        self._service = Service(lambda: self._snapshot, webhook.settings(), options)
        self._server = Server(self._service.handle, bounds=BOUNDS, drain_seconds=webhook.drain_seconds)

    def _observers(self) -> Iterator[Observer]:
        webhook, decisions = self._webhook, self._decisions
        yield self._figures.observe
        if decisions is not None:
            yield lambda observed: decisions.add(record_of(observed))
        if webhook.log_denies:
            yield _log_violations
        if webhook.emit_events:
            yield self._note

    def _note(self, observed: Observed) -> None:
        """Keep what Events are to say until the next report; what is too much is dropped."""
        own, involved = self._webhook.own.namespace, self._webhook.events_involved
        if len(self._notes) < NOTES.value:
            self._notes += logs.notes(observed, own=own, involved=involved)

    async def edition(self, frame: Frame) -> None:
        """A new edition: what has not changed since the last one was not sent again."""
        task = asyncio.create_task(self._build(frame))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def tls(self, frame: Frame) -> None:
        """A new certificate, for connections that begin from now on."""
        if self._tls is not None:
            load_identity(self._tls, _identity(frame.head))

    async def _build(self, frame: Frame) -> None:
        async with self._building:  # one after the other: the second is about what the first one left
            started = time.monotonic()
            try:
                snapshot = await asyncio.to_thread(self._built, frame)
            except Exception:  # noqa: BLE001 - the last good snapshot goes on serving, and this is told
                _LOG.exception("an edition could not be built")
                self._say({"is": "failed", "digest": frame.head["digest"]})
                return
            first = self._snapshot is None
            self._snapshot, self._edition = snapshot, snapshot.edition
            gc.freeze()  # what lives as long as a snapshot is no garbage to look for
            if first and self._server is not None and self._listener is not None:
                await self._server.serve(self._listener, self._tls)
            took = time.monotonic() - started
            self._say({"is": "has", "digest": frame.head["digest"], "seconds": took})

    def _built(self, frame: Frame) -> EngineSnapshot:
        size = frame.head["policies"]
        policies = self._edition.policies if size is None else frames.objects(frame.body[:size])
        inventory = frame.body[size or 0 :]
        edition = Edition(
            policies=policies,
            inventory=frames.objects(inventory) if frame.head["inventory"] else self._edition.inventory,
        )
        gc.unfreeze()
        return build(edition, self._webhook.how(), digest=frame.head["digest"])

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORTS)
            self._say(self._news())

    def _news(self) -> dict[str, Any]:
        waiting = self._service.waiting if self._service is not None else 0
        notes, self._notes = self._notes, []
        news = {"is": "figures", "figures": self._figures.take(), "waiting": waiting, "notes": notes}
        if self._decisions is not None:
            news |= {"head": str(self._decisions.head), "lost": self._decisions.lost}
        return news

    def _say(self, head: dict[str, Any]) -> None:
        """Tell the controller. What it does not take is dropped: answers do not wait for reports."""
        if not self._writer.is_closing() and self._writer.transport.get_write_buffer_size() < UNSENT:
            self._writer.write(frames.packed(Frame(head)))

    async def _end(self) -> None:
        """Take nobody new, let requests under way end, and tell the rest."""
        if self._listener is not None:
            self._listener.close()
        if self._server is not None:
            await self._server.stop()
        if self._service is not None:
            self._service.close()
        if self._decisions is not None:
            await asyncio.to_thread(self._decisions.close)
        self._say(self._news())
        try:
            async with asyncio.timeout(REPORTS):
                await self._writer.drain()
        except (OSError, TimeoutError):
            pass  # the controller is gone


NOTES: Final = Limit("notes of a second", 200, "notes", "an API server takes no more Events than that")

UNSENT: Final = 16_000_000
"""Bytes of reports that wait for a controller which does not read."""

_DO: Final = {"begin": Worker.begin, "edition": Worker.edition, "tls": Worker.tls}


def _log_violations(observed: Observed) -> None:
    for line in logs.violations(observed):
        os.write(2, orjson.dumps(line) + b"\n")


def _identity(head: dict[str, Any]) -> Identity:
    chain, key = head["identity"]
    return Identity(chain=chain, key=Secret(key))


async def _main() -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None, "it runs in one"
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    # What anything prints must not get between frames.
    out = os.dup(1)
    os.dup2(2, 1)
    reader = asyncio.StreamReader(limit=2**20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb", 0))
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(out, "wb", 0)
    )
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    with suppress(asyncio.CancelledError):
        await Worker(reader, writer).run()


def main() -> None:
    """The program of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is for the controller, which tells its workers
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    sys.setswitchinterval(SWITCH)
    asyncio.run(_main())


if __name__ == "__main__":
    main()
