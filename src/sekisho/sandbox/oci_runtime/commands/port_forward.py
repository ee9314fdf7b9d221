"""``port-forward``: carry standard input and output to a port that a container listens on."""

from __future__ import annotations

import os
import select

from sekisho.sandbox import process_native
from sekisho.sandbox.abi.flags import CLONE_NEWNET
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import store
from sekisho.sandbox.oci_runtime.options import usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

    from sekisho.sandbox.oci_runtime.main import Context

BLOCK = 65_536
PORT_MOST = 65_535


def command(context: Context) -> int:
    """Until either side ends. The connection is made to loopback in the container's own network."""
    id, port = context.call.words
    if not port.isdigit() or not 0 < int(port) <= PORT_MOST:
        raise usage(f"{port!r} is no port")
    record = context.store.load(id)
    if context.store.status(record) != store.RUNNING:
        raise SandboxError("SBX119", f"container not running: {id}")
    network = os.open(f"/proc/{record.init}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    process_native.setns(network, CLONE_NEWNET)
    os.close(network)
    sock = _connect(id, int(port))
    if not context.call.flag("check"):
        _carry(sock)
    return 0


def _connect(id: str, port: int) -> socket:
    from _socket import AF_INET, AF_INET6, SOCK_STREAM, socket

    worst = ""
    for family, address in ((AF_INET, "127.0.0.1"), (AF_INET6, "::1")):
        sock = socket(family, SOCK_STREAM, 0)
        try:
            sock.connect((address, port))
        except OSError as error:
            worst = worst or error.strerror or str(error)
            sock.close()
        else:
            return sock
    raise SandboxError("SBX119", f"nothing in container {id} listens on port {port}: {worst}")


def _carry(sock: socket) -> None:
    from _socket import SHUT_WR

    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(sock, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            data = os.read(0, BLOCK) if fd == 0 else sock.recv(BLOCK)
            if fd == 0 and not data:
                poll.unregister(0)
                sock.shutdown(SHUT_WR)
            elif fd == 0:
                sock.sendall(data)
            elif not data:
                return
            while fd != 0 and data:
                data = data[os.write(1, data) :]
