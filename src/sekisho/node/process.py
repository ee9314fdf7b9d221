"""``sekisho-runtime`` as a process: each container, and each further program in one, has one for its parent.

The process ends with the server, whatever becomes of that, and the sandbox with the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import struct
import sys
import termios
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sekisho.node.problems import StartProblem
from sekisho.sandbox.oci_runtime.groups import Group

_LOG: Final = logging.getLogger(__name__)

SOURCE: Final = str(Path(__file__).parents[2])
"""The folder that the package lies in."""

STARTER: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from sekisho.sandbox import process_native; process_native.die_with_parent(9); "
    "from sekisho.sandbox.oci_runtime.main import main; main()"
)
PAUSE: Final = 0.01
CHUNK: Final = 64 * 1024
Write = Callable[[bytes], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Program:
    """A program that runs in a sandbox. ``terminal`` is the master of its terminal, or -1."""

    process: asyncio.subprocess.Process
    terminal: int = -1

    async def type(self, data: bytes) -> None:
        """Give it something to read. Raises ConnectionError when it does not read any more."""
        if self.terminal >= 0:
            await asyncio.get_running_loop().run_in_executor(None, os.write, self.terminal, data)
        elif self.process.stdin is not None:
            self.process.stdin.write(data)
            await self.process.stdin.drain()

    def end_input(self) -> None:
        """Nothing more is to be read."""
        if self.terminal < 0 and self.process.stdin is not None:
            self.process.stdin.close()

    def resize(self, columns: int, rows: int) -> None:
        """Change its terminal's size."""
        if self.terminal >= 0:
            fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
            self.signal(signal.SIGWINCH)

    def signal(self, number: int) -> None:
        """Send a signal to the program: the process passes it on, but for SIGKILL, which ends the sandbox."""
        send(self.process, number)

    async def kill(self) -> None:
        """End it, and wait until it has ended."""
        self.signal(signal.SIGKILL)
        await self.process.wait()
        self.close()

    async def carry(self, stdout: Write, stderr: Write) -> int:
        """Pass on what it writes until it ends; its exit code, 128 and more for a signal."""
        if self.terminal >= 0:
            await _copy_terminal(self.terminal, stdout)
        else:
            assert self.process.stdout is not None
            assert self.process.stderr is not None
            await asyncio.gather(_copy(self.process.stdout, stdout), _copy(self.process.stderr, stderr))
        code = await self.process.wait()
        return 128 - code if code < 0 else code

    def close(self) -> None:
        """Let go of its terminal."""
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1


def send(process: asyncio.subprocess.Process, number: int) -> None:
    """Send a signal to a process that has not ended, as far as is known.

    asyncio's own way looks whether it has ended, and takes the status away from who waits for it.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


async def _copy(source: asyncio.StreamReader, write: Write) -> None:
    while data := await source.read(CHUNK):
        await write(data)


async def _copy_terminal(master: int, write: Write) -> None:
    loop = asyncio.get_running_loop()

    def read() -> bytes:
        try:
            return os.read(master, CHUNK)
        except OSError:
            return b""  # nobody has the other end open any more

    while data := await loop.run_in_executor(None, read):
        await write(data)


class Runtime:
    """The containers of one node, each below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "containers"
        self._logs = folder / "messages"
        self._logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._count = 0

    async def clear(self) -> None:
        """End and remove what an earlier life has left."""
        for id in sorted(path.name for path in self._root.iterdir()) if self._root.exists() else ():
            await self.delete(id)

    def _log(self) -> Path:
        self._count += 1
        return self._logs / f"{self._count}.json"

    async def _start(self, words: Sequence[str], log: Path, *, stdin: bool, tty: bool) -> Program:
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        options = ("--root", str(self._root), "--log", str(log), "--log-format", "json")
        command = (sys.executable, "-IS", "-c", STARTER, SOURCE, *options, *words)
        environment = {"PATH": os.environ.get("PATH", os.defpath)}
        if not tty:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=pipe if stdin else null, stdout=pipe, stderr=pipe, env=environment
            )
            return Program(process=process)
        master, slave = os.openpty()
        os.set_inheritable(master, False)
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
            )
        finally:
            os.close(slave)
        return Program(process=process, terminal=master)

    async def run(self, id: str, bundle: Path, *, stdin: bool, tty: bool) -> Program:
        """Start a container from a bundle. Raises StartProblem."""
        log = self._log()
        program = await self._start(("run", "--keep", "--bundle", str(bundle), id), log, stdin=stdin, tty=tty)
        place = self._root / id
        try:
            while program.process.returncode is None:
                if (place / "state.json").exists() and not (place / "gate").exists():
                    return program
                await asyncio.sleep(PAUSE)
        except BaseException:
            await program.kill()
            await self.delete(id)
            raise
        message = problem_of(log)
        if message:
            program.close()
            await self.delete(id)
            raise StartProblem("StartError", f"failed to create containerd task: {message}")
        return program

    async def exec(self, id: str, command: Sequence[str], *, stdin: bool, tty: bool) -> tuple[Program, Path]:
        """Start a program in a container, and the file that says why it could not be started."""
        log = self._log()
        flags = ("--tty",) if tty else ()
        return await self._start(("exec", *flags, id, *command), log, stdin=stdin, tty=tty), log

    async def connect(self, id: str, port: int) -> tuple[Program, Path]:
        """Connect to a port of a container; its standard input and output are the connection."""
        log = self._log()
        return await self._start(("port-forward", id, str(port)), log, stdin=True, tty=False), log

    async def listens(self, id: str, port: int) -> bool:
        """Whether a container listens on a port."""
        log = self._log()
        program = await self._start(("port-forward", "--check", id, str(port)), log, stdin=False, tty=False)
        try:
            return not await program.carry(_drop, _drop)
        finally:
            await program.kill()
            log.unlink(missing_ok=True)

    async def delete(self, id: str) -> None:
        """End a container, if it runs, and remove it."""
        log = self._log()
        program = await self._start(("delete", "--force", id), log, stdin=False, tty=False)
        await program.carry(_drop, _drop)
        problem = problem_of(log)
        if problem:
            _LOG.warning("container %s cannot be removed: %s", id, problem)

    def out_of_memory(self, id: str) -> bool:
        """Whether the kernel has killed something of a container because it had no memory left."""
        state = self._state(id)
        return bool(state) and _killed_for_memory(Group(str(state.get("cgroup") or "")))

    def _state(self, id: str) -> Mapping[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self._root / id / "state.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return found


async def _drop(_: bytes) -> None:
    """Nobody reads it."""


def _killed_for_memory(group: Group) -> bool:
    places = [f"{group.unified}/memory.events"] if group.unified else []
    if "memory" in group.folders:
        places.append(f"{group.folders['memory']}/memory.oom_control")
    for place in places:
        with contextlib.suppress(OSError):
            for line in Path(place).read_text(encoding="ascii").splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill" and count.strip() not in ("", "0"):
                    return True
    return False


def problem_of(log: Path) -> str:
    """What the runtime could not do, from its log, which is removed; empty if there was nothing."""
    try:
        rows = log.read_bytes().splitlines()
    except OSError:
        return ""
    log.unlink(missing_ok=True)
    found = ""
    for row in rows:
        with contextlib.suppress(ValueError):
            entry = json.loads(row)
            if entry.get("level") == "error":
                found = str(entry.get("msg"))
    return found
