"""System calls as people read them."""

from __future__ import annotations

import errno
import os
import signal
import socket
from collections.abc import Callable
from typing import Final

from sekisho.sandbox.network.addresses import host_text, place_of
from sekisho.sandbox.process_native import Memory
from sekisho.sandbox.trace.tracer import Traced

TEXT_MOST: Final = 64
"""Bytes of a buffer that are shown."""
PATH_MOST: Final = 4096
VECTOR_MOST: Final = 16

SIGNATURES: Final = {
    "read": "fBu", "write": "fbu", "pread64": "fBud", "pwrite64": "fbud", "open": "pom", "openat": "fpom",
    "openat2": "fpxu", "creat": "pm", "close": "f", "stat": "px", "lstat": "px", "fstat": "fx",
    "newfstatat": "fpxx", "statx": "fpxxx", "access": "pm", "faccessat": "fpm", "faccessat2": "fpmx",
    "readlink": "pBu", "readlinkat": "fpBu", "getcwd": "Bu", "chdir": "p", "fchdir": "f", "mkdir": "pm",
    "mkdirat": "fpm", "rmdir": "p", "unlink": "p", "unlinkat": "fpx", "rename": "pp", "renameat": "fpfp",
    "renameat2": "fpfpx", "link": "pp", "linkat": "fpfpx", "symlink": "pp", "symlinkat": "pfp", "chmod": "pm",
    "fchmod": "fm", "fchmodat": "fpm", "chown": "pdd", "lchown": "pdd", "fchown": "fdd", "fchownat": "fpddx",
    "truncate": "pd", "ftruncate": "fd", "utimensat": "fpxx", "mknod": "pmx", "mknodat": "fpmx",
    "statfs": "px", "fstatfs": "fx", "getdents64": "fxu", "lseek": "fdd", "dup": "f", "dup2": "ff",
    "dup3": "ffx", "pipe": "x", "pipe2": "xx", "fcntl": "fdx", "ioctl": "fxx", "flock": "fd",
    "fsync": "f", "fdatasync": "f", "mmap": "xuxxfx", "munmap": "xu", "mprotect": "xux", "brk": "x",
    "madvise": "xud", "mremap": "xuuxx", "execve": "pvx", "execveat": "fpvxx", "clone": "xxxxx",
    "clone3": "xu", "fork": "", "vfork": "", "wait4": "dxxx", "waitid": "ddxxx", "exit": "d",
    "exit_group": "d", "kill": "dg", "tkill": "dg", "tgkill": "ddg", "rt_sigaction": "gxxu",
    "rt_sigprocmask": "dxxu", "rt_sigreturn": "", "getpid": "", "gettid": "", "getppid": "", "getuid": "",
    "geteuid": "", "getgid": "", "getegid": "", "setuid": "d", "setgid": "d", "setresuid": "ddd",
    "setresgid": "ddd", "getpgrp": "", "setsid": "", "socket": "aTd", "socketpair": "aTdx", "connect": "fsu",
    "bind": "fsu", "listen": "fd", "accept": "fxx", "accept4": "fxxx", "sendto": "fbuxsu",
    "recvfrom": "fBuxxx", "sendmsg": "fxx", "recvmsg": "fxx", "getsockname": "fxx", "getpeername": "fxx",
    "setsockopt": "fddxu",
    "getsockopt": "fddxx", "shutdown": "fd", "poll": "xud", "ppoll": "xuxx", "select": "dxxxx",
    "epoll_create1": "x", "epoll_ctl": "fdfx", "epoll_wait": "fxdd", "epoll_pwait": "fxddx",
    "futex": "xddxxd", "nanosleep": "xx", "clock_nanosleep": "ddxx", "clock_gettime": "dx",
    "getrandom": "xux", "uname": "x",
    "sysinfo": "x", "prctl": "dxxxx", "arch_prctl": "xx", "set_tid_address": "x", "set_robust_list": "xu",
    "rseq": "xuxx", "prlimit64": "ddxx", "getrlimit": "dx", "setrlimit": "dx", "sched_yield": "",
    "memfd_create": "px", "inotify_init1": "x", "inotify_add_watch": "fpx", "eventfd2": "ux",
    "timerfd_create": "dx", "getxattr": "ppxu", "lgetxattr": "ppxu", "setxattr": "ppxux", "mount": "pppxx",
    "umount2": "px", "chroot": "p", "pivot_root": "pp", "unshare": "x", "setns": "fx", "ptrace": "ddxx",
    "umask": "m", "sendfile": "ffxu", "copy_file_range": "fxfxux", "splice": "fxfxux", "fallocate": "fddd",
}  # fmt: skip
"""A letter for each argument: d signed, u unsigned, x hexadecimal, m octal, f descriptor, p path, b buffer to
be read (its length follows), B buffer that was filled, o flags of open, s address of a socket (its length
follows), a family, T type of a socket, v vector of texts, g signal.
"""

