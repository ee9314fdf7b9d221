"""Races a system call against another process that changes what its pointers show. Runs inside a sandbox.

``python race.py KIND SECONDS``: prints each object that was reached and should not have been, and how often each of
the allowed results was seen. The changing process shares one page with the calling one.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import signal
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable

libc = ctypes.CDLL(None, use_errno=True)
PAGE = mmap.mmap(-1, 4096)
AT = ctypes.addressof(ctypes.c_char.from_buffer(PAGE))


def flip(values: list[bytes], offset: int = 0) -> int:
    """A process that writes the values over each other for ever."""
    PAGE[offset : offset + len(values[0])] = values[0]
    child = os.fork()
    if child == 0:
        while True:
            for value in values:
                PAGE[offset : offset + len(value)] = value
    return child


def call(number: int, *args: int) -> int:
    result: int = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(arg) for arg in args))
    return result


def where(fd: int) -> str:
    return os.readlink(f"/proc/self/fd/{fd}")


def path(end: float, seen: Counter[str]) -> None:
    """Between a file that may be opened and files of /proc that may not."""
    names = [b"/etc/passwd\0", b"/proc/kcore\0", b"/proc/1/environ\0", b"/proc/kmsg\0", b"/proc/1/mem\0"]
    child = flip(names)
    while time.monotonic() < end:
        fd = call(2, AT, 0)
        seen[where(fd) if fd >= 0 else errno.errorcode[ctypes.get_errno()]] += 1
        if fd >= 0:
            os.close(fd)
    os.kill(child, signal.SIGKILL)


def write_path(end: float, seen: Counter[str]) -> None:
    """Between a file of one's own and files of the kernel's, to write."""
    open("/tmp/own", "w").close()
    names = [b"/tmp/own\0", b"/proc/sys/kernel/core_pattern\0", b"/proc/sysrq-trigger\0", b"/proc/self/mem\0"]
    child = flip(names)
    while time.monotonic() < end:
        fd = call(2, AT, os.O_WRONLY)
        seen[where(fd) if fd >= 0 else errno.errorcode[ctypes.get_errno()]] += 1
        if fd >= 0:
            os.close(fd)
    os.kill(child, signal.SIGKILL)


def links(end: float, seen: Counter[str]) -> None:
    """A link that points to a file and to the kernel's memory by turns."""
    child = os.fork()
    if child == 0:
        targets = ["/etc/passwd", "/proc/kcore", "/proc/1/root/etc/shadow", "/proc/sys/kernel/panic"]
        while True:
            for target in targets:
                os.symlink(target, "/tmp/new-link")
                os.rename("/tmp/new-link", "/tmp/link")
    while time.monotonic() < end:
        try:
            fd = os.open("/tmp/link", os.O_RDONLY)
        except OSError as error:
            seen[errno.errorcode[error.errno or 0]] += 1
            continue
        seen[where(fd)] += 1
        os.close(fd)
    os.kill(child, signal.SIGKILL)


def renames(end: float, seen: Counter[str]) -> None:
    """``..`` from a directory that is being moved: never past the root."""
    os.makedirs("/tmp/a/b/c/d")
    child = os.fork()
    if child == 0:
        while True:
            os.rename("/tmp/a/b/c", "/tmp/c")
            os.rename("/tmp/c", "/tmp/a/b/c")
    inside = os.stat("/").st_ino, os.stat("/").st_dev
    while time.monotonic() < end:
        try:
            fd = os.open("/tmp/a/b/c/d", os.O_RDONLY)
            up = os.open("../" * 9, os.O_RDONLY, dir_fd=fd)
        except OSError as error:
            seen[errno.errorcode[error.errno or 0]] += 1
            continue
        seen["root" if (os.fstat(up).st_ino, os.fstat(up).st_dev) == inside else where(up)] += 1
        os.close(fd)
        os.close(up)
    os.kill(child, signal.SIGKILL)


def address(end: float, seen: Counter[str]) -> None:
    """Between loopback and the machine's metadata address."""
    server = socket.create_server(("127.0.0.1", 0))
    server.listen(64)
    port = struct.pack("!H", server.getsockname()[1])
    own, meta = socket.inet_aton("127.0.0.1"), socket.inet_aton("169.254.169.254")
    child = flip([struct.pack("=H", 2) + port + own, struct.pack("=H", 2) + port + meta])
    while time.monotonic() < end:
        client = socket.socket()
        result = call(42, client.fileno(), AT, 16)
        seen[client.getpeername()[0] if result == 0 else errno.errorcode[ctypes.get_errno()]] += 1
        if result == 0:
            server.accept()[0].close()
        client.close()
    os.kill(child, signal.SIGKILL)


def vectors(end: float, seen: Counter[str]) -> None:
    """The vectors of a message change their addresses and lengths while it is sent."""
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    text = ctypes.create_string_buffer(b"x" * 64)
    good = struct.pack("=QQ", ctypes.addressof(text), 64)
    bad = struct.pack("=QQ", 0x7FFF_FFFF_F000, 1 << 40)
    message = struct.pack("=QI4xQQQQi4x", 0, 0, AT, 1, 0, 0, 0)
    head = ctypes.create_string_buffer(message)
    child = flip([good, bad])
    two.setblocking(False)
    while time.monotonic() < end:
        result = call(46, one.fileno(), ctypes.addressof(head), 0x40)
        seen["sent" if result >= 0 else errno.errorcode[ctypes.get_errno()]] += 1
        try:
            seen["text" if set(two.recv(1 << 20)) <= {ord("x")} else "garbage"] += 1
        except BlockingIOError:
            continue
    os.kill(child, signal.SIGKILL)


def arguments(end: float, seen: Counter[str]) -> None:
    """The program's path changes while it is executed: always one of the two, inside the tree."""
    child = flip([b"/bin/true\0", b"/bin/false", b"/nonexist\0"])
    argv = (ctypes.c_char_p * 2)(b"x", None)
    while time.monotonic() < end:
        runner = os.fork()
        if runner == 0:
            call(59, AT, ctypes.addressof(argv), 0)
            os._exit(77)
        status = os.waitstatus_to_exitcode(os.waitpid(runner, 0)[1])
        seen[{0: "true", 1: "false", 77: "refused"}.get(status, f"status {status}")] += 1
    os.kill(child, signal.SIGKILL)


KINDS: dict[str, tuple[Callable[[float, Counter[str]], None], set[str]]] = {
    "path": (path, {"/etc/passwd", "EACCES", "ENOENT", "EPERM"}),
    "write_path": (write_path, {"/tmp/own", "EACCES", "EROFS", "ENOENT", "EPERM"}),
    "links": (links, {"/etc/passwd", "EACCES", "ENOENT", "EPERM", "ELOOP"}),
    "renames": (renames, {"root", "ENOENT"}),
    "address": (
        address,
        {"127.0.0.1", "ENETUNREACH", "EINVAL", "ECONNREFUSED", "EAFNOSUPPORT", "EHOSTUNREACH"},
    ),
    "vectors": (vectors, {"sent", "text", "EFAULT", "EMSGSIZE", "EINVAL", "EAGAIN"}),
    "arguments": (arguments, {"true", "false", "refused"}),
}

if __name__ == "__main__":
    function, allowed = KINDS[sys.argv[1]]
    counts: Counter[str] = Counter()
    function(time.monotonic() + float(sys.argv[2]), counts)
    for name, count in sorted(counts.items()):
        print("" if name in allowed else "REACHED ", name, " ", count, sep="")
