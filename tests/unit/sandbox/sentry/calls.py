"""Makes system calls by number, and prints what each gives: run natively and inside, the results are compared.

A program, not a test: ``python calls.py DIRECTORY`` prints a JSON object of results by case. Each case is a function
named after its call, works in an empty directory of its own, and returns what does not differ from run to run.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import stat
import struct
import sys
from collections.abc import Callable

libc = ctypes.CDLL(None, use_errno=True)
CASES: dict[str, Callable[[], object]] = {}
FDCWD = -100


def case(function: Callable[[], object]) -> Callable[[], object]:
    CASES[function.__name__.rstrip("_")] = function
    return function


def call(number: int, *args: object) -> object:
    """The call's result, or the name of its error."""
    made = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    result = libc.syscall(ctypes.c_long(number), *made)
    return errno.errorcode[ctypes.get_errno()] if result == -1 else result


def text(path: str) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(path.encode())


def made(name: str = "f", data: bytes = b"data") -> str:
    with open(name, "wb") as file:
        file.write(data)
    return name


def mode(name: str) -> str:
    return oct(os.lstat(name).st_mode)


def opens(fd: object) -> object:
    """What can be read from a descriptor, or the error that stands in its place."""
    if not isinstance(fd, int):
        return fd
    try:
        return os.read(fd, 99).decode()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    finally:
        os.close(fd)


@case
def open_() -> object:
    made()
    return [
        opens(call(2, text("f"), 0)),
        opens(call(2, text(os.path.abspath("f")), 0)),
        call(2, text("none"), 0),
        call(2, text("f/x"), 0),
        call(2, text(""), 0),
        call(2, text("x" * 5000), 0),
        call(2, 0, 0),
        call(2, 1, 0),
    ]


@case
def openat() -> object:
    made()
    os.mkdir("d")
    os.symlink("f", "l")
    os.symlink("loop", "loop")
    folder = os.open("d", os.O_RDONLY)
    return [
        opens(call(257, folder, text("../f"), 0)),
        opens(call(257, FDCWD, text("l"), 0)),
        call(257, FDCWD, text("l"), os.O_NOFOLLOW),
        call(257, FDCWD, text("loop"), 0),
        call(257, FDCWD, text("f"), os.O_CREAT | os.O_EXCL, 0o600),
        call(257, FDCWD, text("f"), os.O_DIRECTORY),
        call(257, FDCWD, text("d"), os.O_WRONLY),
        call(257, 999, text("f"), 0),
        opens(call(257, FDCWD, text("new"), os.O_CREAT | os.O_WRONLY, 0o6777)),
        mode("new"),
        call(257, os.open("f", os.O_RDONLY), text("x"), 0),
    ]


@case
def openat_truncates_and_appends() -> object:
    made()
    fd = os.open("f", os.O_WRONLY | os.O_APPEND)
    os.lseek(fd, 0, 0)
    os.write(fd, b"+")
    os.close(fd)
    longer = open("f", "rb").read()
    os.close(os.open("f", os.O_WRONLY | os.O_TRUNC))
    return [longer.decode(), os.stat("f").st_size]


@case
def openat_keeps_flags() -> object:
    import fcntl

    made()
    found = []
    for flags in (0, os.O_NONBLOCK, os.O_RDWR | os.O_APPEND, os.O_CLOEXEC):
        fd = call(257, FDCWD, text("f"), flags)
        assert isinstance(fd, int)
        found.append((fcntl.fcntl(fd, fcntl.F_GETFL) & 0o7777777, fcntl.fcntl(fd, fcntl.F_GETFD)))
        os.close(fd)
    return found


@case
def openat_temporary_file() -> object:
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, b"x")
    return [os.fstat(fd).st_nlink, os.listdir(".")]


@case
def openat_handle() -> object:
    made()
    fd = os.open("f", os.O_PATH)
    return [stat.S_ISREG(os.fstat(fd).st_mode), call(0, fd, text(" "), 1)]


@case
def openat2() -> object:
    made()
    how = struct.pack("=QQQ", os.O_RDONLY, 0, 0)
    bad = struct.pack("=QQQ", 1 << 40, 0, 0)
    return [
        opens(call(437, FDCWD, text("f"), how, 24)),
        call(437, FDCWD, text("none"), how, 24),
        call(437, FDCWD, text("f"), how, 8),
        call(437, FDCWD, text("f"), bad, 24),
    ]


