"""How a helper process is started and spoken to: lines of JSON over a pair of sockets."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sekisho.sandbox.errors import SandboxError

ROOT: Final = str(Path(__file__).parents[3])
"""Where the package lies: helpers have no search path of their own."""
PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from sekisho.sandbox.keeper import main; main()"
)
LINE_MOST: Final = 64 << 20
"""Bytes of one line: the list of what was changed may be long."""


def command(verb: str, fd: int) -> list[str]:
    """The command line of a helper that speaks at ``fd``."""
    return [sys.executable, "-I", "-S", "-c", PROGRAM, ROOT, verb, str(fd)]


class Link:
    """Our end of the pair. One thread at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._rest = b""

    @classmethod
    def pair(cls) -> tuple[Link, socket.socket]:
        """Our end, and the helper's, which is to be closed when the helper has it."""
        ours, theirs = socket.socketpair()
        return cls(ours), theirs

    def say(self, what: Mapping[str, object]) -> None:
        """Send a line. Nothing happens when the helper is gone."""
        try:
            self._sock.sendall(json.dumps(what).encode() + b"\n")
        except OSError:
            pass

    def hear(self) -> dict[str, Any]:
        """Wait for a line; its error, if it is one. SandboxError SBX019 when the helper is gone."""
        while b"\n" not in self._rest:
            data = b"" if len(self._rest) > LINE_MOST else self._sock.recv(1 << 16)
            if not data:
                raise SandboxError("SBX019", "the sandbox has ended")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise SandboxError.unpack(os.fsencode(said["error"]))
        return said

    def close(self) -> None:
        """Close our end: the helper ends, and what it stands for."""
        self._sock.close()
