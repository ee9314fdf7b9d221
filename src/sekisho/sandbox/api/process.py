"""Programs that run in a sandbox, as ``subprocess`` and ``asyncio.subprocess`` have them."""

from __future__ import annotations

import asyncio
import subprocess
from typing import IO, Any

from sekisho.sandbox.api.helper import Link


class Process:
    """A program in a sandbox. ``pid`` is its process id as the machine numbers it.

    ``stdin``, ``stdout`` and ``stderr`` are the program's own pipes, or None where none was asked for.
    ``kill`` and the end of its time end the program and everything that it has started.
    """

    def __init__(self, args: list[str], helper: subprocess.Popen[Any], link: Link, pid: int) -> None:
        self.args = args
        self.pid = pid
        self._helper = helper
        self._link = link
        self.stdin: IO[Any] | None = helper.stdin
        self.stdout: IO[Any] | None = helper.stdout
        self.stderr: IO[Any] | None = helper.stderr

    @property
    def returncode(self) -> int | None:
        """The exit status, the negative number of the signal that ended it, or None while it runs."""
        return self._helper.returncode

    def poll(self) -> int | None:
        """``returncode``, looked at anew."""
        status = self._helper.poll()
        if status is not None:
            self._link.close()
        return status

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. subprocess.TimeoutExpired when it takes longer; it goes on then."""
        try:
            status = self._helper.wait(timeout)
        except subprocess.TimeoutExpired:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0) from None
        self._link.close()
        return status

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[Any, Any]:
        """Write ``input``, read everything, wait. subprocess.TimeoutExpired as in ``wait``."""
        try:
            found = self._helper.communicate(input, timeout)
        except subprocess.TimeoutExpired as error:
            error.cmd = self.args
            raise
        self._link.close()
        return found

    def send_signal(self, number: int) -> None:
        """Send the program, and only it, a signal."""
        if self._helper.poll() is None:
            self._link.say({"signal": int(number)})

    def terminate(self) -> None:
        """Ask the program to end (SIGTERM)."""
        self.send_signal(15)

    def kill(self) -> None:
        """End the program and everything that it has started."""
        if self._helper.poll() is None:
            self._link.say({"kill": True})

    def close(self) -> None:
        """End it if it runs, and let go of its pipes."""
        self._link.close()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass  # what was still to be written has nowhere to go
        self._helper.wait()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncProcess:
    """The same for ``asyncio``: ``stdin`` is a StreamWriter, ``stdout`` and ``stderr`` are StreamReaders."""

    def __init__(self, args: list[str], helper: asyncio.subprocess.Process, link: Link, pid: int) -> None:
        self.args = args
        self.pid = pid
        self._helper = helper
        self._link = link
        self.stdin = helper.stdin
        self.stdout = helper.stdout
        self.stderr = helper.stderr

    @property
    def returncode(self) -> int | None:
        """As ``Process.returncode``."""
        return self._helper.returncode

    async def wait(self) -> int:
        """Wait for its end."""
        status = await self._helper.wait()
        self._link.close()
        return status

    async def communicate(self, input: bytes | None = None) -> tuple[bytes, bytes]:
        """Write ``input``, read everything, wait."""
        found = await self._helper.communicate(input)
        self._link.close()
        return found

    def send_signal(self, number: int) -> None:
        """Send the program, and only it, a signal."""
        if self._helper.returncode is None:
            self._link.say({"signal": int(number)})

    def terminate(self) -> None:
        """Ask the program to end (SIGTERM)."""
        self.send_signal(15)

    def kill(self) -> None:
        """End the program and everything that it has started."""
        if self._helper.returncode is None:
            self._link.say({"kill": True})

    async def close(self) -> None:
        """End it if it runs."""
        self._link.close()
        await self._helper.wait()

    async def __aenter__(self) -> AsyncProcess:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
