"""The process that holds the namespaces which a Pod's containers share."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from typing import Final

from sekisho.node.problems import Problem
from sekisho.node.process import SOURCE, send

STARTER: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from sekisho.sandbox.spawn.hold import main; main(*sys.argv[1:])"
)
KINDS: Final = {"network": "net", "ipc": "ipc", "uts": "uts"}
SECONDS: Final = 20.0


class Holder:
    """Holds them until it is closed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, hostname: str, address: str) -> Holder:
        """Make the namespaces. Raises Problem."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-IS", "-c", STARTER, SOURCE, hostname[:63], address),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env={"PATH": os.defpath},
        )
        assert process.stdout is not None
        with contextlib.suppress(TimeoutError):
            if await asyncio.wait_for(process.stdout.readline(), SECONDS) == b"ready\n":
                return cls(process)
        send(process, signal.SIGKILL)
        _, said = await process.communicate()
        text = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise Problem("FailedCreatePodSandBox", f"Failed to create pod sandbox: {text}")

    @property
    def namespaces(self) -> Mapping[str, str]:
        """The paths of the namespaces by kind."""
        return {kind: f"/proc/{self._process.pid}/ns/{name}" for kind, name in KINDS.items()}

    async def close(self) -> None:
        """Let go of them."""
        send(self._process, signal.SIGKILL)
        await self._process.wait()