@case
def creat() -> object:
    fd = call(85, text("c"), 0o640)
    assert isinstance(fd, int)
    os.write(fd, b"x")
    return [call(0, fd, text(" "), 1), mode("c"), os.stat("c").st_size]


@case
def umask() -> object:
    before = os.umask(0o077)
    made("a")
    os.mkdir("b")
    child = os.fork()
    if child == 0:
        made("c")
        os._exit(0)
    os.waitpid(child, 0)
    return [before, mode("a"), mode("b"), mode("c"), os.umask(before)]


@case
def mkdir() -> object:
    return [
        call(83, text("d"), 0o777), mode("d"), call(83, text("d"), 0), call(83, text("x/y"), 0),
        call(83, text("t/"), 0o700), call(83, text(""), 0), call(83, text("."), 0), call(83, text("/"), 0),
    ]  # fmt: skip


@case
def mkdirat() -> object:
    os.mkdir("d")
    folder = os.open("d", os.O_RDONLY)
    return [
        call(258, folder, text("e"), 0o750),
        mode("d/e"),
        call(258, folder, text("../x"), 0o700),
        mode("x"),
    ]


@case
def mknod() -> object:
    return [
        call(133, text("p"), stat.S_IFIFO | 0o666, 0), mode("p"), call(133, text("r"), 0o644, 0), mode("r"),
        call(133, text("s"), stat.S_IFSOCK | 0o666, 0), mode("s"),
    ]  # fmt: skip


@case
def mknodat() -> object:
    return [call(259, FDCWD, text("p"), stat.S_IFIFO | 0o600, 0), mode("p")]


@case
def rmdir() -> object:
    os.mkdir("d")
    os.mkdir("full")
    made("full/f")
    return [
        call(84, text("d")),
        call(84, text("d")),
        call(84, text("full")),
        call(84, text("full/f")),
        call(84, text(".")),
    ]


@case
def unlink() -> object:
    made()
    os.symlink("f", "l")
    os.mkdir("d")
    return [
        call(87, text("l")),
        sorted(os.listdir(".")),
        call(87, text("f")),
        call(87, text("f")),
        call(87, text("d")),
    ]


@case
def unlinkat() -> object:
    made()
    os.mkdir("d")
    return [
        call(263, FDCWD, text("f"), 0),
        call(263, FDCWD, text("d"), 0x200),
        call(263, FDCWD, text("d"), 1),
    ]


@case
def rename() -> object:
    made("a", b"a")
    made("b", b"b")
    os.mkdir("d")
    return [
        call(82, text("a"), text("b")), open("b").read(), call(82, text("a"), text("c")), call(82, text("b"), text("d")),
        call(82, text("d"), text("e")), sorted(os.listdir(".")), call(82, text("e"), text("e/f")),
    ]  # fmt: skip


@case
def renameat() -> object:
    made("a")
    os.mkdir("d")
    folder = os.open("d", os.O_RDONLY)
    return [call(264, FDCWD, text("a"), folder, text("b")), os.listdir("d")]


@case
def renameat2() -> object:
    made("a", b"a")
    made("b", b"b")
    return [
        call(316, FDCWD, text("a"), FDCWD, text("b"), 1), call(316, FDCWD, text("a"), FDCWD, text("b"), 2),
        open("a").read(), open("b").read(), call(316, FDCWD, text("a"), FDCWD, text("b"), 64),
    ]  # fmt: skip


@case
def link() -> object:
    made("a")
    os.symlink("a", "l")
    return [
        call(86, text("a"), text("b")), os.stat("b").st_nlink, call(86, text("a"), text("b")), call(86, text("l"), text("m")),
        stat.S_ISLNK(os.lstat("m").st_mode), call(86, text("none"), text("x")),
    ]  # fmt: skip


@case
def linkat() -> object:
    made("a")
    os.symlink("a", "l")
    return [
        call(265, FDCWD, text("l"), FDCWD, text("b"), 0x400), stat.S_ISREG(os.lstat("b").st_mode),
        os.stat("a").st_nlink, call(265, FDCWD, text("a"), FDCWD, text("c"), 7),
    ]  # fmt: skip


