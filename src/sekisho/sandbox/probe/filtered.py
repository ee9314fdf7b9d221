"""Files of a process as the kernel wrote them, without what they tell of the host.

The kernel escapes blanks in these files, so fields are separated by single blanks.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

_EMULATED = (b"sysfs", b"mqueue", b"cgroup", b"cgroup2")
"""Kinds that are file systems in memory here, and carry their kind as their source."""

_OVERLAY = (b"lowerdir=", b"upperdir=", b"workdir=", b"lowerdir+=", b"datadir+=", b"uuid=")


def _options(text: bytes) -> bytes:
    """Options of a file system, without directories of the host."""
    kept = [option for option in text.split(b",") if not option.startswith(_OVERLAY)]
    return b",".join(kept) or b"rw"


def _kind(kind: bytes, source: bytes) -> bytes:
    """The kind that a mount stands for."""
    return source if kind == b"tmpfs" and source in _EMULATED else kind


def _source(kind: bytes, source: bytes) -> bytes:
    """Where a mount comes from: a device or a path would tell of the host, the kind does not."""
    return kind if b"/" in source or source in (b"", b"none") else source


def mountinfo(kernels: bytes) -> bytes:
    """/proc/<pid>/mountinfo (proc_pid_mountinfo(5)): no root inside a file system, no source, no overlay."""
    lines = []
    for line in kernels.splitlines():
        before, dash, after = line.partition(b" - ")
        fields, rest = before.split(b" "), after.split(b" ")
        if not dash or len(fields) < 6 or len(rest) < 3:
            continue  # not the kernel's form: better not shown
        fields[3] = b"/"
        optional = [b"shared:1" if field.startswith(b"shared:") else field for field in fields[6:]]
        optional = [field for field in optional if not field.startswith((b"master:", b"propagate_from:"))]
        rest[0] = _kind(rest[0], rest[1])
        rest[1], rest[2] = _source(rest[0], rest[1]), _options(rest[2])
        lines.append(b" ".join([*fields[:6], *optional, b"-", *rest[:3]]))
    return b"".join(line + b"\n" for line in lines)


def mounts(kernels: bytes) -> bytes:
    """/proc/<pid>/mounts (fstab(5)): no source of the host, no directories of an overlay."""
    lines = []
    for line in kernels.splitlines():
        fields = line.split(b" ")
        if len(fields) != 6:
            continue
        fields[2] = _kind(fields[2], fields[0])
        fields[0], fields[3] = _source(fields[2], fields[0]), _options(fields[3])
        lines.append(b" ".join(fields))
    return b"".join(line + b"\n" for line in lines)


def mountstats(kernels: bytes) -> bytes:
    """/proc/<pid>/mountstats: the lines that name a mount, with the file system in the device's place."""
    lines = []
    for line in kernels.splitlines():
        head, mounted, tail = line.partition(b" mounted on ")
        if not mounted or not head.startswith((b"device ", b"no device")):
            continue
        kind = tail.rpartition(b" with fstype ")[2].split(b" ")[0]
        lines.append(b"device " + kind + b" mounted on " + tail)
    return b"".join(line + b"\n" for line in lines)


_SETS = (b"CapInh", b"CapPrm", b"CapEff", b"CapBnd", b"CapAmb")


def capabilities(kernels: bytes) -> tuple[int, ...]:
    """The sets of /proc/<pid>/status, in the order of its lines."""
    rows = dict(line.split(b":\t", 1) for line in kernels.splitlines() if b":\t" in line)
    return tuple(int(rows.get(name, b"0"), 16) for name in _SETS)


def status(kernels: bytes, shown: Sequence[int], held: int, *, no_new_privileges: bool) -> bytes:
    """/proc/<pid>/status, with the capabilities that are shown to a process as long as it changed none."""
    if not no_new_privileges:
        kernels = kernels.replace(b"\nNoNewPrivs:\t1\n", b"\nNoNewPrivs:\t0\n")
    if not any(shown) or capabilities(kernels)[1] != held:
        return kernels
    rows = {name: b"%s:\t%016x" % (name, bits) for name, bits in zip(_SETS, shown, strict=True)}
    lines = [rows.get(line.partition(b":")[0], line) for line in kernels.splitlines()]
    return b"".join(line + b"\n" for line in lines)
