"""Leader election by a Lease, as client-go does it.

Several processes want to do one work, one at a time. Each tries to write its name into one object; who did
renews it, and the others wait until it has not been renewed for as long as it says.

- No clock is compared with another machine's: a lease runs from when **this** process saw it change.
- Who holds it stops well before others may take it: ``renew`` seconds after the beginning of the last write
  that succeeded (the others count at least ``duration`` seconds from its end). The work is cancelled then.
- Every write names the version that it changes, so of two that try at once one fails.
- Who stops gives the lease up (a duration of one second, no holder), so that another need not wait.

Steps and figures are those of k8s.io/client-go/tools/leaderelection, so processes of both kinds may compete.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sekisho.cluster import codes
from sekisho.cluster.client import Client, Raw, Refused
from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube.gvk import GVK

_LOG: Final = logging.getLogger(__name__)

T = TypeVar("T")

LEASE: Final = GVK("coordination.k8s.io", "v1", "Lease")

JITTER: Final = 1.2
"""By how much a pause between two tries may be longer, so that those who wait do not try all at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds: how long a lease holds, until when a holder must have renewed it, and between two tries."""

    duration: float = 15.0
    renew: float = 10.0
    retry: float = 2.0

    def __post_init__(self) -> None:
        assert self.duration > self.renew, "a holder stops before others may begin"
        assert self.renew > self.retry * JITTER, "a holder can try again before it has to stop"
        assert self.retry > 0, "a pause is positive"


USUAL: Final = Timing()
"""client-go's figures."""


class LeadershipLost(DiagnosticError):
    """The lease could not be renewed in time, or another has it: what the leader did was cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Who wants which lease. ``identity`` is unique among all that compete.

    ``release``: give the lease up at the end, so that others need not wait for it to expire.
    """

    namespace: str
    name: str
    identity: str
    timing: Timing = USUAL
    release: bool = True