@case
def symlink() -> object:
    return [
        call(88, text("to/where"), text("l")),
        os.readlink("l"),
        call(88, text("x"), text("l")),
        call(88, text(""), text("m")),
    ]


@case
def symlinkat() -> object:
    os.mkdir("d")
    folder = os.open("d", os.O_RDONLY)
    return [call(266, text("x"), folder, text("l")), os.readlink("d/l")]


@case
def chmod() -> object:
    made()
    return [
        call(90, text("f"), 0o604),
        mode("f"),
        call(90, text("none"), 0),
        call(90, text("f"), 0o1755),
        mode("f"),
    ]


@case
def fchmod() -> object:
    made()
    fd = os.open("f", os.O_RDONLY)
    return [call(91, fd, 0o611), mode("f"), call(91, 999, 0)]


@case
def fchmodat() -> object:
    made()
    os.symlink("f", "l")
    return [call(268, FDCWD, text("l"), 0o600), mode("f")]


@case
def fchmodat2() -> object:
    made()
    os.symlink("f", "l")
    return [call(452, FDCWD, text("f"), 0o600, 0), mode("f"), call(452, FDCWD, text("l"), 0o600, 0x100)]


@case
def chown() -> object:
    made()
    own = (os.getuid(), os.getgid())
    return [call(92, text("f"), *own), call(92, text("f"), -1, -1), call(92, text("none"), *own)]


@case
def lchown() -> object:
    os.symlink("none", "l")
    return [call(94, text("l"), os.getuid(), os.getgid())]


@case
def fchown() -> object:
    made()
    return [call(93, os.open("f", os.O_RDONLY), os.getuid(), -1), call(93, 999, 0, 0)]


@case
def fchownat() -> object:
    made()
    fd = os.open("f", os.O_RDONLY)
    return [
        call(260, FDCWD, text("f"), os.getuid(), -1, 0), call(260, fd, text(""), os.getuid(), -1, 0x1000),
        call(260, FDCWD, text("f"), -1, -1, 1),
    ]  # fmt: skip


@case
def truncate() -> object:
    made()
    return [
        call(76, text("f"), 2),
        os.stat("f").st_size,
        call(76, text("f"), -1),
        call(76, text("."), 0),
        call(76, text("x"), 0),
    ]


def times(name: str = "f") -> tuple[int, int]:
    info = os.lstat(name)
    return info.st_atime_ns, info.st_mtime_ns


@case
def utime() -> object:
    made()
    return [
        call(132, text("f"), struct.pack("=qq", 5, 7)),
        times(),
        call(132, text("none"), 0),
        call(132, text("f"), 0),
    ]


@case
def utimes() -> object:
    made()
    return [
        call(235, text("f"), struct.pack("=4q", 5, 6, 7, 8)), times(), call(235, text("f"), struct.pack("=4q", 5, -1, 7, 8)),
    ]  # fmt: skip


@case
def futimesat() -> object:
    made()
    fd = os.open("f", os.O_RDONLY)
    return [
        call(261, FDCWD, text("f"), struct.pack("=4q", 5, 6, 7, 8)),
        times(),
        call(261, fd, 0, struct.pack("=4q", 1, 0, 2, 0)),
        times(),
    ]


@case
def utimensat() -> object:
    made()
    os.symlink("f", "l")
    fd = os.open("f", os.O_RDONLY)
    omit = (1 << 30) - 2
    return [
        call(280, FDCWD, text("f"), struct.pack("=4q", 5, 6, 7, 8), 0), times(),
        call(280, FDCWD, text("f"), struct.pack("=4q", 0, omit, 9, 9), 0), times(),
        call(280, FDCWD, text("l"), struct.pack("=4q", 1, 1, 2, 2), 0x100), times("l"), times(),
        call(280, fd, 0, struct.pack("=4q", 3, 3, 4, 4), 0), times(), call(280, FDCWD, 0, 0, 0),
        call(280, FDCWD, text("f"), struct.pack("=4q", 0, 2_000_000_000, 0, 0), 0),
    ]  # fmt: skip


