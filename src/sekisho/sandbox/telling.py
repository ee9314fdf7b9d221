"""What was told of one run, for who ran it: denied calls and verdicts, where time went, figures."""

from __future__ import annotations

import os

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.events import open_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, Final

    Row = Mapping[str, Any]

EFFECTS: Final = {
    "ptrace": "debuggers and tracers do not work",
    "io_uring_setup": "libraries use epoll and threads instead",
    "clone3": "C libraries use clone instead",
    "userfaultfd": "snapshots and some collectors copy instead",
    "perf_event_open": "profilers see nothing",
    "bpf": "tracing does not work",
    "mount": "nothing can be mounted",
    "unshare": "no namespaces inside: containers and browsers' own sandboxes do not start",
    "setns": "no namespaces inside",
    "pidfd_getfd": "descriptors are not taken from other processes",
    "keyctl": "Kerberos keeps its tickets in files",
    "add_key": "Kerberos keeps its tickets in files",
    "mlock": "memory may be swapped",
    "mlock2": "memory may be swapped",
    "mlockall": "memory may be swapped",
    "vmsplice": "data is copied",
    "splice": "data is copied",
    "tee": "data is copied",
    "statmount": "programs read /proc/self/mountinfo",
    "rseq": "per-processor caches are off",
    "sched_setscheduler": "no real-time priority",
    "sched_setattr": "no real-time priority",
    "personality": "addresses stay random",
    "mincore": "programs cannot see what is in the page cache",
    "fanotify_init": "programs watch files with inotify",
    "name_to_handle_at": "programs compare inode numbers",
    "process_vm_readv": "debuggers do not work",
    "memfd_secret": "ordinary memory is used",
    "modify_ldt": "16-bit programs do not run",
    "reboot": "none: the machine is not the program's",
    "recvmmsg": "messages are received one by one",
    "ioctl": "a device's or terminal's special command",
    "setsockopt": "a socket keeps its default",
    "getsockopt": "a socket's property is not known",
    "socket": "a family or type of sockets that there is not",
    "prctl": "a property of the process that cannot be set",
    "fcntl": "signals and leases on files do not work",
    "mmap": "huge or locked pages, or memory that grows down",
    "madvise": "a hint is not taken",
    "futex": "priority inheritance does not work",
    "chown": "files stay the user's own",
    "fchownat": "files stay the user's own",
    "setuid": "the user stays the same",
    "setgid": "the group stays the same",
    "setgroups": "the groups stay the same",
}
"""What a program usually makes of it when such a call is denied."""
USUALLY: Final = "the program is told, and goes on or says so"


def effect(call: str) -> str:
    """What the denial of a call probably means for a program."""
    for known in ("io_uring_", "sched_"):
        if call.startswith(known) and call not in EFFECTS:
            return EFFECTS["io_uring_setup" if known == "io_uring_" else "sched_setattr"]
    return EFFECTS.get(call, USUALLY)


class Told:
    """Where one run's events go: a file that was named, or memory. SandboxError SBX023 if it cannot be."""

    def __init__(self, path: str = "") -> None:
        if path:
            try:
                self.fd = open_file(path)
            except OSError as error:
                raise SandboxError("SBX023", f"{path} cannot be written: {error.strerror}") from None
        else:
            self.fd = os.memfd_create("events", os.MFD_CLOEXEC)
            os.lseek(self.fd, 0, os.SEEK_END)
        self._path = path
        self._start = os.fstat(self.fd).st_size

    def rows(self) -> list[dict[str, Any]]:
        """The events since the beginning."""
        import json

        fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC) if self._path else self.fd
        size = os.fstat(fd).st_size
        data = b""
        while len(data) < size - self._start:
            part = os.pread(fd, size - self._start - len(data), self._start + len(data))
            if not part:
                break
            data += part
        if self._path:
            os.close(fd)
        found = []
        for line in data.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue  # a line that was cut short when its writer was killed
        return found

    def close(self) -> None:
        """Close it."""
        os.close(self.fd)