class Elector:
    """One candidate. ``leader`` is who holds the lease, as far as is known; ``leading``: it is this one."""

    def __init__(
        self,
        client: Client,
        candidate: Candidate,
        *,
        on_leader: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.candidate = candidate
        self._client = client
        self._clock = clock
        self._now = now
        self._on_leader = on_leader
        self._lease: Raw | None = None
        self._seen: Raw | None = None
        self._seen_at = 0.0
        self._renewed_at = 0.0
        self._reported = ""
        self._annotations: dict[str, str] = {}
        self._lock = asyncio.Lock()

    @property
    def leader(self) -> str:
        """The holder that was seen last; empty if nobody."""
        return _holder(self._seen)

    @property
    def leading(self) -> bool:
        """Whether this candidate holds the lease, and may still act on it."""
        return (
            self.leader == self.candidate.identity
            and self._clock() < self._renewed_at + self.candidate.timing.renew
        )

    async def acquire(self) -> None:
        """Wait until this candidate holds the lease."""
        retry = self.candidate.timing.retry
        while True:
            if await self._try():
                return
            await asyncio.sleep(retry * random.uniform(1.0, JITTER))  # noqa: S311 - no secret depends on it

    @asynccontextmanager
    async def holding(self) -> AsyncIterator[None]:
        """Wait for the lease, and hold it as long as the body runs.

        When it is lost the body is cancelled, and LeadershipLost (CLU025) raised in its place.
        """
        body = asyncio.current_task()
        assert body is not None, "a lease is held by a task"
        await self.acquire()
        lost = False

        def ended(task: asyncio.Task[None]) -> None:
            nonlocal lost
            if not task.cancelled():
                lost = True
                body.cancel()

        renewing = asyncio.create_task(self._renew(), name=f"lease {self.candidate.name}")
        renewing.add_done_callback(ended)
        try:
            yield
            if lost:
                # The body ended before it was told; what tells it must not reach what comes after.
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            # Ours, unless somebody else wants the task to end too.
            if lost and body.uncancel() == 0:
                raise self._lost() from None
            raise
        finally:
            renewing.remove_done_callback(ended)
            renewing.cancel()
            await asyncio.wait([renewing])
            await self._release()

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work as the leader, until it ends by itself.

        When the lease is lost it is cancelled, and begun anew when this candidate is the leader again.
        """
        while True:
            try:
                async with self.holding():
                    return await work()
            except LeadershipLost as error:
                _LOG.warning("%s", error)

    async def annotate(self, annotations: Mapping[str, str]) -> None:
        """Set annotations of the lease, now; they stay as long as it is held.

        Raises LeadershipLost (CLU025) where this candidate does not hold it, or cannot write it.
        """
        self._annotations.update(annotations)
        if not self.leading or not await self._try():
            raise self._lost()

    async def _renew(self) -> None:
        """Renew until that fails for too long, or another has the lease."""
        retry = self.candidate.timing.retry
        while True:
            await asyncio.sleep(retry)
            while self._left() <= 0 or not await self._try():
                if self._left() <= 0 or self.leader != self.candidate.identity:
                    return
                await asyncio.sleep(min(retry, self._left()))

    def _left(self) -> float:
        return self._renewed_at + self.candidate.timing.renew - self._clock()

    async def _try(self) -> bool:
        """One try to take or renew the lease; false if another has it, or the server does not answer."""
        async with self._lock:
            begun = self._clock()
            patience = self._left() if self.leading else self.candidate.timing.renew
            try:
                async with asyncio.timeout(patience):
                    held = await self._take_or_renew()
            except TimeoutError:
                _LOG.info("lease %s: the server did not answer", self.candidate.name)
                held = False
            except DiagnosticError as error:
                _LOG.info("lease %s: %s", self.candidate.name, error)
                held = False
            if held:
                self._renewed_at = begun
            self._report()
            return held

    async def _take_or_renew(self) -> bool:
        # 1. Who holds it renews what was written last, without asking.
        if self._lease is not None and self.leader == self.candidate.identity and self._valid():
            try:
                return await self._write(self._lease)
            except Refused as error:
                _LOG.info("lease %s: %s; asking what it is now", self.candidate.name, error)
        # 2. What it is now; if there is none, make one.
        resource = await self._client.resource(LEASE)
        lease = await self._client.get(resource, self.candidate.name, self.candidate.namespace)
        if lease is None:
            metadata = {"name": self.candidate.name, "namespace": self.candidate.namespace}
            return await self._write({"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": metadata})
        # 3. A change begins its time anew, by our clock.
        spec = dict(lease.get("spec") or {})
        if spec != self._seen:
            self._seen, self._seen_at = spec, self._clock()
        self._lease = lease
        # 4. Another's, that still holds, is left alone.
        if self.leader not in ("", self.candidate.identity) and self._valid():
            return False
        # 5. Take it.
        return await self._write(lease)

    async def _write(self, lease: Raw) -> bool:
        """Write this candidate into the lease, for the version that it has. Raises Refused, WebError."""
        before = dict(lease.get("spec") or {})
        mine = _holder(before) == self.candidate.identity
        moment = _micro(self._now())
        spec: Raw = {
            **before,
            "holderIdentity": self.candidate.identity,
            "leaseDurationSeconds": max(1, round(self.candidate.timing.duration)),
            "renewTime": moment,
            "acquireTime": before.get("acquireTime") or moment if mine else moment,
            "leaseTransitions": int(before.get("leaseTransitions") or 0) + (bool(before) and not mine),
        }
        annotations = {**(lease["metadata"].get("annotations") or {}), **self._annotations}
        metadata = {**lease["metadata"], **({"annotations": annotations} if annotations else {})}
        await self._store({**lease, "metadata": metadata, "spec": spec})
        return True

    async def _store(self, lease: Raw) -> None:
        resource = await self._client.resource(LEASE)
        exists = "resourceVersion" in lease["metadata"]
        send = self._client.replace if exists else self._client.create
        begun = self._clock()
        self._lease = await send(resource, lease)
        self._seen, self._seen_at = dict(self._lease.get("spec") or {}), begun

    async def _release(self) -> None:
        """Give the lease up, if it is still ours; that this fails only makes others wait."""
        if not self.candidate.release or not self.leading:
            return
        try:
            async with asyncio.timeout(self.candidate.timing.renew):
                # A renewal that was broken off may have been written: so ask what it is now.
                resource = await self._client.resource(LEASE)
                lease = await self._client.get(resource, self.candidate.name, self.candidate.namespace)
                if lease is None or _holder(lease.get("spec")) != self.candidate.identity:
                    return
                moment = _micro(self._now())
                spec = {**lease["spec"], "leaseDurationSeconds": 1}
                spec |= {"renewTime": moment, "acquireTime": moment}
                del spec["holderIdentity"]
                await self._store({**lease, "spec": spec})
        except (DiagnosticError, TimeoutError) as error:
            _LOG.info("lease %s was not given up: %s", self.candidate.name, error)

    def _valid(self) -> bool:
        """Whether the lease that was seen last still holds, by our clock."""
        seconds: Any = (self._seen or {}).get("leaseDurationSeconds")
        return self._clock() < self._seen_at + (seconds if isinstance(seconds, int) else 0)

    def _report(self) -> None:
        if self.leader != self._reported:
            self._reported = self.leader
            if self._on_leader is not None:
                self._on_leader(self.leader)

    def _lost(self) -> LeadershipLost:
        other = self.leader not in ("", self.candidate.identity)
        who = f"{self.leader} has it" if other else "it was not renewed"
        name = f"{self.candidate.namespace}/{self.candidate.name}"
        message = f"{self.candidate.identity} does not hold the lease {name}: {who}"
        return LeadershipLost(Diagnostic(code=codes.NOT_LEADING, message=message))


def _holder(spec: Mapping[str, Any] | None) -> str:
    return str((spec or {}).get("holderIdentity") or "")


def _micro(moment: datetime) -> str:
    """A moment as Kubernetes writes MicroTime."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