@case
def setxattr() -> object:
    made()
    fd = os.open("f", os.O_RDONLY)
    buffer = ctypes.create_string_buffer(64)
    return [
        call(188, text("f"), text("user.a"), text("one"), 3, 0), call(191, text("f"), text("user.a"), buffer, 64),
        buffer.value.decode(), call(191, text("f"), text("user.none"), buffer, 64),
        call(191, text("f"), text("user.a"), buffer, 1), call(191, text("f"), text("user.a"), 0, 0),
        call(190, fd, text("user.b"), text("two"), 3, 0), call(193, fd, text("user.b"), buffer, 64),
        call(194, text("f"), buffer, 64), call(196, fd, buffer, 64), call(195, text("f"), buffer, 64),
        call(197, text("f"), text("user.a")), call(199, fd, text("user.b")), call(197, text("f"), text("user.a")),
        call(189, text("f"), text("user.c"), text("x"), 1, 0), call(192, text("f"), text("user.c"), buffer, 64),
        call(198, text("f"), text("user.c")), call(188, text("f"), text("user.a"), text("x"), 1, 2),
    ]  # fmt: skip


@case
def statfs() -> object:
    buffer = ctypes.create_string_buffer(120)
    return [
        call(137, text("."), buffer),
        call(137, text("none"), buffer),
        struct.unpack_from("=q", buffer.raw, 64),
    ]


@case
def getdents() -> object:
    made("only")
    fd = os.open(".", os.O_RDONLY)
    buffer = ctypes.create_string_buffer(4096)
    size = call(78, fd, buffer, 4096)
    assert isinstance(size, int)
    return [b"only" in buffer.raw[:size], call(78, fd, buffer, 4096), call(78, 999, buffer, 4096)]


@case
def fallocate() -> object:
    made()
    fd = os.open("f", os.O_RDWR)
    return [
        call(285, fd, 0, 0, 100),
        os.stat("f").st_size,
        call(285, fd, 1, 0, 999),
        os.stat("f").st_size,
        call(285, 999, 0, 0, 1),
    ]


@case
def memfd_create() -> object:
    fd = call(319, text("name"), 3)
    assert isinstance(fd, int)
    os.write(fd, b"x" * 10)
    return [
        os.fstat(fd).st_size,
        call(72, fd, 1033, 4),
        call(77, fd, 0),
        os.readlink(f"/proc/self/fd/{fd}"),
        call(319, text("x"), 1 << 20),
    ]


@case
def sendfile() -> object:
    made("f", b"0123456789")
    source, out = os.open("f", os.O_RDONLY), os.open("o", os.O_RDWR | os.O_CREAT)
    offset = (ctypes.c_long * 1)(4)
    first = call(40, out, source, 0, 3)
    return [
        first,
        call(40, out, source, offset, 100),
        offset[0],
        open("o").read(),
        os.lseek(source, 0, 1),
        call(40, out, 999, 0, 1),
    ]


@case
def sendfile_to_a_socket_and_a_pipe() -> object:
    import socket

    made("f", b"0123456789")
    source = os.open("f", os.O_RDONLY)
    one, two = socket.socketpair()
    r, w = os.pipe()
    return [
        call(40, one.fileno(), source, 0, 4),
        two.recv(9).decode(),
        call(40, w, source, 0, 9),
        os.read(r, 9).decode(),
    ]


@case
def copy_file_range() -> object:
    made("f", b"0123456789")
    source, out = os.open("f", os.O_RDONLY), os.open("o", os.O_RDWR | os.O_CREAT)
    where = (ctypes.c_long * 1)(2)
    return [
        call(326, source, 0, out, 0, 4, 0),
        call(326, source, where, out, 0, 3, 0),
        where[0],
        open("o").read(),
        call(326, source, 0, out, 0, 1, 9),
    ]


@case
def sync() -> object:
    made()
    return [call(162), call(306, os.open("f", os.O_RDONLY)), call(306, 999)]


