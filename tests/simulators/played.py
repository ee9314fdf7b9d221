"""A cluster whose Pods are played: ``python -m tests.simulators.played FOLDER``.

Pods that name a Node are Running at once. Commands in them are this machine's own, in a folder of the Pod's;
their logs and ports are what is written here. Nothing of it is kept from anything: it is a test double for what
runs Pods, to drive the API's streams with real clients.

The first line of its output is that of ``sekisho up -o json``. ``FOLDER/upgrades`` has a line for each stream:
the protocol that the client upgraded to.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sekisho.apiserver.answer import Answer
from sekisho.apiserver.cluster import Cluster, Settings
from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.names import timestamp
from sekisho.apiserver.route import Call
from sekisho.apiserver.runtime import Log, LogLine, RuntimeProblem, Streams
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import Row
from sekisho.web.pipe import Pipe

Raw = Mapping[str, Any]
Json = dict[str, Any]

PAST = (("one", 7_200), ("two", 3_600), ("three", 0))
"""Lines of a log, and how many seconds ago they were written."""

NEXT = ("four", "five")
"""What comes while a log is followed; then its container ends."""

RESTARTED = "restarted"
"""The label of Pods that have a log of before."""

SHOUTS = 8_080
"""The port that answers in capitals, once the client has said everything."""

ECHOES = 8_081
"""The port that answers each piece in capitals at once."""


class Played:
    """The runtime."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ended: set[str] = set()

    def _place(self, pod: Raw) -> Path:
        place = self._folder / pod["metadata"]["uid"]
        place.mkdir(parents=True, exist_ok=True)
        return place

    async def logs(self, pod: Raw, container: str, *, follow: bool, previous: bool) -> Log:
        name = pod["metadata"]["name"]
        if previous:
            if RESTARTED not in (pod["metadata"].get("labels") or {}):
                raise RuntimeProblem(f'previous terminated container "{container}" in pod "{name}" not found')
            return Log(lines=[_line(f"{container} before", 10)])
        past = [_line(f"{container} {text}", ago) for text, ago in PAST]
        return Log(lines=past, more=self._more(container) if follow else None)

    async def _more(self, container: str) -> AsyncIterator[LogLine]:
        for text in NEXT:
            await asyncio.sleep(0.1)
            yield _line(f"{container} {text}", 0)

    async def exec(self, pod: Raw, container: str, command: Sequence[str], streams: Streams) -> int:
        place = self._place(pod)
        try:
            return await (_on_terminal if streams.tty else _piped)(place, command, streams)
        except FileNotFoundError:
            raise RuntimeProblem(f'exec: "{command[0]}": executable file not found in $PATH') from None

    async def attach(self, pod: Raw, container: str, streams: Streams) -> int:
        await streams.stdout(f"attached to {container}\n".encode())
        if streams.stdin is not None:
            async for data in streams.stdin:
                await streams.stdout(data.upper())
        self.ended.add(pod["metadata"]["uid"])
        return 0

    async def connect(self, pod: Raw, port: int, pipe: Pipe) -> None:
        if port not in (SHOUTS, ECHOES):
            raise RuntimeProblem(f"nothing listens on port {port}")
        said = b""
        while data := await pipe.read():
            said += data
            if port == ECHOES:
                await pipe.write(data.upper())
                said = b""
        await pipe.write(said.upper())


def _line(text: str, ago: float) -> LogLine:
    return LogLine(when=datetime.now(UTC) - timedelta(seconds=ago), text=f"{text}\n".encode())


async def _piped(place: Path, command: Sequence[str], streams: Streams) -> int:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=place,
        stdin=pipe if streams.stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
    )
    feeding = asyncio.ensure_future(_feed(process, streams))
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        await asyncio.gather(_copy(process.stdout, streams.stdout), _copy(process.stderr, streams.stderr))
        return await process.wait()
    finally:
        feeding.cancel()
        if process.returncode is None:
            process.kill()


async def _feed(process: asyncio.subprocess.Process, streams: Streams) -> None:
    if streams.stdin is None or process.stdin is None:
        return
    with contextlib.suppress(ConnectionError):
        async for data in streams.stdin:
            process.stdin.write(data)
            await process.stdin.drain()
    process.stdin.close()


