"""Logs, exec, attach and port-forward of the node's Pods: the API's ``PodRuntime``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sekisho.apiserver.runtime import Log, RuntimeProblem, Streams
from sekisho.node.container import Container
from sekisho.node.pod import PodWorker
from sekisho.node.process import Program, problem_of
from sekisho.web.pipe import Pipe

Raw = Mapping[str, Any]

CHUNK: Final = 64 * 1024


class Serving:
    """Answers for the Pods of ``workers``, which are by uid."""

    def __init__(self, workers: Mapping[str, PodWorker]) -> None:
        self._workers = workers

    def _worker(self, pod: Raw) -> PodWorker:
        found = self._workers.get(pod["metadata"]["uid"])
        if found is None:
            name = pod["metadata"]["name"]
            raise RuntimeProblem(f"pod {name} does not run on this node (yet, or any more)")
        return found

    def _container(self, pod: Raw, name: str) -> Container:
        found = self._worker(pod).find(name)
        if found is None:
            raise RuntimeProblem(f"container {name} is not valid for pod {pod['metadata']['name']}")
        return found

    def _running(self, pod: Raw, name: str) -> tuple[Container, Program]:
        found = self._container(pod, name)
        if found.program is None:
            raise RuntimeProblem(f'container not found ("{name}")')
        return found, found.program

    async def logs(self, pod: Raw, container: str, *, follow: bool, previous: bool) -> Log:
        """The log of a container, of the run before it with ``previous``."""
        found = self._container(pod, container)
        name = pod["metadata"]["name"]
        if previous:
            if found.before is None:
                raise RuntimeProblem(f'previous terminated container "{container}" in pod "{name}" not found')
            return found.before.read(follow=False)
        if found.log is None:
            waiting = found.state.state.get("waiting") or {}
            raise RuntimeProblem(
                f'container "{container}" in pod "{name}" is waiting to start: {waiting.get("reason")}'
            )
        return found.log.read(follow=follow)

    async def exec(self, pod: Raw, container: str, command: Sequence[str], streams: Streams) -> int:
        """Run a command in a container; its exit code."""
        found, _ = self._running(pod, container)
        program, log = await found.house.runtime.exec(
            found.id, command, stdin=streams.stdin is not None, tty=streams.tty
        )
        tasks = [
            asyncio.ensure_future(_feed(program, streams)),
            asyncio.ensure_future(_resize(program, streams)),
        ]
        try:
            code = await program.carry(streams.stdout, streams.stderr)
        finally:
            for task in tasks:
                task.cancel()
            await program.kill()
            await asyncio.gather(*tasks, return_exceptions=True)
            problem = problem_of(log)
        if problem:
            raise RuntimeProblem(problem)
        return code

    async def attach(self, pod: Raw, container: str, streams: Streams) -> int:
        """Join a container's own process: see what it writes, and type to it, until it ends."""
        found, program = self._running(pod, container)

        async def write(channel: int, data: bytes) -> None:
            await (streams.stderr if channel == 2 else streams.stdout)(data)

        found.attached.add(write)
        resizing = asyncio.ensure_future(_resize(program, streams))
        try:
            if streams.stdin is not None:
                with contextlib.suppress(ConnectionError):
                    async for data in streams.stdin:
                        await program.type(data)
                if found.raw.get("stdinOnce"):
                    program.end_input()
            await found.ended(program)
        finally:
            resizing.cancel()
            found.attached.discard(write)
        return 0  # how it ended is in the Pod's status, where clients look for it

    async def connect(self, pod: Raw, port: int, pipe: Pipe) -> None:
        """Carry one connection to a port of a Pod."""
        found = self._worker(pod).running()
        if found is None:
            raise RuntimeProblem("no container of the pod runs")
        program, log = await found.house.runtime.connect(found.id, port)

        async def send() -> None:
            with contextlib.suppress(ConnectionError):
                while data := await pipe.read():
                    await program.type(data)
            program.end_input()

        async def drop(_: bytes) -> None:
            """What the process says of itself is in its log."""

        sending = asyncio.ensure_future(send())
        try:
            await program.carry(pipe.write, drop)
        finally:
            sending.cancel()
            await program.kill()
            await asyncio.gather(sending, return_exceptions=True)
            problem = problem_of(log)
        if problem:
            raise RuntimeProblem(problem)


async def _feed(program: Program, streams: Streams) -> None:
    if streams.stdin is None:
        return
    with contextlib.suppress(ConnectionError, OSError):
        async for data in streams.stdin:
            await program.type(data)
    program.end_input()


async def _resize(program: Program, streams: Streams) -> None:
    async for columns, rows in streams.sizes:
        program.resize(columns, rows)