@case
def fcntl_() -> object:
    fd, end = os.pipe()
    number = ctypes.create_string_buffer(struct.pack("=i", 1), 4)
    found = [
        call(72, end, 1031, 65536),  # F_SETPIPE_SZ
        call(72, end, 1032),
        call(72, fd, 8, os.getpid()),  # F_SETOWN
        call(72, fd, 10, 0),  # F_SETSIG
        call(72, fd, 11),
        call(72, fd, 999),
        call(72, 77, 8, 0),
        call(72, end, 4, os.O_NONBLOCK | os.O_DIRECT),  # packets
        call(72, end, 3),
        call(16, fd, 0x5452, number),  # FIOASYNC
        call(16, 77, 0x5452, number),
    ]
    os.close(fd)
    os.close(end)
    fd = os.open(made(), os.O_RDWR)
    found += [
        call(72, fd, 1031, 65536),
        call(72, fd, 1025),
        call(72, fd, 4, os.O_APPEND | os.O_NOATIME),
        call(72, fd, 3),
    ]
    os.close(fd)
    return found


@case
def ioctl() -> object:
    made()
    return [call(16, os.open("f", os.O_RDONLY), 0x5401, 0), call(16, 999, 0x9999, 0)]


@case
def inotify() -> object:
    fd = call(294, os.O_NONBLOCK)
    assert isinstance(fd, int)
    watch = call(254, fd, text("."), 0x100)
    made("seen")
    event = os.read(fd, 999)
    return [
        watch,
        event[16:20].decode(),
        call(255, fd, watch),
        call(255, fd, 99),
        call(254, fd, text("none"), 1),
        opens(call(253) and -1),
    ]


@case
def epoll_create() -> object:
    return [isinstance(call(213, 1), int), call(213, 0)]


@case
def eventfd() -> object:
    fd = call(284, 3)
    assert isinstance(fd, int)
    return os.read(fd, 8).hex()


@case
def identity() -> object:
    out = [(ctypes.c_uint * 1)() for _ in range(3)]
    own = os.getuid()
    return [
        call(102) == own, call(107) == own, call(104) == os.getgid(), call(108) == os.getgid(), call(118, *out), out[0][0] == own,
        call(120, *out), call(115, 0, 0) == len(os.getgroups()), call(105, own), call(113, own, -1), call(117, own, own, own),
        call(106, os.getgid()), call(114, -1, os.getgid()), call(119, -1, -1, os.getgid()), call(122, own) == own,
        call(123, os.getgid()) == os.getgid(), call(105, -1),
    ]  # fmt: skip


@case
def capget() -> object:
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0), 8)
    odd = ctypes.create_string_buffer(struct.pack("=Ii", 7, 0), 8)
    return [
        call(125, header, ctypes.create_string_buffer(24)),
        call(125, odd, ctypes.create_string_buffer(24)),
        odd.raw[:4].hex(),
    ]


@case
def limits() -> object:
    old = (ctypes.c_ulonglong * 2)()
    made_limits = (ctypes.c_ulonglong * 2)(100, 200)
    bad = (ctypes.c_ulonglong * 2)(2, 1)
    return [
        call(302, 0, 7, made_limits, old), call(302, 0, 7, 0, old), list(old), call(97, 7, old), list(old),
        call(160, 7, (ctypes.c_ulonglong * 2)(50, 150)), call(302, os.getpid(), 7, 0, old), list(old), call(302, 0, 7, bad, 0),
        call(302, 0, 99, 0, old), call(302, 999_999, 7, bad, 0),
    ]  # fmt: skip


@case
def scheduling() -> object:
    one = struct.pack("=i", 0)
    buffer = ctypes.create_string_buffer(64)
    return [
        call(140, 0, 0), call(141, 0, 0, 19), call(140, 0, 0), call(145, 0), call(143, 0, buffer), call(144, 0, 0, one), call(144, 0, 3, one),
        call(144, 0, 9, one), call(142, 0, one), call(146, 1), call(147, 1), call(146, 0), call(146, 77),
        isinstance(call(204, 0, 64, buffer), int), call(148, 0, buffer), call(315, 0, buffer, 64, 0), call(315, 0, buffer, 1, 0),
        call(314, 0, struct.pack("=IIQiIQQQ", 48, 0, 0, 0, 0, 0, 0, 0), 0),
    ]  # fmt: skip


@case
def sched_setaffinity() -> object:
    one = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {one})
    return [os.sched_getaffinity(0) == {one}, call(203, 0, 8, struct.pack("=Q", 0))]


@case
def personality() -> object:
    return [call(135, 0xFFFFFFFF), call(135, 0x40000), call(135, 0)]


