"""Calls on the workload's own address space."""

from __future__ import annotations

from errno import EINVAL, ENOSYS, EPERM
from typing import Final

from sekisho.sandbox.table.model import PLAIN, Row, Support, all_of, call, checked, denied, one_of, within

_OWN: Final = "the workload's own address space"
_PLACEMENT: Final = "placement over memory nodes; there is one as far as the workload sees"

PROTECTION: Final = {"PROT_READ": 1, "PROT_WRITE": 2, "PROT_EXEC": 4}

MAP: Final = {
    "MAP_SHARED": 0x1,
    "MAP_PRIVATE": 0x2,
    "MAP_DROPPABLE": 0x8,
    "MAP_FIXED": 0x10,
    "MAP_ANONYMOUS": 0x20,
    "MAP_32BIT": 0x40,
    "MAP_DENYWRITE": 0x800,
    "MAP_EXECUTABLE": 0x1000,
    "MAP_NORESERVE": 0x4000,
    "MAP_POPULATE": 0x8000,
    "MAP_STACK": 0x20000,
    "MAP_FIXED_NOREPLACE": 0x100000,
}
"""Not MAP_GROWSDOWN (stack growth: CVE-2023-3269's class), MAP_HUGETLB, MAP_LOCKED, MAP_SYNC."""

REMAP: Final = {"MREMAP_MAYMOVE": 1, "MREMAP_FIXED": 2, "MREMAP_DONTUNMAP": 4}
SYNC: Final = {"MS_ASYNC": 1, "MS_INVALIDATE": 2, "MS_SYNC": 4}

ADVICE: Final = {
    "NORMAL": 0,
    "RANDOM": 1,
    "SEQUENTIAL": 2,
    "WILLNEED": 3,
    "DONTNEED": 4,
    "FREE": 8,
    "DONTFORK": 10,
    "DOFORK": 11,
    "HUGEPAGE": 14,
    "NOHUGEPAGE": 15,
    "DONTDUMP": 16,
    "DODUMP": 17,
    "WIPEONFORK": 18,
    "KEEPONFORK": 19,
    "COLD": 20,
    "POPULATE_READ": 22,
    "POPULATE_WRITE": 23,
    "COLLAPSE": 25,
}
"""Not MERGEABLE (page merging is a side channel), HWPOISON, REMOVE, PAGEOUT."""

BARRIERS: Final = {
    "QUERY": 0,
    "GLOBAL": 1,
    "PRIVATE_EXPEDITED": 8,
    "REGISTER_PRIVATE_EXPEDITED": 16,
    "PRIVATE_EXPEDITED_SYNC_CORE": 32,
    "REGISTER_PRIVATE_EXPEDITED_SYNC_CORE": 64,
    "PRIVATE_EXPEDITED_RSEQ": 128,
    "REGISTER_PRIVATE_EXPEDITED_RSEQ": 256,
}
"""Not the globally expedited ones, which interrupt processes outside the sandbox."""

ROWS: Final[tuple[Row, ...]] = (
    call(
        9,
        "mmap",
        checked(
            all_of(within(2, "prot", PROTECTION, width=64), within(3, "flags", MAP, width=64)), errno=EINVAL
        ),
        "own memory and injected files; no growing stacks, huge or locked pages",
        support=Support.PARTIAL,
    ),
    call(10, "mprotect", checked(within(2, "prot", PROTECTION, width=64), errno=EINVAL), _OWN),
    call(11, "munmap", PLAIN, _OWN),
    call(12, "brk", PLAIN, _OWN),
    call(25, "mremap", checked(within(3, "flags", REMAP, width=64), errno=EINVAL), _OWN),
    call(26, "msync", checked(within(2, "flags", SYNC), errno=EINVAL), _OWN),
    call(27, "mincore", denied(ENOSYS), "tells which pages of shared files are cached: a side channel"),
    call(
        28,
        "madvise",
        checked(one_of(2, "advice", ADVICE), errno=EINVAL),
        "hints on own memory; no page merging, poisoning, hole punching",
        support=Support.PARTIAL,
    ),
    call(149, "mlock", denied(EPERM), "locked memory is the host's; the limit is zero"),
    call(150, "munlock", denied(0), "nothing is locked", support=Support.FULL),
    call(151, "mlockall", denied(EPERM), "locked memory is the host's; the limit is zero"),
    call(152, "munlockall", denied(0), "nothing is locked", support=Support.FULL),
    call(216, "remap_file_pages", denied(ENOSYS), "obsolete, emulated by the kernel in odd ways"),
    call(237, "mbind", denied(ENOSYS), _PLACEMENT),
    call(238, "set_mempolicy", denied(ENOSYS), _PLACEMENT),
    call(239, "get_mempolicy", denied(ENOSYS), _PLACEMENT),
    call(256, "migrate_pages", denied(ENOSYS), _PLACEMENT),
    call(279, "move_pages", denied(ENOSYS), _PLACEMENT),
    call(
        323,
        "userfaultfd",
        denied(ENOSYS),
        "stops the kernel in the middle of a copy: the lever of many exploits",
    ),
    call(
        324,
        "membarrier",
        checked(one_of(0, "cmd", BARRIERS), errno=EINVAL),
        "barriers among own threads; none that interrupts other processes",
    ),
    call(325, "mlock2", denied(EPERM), "locked memory is the host's; the limit is zero"),
    call(329, "pkey_mprotect", denied(ENOSYS), "protection keys; programs do without"),
    call(330, "pkey_alloc", denied(ENOSYS), "protection keys; programs do without"),
    call(331, "pkey_free", denied(ENOSYS), "protection keys; programs do without"),
    call(440, "process_madvise", denied(ENOSYS), "acts on another process's memory"),
    call(447, "memfd_secret", denied(ENOSYS), "takes pages out of the kernel's own map"),
    call(448, "process_mrelease", denied(ENOSYS), "acts on another process's memory"),
    call(450, "set_mempolicy_home_node", denied(ENOSYS), _PLACEMENT),
    call(451, "cachestat", denied(ENOSYS), "tells which pages of shared files are cached: a side channel"),
    call(453, "map_shadow_stack", denied(ENOSYS), "newer than the calls that libraries need"),
    call(462, "mseal", denied(ENOSYS), "newer than the calls that libraries need; they do without"),
)
