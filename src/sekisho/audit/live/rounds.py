"""The passes of a live audit: again and again, each judging only what may have changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sekisho.audit import codes
from sekisho.audit.live.model import DEFAULTS, Judging, Options, Pass, Writer
from sekisho.audit.live.reports import REPORTS
from sekisho.audit.live.sources import Sources
from sekisho.audit.model import EMPTY, Key, Ledger, Snapshot
from sekisho.audit.scan import scan
from sekisho.audit.world import World
from sekisho.cluster.client import Client
from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object

_LOG: Final = logging.getLogger(__name__)

DEFINITIONS: Final = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
NAMESPACES: Final = GVK("", "v1", "Namespace")

REDISCOVER: Final = 10
"""Passes after which the server is asked again what it serves, though no definition has changed."""

SOON: Final = 1.0
"""Seconds between a change of policies and the pass that it brings about: what is applied with it comes
too."""

AGAIN: Final = 5.0
"""Seconds after a pass that could not be made."""


@dataclass(slots=True)
class _Known:
    """What discovery was based on."""

    definitions: frozenset[str] = frozenset()
    passes: int = REDISCOVER


class LiveAudit:
    """Audits the cluster of a client. ``run`` is a task; ``once`` makes one pass now."""

    def __init__(
        self,
        client: Client,
        judging: Judging,
        *,
        writers: Sequence[Writer] = (),
        options: Options = DEFAULTS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._judging = judging
        self._writers = tuple(writers)
        self._options = options
        self._clock = clock
        self._sources = Sources(client, options, self._heard)
        self._known = _Known()
        self._ledger: Ledger = EMPTY
        self._wake = asyncio.Event()
        self.last: Pass | None = None
        self.failure: DiagnosticError | None = None

    def _heard(self, gvk: GVK) -> None:
        governs = gvk == DEFINITIONS or self._judging.governs(gvk)
        if governs and self.last is not None and self._options.interval:
            self._wake.set()

    def wake(self) -> None:
        """Make the next pass soon."""
        self._wake.set()

    async def run(self) -> None:
        """Pass after pass, until it is cancelled; one that fails is told and made again."""
        while True:
            began = time.monotonic()
            wait = max(self._options.interval, SOON)
            try:
                await self.once()
                self.failure = None
            except DiagnosticError as error:
                self.failure = error
                wait = min(AGAIN, wait)
                _LOG.warning("no audit was made: %s", error.diagnostics[0].message)
            except Exception as error:  # noqa: BLE001 - the last resort, and it is told
                # A mistake of ours ends one pass: an audit that has died must not look like a clean cluster.
                _LOG.exception("the audit failed")
                message = f"the audit failed: {type(error).__name__}"
                self.failure = DiagnosticError(Diagnostic(code=codes.FAILED, message=message))
                wait = min(AGAIN, wait)
            await self._pause(wait - (time.monotonic() - began))

    async def _pause(self, seconds: float) -> None:
        limit = None if not self._options.interval else max(seconds, 0.0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._wake.wait()
                await asyncio.sleep(SOON)
        self._wake.clear()

    async def close(self) -> None:
        """Let the cluster go."""
        await self._sources.close()

    async def once(self) -> Pass:
        """One pass, and its result written. Raises Refused, WebError where the cluster cannot be reached."""
        began, clock = self._clock(), time.perf_counter()
        id = uuid.uuid4().hex[:16]
        _log("auditing the cluster", "audit_started", id)
        problems = await self._held()
        held = self._sources.objects()
        objects = list(held.values())
        snapshot = self._judging.snapshot(held)
        world = World(held)
        judged = {gvk for gvk in self._sources.served if self._judging.judges(gvk)}
        subjects = {key: row for key, row in held.items() if row.gvk in judged}
        ledger = await asyncio.to_thread(self._scan, subjects, snapshot, began, world)
        self._ledger = ledger
        result = Pass(
            id=id,
            began=began,
            ended=self._clock(),
            seconds=time.perf_counter() - clock,
            snapshot=snapshot,
            ledger=ledger,
            objects=objects,
            world=world,
            problems=tuple(problems),
        )
        self.last = result
        await self._write(result)
        _log("auditing is complete", "audit_finished", id, seconds=result.seconds, judged=ledger.asked)
        return result

    def _scan(self, objects: Mapping[Key, Object], snapshot: Snapshot, now: datetime, world: World) -> Ledger:
        pace, previous = self._options.pace, self._ledger
        return scan(objects, snapshot, now=now, previous=previous, world=world, pace=pace)

    async def _held(self) -> list[Diagnostic]:
        """Hold what this pass needs, and nothing else; what cannot be read is told."""
        sources, judging = self._sources, self._judging
        definitions = sources.versions(DEFINITIONS)
        if self._known.passes >= REDISCOVER or definitions != self._known.definitions:
            await sources.discover()
            self._known.passes = 0
        self._known.passes += 1
        self._known.definitions = definitions
        governing = [gvk for gvk in sources.served if judging.governs(gvk)]
        always = [*governing, DEFINITIONS, NAMESPACES, *REPORTS]
        await sources.hold(always)
        judging.update([row for row in sources.objects().values() if judging.governs(row.gvk)])
        needed = [gvk for gvk in sources.served if judging.needs(gvk)]
        return await sources.hold([*always, *(gvk for gvk in needed if gvk not in always)], only=True)

    async def _write(self, result: Pass) -> None:
        for writer in self._writers:
            try:
                await writer(result)
            except DiagnosticError as error:
                _LOG.warning("a result of the audit was not written: %s", error.diagnostics[0].message)


def _log(message: str, event: str, id: str, **more: object) -> None:
    """A line of the log, with Gatekeeper's fields beside it (``process`` is a word of ``logging``'s own)."""
    _LOG.info(message, extra={"event_type": event, "audit_id": id, **more})