@case
def prctl() -> object:
    signal_there = (ctypes.c_int * 1)()
    return [
        call(157, 1, 15), call(157, 2, signal_there), signal_there[0], call(157, 4, 0), call(157, 3), call(157, 4, 1), call(157, 15, text("name")),
        open("/proc/self/comm").read(), call(157, 47, 1, 5, 0, 0), call(157, 999),
    ]  # fmt: skip


@case
def seccomp() -> object:
    allow = struct.pack("=HBBI", 6, 0, 0, 0x7FFF0000)
    program = (ctypes.c_ulonglong * 2)(1, ctypes.addressof(ctypes.create_string_buffer(allow)))
    action = struct.pack("=I", 0x7FFF0000)
    return [
        call(317, 2, 0, action),
        call(157, 38, 1, 0, 0, 0),
        call(317, 9, 0, 0),
        call(317, 1, 1 << 20, program),
    ]


@case
def clocks() -> object:
    import time

    pair = (ctypes.c_long * 2)()
    near = abs(int(str(call(201, 0))) - time.time()) < 5
    return [near, call(96, pair, 0), abs(pair[0] - time.time()) < 5, call(229, 1, pair), call(229, 99, pair)]


@case
def uname() -> object:
    return [call(63, ctypes.create_string_buffer(390)), call(63, 1), os.uname().sysname, os.uname().machine]


@case
def sysinfo() -> object:
    buffer = ctypes.create_string_buffer(112)
    return [call(99, buffer), struct.unpack_from("=I", buffer.raw, 104)]


@case
def execve() -> object:
    made("script", b"#!/bin/sh\necho from $1 >&3\n")
    os.chmod("script", 0o755)
    r, w = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(w, 3)
        os.execve("script", ["script", "there"], {})
    os.close(w)
    os.waitpid(child, 0)
    return [os.read(r, 99).decode(), call(59, text("none"), 0, 0), call(59, text("."), 0, 0)]


@case
def execveat() -> object:
    r, w = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(w, 1)
        fd = os.open("/bin/echo", os.O_RDONLY)
        argv = (ctypes.c_char_p * 3)(b"echo", b"hi", None)
        call(322, fd, text(""), argv, (ctypes.c_char_p * 1)(None), 0x1000)
        os._exit(9)
    return [os.waitpid(child, 0)[1], os.read(r, 99).decode()]


@case
def socket_() -> object:
    return [
        isinstance(call(41, 2, 1, 0), int), isinstance(call(41, 2, 2 | os.O_NONBLOCK, 17), int), isinstance(call(41, 1, 5, 0), int),
        call(41, 2, 1, 17), call(41, 99, 1, 0), call(41, 1, 77, 0),
    ]  # fmt: skip


@case
def sockets() -> object:
    import socket

    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    found: list[object] = [call(50, server.fileno(), 5), call(50, 999, 5)]
    client = socket.socket()
    client.connect(server.getsockname())
    peer, address = server.accept()
    found += [address == client.getsockname(), peer.send(b"hello"), client.recv(9).decode()]
    refused = socket.socket()
    refused.bind(("127.0.0.1", 0))
    found += [
        call(42, client.fileno(), struct.pack("=HHI8x", 2, 1, 0x0100007F), 16),
        call(42, client.fileno(), 1, 16),
    ]
    other = socket.socket()
    found.append(other.connect_ex(refused.getsockname()))
    found.append(call(49, other.fileno(), struct.pack("=HHI8x", 99, 0, 0), 16))
    return found


@case
def unix_sockets() -> object:
    import array
    import socket

    server = socket.socket(socket.AF_UNIX)
    server.bind("s")
    server.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect(os.path.abspath("s"))
    server.accept()
    again = socket.socket(socket.AF_UNIX)
    found: list[object] = [server.getsockname(), client.getpeername(), mode("s")]
    try:
        again.bind("s")
    except OSError as error:
        found.append(error.errno)
    found.append(again.connect_ex("none"))
    made("plain")
    found.append(again.connect_ex("plain"))
    one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.bind("d")
    two = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    two.sendto(b"to", "d")
    two.sendmsg([b"m", b"sg"], [], 0, "d")
    r, w = os.pipe()
    two.sendmsg([b"fd"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [w]))], 0, "d")
    found += [one.recv(9).decode(), one.recv(9).decode()]
    message, fds, _, _ = socket.recv_fds(one, 9, 2)
    os.write(fds[0], b"passed")
    found += [message.decode(), os.read(r, 9).decode()]
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(b"\0sekisho-test-" + str(os.getpid()).encode())
    return found


