"""Races addresses under rules: run inside a sandbox in the lab, with 203.0.113.7 allowed and nothing else.

``python race.py KIND SECONDS``: another process writes addresses over each other in a shared page while calls
are made with them. Prints what was reached and should not have been, and how often each allowed result was
seen.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

libc = ctypes.CDLL(None, use_errno=True)
PAGE = mmap.mmap(-1, 4096)
AT = ctypes.addressof(ctypes.c_char.from_buffer(PAGE))
GOOD = "203.0.113.7"
BAD = ("203.0.113.8", "169.254.169.254", "198.51.100.9", "127.0.0.1")


def address(host: str, port: int) -> bytes:
    return struct.pack("=H", 2) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8)


def mapped(host: str, port: int) -> bytes:
    head = struct.pack("=H", 10) + struct.pack("!HI", port, 0)
    return head + socket.inet_pton(socket.AF_INET6, f"::ffff:{host}") + bytes(4)


def flip(values: list[bytes]) -> int:
    PAGE[: len(values[0])] = values[0]
    child = os.fork()
    if child == 0:
        while True:
            for value in values:
                PAGE[: len(value)] = value
    return child


def told(sock: socket.socket) -> str:
    sock.settimeout(2)
    try:
        return sock.recv(99).decode().strip() or "nothing"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "timeout")


def outcome(result: int, sock: socket.socket) -> str:
    return told(sock) if result >= 0 else errno.errorcode[ctypes.get_errno()]


def stream(end: float, seen: Counter[str], form: Callable[[str, int], bytes], family: int) -> None:
    child = flip([form(GOOD, 80), *(form(host, 80) for host in BAD)])
    size = len(form(GOOD, 80))
    while time.monotonic() < end:
        with socket.socket(family) as sock:
            seen[outcome(libc.connect(sock.fileno(), ctypes.c_void_p(AT), size), sock)] += 1
    os.kill(child, signal.SIGKILL)


def connect(end: float, seen: Counter[str]) -> None:
    """The address changes while a stream is connected."""
    stream(end, seen, address, socket.AF_INET)


def connect_mapped(end: float, seen: Counter[str]) -> None:
    """The same in IPv6's form."""
    stream(end, seen, mapped, socket.AF_INET6)


def sendto(end: float, seen: Counter[str]) -> None:
    """The address changes while a datagram is sent, on one socket all the time."""
    child = flip([address(GOOD, 99), *(address(host, 8000 if host == "127.0.0.1" else 99) for host in BAD)])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.02)
        while time.monotonic() < end:
            result = libc.sendto(sock.fileno(), b"x", 1, 0, ctypes.c_void_p(AT), 16)
            if result < 0:
                seen[errno.errorcode[ctypes.get_errno()]] += 1
                continue
            try:
                seen[sock.recv(99).decode()] += 1
            except TimeoutError:
                seen["timeout"] += 1
            except OSError as error:
                seen[errno.errorcode[error.errno or 0]] += 1
    os.kill(child, signal.SIGKILL)


def sendmsg(end: float, seen: Counter[str]) -> None:
    """The header of a message changes where its name is, and the name itself."""
    names = ctypes.create_string_buffer(address(GOOD, 99) + address(BAD[0], 99), 32)
    body = ctypes.create_string_buffer(b"x")
    vector = struct.pack("=QQ", ctypes.addressof(body), 1)
    vectors = ctypes.create_string_buffer(vector, 16)
    heads = [
        struct.pack("=QI4xQQQQi4x", ctypes.addressof(names) + at, 16, ctypes.addressof(vectors), 1, 0, 0, 0)
        for at in (0, 16)
    ]
    child = flip(heads)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.02)
        while time.monotonic() < end:
            if libc.sendmsg(sock.fileno(), ctypes.c_void_p(AT), 0) < 0:
                seen[errno.errorcode[ctypes.get_errno()]] += 1
                continue
            try:
                seen[sock.recv(99).decode()] += 1
            except OSError as error:
                seen[errno.errorcode.get(error.errno or 0, "timeout")] += 1
    os.kill(child, signal.SIGKILL)


def descriptors(end: float, seen: Counter[str]) -> None:
    """The descriptor is another socket by the time it is replaced: local and outside by turns, from a thread."""
    server = socket.create_server(("127.0.0.1", 0))
    server.setblocking(False)
    sock = socket.socket()
    number = sock.fileno()
    stop = False

    def swap() -> None:
        while not stop:
            with socket.socket() as fresh:
                os.dup2(fresh.fileno(), number)

    thread = threading.Thread(target=swap)
    thread.start()
    where = [address(GOOD, 80), address(BAD[0], 80), address("127.0.0.1", server.getsockname()[1])]
    turn = 0
    while time.monotonic() < end:
        turn += 1
        result = libc.connect(number, where[turn % 3], 16)
        seen["connected" if result == 0 else errno.errorcode[ctypes.get_errno()]] += 1
        with socket.socket(fileno=os.dup(number)) as copy:
            try:
                copy.settimeout(0.01)
                host = copy.getpeername()[0]
                seen[host if host in BAD[:3] else "allowed peer"] += 1
            except OSError:
                seen["no peer"] += 1
        with contextlib.suppress(BlockingIOError):
            server.accept()[0].close()
    stop = True
    thread.join()


ERRORS = {"EACCES", "ECONNREFUSED", "EADDRNOTAVAIL", "EAGAIN", "timeout", "nothing", "ENETUNREACH", "EISCONN",
          "EINVAL", "ENOTSOCK", "EBADF", "EAFNOSUPPORT", "EINPROGRESS", "ECONNRESET"}  # fmt: skip
KINDS: dict[str, tuple[Callable[[float, Counter[str]], None], set[str]]] = {
    "connect": (connect, {"outside 7", *ERRORS}),
    "connect_mapped": (connect_mapped, {"outside 7", *ERRORS}),
    "sendto": (sendto, {f"{GOOD} x", *ERRORS}),
    "sendmsg": (sendmsg, {f"{GOOD} x", *ERRORS}),
    "descriptors": (descriptors, {"connected", "allowed peer", "no peer", *ERRORS}),
}

if __name__ == "__main__":
    function, allowed = KINDS[sys.argv[1]]
    counts: Counter[str] = Counter()
    function(time.monotonic() + float(sys.argv[2]), counts)
    for name, count in sorted(counts.items()):
        print("" if name in allowed else "REACHED ", name, " ", count, sep="")
