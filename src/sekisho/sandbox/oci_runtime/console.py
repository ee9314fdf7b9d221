"""Hands the master of a terminal to whoever waits at ``--console-socket``."""

from __future__ import annotations

import os

from sekisho.sandbox.errors import SandboxError


def send(path: str, master: int) -> None:
    """Connect to the socket and send the descriptor, with its name as the message. SBX118."""
    from _socket import AF_UNIX, SCM_RIGHTS, SOCK_STREAM, SOL_SOCKET, socket

    sock = socket(AF_UNIX, SOCK_STREAM, 0)
    try:
        sock.connect(path)
        sock.sendmsg((b"/dev/ptmx",), ((SOL_SOCKET, SCM_RIGHTS, master.to_bytes(4, "little")),))
    except OSError as error:
        raise SandboxError("SBX118", f"the terminal cannot be sent to {path}: {error.strerror}") from None
    finally:
        sock.close()
        os.close(master)
