"""One container of a Pod, from its image to its last end: starts, hooks, probes, restarts with back-off."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from sekisho.apiserver.names import timestamp
from sekisho.node import bundle, probes
from sekisho.node.environment import Facts, resolved
from sekisho.node.logs import ContainerLog
from sekisho.node.probes import Count, ProbeFailure, Target
from sekisho.node.problems import ImageProblem, Problem, StartProblem
from sekisho.node.process import Program, Runtime
from sekisho.node.rootfs import Rootfs, find
from sekisho.node.status import ContainerState

Json = dict[str, Any]
Raw = Mapping[str, Any]

FIRST_BACK_OFF: Final = 10.0
LAST_BACK_OFF: Final = 300.0
"""Seconds between restarts, twice as long each time (kubelet's MaxContainerBackOff)."""

CALM: Final = 600.0
"""Seconds that a container must have run for its back-off to begin anew."""

AGAIN: Final = 2.0
"""Seconds until what could not be configured is tried again."""

GRACE: Final = 30.0
"""Seconds that a container may take to end, where its Pod says nothing."""

MESSAGE: Final = 4_096
"""Bytes of a container's termination message."""
FALLBACK_LINES, FALLBACK_BYTES = 80, 2_048
"""What is taken from the log where a container has failed without a message."""


class Home(Protocol):
    """What a container asks of its Pod."""

    pod: Json
    folder: Path

    @property
    def hostname(self) -> str:
        """Its name as it is seen inside."""

    @property
    def namespaces(self) -> Mapping[str, str]:
        """The paths of the namespaces that its containers share, by kind."""

    def facts(self) -> Facts:
        """What the Pod may ask about itself."""

    def mounts(self, container: Raw) -> list[tuple[str, str, bool]]:
        """Its volumes as (source, destination, read-only). Raises Problem."""

    def changed(self) -> None:
        """The status is to be written anew."""

    async def tell(self, reason: str, message: str, *, bad: bool = False) -> None:
        """An Event about the Pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What all containers of a node share."""

    runtime: Runtime
    images: tuple[Rootfs, ...]


@dataclass(slots=True, kw_only=True)
class Container:
    """A container. ``raw`` is its entry in the spec; ``policy`` when it is started again."""

    raw: Json
    home: Home
    house: House
    policy: str
    state: ContainerState
    log: ContainerLog | None = None
    before: ContainerLog | None = None
    program: Program | None = None
    id: str = ""
    stopping: bool = False
    unhealthy: str = ""
    attached: set[Callable[[int, bytes], Awaitable[None]]] = field(default_factory=set)
    _back_off: float = 0.0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.raw["name"])

    @property
    def title(self) -> str:
        """Its Pod as events name it."""
        metadata = self.home.pod["metadata"]
        return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"

    async def live(self) -> None:
        """Run it as often as its policy says; returns when it is over, or stopped."""
        while not self.stopping:
            begun = time.monotonic()
            try:
                code = await self._once()
            except StartProblem as problem:
                code = await self._not_started(problem)
            except Problem as problem:
                await self._waits(problem)
                continue
            self.home.changed()
            if not self._again(code):
                break
            await self._pause(time.monotonic() - begun)
        self.state.over = True
        self.home.changed()

    def _again(self, code: int) -> bool:
        if self.stopping:
            return False
        return self.policy == "Always" or (self.policy == "OnFailure" and code != 0)

    async def _waits(self, problem: Problem) -> None:
        """It cannot be started as things are: say why, and wait."""
        reference = self.raw["image"]
        image = isinstance(problem, ImageProblem)
        if image:
            text = f'Failed to pull image "{reference}": {problem.message}'
            await self.home.tell("Failed", text, bad=True)
        word = problem.reason if image else problem.message
        await self.home.tell("Failed", f"Error: {word}", bad=True)
        self._be({"waiting": {"reason": problem.reason, "message": problem.message}})
        await self._sleep(AGAIN)
        if not image or self.stopping:
            return
        self._back_off = min(LAST_BACK_OFF, max(FIRST_BACK_OFF, self._back_off * 2))
        if problem.reason == "ErrImagePull":
            message = f'Back-off pulling image "{reference}"'
            why = f"{message}: {problem.reason}: {problem.message}"
            self._be({"waiting": {"reason": "ImagePullBackOff", "message": why}})
            await self.home.tell("BackOff", message)
        await self._sleep(self._back_off)

    async def _pause(self, ran: float) -> None:
        """Between two runs: none before the first restart, then longer and longer."""
        wait = 0.0 if ran > CALM else self._back_off
        self._back_off = FIRST_BACK_OFF if not wait else min(LAST_BACK_OFF, wait * 2)
        if wait:
            message = f"back-off {wait:g}s restarting failed container={self.name} pod={self.title}"
            self.state.last = self.state.state
            self._be({"waiting": {"reason": "CrashLoopBackOff", "message": message}})
            await self.home.tell(
                "BackOff", f"Back-off restarting failed container {self.name} in pod {self.title}", bad=True
            )
            await self._sleep(wait)
        if not self.stopping:
            if "terminated" in self.state.state:
                self.state.last = self.state.state
            self.state.restarts += 1

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    def _be(self, state: Json) -> None:
        self.state.state = state
        self.state.ready = self.state.started = False
        self.home.changed()

    async def _not_started(self, problem: StartProblem) -> int:
        now = timestamp()
        await self.home.tell("Failed", f"Error: {problem.message}", bad=True)
        ended = {"exitCode": 128, "reason": problem.reason, "message": problem.message}
        self._be({"terminated": {**ended, "startedAt": "1970-01-01T00:00:00Z", "finishedAt": now}})
        return 128

    # One run.

    async def _once(self) -> int:
        """One run, from the image to the exit code. Raises Problem."""
        probes.check(self.raw)
        reference = self.raw["image"]
        image = await find(self.house.images, reference, self.raw.get("imagePullPolicy") or "")
        present = f'Container image "{reference}" already present on machine'
        pulled = f'Successfully pulled image "{reference}" in {image.seconds:.3f}s'
        await self.home.tell("Pulled", pulled if image.seconds else present)
        self.id = f"{self.home.pod['metadata']['uid']}-{self.name}-{self.state.restarts}"
        place = self.home.folder / "containers" / self.name / str(self.state.restarts)
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        (place / "message").touch(mode=0o666)
        (place / "message").chmod(0o666)
        message = (
            str(place / "message"),
            self.raw.get("terminationMessagePath") or "/dev/termination-log",
            False,
        )
        made = bundle.Made(
            image=image,
            variables=resolved(self.raw, self.home.facts()),
            namespaces=self.home.namespaces,
            hostname=self.home.hostname,
            mounts=(*self.home.mounts(self.raw), message),
        )
        written = json.dumps(bundle.config(self.raw, self.home.pod, made))
        (place / "config.json").write_text(written, encoding="utf-8", errors="surrogateescape")
        await self.home.tell("Created", f"Created container: {self.name}")
        if self.log is not None:
            self.before = self.log
        self.log = ContainerLog(place / "log")
        self.state.identity, self.state.container, self.unhealthy = image.identity, self.id, ""
        return await self._run(place)

    async def _run(self, place: Path) -> int:
        stdin, tty = bool(self.raw.get("stdin")), bool(self.raw.get("tty"))
        assert self.log is not None
        try:
            self.program = program = await self.house.runtime.run(self.id, place, stdin=stdin, tty=tty)
        except StartProblem:
            self.log.end()
            raise
        self._over = asyncio.Event()
        begun = timestamp()
        self._be({"running": {"startedAt": begun}})
        self.state.started = not self.raw.get("startupProbe")
        self.state.ready = self.state.started and not self.raw.get("readinessProbe")
        self.home.changed()
        carried = asyncio.ensure_future(program.carry(partial(self._say, 1), partial(self._say, 2)))
        await self.home.tell("Started", f"Started container {self.name}")
        self._tasks = [asyncio.create_task(self._attend())]
        try:
            code = await carried
        finally:
            for task in self._tasks:
                task.cancel()
            carried.cancel()
            await asyncio.gather(carried, *self._tasks, return_exceptions=True)
            await program.kill()
            self.log.end()
            memory = self.house.runtime.out_of_memory(self.id)
            await self.house.runtime.delete(self.id)
            self.program = None
            self._over.set()
        self._be({"terminated": self._terminated(code, begun, place, memory=memory)})
        return code

    async def _say(self, channel: int, data: bytes) -> None:
        assert self.log is not None
        self.log.write(channel, data)
        for write in tuple(self.attached):
            try:
                await write(channel, data)
            except ConnectionError:
                self.attached.discard(write)

    def _terminated(self, code: int, begun: str, place: Path, *, memory: bool) -> Json:
        reason = "OOMKilled" if memory and code else "Completed" if code == 0 else "Error"
        found: Json = {"exitCode": code, "reason": reason, "startedAt": begun, "finishedAt": timestamp()}
        found["containerID"] = f"sekisho://{self.id}"
        with (place / "message").open("rb") as stream:
            text = stream.read(MESSAGE).decode("utf-8", "replace")
        fallback = self.raw.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        if not text and code and fallback and self.log is not None:
            text = self.log.tail(FALLBACK_LINES, FALLBACK_BYTES)
        if text:
            found["message"] = text
        return found

    # While it runs: hooks and probes.

    async def _attend(self) -> None:
        """The hook after its start, then probes as they are due."""
        hook = (self.raw.get("lifecycle") or {}).get("postStart")
        if hook and (problem := await self._hook(hook)):
            await self.home.tell("FailedPostStartHook", f"PostStartHook failed: {problem}", bad=True)
            self._end_soon("FailedPostStartHook")
            return
        if self.raw.get("startupProbe"):
            await self._probe("startupProbe", "Startup")
            if self.unhealthy:
                return
            self.state.started = True
            self.state.ready = not self.raw.get("readinessProbe")
            self.home.changed()
        rows = (("livenessProbe", "Liveness"), ("readinessProbe", "Readiness"))
        await asyncio.gather(*(self._probe(name, title) for name, title in rows if self.raw.get(name)))

    async def _hook(self, hook: Raw) -> str:
        """Run a lifecycle hook; what went wrong with it."""
        if hook.get("sleep"):
            await asyncio.sleep(float(hook["sleep"].get("seconds") or 0))
            return ""
        target = self._target()
        if hook.get("exec"):
            code, output, problem = await probes.run(
                target.runtime, target.id, hook["exec"].get("command") or ()
            )
            text = output.decode("utf-8", "replace")
            return problem or (f"command exited with {code}: {text}" if code else "")
        try:
            await probes.probe({**hook, "timeoutSeconds": 30}, target)
        except ProbeFailure as failure:
            return str(failure)
        return ""

    def _target(self) -> Target:
        ports = {
            row["name"]: int(row["containerPort"]) for row in self.raw.get("ports") or () if row.get("name")
        }
        return Target(runtime=self.house.runtime, id=self.id, ports=ports, address=self.home.facts().address)

    async def _probe(self, name: str, title: str) -> None:
        """Ask again and again; a start-up probe until it has answered well once."""
        row = self.raw[name]
        count = Count(row=row, verdict=name == "livenessProbe")
        await asyncio.sleep(float(row.get("initialDelaySeconds") or 0))
        while True:
            try:
                await probes.probe(row, self._target())
                good = True
            except ProbeFailure as failure:
                good = False
                await self.home.tell("Unhealthy", f"{title} probe failed: {failure}", bad=True)
            changed = count.add(good=good)
            if name == "startupProbe":
                if count.verdict:
                    return
                if count.bad >= int(row.get("failureThreshold") or 3):
                    self._end_soon("failed startup probe")
                    return
            elif name == "livenessProbe" and not count.verdict:
                self._end_soon("failed liveness probe")
                return
            elif name == "readinessProbe" and changed:
                self.state.ready = count.verdict
                self.home.changed()
            await asyncio.sleep(float(row.get("periodSeconds") or 10))

    def _end_soon(self, why: str) -> None:
        """End this run: what is unhealthy is started again as the policy says."""
        self.unhealthy = why
        asyncio.get_running_loop().create_task(self._end_unhealthy(why))

    async def _end_unhealthy(self, why: str) -> None:
        verb = "will be restarted" if self.policy != "Never" else "will be killed"
        await self.home.tell("Killing", f"Container {self.name} {why}, {verb}")
        found = self.home.pod["spec"].get("terminationGracePeriodSeconds")
        await self._end(GRACE if found is None else float(found))

    # Its end.

    async def stop(self, grace: float) -> None:
        """End it for good, gently at first."""
        self.stopping = True
        self._wake.set()
        if self.program is not None:
            await self.home.tell("Killing", f"Stopping container {self.name}")
            await self._end(grace)

    async def _end(self, grace: float) -> None:
        """The hook before its end, SIGTERM, and SIGKILL when its time is over."""
        program = self.program
        if program is None:
            return
        end = time.monotonic() + grace
        hook = (self.raw.get("lifecycle") or {}).get("preStop")
        if hook and grace > 0:
            with contextlib.suppress(TimeoutError):
                problem = await asyncio.wait_for(self._hook(hook), grace)
                if problem:
                    await self.home.tell("FailedPreStopHook", f"PreStopHook failed: {problem}", bad=True)
        if grace > 0:
            program.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended(program), max(0.0, end - time.monotonic()))
            return
        program.signal(signal.SIGKILL)
        await self.ended(program)

    async def ended(self, program: Program) -> None:
        """Wait for the end of a run."""
        if self.program is program:
            await self._over.wait()
