"""Vulnerabilities of Linux, by the call that an attacker needs: what the sandbox makes of each.

An assessment from each one's trigger. Where the filter closes a row, ``attempts`` are calls that the trigger
cannot do without, with their registers; a test asks the filter for each. What the Sentry or the tree closes
is tested where that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

_TYPE_VSOCK: Final = 40
_TYPE_PACKET: Final = 17
_TYPE_NETLINK: Final = 16
_TYPE_ALG: Final = 38


class Verdict(Enum):
    """Whether a vulnerability of the kernel can be reached from inside."""

    UNREACHABLE = "unreachable"
    """The call is refused, or the object does not exist."""
    SENTRY = "through the Sentry"
    """Only by what the Sentry does in the workload's stead."""
    RESIDUAL = "residual"
    """The call is direct; the host's kernel must be patched."""
    HARDWARE = "not covered"
    """Below the kernel: no sandbox of this kind helps."""


class Closer(Enum):
    """What closes it."""

    FILTER = "filter"
    SENTRY = "Sentry"
    TREE = "mount tree"
    RUNTIME = "runtime"
    NOTHING = ""


Attempt = tuple[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cve:
    """One line: names, what is attacked and how, the verdict, who closes it, and the calls to prove it."""

    ids: tuple[str, ...]
    needs: str
    verdict: Verdict
    closer: Closer
    attempts: tuple[Attempt, ...] = ()


def _filter(needs: str, attempts: tuple[Attempt, ...], *ids: str) -> Cve:
    return Cve(ids=ids, needs=needs, verdict=Verdict.UNREACHABLE, closer=Closer.FILTER, attempts=attempts)


def _sentry(needs: str, attempts: tuple[Attempt, ...], *ids: str) -> Cve:
    return Cve(ids=ids, needs=needs, verdict=Verdict.UNREACHABLE, closer=Closer.SENTRY, attempts=attempts)


def _tree(needs: str, *ids: str) -> Cve:
    return Cve(ids=ids, needs=needs, verdict=Verdict.UNREACHABLE, closer=Closer.TREE)


def _residual(needs: str, *ids: str) -> Cve:
    return Cve(ids=ids, needs=needs, verdict=Verdict.RESIDUAL, closer=Closer.NOTHING)


def _family(number: int, protocol: int = 0) -> tuple[Attempt, ...]:
    return (("socket", (number, 3, protocol, 0, 0, 0)),)


_USER_NAMESPACE: Final[tuple[Attempt, ...]] = (
    ("unshare", (0x1000_0000, 0, 0, 0, 0, 0)),
    ("clone", (0x1000_0011, 0, 0, 0, 0, 0)),
    ("clone3", (0x1000, 88, 0, 0, 0, 0)),
)
_RING: Final[tuple[Attempt, ...]] = (("io_uring_setup", (8, 0x1000, 0, 0, 0, 0)),)
_BPF: Final[tuple[Attempt, ...]] = (("bpf", (5, 0x1000, 120, 0, 0, 0)),)
_MOUNT: Final[tuple[Attempt, ...]] = (
    ("mount", (0x1000, 0x1000, 0x1000, 0, 0, 0)),
    ("fsopen", (0x1000, 0, 0, 0, 0, 0)),
    ("fsconfig", (3, 1, 0x1000, 0x1000, 0, 0)),
)
_PTRACE: Final[tuple[Attempt, ...]] = (
    ("ptrace", (0, 0, 0, 0, 0, 0)),
    ("process_vm_writev", (1, 0x1000, 1, 0x1000, 1, 0)),
)

CVES: Final[tuple[Cve, ...]] = (
    _filter(
        "keyrings: keyctl", (("keyctl", (1, 0, 0, 0, 0, 0)), ("add_key", (0, 0, 0, 0, 0, 0))), "CVE-2016-0728"
    ),
    _filter("PTRACE_TRACEME", _PTRACE, "CVE-2019-13272"),
    _sentry(
        "a private mapping written through /proc/self/mem or ptrace",
        _PTRACE,
        "CVE-2016-5195",
    ),
    _sentry(
        "AF_PACKET sockets and their options",
        _family(_TYPE_PACKET),
        "CVE-2016-8655",
        "CVE-2017-7308",
        "CVE-2020-14386",
        "CVE-2021-22600",
        "CVE-2025-38617",
    ),
    _residual(
        "waitid with a pointer into the kernel; kernels older than 4.14, which the sandbox refuses",
        "CVE-2017-5123",
    ),
    _sentry("DCCP sockets", (("socket", (2, 6, 33, 0, 0, 0)),), "CVE-2017-6074"),
    _filter(
        "network administration in a user namespace of one's own",
        _USER_NAMESPACE,
        "CVE-2017-1000112",
        "CVE-2017-7184",
        "CVE-2022-27666",
        "CVE-2026-43284",
        "CVE-2026-46300",
    ),
    _filter(
        "id maps or overlay mounts in a user namespace of one's own",
        (*_USER_NAMESPACE, *_MOUNT),
        "CVE-2018-18955",
        "CVE-2021-3493",
        "CVE-2023-0386",
        "CVE-2023-2640",
        "CVE-2023-32629",
    ),
    _tree("the binder device", "CVE-2019-2215"),
    _sentry(
        "RDS and TIPC sockets",
        (*_family(21), *_family(30)),
        "CVE-2010-3904",
        "CVE-2019-11815",
        "CVE-2021-43267",
        "CVE-2022-0435",
    ),
    _filter(
        "the verifier of bpf()",
        _BPF,
        "CVE-2020-8835",
        "CVE-2021-3490",
        "CVE-2021-31440",
        "CVE-2022-23222",
        "CVE-2023-2163",
    ),
    _filter(
        "IPT_SO_SET_REPLACE of x_tables",
        (("setsockopt", (3, 0, 64, 0x1000, 40, 0)), ("setsockopt", (3, 41, 64, 0x1000, 40, 0))),
        "CVE-2021-22555",
    ),
    _filter("deep directories, mounted", _MOUNT, "CVE-2021-33909"),
    _filter("fsopen and fsconfig", _MOUNT, "CVE-2021-4154", "CVE-2022-0185"),
    _tree("release_agent of a cgroup v1 mount", "CVE-2022-0492"),
    _filter(
        "a pipe and splice",
        (
            ("splice", (3, 0, 4, 0, 1, 0)),
            ("tee", (3, 4, 1, 0, 0, 0)),
            ("vmsplice", (4, 0x1000, 1, 0, 0, 0)),
        ),
        "CVE-2022-0847",
    ),
    _filter("pipe2(O_NOTIFICATION_PIPE)", (("pipe2", (0x1000, 0o200, 0, 0, 0, 0)),), "CVE-2022-0995"),
    _filter(
        "io_uring",
        _RING,
        "CVE-2021-41073",
        "CVE-2022-1116",
        "CVE-2022-1786",
        "CVE-2022-2327",
        "CVE-2022-2602",
        "CVE-2022-29582",
        "CVE-2023-2598",
        "CVE-2025-40364",
    ),
    _sentry(
        "traffic control by netlink",
        _family(_TYPE_NETLINK),
        "CVE-2022-1055",
        "CVE-2022-2588",
        "CVE-2022-29581",
        "CVE-2023-1281",
        "CVE-2023-4206",
        "CVE-2023-4207",
        "CVE-2023-4208",
        "CVE-2023-4623",
        "CVE-2023-4921",
        "CVE-2025-38000",
        "CVE-2025-38001",
        "CVE-2025-38083",
        "CVE-2025-38350",
        "CVE-2025-38477",
    ),
    _sentry(
        "nf_tables by netlink",
        _family(_TYPE_NETLINK, 12),
        "CVE-2022-1015",
        "CVE-2022-32250",
        "CVE-2022-34918",
        "CVE-2023-32233",
        "CVE-2023-31248",
        "CVE-2023-35001",
        "CVE-2023-4015",
        "CVE-2023-4147",
        "CVE-2024-1086",
        "CVE-2026-23111",
    ),
    _filter(
        "timers on processor time",
        (
            ("timer_create", (2, 0, 0x1000, 0, 0, 0)),
            ("timer_create", (3, 0, 0x1000, 0, 0, 0)),
            ("timer_create", (0xFFFF_FFFE, 0, 0x1000, 0, 0, 0)),
        ),
        "CVE-2022-2585",
        "CVE-2025-38352",
    ),
    _filter(
        "futexes with priority inheritance",
        tuple(("futex", (0x1000, operation, 0, 0, 0x2000, 0)) for operation in (6, 7, 8, 11, 12, 13)),
        "CVE-2014-3153",
        "CVE-2021-3347",
        "CVE-2026-43499",
    ),
    _filter(
        "kernel TLS: setsockopt(TCP_ULP)",
        (("setsockopt", (3, 6, 31, 0x1000, 4, 0)), ("setsockopt", (3, 282, 1, 0x1000, 40, 0))),
        "CVE-2023-0461",
        "CVE-2024-26583",
        "CVE-2024-26584",
        "CVE-2024-26585",
        "CVE-2024-26800",
        "CVE-2025-38616",
        "CVE-2025-39946",
    ),
    _sentry(
        "AF_VSOCK sockets",
        _family(_TYPE_VSOCK),
        "CVE-2021-26708",
        "CVE-2024-50264",
        "CVE-2025-21756",
        "CVE-2025-38618",
    ),
    _sentry("AF_ALG sockets", _family(_TYPE_ALG), "CVE-2025-39964", "CVE-2026-31431"),
    _sentry("AF_RXRPC sockets", _family(33), "CVE-2026-43500"),
    _residual(
        "descriptors in messages of AF_UNIX: direct where the network is sealed, else by the Sentry",
        "CVE-2021-0920",
        "CVE-2023-4622",
        "CVE-2025-40214",
        "CVE-2026-23394",
    ),
    _filter(
        "out-of-band data on AF_UNIX: the receiving side, and sending where it is direct",
        (("recvfrom", (3, 0x1000, 1, 1, 0, 0)), ("recvmsg", (3, 0x1000, 1, 0, 0, 0))),
        "CVE-2025-38236",
    ),
    _filter("userfaultfd as a lever", (("userfaultfd", (0, 0, 0, 0, 0, 0)),), "CVE-2022-2590"),
    _filter("mincore as a side channel", (("mincore", (0x1000, 4096, 0x2000, 0, 0, 0)),), "CVE-2019-5489"),
    _filter(
        "timers with a signal of an odd kind, on processor time",
        (("timer_create", (2, 0x1000, 0x2000, 0, 0, 0)),),
        "CVE-2017-18344",
    ),
    Cve(
        ids=("CVE-2024-21626", "CVE-2019-5736", "CVE-2021-30465", "CVE-2024-0132"),
        needs="mistakes of a container runtime: leaked descriptors, /proc/self/exe, races of mounts",
        verdict=Verdict.SENTRY,
        closer=Closer.RUNTIME,
    ),
    _tree("/dev/kvm", "CVE-2026-53359"),
    _residual(
        "mmap, mremap, page faults, and stacks that grow (the main thread's; mmap cannot make one)",
        "CVE-2018-17182",
        "CVE-2018-18281",
        "CVE-2020-10757",
        "CVE-2023-3269",
    ),
    _residual("epoll, pipes, terminals, timerfd, signals", "CVE-2025-38349"),
    Cve(
        ids=("CVE-2022-29900", "CVE-2018-8897"),
        needs="the processor: speculation and its kin",
        verdict=Verdict.HARDWARE,
        closer=Closer.NOTHING,
    ),
)