@case
def datagrams() -> object:
    import socket

    one, two = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    two.sendto(b"a", one.getsockname())
    two.sendmsg([b"b"], [], 0, one.getsockname())
    vector = struct.pack("=QQ", ctypes.addressof(data := ctypes.create_string_buffer(b"c")), 1)
    address = struct.pack("!2xH4s8x", one.getsockname()[1], socket.inet_aton("127.0.0.1"))
    address = struct.pack("=H", 2) + address[2:]
    keep = (ctypes.create_string_buffer(vector), ctypes.create_string_buffer(address))
    message = struct.pack(
        "=QI4xQQQQi4xI4x", ctypes.addressof(keep[1]), 16, ctypes.addressof(keep[0]), 1, 0, 0, 0, 0
    )
    many = ctypes.create_string_buffer(message)
    sent = call(307, two.fileno(), many, 1, 0)
    assert data
    return [
        one.recv(9).decode(),
        one.recv(9).decode(),
        sent,
        one.recv(9).decode(),
        struct.unpack_from("=I", many.raw, 56),
    ]


@case
def fifo() -> object:
    os.mkfifo("p")
    child = os.fork()
    if child == 0:
        fd = os.open("p", os.O_WRONLY)
        os.write(fd, b"through")
        os._exit(0)
    with open("p", "rb") as file:
        data = file.read().decode()
    os.waitpid(child, 0)
    return [
        data,
        call(257, FDCWD, text("p"), os.O_WRONLY | os.O_NONBLOCK),
        isinstance(call(257, FDCWD, text("p"), os.O_NONBLOCK), int),
    ]


@case
def signals_end_waits() -> object:
    import signal
    import time

    os.mkfifo("p")
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    start = time.monotonic()
    result = call(257, FDCWD, text("p"), os.O_RDONLY)
    return [result, time.monotonic() - start < 5]


@case
def proc() -> object:
    found = []
    for path in (
        "/proc/self/status",
        "/proc/self/maps",
        "/proc/thread-self/comm",
        "/proc/self/fd",
        "/proc/self/task",
        "/proc/mounts",
    ):
        fd = os.open(path, os.O_RDONLY)
        found.append(os.fstat(fd).st_mode >> 12)
        os.close(fd)
    made()
    file = os.open("f", os.O_RDONLY)
    found.append(opens(os.open(f"/proc/self/fd/{file}", os.O_RDONLY)))
    found.append(opens(os.open(f"/dev/fd/{file}", os.O_RDONLY)))
    found.append(opens(os.open("/proc/self/cwd/f", os.O_RDONLY)))
    found.append(int(open("/proc/self/stat").read().split()[0]) == os.getpid())
    with open("/proc/self/comm", "w") as comm:
        comm.write("renamed")
    found.append(open("/proc/self/comm").read())
    os.symlink(f"/proc/self/fd/{file}", "through")
    found.append(opens(os.open("through", os.O_RDONLY)))
    return found


@case
def devices() -> object:
    null = os.open("/dev/null", os.O_RDWR)
    zero = os.open("/dev/zero", os.O_RDONLY)
    full = os.open("/dev/full", os.O_WRONLY)
    found: list[object] = [os.write(null, b"x"), os.read(zero, 2).hex(), call(1, full, text("x"), 1)]
    return [*found, len(os.read(os.open("/dev/urandom", os.O_RDONLY), 5))]


def main() -> None:
    results = {}
    for name, function in CASES.items():
        folder = os.path.join(sys.argv[1], name)
        os.mkdir(folder)
        r, w = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(r)
            os.chdir(folder)
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001
                result = f"{type(error).__name__}: {error}"
            os.write(w, json.dumps(result).encode())
            os._exit(0)
        os.close(w)
        with os.fdopen(r) as file:
            results[name] = json.loads(file.read() or '"nothing"')
        os.waitpid(child, 0)
    print(json.dumps(results))


main()
