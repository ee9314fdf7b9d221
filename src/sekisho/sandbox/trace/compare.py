"""Will it run? What a program does natively, held against what it does in a sandbox. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sekisho.sandbox.table import Klass, Option, Profile, Row, Support, table
from sekisho.sandbox.telling import effect

COSTS: Final = {
    "openat": 22e-6, "open": 22e-6, "creat": 60e-6, "unlinkat": 30e-6, "unlink": 30e-6, "mkdir": 40e-6,
    "mkdirat": 40e-6, "rename": 45e-6, "renameat2": 45e-6, "connect": 40e-6, "bind": 40e-6, "socket": 25e-6,
    "execve": 12e-6,
}  # fmt: skip
"""Seconds that a call takes longer there, by the same measurement (bench/results.md)."""
NOTIFIED: Final = 15e-6
"""Of another call that the Sentry answers."""


OPTIONS: Final = frozenset({Option.SEALED_NETWORK})
"""The filter that programs are held against: the one without a network."""


def is_answered(number: int, args: Sequence[int]) -> bool:
    """Whether the Sentry would answer a call with these registers."""
    row = table().get(number)
    if row is None:
        return False
    treatment = row.treatment(Profile.DEFAULT, OPTIONS)
    if not treatment.handler:
        return False
    return treatment.rule is None or not treatment.rule.holds(args)


class Made:
    """How often a call was made natively, and how often the Sentry would have answered it."""

    __slots__ = ("answered", "count")

    def __init__(self, count: int = 0, answered: int = 0) -> None:
        self.count = count
        self.answered = answered


Calls = Mapping[tuple[str, int], Made]
"""By program and number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one run ended: its status, what it wrote, its seconds, and the files that it changed (path: digest,
    empty if it was deleted).
    """

    status: int
    out: bytes
    err: bytes
    seconds: float
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A call that is not, or not wholly, supported: how often and by whom it was made natively, how often it
    was denied inside, what that probably means.
    """

    call: str
    program: str
    natively: int
    denied: int
    support: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``differences`` are results that are not the same; ``direct`` and ``answered`` count native calls by
    who would run them; ``predicted`` and ``measured`` are seconds in the sandbox.
    """

    calls: int
    direct: int
    answered: int
    findings: tuple[Finding, ...]
    differences: tuple[str, ...]
    native: float
    predicted: float
    measured: float

    @property
    def runs(self) -> bool:
        """Whether it does the same in a sandbox."""
        return not self.differences


def compare(
    made: Calls, denied: Mapping[tuple[str, str], int], native: Run, inside: Run, start: float
) -> Comparison:
    """The runs held against each other; ``denied`` counts what was denied inside, by program and name, and
    ``start`` is what a sandbox takes for nothing, in seconds.
    """
    rows, direct, answered, extra = table(), 0, 0, 0.0
    for (_program, number), times in made.items():
        row = rows.get(number)
        if row is None or row.treatment(Profile.DEFAULT, OPTIONS).klass is Klass.DENIED:
            continue
        direct += times.count - times.answered
        answered += times.answered
        extra += times.answered * COSTS.get(row.name, NOTIFIED)
    return Comparison(
        calls=sum(times.count for times in made.values()),
        direct=direct,
        answered=answered,
        findings=tuple(_findings(made, denied, rows)),
        differences=tuple(_differences(native, inside)),
        native=native.seconds,
        predicted=native.seconds + start + extra,
        measured=inside.seconds,
    )


def _findings(
    made: Calls, denied: Mapping[tuple[str, str], int], rows: Mapping[int, Row]
) -> Iterator[Finding]:
    seen = set()
    for (program, number), calls in sorted(made.items(), key=lambda item: -item[1].count):
        row = rows.get(number)
        name = row.name if row else str(number)
        seen.add((program, name))
        times = denied.get((program, name), 0)
        support = row.support if row else Support.NONE
        if support is Support.FULL and not times:
            continue
        what = effect(name) if times or support is Support.NONE else (row.note or row.why if row else "")
        yield Finding(
            call=name, program=program, natively=calls.count, denied=times, support=support.value, effect=what
        )
    for (program, name), times in denied.items():
        if (program, name) not in seen:
            yield Finding(
                call=name, program=program, natively=0, denied=times, support="", effect=effect(name)
            )


def _differences(native: Run, inside: Run) -> Iterator[str]:
    if native.status != inside.status:
        yield f"exit status: {native.status} natively, {inside.status} inside"
    streams = (("standard output", native.out, inside.out), ("standard error", native.err, inside.err))
    for name, one, two in streams:
        if one != two:
            yield f"{name}: {_first(one, two)}"
    for path in sorted(native.files.keys() | inside.files.keys()):
        one_file, two_file = native.files.get(path), inside.files.get(path)
        if one_file == two_file:
            continue
        if one_file is None or two_file is None:
            yield f"{path} was written {'inside' if one_file is None else 'natively'} only"
        else:
            yield f"{path} has other contents"


def _first(one: bytes, two: bytes) -> str:
    lines = zip([*one.splitlines(), b""], [*two.splitlines(), b""], strict=False)
    for number, (left, right) in enumerate(lines, 1):
        if left != right:
            return f"line {number}: {_short(left)} natively, {_short(right)} inside"
    return "one is longer"


def _short(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def lines(found: Comparison) -> Iterator[str]:
    """The comparison as people read it."""
    share = 100 * found.direct / found.calls if found.calls else 100.0
    yield f"{found.calls} calls: {share:.0f} % would run directly, {found.answered} be answered by the Sentry"
    important = [item for item in found.findings if item.denied or item.support == Support.NONE.value]
    partial = Counter(
        {(item.call, item.effect): item.natively for item in found.findings if item not in important}
    )
    yield f"unsupported or denied: {len(important)}"
    for item in important:
        counts = f"{item.natively:6} natively {item.denied:6} denied"
        yield f"  {item.call:20} {item.program:16} {counts}  {item.effect}"
    yield f"partly supported, and used without a denial: {len(partial)}"
    for (call, what), count in partial.most_common():
        yield f"  {call:20} {count:6}  {what}"
    yield from _results(found.differences)
    ratio = found.measured / found.native if found.native else 0.0
    guess = found.predicted / found.native if found.native else 0.0
    yield f"natively {found.native:.3f} s; predicted {found.predicted:.3f} s ({guess:.2f} times)"
    yield f"measured {found.measured:.3f} s ({ratio:.2f} times)"


def _results(differences: Iterable[str]) -> Iterator[str]:
    differences = list(differences)
    yield f"differing results: {len(differences)}"
    for text in differences:
        yield f"  {text}"
