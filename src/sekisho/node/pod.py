"""One Pod on this node: volumes, init containers, containers, its status, its end."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from sekisho.apiserver.names import timestamp
from sekisho.node import bundle, volumes
from sekisho.node.container import GRACE, Container, House
from sekisho.node.environment import Facts, Find
from sekisho.node.holder import Holder
from sekisho.node.problems import Problem, Refusal
from sekisho.node.settings import RUNTIME_CLASS
from sekisho.node.status import INITIALIZING, WAITING, ContainerState, Known, refused, status_of
from sekisho.node.volumes import Sources, Volume

Json = dict[str, Any]
Raw = Mapping[str, Any]

AGAIN: Final = 2.0
"""Seconds until what is missing is looked for again."""

REFRESH: Final = 60.0
"""Seconds until a change of a ConfigMap or Secret is seen in a volume (kubelet's sync period)."""

TOKEN_AGE: Final = 0.8
"""The part of its time after which a token is replaced (kubelet's token manager)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a Pod lives on the node."""

    folder: Path
    address: str
    host_address: str
    processors: int
    memory: int


class Desk(Protocol):
    """What a Pod asks of its node."""

    async def write(self, pod: Raw, status: Json) -> None:
        """Write its status, if the Pod is there still."""

    async def tell(self, pod: Json, reason: str, message: str, *, bad: bool) -> None:
        """An Event about it."""

    def finder(self, namespace: str) -> Find:
        """Looks for ConfigMaps and Secrets."""

    async def token(self, pod: Raw, audience: str, seconds: int) -> str:
        """A token of its service account. Raises Problem."""


class PodWorker:
    """Runs a Pod. ``run`` lives as long as it does; ``stop`` ends it."""

    def __init__(self, pod: Json, place: Place, house: House, desk: Desk) -> None:
        self.pod = pod
        self.folder = place.folder
        self._place = place
        self._house = house
        self._desk = desk
        self._holder: Holder | None = None
        self._volumes: dict[str, Volume] = {}
        self._tokens: dict[tuple[str, int], str] = {}
        self._tokens_since = 0.0
        self._dirty = asyncio.Event()
        self._moved = asyncio.Event()
        self._since = timestamp()
        self._stopping = False
        spec = pod["spec"]
        policy = spec.get("restartPolicy") or "Always"
        self.init = [
            self._container(row, _init_policy(row, policy), INITIALIZING if number else WAITING)
            for number, row in enumerate(spec.get("initContainers") or ())
        ]
        begin = INITIALIZING if self.init else WAITING
        self.main = [self._container(row, policy, begin) for row in spec["containers"]]
        self.debugging: list[Container] = []
        for field, rows in (("initContainerStatuses", self.init), ("containerStatuses", self.main)):
            _resume(rows, (pod.get("status") or {}).get(field) or ())
        self._tasks: set[asyncio.Task[None]] = set()
        self._lives: dict[str, asyncio.Task[None]] = {}

    def _container(self, row: Json, policy: str, state: Json) -> Container:
        image = row["image"]
        return Container(
            raw=row,
            home=self,
            house=self._house,
            policy=policy,
            state=ContainerState(name=row["name"], image=image, state=dict(state)),
        )

    # What its containers ask.

    @property
    def hostname(self) -> str:
        """Its name as it is seen inside."""
        return str(self.pod["spec"].get("hostname") or self.pod["metadata"]["name"])[:63]

    @property
    def namespaces(self) -> Mapping[str, str]:
        """The namespaces that its containers share."""
        assert self._holder is not None
        return self._holder.namespaces

    def facts(self) -> Facts:
        """What it may ask about itself."""
        return Facts(
            pod=self.pod,
            address=self._place.address,
            host_address=self._place.host_address,
            find=self._desk.finder(self.pod["metadata"]["namespace"]),
            processors=self._place.processors,
            memory=self._place.memory,
        )

    def mounts(self, container: Raw) -> list[tuple[str, str, bool]]:
        """A container's volumes, and the files that every container has."""
        rows = [(str(self.folder / "hosts"), "/etc/hosts", False)]
        for mount in container.get("volumeMounts") or ():
            volume = self._volumes[mount["name"]]
            source = volumes.mount_source(self.folder / "volumes" / mount["name"], mount, volume)
            readonly = bool(mount.get("readOnly")) or not volume.writable
            rows.append((str(source), mount["mountPath"], readonly))
        return rows

    def changed(self) -> None:
        """Its status is to be written anew."""
        self._dirty.set()
        self._moved.set()

    async def tell(self, reason: str, message: str, *, bad: bool = False) -> None:
        """An Event about it."""
        await self._desk.tell(self.pod, reason, message, bad=bad)

    def find(self, name: str) -> Container | None:
        """A container by its name."""
        every = (*self.init, *self.main, *self.debugging)
        return next((row for row in every if row.name == name), None)

    def running(self) -> Container | None:
        """A container that runs, if any does."""
        return next((row for row in (*self.main, *self.init) if row.program is not None), None)

    # Its life.

    async def run(self) -> None:
        """From its beginning to its end. Ends early when it is refused."""
        writing = asyncio.ensure_future(self._write_always())
        try:
            self._check()
            await self._prepare()
            refreshing = asyncio.create_task(self._refresh())
            self._tasks.add(refreshing)
            await self._live()
            await self._write()
        except Refusal as problem:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self.tell(problem.reason, problem.message, bad=True)
            await self._desk.write(self.pod, refused(self.pod, problem.reason, problem.message, timestamp()))
            writing.cancel()
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self._end_tasks()
            if self._holder is not None:
                await self._holder.close()

    def _check(self) -> None:
        spec = self.pod["spec"]
        name = spec.get("runtimeClassName")
        if name not in (None, "", RUNTIME_CLASS):
            raise Refusal(
                "RuntimeClassUnsupported",
                f"runtimeClassName {name}: this node has the class {RUNTIME_CLASS}, and no other",
            )
        bundle.check_pod(spec)
        volumes.check(spec)

    async def _prepare(self) -> None:
        """Its folder, its namespaces, its volumes; again and again while something is missing."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        (self.folder / "volumes").mkdir(exist_ok=True)
        (self.folder / "hosts").write_text(self._hosts(), encoding="utf-8")
        (self.folder / "hosts").chmod(0o644)
        while not self._stopping:
            try:
                if self._holder is None:
                    self._holder = await Holder.start(self.hostname, self._place.address)
                await self._lay()
            except Problem as problem:
                text = problem.message
                if problem.reason == "FailedMount":
                    text = f"MountVolume.SetUp failed: {text}"
                await self.tell(problem.reason, text, bad=True)
                await asyncio.sleep(AGAIN)
            else:
                self.changed()
                return

    async def _lay(self) -> None:
        """Write the volumes that are new, or other than they were."""
        spec = self.pod["spec"]
        group = (spec.get("securityContext") or {}).get("fsGroup")
        wanted = set(volumes.tokens(spec)) if self._tokens_are_old() else set()
        for audience, seconds in wanted:
            self._tokens[audience, seconds] = await self._desk.token(self.pod, audience, seconds)
            self._tokens_since = time.monotonic()
        sources = Sources(facts=self.facts(), tokens=self._tokens)
        for row in spec.get("volumes") or ():
            volume = volumes.planned(row, sources)
            if volume != self._volumes.get(row["name"]):
                volumes.lay(self.folder / "volumes" / row["name"], volume, group)
                self._volumes[row["name"]] = volume

    def _tokens_are_old(self) -> bool:
        age = time.monotonic() - self._tokens_since
        return not self._tokens or age > min(seconds for _, seconds in self._tokens) * TOKEN_AGE

    async def _refresh(self) -> None:
        """Write volumes anew when what they are made from has changed."""
        while True:
            await asyncio.sleep(REFRESH)
            with contextlib.suppress(Problem):
                await self._lay()

    def _hosts(self) -> str:
        rows = ["127.0.0.1\tlocalhost", "::1\tlocalhost", f"{self._place.address}\t{self.hostname}"]
        aliases = self.pod["spec"].get("hostAliases") or ()
        rows += [f"{alias['ip']}\t{' '.join(alias.get('hostnames') or ())}" for alias in aliases]
        return "\n".join(rows) + "\n"

    async def _live(self) -> None:
        for container in self.init:
            if self._stopping:
                return
            container.state.state = dict(WAITING)
            if container.raw.get("restartPolicy") == "Always":
                self._begin(container)
                await self._until_started(container)
                continue
            await asyncio.wait([self._begin(container)])
            if container.state.code != 0:
                return
        if self._stopping:
            return
        deadline = self.pod["spec"].get("activeDeadlineSeconds")
        tasks = [self._begin(container) for container in self.main]
        _, left = await asyncio.wait(tasks, timeout=float(deadline) if deadline else None)
        if left:
            text = "Pod was active on the node longer than the specified deadline"
            await self.tell("DeadlineExceeded", text)
            await self._stop_containers(self.main, self._grace())
            await asyncio.wait(tasks)
        await self._stop_containers(self.init, self._grace())

    def _grace(self) -> float:
        found = self.pod["spec"].get("terminationGracePeriodSeconds")
        return GRACE if found is None else float(found)

    async def _until_started(self, container: Container) -> None:
        """Wait until a sidecar has started: what comes after it may need it."""
        while not (container.state.started or self._stopping):
            self._moved.clear()
            await self._moved.wait()

    def _begin(self, container: Container) -> asyncio.Task[None]:
        task = asyncio.create_task(container.live())
        self._tasks.add(task)
        self._lives[container.name] = task
        return task

    def debug(self, pod: Json) -> None:
        """Start the ephemeral containers that were added."""
        self.pod = pod
        known = {row.name for row in self.debugging}
        for row in pod["spec"].get("ephemeralContainers") or ():
            if row["name"] not in known and self._holder is not None:
                container = self._container(row, "Never", WAITING)
                self.debugging.append(container)
                self._begin(container)

    async def _end_tasks(self) -> None:
        """Whatever still runs, ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self, grace: float) -> None:
        """End its containers, gently at first."""
        self._stopping = True
        self._moved.set()
        await self._stop_containers([*self.main, *self.debugging], grace)
        await self._stop_containers(self.init, min(grace, 1.0))

    async def _stop_containers(self, rows: list[Container], grace: float) -> None:
        await asyncio.gather(*(row.stop(grace) for row in rows))
        tasks = [self._lives[row.name] for row in rows if row.name in self._lives]
        if tasks:
            await asyncio.wait(tasks)

    def clean(self) -> None:
        """Remove what it has left."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # Its status.

    async def _write_always(self) -> None:
        while True:
            self._dirty.clear()
            await self._write()
            await self._dirty.wait()
            await asyncio.sleep(0.01)  # several changes at once are one

    async def _write(self) -> None:
        with contextlib.suppress(Problem):
            await self._desk.write(self.pod, self.status(self.pod))

    def status(self, pod: Raw) -> Json:
        """Its status as things are."""
        sidecars = frozenset(row.name for row in self.init if row.raw.get("restartPolicy") == "Always")
        known = Known(
            init=[row.state for row in self.init],
            main=[row.state for row in self.main],
            debugging=[row.state for row in self.debugging],
            address=self._place.address if self._holder is not None else "",
            host_address=self._place.host_address,
            since=self._since,
            sidecars=sidecars,
        )
        return status_of(pod, known, timestamp())


def _resume(rows: list[Container], statuses: Sequence[Raw]) -> None:
    """Count the runs that an earlier life of the node has begun, which ended with it."""
    known = {row["name"]: row for row in statuses}
    for container in rows:
        before = known.get(container.name)
        if before is not None and before.get("containerID"):
            container.state.restarts = int(before.get("restartCount") or 0) + 1
            container.state.last = before.get("lastState") or {}


def _init_policy(row: Raw, policy: str) -> str:
    """An init container is started again until it succeeds, unless the Pod never starts anything again."""
    if row.get("restartPolicy") == "Always":
        return "Always"
    return "Never" if policy == "Never" else "OnFailure"