async def _copy(source: asyncio.StreamReader, write: Any) -> None:
    while data := await source.read(65_536):
        await write(data)


async def _on_terminal(place: Path, command: Sequence[str], streams: Streams) -> int:
    """With a terminal of its own, whose size is the client's."""
    master, slave = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *command, cwd=place, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    loop = asyncio.get_running_loop()

    async def resize() -> None:
        async for width, height in streams.sizes:
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("4H", height, width, 0, 0))

    async def type_in() -> None:
        if streams.stdin is not None:
            async for data in streams.stdin:
                os.write(master, data)

    tasks = [asyncio.ensure_future(resize()), asyncio.ensure_future(type_in())]
    try:
        while data := await loop.run_in_executor(None, _read, master):
            await streams.stdout(data)
        return await process.wait()
    finally:
        for task in tasks:
            task.cancel()
        if process.returncode is None:
            process.kill()
        os.close(master)


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65_536)
    except OSError:
        return b""  # nobody has the other end open any more


async def keep_house(cluster: Cluster, runtime: Played) -> None:
    """Do what a kubelet does to Pods' status, as far as clients wait for it."""
    hand = Hand(cluster.api, "kubelet")
    while True:
        for row in cluster.api.store.rows(("", "pods")):
            with contextlib.suppress(ApiError):
                await _look(hand, row, runtime)
        await asyncio.sleep(0.05)


async def _look(hand: Hand, row: Row, runtime: Played) -> None:
    pod = row.load()
    if not pod["spec"].get("nodeName"):
        return
    if pod["metadata"].get("deletionTimestamp"):
        await hand.delete(row.place, {"gracePeriodSeconds": 0})
        return
    wanted = _status(pod, ended=pod["metadata"]["uid"] in runtime.ended)
    now = pod["status"]
    if now.get("phase") != wanted["phase"] or len(now.get("ephemeralContainerStatuses", ())) != len(
        wanted["ephemeralContainerStatuses"]
    ):
        await hand.change(row.place, lambda old: {**old, "status": {**old["status"], **wanted}}, "status")


def _status(pod: Json, *, ended: bool) -> Json:
    over = ended and pod["spec"].get("restartPolicy") == "Never"
    now = timestamp()
    state = (
        {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
        if over
        else {"running": {"startedAt": now}}
    )

    def row(container: Json, state: Json) -> Json:
        image = container["image"]
        return {
            "name": container["name"],
            "image": image,
            "imageID": image,
            "ready": not over,
            "restartCount": 0,
            "state": state,
        }

    return {
        "phase": "Succeeded" if over else "Running",
        "conditions": [{"type": "Ready", "status": "False" if over else "True", "lastTransitionTime": now}],
        "containerStatuses": [row(found, state) for found in pod["spec"]["containers"]],
        "ephemeralContainerStatuses": [
            row(found, {"running": {"startedAt": now}})
            for found in pod["spec"].get("ephemeralContainers") or ()
        ],
    }


def write_down_upgrades(cluster: Cluster, file: Path) -> None:
    """Note which protocols clients upgrade to."""
    handle = cluster.api.handle

    async def noted(call: Call) -> Answer:
        answer = await handle(call)
        if answer.upgrade is not None:
            with file.open("a", encoding="ascii") as out:
                out.write(f"{call.target.subresource} {call.upgrade.lower()}\n")
        return answer

    cluster.api.handle = noted  # type: ignore[method-assign]


async def main(folder: Path) -> None:
    """Serve until a signal says to stop."""
    runtime = Played(folder.with_name(f"{folder.name}-pods"))
    cluster = await Cluster.start(Settings(folder=folder, port=0), runtime=runtime)
    write_down_upgrades(cluster, folder / "upgrades")
    house = asyncio.ensure_future(keep_house(cluster, runtime))
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    rows = {"server": cluster.url, "kubeconfig": str(cluster.kubeconfig.absolute())}
    print(json.dumps(rows), flush=True)
    await stopped.wait()
    house.cancel()
    await cluster.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