def denied(rows: Iterable[Row]) -> dict[tuple[str, str, str, str], int]:
    """How often each call was denied: by call, error, program and command (of an ioctl)."""
    counts: dict[tuple[str, str, str, str], int] = {}
    for row in rows:
        if row["event"] == "denied":
            key = (row["call"], row["error"], row["program"], row.get("command", ""))
            counts[key] = max(counts.get(key, 0), row["count"])
    return counts


def verdicts(rows: Iterable[Row]) -> dict[tuple[str, str], int]:
    """How many verdicts on the network there were: by action and verdict."""
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        if row["event"] == "network":
            key = (row["action"], row["verdict"])
            counts[key] = counts.get(key, 0) + 1
    return counts


def report(rows: Iterable[Row]) -> Iterator[str]:
    """Every call that was denied and every refusal of the network, as lines."""
    rows = list(rows)
    found = denied(rows)
    yield f"denied calls: {sum(found.values())}"
    for (call, error, program, command), count in sorted(found.items(), key=lambda item: -item[1]):
        name = f"{call}({command})" if command else call
        yield f"  {count:6} {name:24} {error:14} {program:16} {effect(call)}"
    refused: dict[str, int] = {}
    for row in rows:
        if row["event"] == "network" and row["verdict"] == "refuse":
            place = row.get("name") or row.get("address") or ""
            port = f":{row['port']}" if "port" in row else ""
            line = f"{row['action']} {place}{port} ({row.get('why') or ''})"
            refused[line] = refused.get(line, 0) + 1
    yield f"refused on the network: {sum(refused.values())}"
    for line, count in sorted(refused.items(), key=lambda item: -item[1]):
        yield f"  {count:6} {line}"


def profile(rows: Iterable[Row], seconds: float) -> Iterator[str]:
    """Where the Sentry's time went in a run of that many seconds, as lines."""
    found = sorted((row for row in rows if row["event"] == "profile"), key=lambda row: -row["seconds"])
    count, total = sum(row["count"] for row in found), sum(row["seconds"] for row in found)
    share = 100 * total / seconds if seconds else 0.0
    yield f"{count} calls in {total:.3f} s of the Sentry's time, {share:.1f} % of {seconds:.3f} s"
    yield "    calls   seconds   us each    longest  call"
    for row in found:
        count, each, longest = row["count"], 1e6 * row["seconds"] / row["count"], 1e6 * row["longest"]
        yield f"  {count:7} {row['seconds']:9.3f} {each:9.1f} {longest:10.1f}  {row['call']}"


METRICS: Final = {
    "sekisho_sandbox_denied_calls_total": "Calls that were denied.",
    "sekisho_sandbox_network_verdicts_total": "Verdicts on the network.",
}


def metrics(rows: Iterable[Row], labels: str = "") -> dict[str, list[str]]:
    """Figures in Prometheus' text form, by name; ``labels`` stand before those of each."""
    rows = list(rows)
    before = f"{labels}," if labels else ""
    calls: dict[tuple[str, str], int] = {}
    for (call, error, _program, _command), count in denied(rows).items():
        calls[call, error] = calls.get((call, error), 0) + count
    return {
        "sekisho_sandbox_denied_calls_total": [
            f'{{{before}call="{call}",error="{error}"}} {count}'
            for (call, error), count in sorted(calls.items())
        ],
        "sekisho_sandbox_network_verdicts_total": [
            f'{{{before}action="{action}",verdict="{verdict}"}} {count}'
            for (action, verdict), count in sorted(verdicts(rows).items())
        ],
    }


def metrics_text(rows: Iterable[Row]) -> str:
    """All figures as a file for the node exporter's textfile collector."""
    lines = []
    for name, values in metrics(rows).items():
        lines += [
            f"# HELP {name} {METRICS[name]}",
            f"# TYPE {name} counter",
            *(f"{name}{value}" for value in values),
        ]
    return "".join(f"{line}\n" for line in lines)