OPEN_FLAGS: Final = (
    ("O_CREAT", 0o100), ("O_EXCL", 0o200), ("O_NOCTTY", 0o400), ("O_TRUNC", 0o1000), ("O_APPEND", 0o2000),
    ("O_NONBLOCK", 0o4000), ("O_DIRECTORY", 0o200000), ("O_NOFOLLOW", 0o400000), ("O_CLOEXEC", 0o2000000),
    ("O_PATH", 0o10000000),
)  # fmt: skip
AT_FDCWD: Final = -100


def _signed(value: int) -> int:
    value &= 0xFFFF_FFFF
    return value - (1 << 32) if value >> 31 else value


def _quoted(data: bytes, *, more: bool = False) -> str:
    text = data.decode("latin-1").encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f'"{text}"{"..." if more else ""}'


def _flags(value: int) -> str:
    names = [("O_RDONLY", "O_WRONLY", "O_RDWR", "3")[value & 3]]
    rest = value & ~3
    for name, bit in OPEN_FLAGS:
        if rest & bit:
            names.append(name)
            rest &= ~bit
    return "|".join([*names, *([hex(rest)] if rest else [])])


def _name(kind: str, prefix: str, value: int) -> str:
    enum = {"AF_": socket.AddressFamily, "SOCK_": socket.SocketKind}[prefix]
    try:
        return enum(value).name
    except ValueError:
        return f"{kind} {value}"


class Reader:
    """Reads what arguments point to: some when a call begins, some when it has ended."""

    def __init__(self) -> None:
        self._memory = Memory()

    def begins(self, name: str, call: Traced) -> None:
        """Read what the kernel will read."""
        for place, letter in enumerate(SIGNATURES.get(name, "")):
            if letter in READ:
                call.texts[place] = self._read(letter, call, place)

    def _read(self, letter: str, call: Traced, place: int) -> str:
        at = call.args[place]
        if not at:
            return "NULL"
        try:
            if letter == "p":
                path = self._memory.string(call.tid, at, PATH_MOST)
                return "?" if path is None else _quoted(path)
            if letter == "v":
                return self._vector(call.tid, at)
            length = call.args[place + 1] & 0xFFFF_FFFF
            if letter == "s":
                return _address(self._memory.read(call.tid, at, min(length, 128)))
            return _quoted(self._memory.read(call.tid, at, min(length, TEXT_MOST)), more=length > TEXT_MOST)
        except OSError:
            return hex(at)

    def _vector(self, tid: int, at: int) -> str:
        found: list[str] = []
        for number in range(VECTOR_MOST):
            pointer = int.from_bytes(self._memory.read(tid, at + 8 * number, 8), "little")
            if not pointer:
                return f"[{', '.join(found)}]"
            text = self._memory.string(tid, pointer, PATH_MOST)
            found.append("?" if text is None else _quoted(text[:TEXT_MOST], more=len(text) > TEXT_MOST))
        return f"[{', '.join(found)}, ...]"

    def text(self, name: str, call: Traced) -> str:
        """The call as a line: ``openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3``."""
        letters = SIGNATURES.get(name, "xxxxxx")
        shown = [self._argument(letter, call, place) for place, letter in enumerate(letters)]
        return f"{name}({', '.join(shown)}) = {_result(call.result, name)}"

    def _argument(self, letter: str, call: Traced, place: int) -> str:
        value = call.args[place]
        if letter in READ:
            return call.texts.get(place, hex(value))
        if letter == "B":
            got = call.result or 0
            if got <= 0 or not value:
                return hex(value)
            try:
                return _quoted(self._memory.read(call.tid, value, min(got, TEXT_MOST)), more=got > TEXT_MOST)
            except OSError:
                return hex(value)
        return FORMS[letter](value)


READ: Final = frozenset("pbsv")


def _descriptor(value: int) -> str:
    return "AT_FDCWD" if _signed(value) == AT_FDCWD else str(_signed(value))


def _signal_name(value: int) -> str:
    try:
        return signal.Signals(value & 0xFFFF_FFFF).name
    except ValueError:
        return str(_signed(value))


FORMS: Final[dict[str, Callable[[int], str]]] = {
    "d": lambda value: str(_signed(value)),
    "u": str,
    "x": hex,
    "m": lambda value: f"0{value & 0xFFFF_FFFF:o}",
    "f": _descriptor,
    "o": lambda value: _flags(value & 0xFFFF_FFFF),
    "a": lambda value: _name("family", "AF_", value & 0xFFFF_FFFF),
    "T": lambda value: _name("type", "SOCK_", value & 0xF),
    "g": _signal_name,
}


def _address(raw: bytes) -> str:
    place = place_of(raw)
    if place is not None:
        return f"{host_text(place.host)}:{place.port}"
    family = int.from_bytes(raw[:2], "little")
    return f"unix {_quoted(raw[2:].split(bytes(1), 1)[0] or raw[2:])}" if family == 1 else f"family {family}"


def _result(result: int | None, name: str) -> str:
    if result is None:
        return "?"
    if -4096 < result < 0:
        return f"-1 {errno.errorcode.get(-result, str(-result))} ({os.strerror(-result)})"
    return hex(result) if name in ("mmap", "brk", "mremap") else str(result)
