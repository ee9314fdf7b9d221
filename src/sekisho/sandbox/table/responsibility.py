"""What a sandbox does not cover, and who has to: a page and a command, from rows and from the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sekisho.sandbox.table.cves import CVES, Verdict
from sekisho.sandbox.table.table import table


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that is not covered: what, why not, and what you do about it."""

    what: str
    why: str
    yours: str


GAPS: Final[tuple[Gap, ...]] = (
    Gap(
        what="side channels of the processor",
        why="speculation, caches and their kin are below every call",
        yours="keep microcode and mitigations on (`/sys/devices/system/cpu/vulnerabilities`), switch SMT off "
        "or schedule by core, and give tenants who must not learn from each other nodes of their own",
    ),
    Gap(
        what="faults in the calls that run directly",
        why="memory, futexes, epoll, pipes, terminals and data on sockets are the host kernel's own work",
        yours="patch the host's kernel; where that is not enough, run them in a virtual machine a tenant",
    ),
    Gap(
        what="traffic from Pod to Pod",
        why="in a Pod's network, sockets are that network's own",
        yours="NetworkPolicies that deny by default, and the annotations `egress` and `egress-domains`",
    ),
    Gap(
        what="what an allowed address does with what it is sent",
        why="a rule says whom to talk to, not what about; a name may be asked for with data in it",
        yours="allow few names, no wildcard domain that strangers can register below, and read the events",
    ),
    Gap(
        what="what is mounted, and what is passed in",
        why="a mount that can be written is the host's; a descriptor that is passed in is what it is",
        yours="mount little, read-only, and no engine's or agent's socket",
    ),
    Gap(
        what="files that a program wrote and somebody else runs",
        why="outside the sandbox they are files like others",
        yours="read `--diff` first; build in one sandbox and run in another",
    ),
    Gap(
        what="time and shares of the machine",
        why="without limits a program takes what there is; disks and networks are not shared out here",
        yours="set memory, processors, processes and time; ResourceQuotas and LimitRanges in a cluster",
    ),
    Gap(
        what="who may start what",
        why="a sandbox starts when the engine, the kubelet and the API server have done their part",
        yours="admission policies that demand `runtimeClassName: sekisho` for untrusted Pods, and few rights "
        "for whoever may create Pods; `sekisho check` and the policy library have both",
    ),
    Gap(
        what="secrets that you hand in",
        why="variables and mounted secrets are for the program to read",
        yours="short-lived tokens of narrow scope, workload identity instead of a node's credentials",
    ),
)
"""In the order of how often it is overlooked last."""


def text() -> str:
    """The page as plain text."""
    lines = ["What a sandbox does not cover, and what you do about it", ""]
    for gap in GAPS:
        lines += [f"* {gap.what}", f"    why:   {gap.why}", f"    yours: {gap.yours}"]
    return "\n".join([*lines, "", *_residual("")]) + "\n"


def page(made: str) -> str:
    """The page of the documentation."""
    lines = [
        "# Who is responsible for what",
        "",
        f"What a sandbox does not cover; `sekisho sandbox responsibility` prints the same. {made}",
        "",
        "| not covered | why | yours to do |",
        "| --- | --- | --- |",
        *(f"| {gap.what} | {gap.why} | {gap.yours} |" for gap in GAPS),
        "",
        "## What of the host's kernel can still be reached",
        "",
    ]
    return "\n".join([*lines, *_residual("- ")]) + "\n"


def _residual(mark: str) -> Iterator[str]:
    direct = sum(row.default.direct for row in table().values())
    yield (
        f"{direct} calls run on the host's kernel, each under its rule (`sekisho sandbox exposure`). "
        "Of the known vulnerabilities that were assessed, these stay for the host to patch:"
    )
    yield ""
    for cve in CVES:
        if cve.verdict in (Verdict.RESIDUAL, Verdict.HARDWARE):
            yield f"{mark or '* '}{cve.needs}: {', '.join(cve.ids)} ({cve.verdict.value})"
