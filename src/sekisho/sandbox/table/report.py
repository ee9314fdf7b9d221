"""What people and programs read about the table: the exposure of the host's kernel, and compatibility.

The exposure report is ``exposure`` (JSON-like) or ``exposure_text``; the page of the reference is
``syscalls_page``.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from sekisho.sandbox.table.cves import CVES, Verdict
from sekisho.sandbox.table.model import Klass, Option, Profile, Row, Treatment
from sekisho.sandbox.table.supervisor import ROWS as SENTRY
from sekisho.sandbox.table.table import NEWEST, NO_OPTIONS, filter, table

Json = Mapping[str, object]
Treated = tuple[Row, Treatment]

UNFILTERABLE: Final = ("uretprobe", "uprobe")
"""Calls that newer kernels run whatever a filter says."""

_TITLES: Final = {
    "files": "Open files",
    "paths": "Paths",
    "memory": "Memory",
    "process": "Processes, threads, programs",
    "identity": "Users, groups, capabilities",
    "signals": "Signals",
    "clocks": "Clocks and timers",
    "events": "Waiting",
    "network": "Sockets",
    "ipc": "System V and POSIX message passing",
    "system": "The machine",
}


def _treated(profile: Profile, options: frozenset[Option]) -> list[Treated]:
    return [(row, row.treatment(profile, options)) for row in table().values()]


def _direct(treated: list[Treated], *, resolving: bool) -> list[Treated]:
    return [(row, how) for row, how in treated if how.direct and how.resolves == resolving]


def _answer(treatment: Treatment) -> str:
    """What the workload gets where the kernel does not run the call."""
    if treatment.handler:
        return "the Sentry answers"
    return errno.errorcode[treatment.errno] if treatment.errno else "nothing is done"


def _call(row: Row, treatment: Treatment) -> Json:
    found: dict[str, object] = {"number": row.number, "call": row.name, "reason": row.why}
    if treatment.rule is not None:
        found |= {"rule": treatment.rule.says(), "else": _answer(treatment)}
    return found


def _counts(treated: list[Treated]) -> dict[str, int]:
    classes = Counter(treatment.klass for _, treatment in treated)
    return {
        "names": len(treated),
        **{klass.value: classes[klass] for klass in Klass},
        "direct": classes[Klass.PLAIN] + classes[Klass.CHECKED],
        "resolving": sum(treatment.resolves for _, treatment in treated),
        "sentry": len(SENTRY),
    }


def exposure(profile: Profile = Profile.DEFAULT, options: frozenset[Option] = NO_OPTIONS) -> Json:
    """What of the host's kernel the workload, and the Sentry, can reach under this filter.

    Keys: ``profile``, ``options``, ``counts``, ``direct`` (calls that the kernel runs, with argument rule and
    reason), ``resolving`` (those in which it resolves a path of the workload's), ``continued`` (calls that
    the Sentry may hand on, and what a race gains), ``unfilterable``, ``sentry`` (its own calls), ``cves``.
    """
    treated = _treated(profile, options)
    return {
        "profile": profile.value,
        "options": sorted(option.value for option in options),
        "counts": _counts(treated) | {"instructions": len(filter(profile, options)) // 8},
        "direct": [_call(row, how) for row, how in _direct(treated, resolving=False)],
        "resolving": [_call(row, how) for row, how in _direct(treated, resolving=True)],
        "continued": [
            {"number": row.number, "call": row.name, "race": how.resumes}
            for row, how in treated
            if how.resumes
        ],
        "unfilterable": list(UNFILTERABLE),
        "sentry": [
            {"call": name, "rule": how.rule.says() if how.rule else "", "reason": why}
            for name, (how, why) in sorted(SENTRY.items())
        ],
        "cves": [
            {
                "ids": list(cve.ids),
                "needs": cve.needs,
                "verdict": cve.verdict.value,
                "closed by": cve.closer.value,
            }
            for cve in CVES
        ],
    }


def exposure_text(profile: Profile = Profile.DEFAULT, options: frozenset[Option] = NO_OPTIONS) -> str:
    """The same, to read in a terminal."""
    treated = _treated(profile, options)
    counts = _counts(treated)
    name = "+".join((profile.value, *sorted(option.value for option in options)))
    lines = [
        f"Profile {name}: {counts['names']} system calls",
        f"  {counts['direct']:3} run on the host's kernel, {counts['resolving']} of which resolve a path",
        f"  {counts['notified']:3} are answered by the Sentry",
        f"  {counts['denied']:3} are answered by the filter",
        f"  {counts['sentry']:3} are what the Sentry itself may call",
        "",
        "Direct calls",
        *_lines(_direct(treated, resolving=False)),
    ]
    if counts["resolving"]:
        lines += ["", "Direct calls in which the kernel resolves a path, in the sandbox's own tree"]
        lines += _lines(_direct(treated, resolving=True))
    lines += ["", "Calls that the Sentry may let the kernel continue, and what a race gains there"]
    lines += [f"  {row.name:18} {how.resumes}" for row, how in treated if how.resumes]
    lines += ["", f"Outside any filter's reach: {', '.join(UNFILTERABLE)}"]
    return "\n".join(lines) + "\n"


def _lines(calls: list[Treated]) -> Iterator[str]:
    for row, treatment in calls:
        yield f"  {row.name:18} {row.why}"
        if treatment.rule is not None:
            yield f"  {'':18} only if {treatment.rule.says()}; else {_answer(treatment)}"


def syscalls_page(made: str) -> str:
    """The compatibility and exposure page, in Markdown; ``made`` says where it comes from."""
    counts = _counts(_treated(Profile.DEFAULT, NO_OPTIONS))
    strict = _counts(_treated(Profile.STRICT, NO_OPTIONS))
    lines = [
        f"""# System calls in the sandbox

