"""Processes: namespaces, capabilities, privileges, descriptors of others, memory of others."""

from __future__ import annotations

from _struct import Struct, pack

from sekisho.sandbox import c_native
from sekisho.sandbox.abi.flags import (
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT_RAISE,
    PR_CAPBSET_DROP,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
    PR_SET_NAME,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    PR_SET_SECUREBITS,
)
from sekisho.sandbox.libc_native import (
    NR_CAPSET,
    NR_CLOSE_RANGE,
    NR_PIDFD_GETFD,
    NR_PRLIMIT64,
    NR_SETFSGID,
    NR_SETFSUID,
    NR_SETGROUPS,
    NR_TGKILL,
    check,
    fail,
    function,
    syscall,
    unconverted,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

CAP_VERSION_3: Final = 0x2008_0522
CLOSE_RANGE_CLOEXEC: Final = 4
PAGE: Final = 4096

_int, _ulong, _pointer = c_native.c_int, c_native.c_ulong, c_native.c_void_p
_unshare: Final = function("unshare", _int)
_setns: Final = function("setns", _int, _int)
_prctl: Final = function("prctl", _int, _ulong, _ulong, _ulong, _ulong)
_sethostname: Final = function("sethostname", c_native.c_char_p, c_native.c_size_t)
_setdomainname: Final = function("setdomainname", c_native.c_char_p, c_native.c_size_t)
_readv: Final = unconverted("process_vm_readv")
_writev: Final = unconverted("process_vm_writev")
VECTORS: Final = Struct("=4Q")
"""Two struct iovec: ours and theirs."""


def unshare(flags: int) -> None:
    """Leave the namespaces that ``flags`` (CLONE_NEW*) name for new ones."""
    check(_unshare(flags))


def setns(fd: int, kind: int = 0) -> None:
    """Enter the namespace behind a descriptor; ``kind`` is the CLONE_NEW* that it must be."""
    check(_setns(fd, kind))


def set_hostname(name: str, domain: str = "") -> None:
    """Name the UTS namespace."""
    raw = name.encode()
    check(_sethostname(raw, len(raw)))
    if domain:
        raw = domain.encode()
        check(_setdomainname(raw, len(raw)))


def prctl(option: int, value: int = 0, more: int = 0) -> int:
    """Set or ask something about this process, with up to two numbers."""
    return check(_prctl(option, value, more, 0, 0))


def die_with_parent(signal: int) -> None:
    """Get this signal when the thread that forked this process ends."""
    prctl(PR_SET_PDEATHSIG, signal)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has ended."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def set_name(name: str) -> None:
    """The name of this thread, as ``ps`` shows it."""
    raw = c_native.create_string_buffer(name.encode()[:15])
    prctl(PR_SET_NAME, c_native.addressof(raw))


def hide() -> None:
    """No process without CAP_SYS_PTRACE may look at this one, nor open what it has open."""
    prctl(PR_SET_DUMPABLE, 0)


def no_new_privileges() -> None:
    """From here on exec gives nothing that the process does not have."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def keep_capabilities() -> None:
    """Keep permitted capabilities over the next change of user ids."""
    prctl(PR_SET_KEEPCAPS, 1)


def drop_bounding_set(keep: Iterable[int] = ()) -> None:
    """Take every capability but ``keep`` out of the bounding set (needs CAP_SETPCAP)."""
    kept = frozenset(keep)
    for number in range(64):
        if number in kept:
            continue
        if _prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == -1:
            break  # EINVAL: the kernel knows no more of them


def lock_securebits(bits: int) -> None:
    """Set what being user 0 means (SECBIT_*), for ever (needs CAP_SETPCAP)."""
    prctl(PR_SET_SECUREBITS, bits)


def raise_ambient(numbers: Iterable[int]) -> None:
    """Keep these over exec, though no file gives them."""
    for number in numbers:
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number)


def set_capabilities(
    effective: Iterable[int], permitted: Iterable[int] | None = None, inheritable: Iterable[int] = ()
) -> None:
    """This thread's sets; without ``permitted`` it is the effective one."""
    sets = [_bits(effective), _bits(effective if permitted is None else permitted), _bits(inheritable)]
    header = c_native.create_string_buffer(pack("=Ii", CAP_VERSION_3, 0), 8)
    words = [value & 0xFFFF_FFFF for value in sets] + [value >> 32 for value in sets]
    buffer = c_native.create_string_buffer(pack("=6I", *words), 24)
    syscall(NR_CAPSET, c_native.addressof(header), c_native.addressof(buffer))


def _bits(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in numbers)


def act_as(uid: int, gid: int, groups: Iterable[int]) -> None:
    """Let this thread alone reach files as this user (needs CAP_SETUID and CAP_SETGID)."""
    data = pack(f"={len(tuple(groups))}I", *groups)
    buffer = c_native.create_string_buffer(data, max(len(data), 1))
    syscall(NR_SETGROUPS, len(data) // 4, c_native.addressof(buffer))
    syscall(NR_SETFSGID, gid)
    syscall(NR_SETFSUID, uid)


def clear_ambient() -> None:
    """No capability is kept over exec without a file that gives it."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)


def cloexec_from(first: int) -> None:
    """Close every descriptor from this one on at the next exec."""
    syscall(NR_CLOSE_RANGE, first, 0x7FFF_FFFF, CLOSE_RANGE_CLOEXEC)


def close_from(first: int, last: int = 0x7FFF_FFFF) -> None:
    """Close every descriptor between these two, both included."""
    if first <= last:
        syscall(NR_CLOSE_RANGE, first, last, 0)


def keep_only(numbers: Iterable[int]) -> None:
    """Close every descriptor but these."""
    first = 0
    for number in sorted(set(numbers)):
        close_from(first, number - 1)
        first = number + 1
    close_from(first)


def getfd(pidfd: int, number: int) -> int:
    """A duplicate of another process's descriptor (close-on-exec)."""
    return syscall(NR_PIDFD_GETFD, pidfd, number)


class Memory:
    """Reads and writes other processes' memory through buffers of its own; one a thread.

    Both honour the protection of the pages. What is read is a copy: nothing that the other process does
    afterwards changes it. Every notified call with a path comes by here: the arguments of the call are made
    once, since converting them takes as long as the call.
    """

    __slots__ = ("_address", "_bytes", "_frame", "_local", "_remote", "_size", "_vectors")

    def __init__(self, size: int = 16 * PAGE) -> None:
        self._size = size
        self._bytes = bytearray(size)
        self._vectors = bytearray(VECTORS.size)
        self._frame = (
            (c_native.c_char * size).from_buffer(self._bytes),
            (c_native.c_char * VECTORS.size).from_buffer(self._vectors),
        )
        self._address = c_native.addressof(self._frame[0])
        vectors = c_native.addressof(self._frame[1])
        self._local, self._remote = _pointer(vectors), _pointer(vectors + 16)

    def _move(self, move: c_native.Function, tid: int, address: int, length: int) -> int:
        VECTORS.pack_into(self._vectors, 0, self._address, length, address, length)
        moved: int = move(tid, self._local, 1, self._remote, 1, 0)
        if moved == -1:
            raise fail()
        return moved

    def read(self, tid: int, address: int, length: int) -> bytes:
        """Up to ``length`` bytes; fewer where the mapping ends. EFAULT if there is none at all."""
        if length <= self._size:
            return bytes(self._bytes[: self._move(_readv, tid, address, length)]) if length else b""
        parts = []
        while length > 0:
            part = self.read(tid, address, min(length, self._size))
            parts.append(part)
            address += len(part)
            length -= len(part)
        return b"".join(parts)

    def string(self, tid: int, address: int, limit: int = PAGE) -> bytes | None:
        """The text up to the NUL at ``address``; None if there is none within ``limit`` bytes."""
        parts = b""
        while True:
            got = self._move(_readv, tid, address, min(PAGE - address % PAGE, limit - len(parts)))
            end = self._bytes.find(0, 0, got)
            if end >= 0:
                text = bytes(self._bytes[:end])
                return parts + text if parts else text
            parts += self._bytes[:got]
            address += got
            if len(parts) >= limit:
                return None

    def write(self, tid: int, address: int, data: bytes) -> None:
        """Write all of it, or EFAULT."""
        done = 0
        while done < len(data):
            part = data[done : done + self._size]
            self._bytes[: len(part)] = part
            done += self._move(_writev, tid, address + done, len(part))


class _Limits(c_native.Structure):
    _fields_ = (("soft", c_native.c_uint64), ("hard", c_native.c_uint64))


def limits(pid: int, resource: int) -> tuple[int, int]:
    """A process's soft and hard limit."""
    old = _Limits()
    syscall(NR_PRLIMIT64, pid, resource, 0, c_native.addressof(old))
    return old.soft, old.hard


def set_limits(pid: int, resource: int, soft: int, hard: int) -> None:
    """Set a process's limits; 2**64 - 1 is none."""
    new = _Limits(soft, hard)
    syscall(NR_PRLIMIT64, pid, resource, c_native.addressof(new), 0)


def signal_thread(process: int, thread: int, number: int) -> None:
    """tgkill(2)."""
    syscall(NR_TGKILL, process, thread, number)