{counts["names"]} names, up to number {NEWEST}. Numbers without a row fail with ENOSYS; 32-bit and x32 entry
kills the process. {made}

- **direct**: the host's kernel runs the call: {counts["direct"]} in the default profile, of which
  {counts["resolving"]} resolve a path in the sandbox's own mount tree; {strict["direct"]} in the
  strict profile, none of which does (the table is ready for it; sandboxes run the default profile).
- **checked**: direct if the rule for the registers holds.
- **Sentry**: answered in user space, on copies.
- **denied**: the filter answers.

`sekisho sandbox exposure` prints the same for a profile and its options."""
    ]
    for family, title in _TITLES.items():
        lines += ["", f"## {title}", "", "| call | default | strict | support | why |"]
        lines += ["| --- | --- | --- | --- | --- |"]
        lines += [_row(row) for row in table().values() if row.family == family]
    return "\n".join([*lines, *_continued(), *_sentry(), *_cves()]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _class(treatment: Treatment) -> str:
    if treatment.klass is Klass.DENIED:
        return f"denied, {_answer(treatment)}" if treatment.errno else _answer(treatment)
    if treatment.klass is Klass.NOTIFIED:
        return "Sentry"
    if treatment.resolves:
        return "direct, resolves a path"
    return "direct" if treatment.rule is None else "direct, checked"


def _row(row: Row) -> str:
    why = [row.why]
    if row.default.rule is not None:
        why.append(f"only if {row.default.rule.says()}, else {_answer(row.default)}")
    if row.note:
        why.append(row.note)
    why += [f"with `{option.value}`: {_class(treatment)}" for option, treatment in row.options.items()]
    strict = "same" if row.strict == row.default else _class(row.strict)
    cells = (f"`{row.name}`", _class(row.default), strict, row.support.value, _cell("; ".join(why)))
    return f"| {' | '.join(cells)} |"


def _continued() -> Iterator[str]:
    yield from ("", "## What the Sentry may let the kernel continue", "")
    yield "The kernel then reads memory again; this is what a racing thread can gain."
    yield from ("", "| call | a race gains |", "| --- | --- |")
    for row in table().values():
        if row.default.resumes:
            yield f"| `{row.name}` | {_cell(row.default.resumes)} |"
    names = " and ".join(f"`{name}`" for name in UNFILTERABLE)
    yield from ("", f"No filter reaches {names} on newer kernels.")


def _sentry() -> Iterator[str]:
    yield from ("", "## What the Sentry itself may call", "")
    yield f"{len(SENTRY)} calls; all others fail with EPERM, and no memory of it can become code."
    yield from ("", "| call | rule | why |", "| --- | --- | --- |")
    for name, (treatment, why) in sorted(SENTRY.items()):
        yield f"| `{name}` | {_cell(treatment.rule.says()) if treatment.rule else ''} | {_cell(why)} |"


def _cves() -> Iterator[str]:
    yield from ("", "## Known vulnerabilities of Linux, by the call that they need", "")
    counts = Counter(cve.verdict for cve in CVES for _ in cve.ids)
    shares = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict)
    yield f"{shares}. An assessment from each one's trigger; the calls of the unreachable ones are tested."
    yield from ("", "| needs | vulnerabilities | verdict | closed by |", "| --- | --- | --- | --- |")
    for cve in CVES:
        yield f"| {_cell(cve.needs)} | {', '.join(cve.ids)} | {cve.verdict.value} | {cve.closer.value} |"
