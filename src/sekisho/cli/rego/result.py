"""What an evaluation came to, and the forms in which ``sekisho rego eval`` writes it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Final

from sekisho.cli.rego.text import Fields, dumps, error_fields, ordered, table, tell
from sekisho.diag import Diagnostic, Level
from sekisho.rego.jsontext import marshal, plain
from sekisho.rego.program import Result
from sekisho.rego.text import text as term
from sekisho.rego.values import Number, Value


class Timers:
    """How long the steps of one evaluation took, in nanoseconds, by OPA's names."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    @contextmanager
    def time(self, step: str, *, show: bool = True) -> Iterator[None]:
        """Time a step; one that has nothing to do is not shown."""
        start = time.perf_counter_ns()
        yield
        if show:
            self.values[f"timer_rego_{step}_ns"] = time.perf_counter_ns() - start


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Results, or errors instead; ``faults`` are errors of built-ins, shown beside the results."""

    results: list[Result] = field(default_factory=list)
    errors: list[Diagnostic] = field(default_factory=list)
    faults: list[Diagnostic] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    timers: list[Timers] = field(default_factory=list)

    def warn(self, problems: Iterable[Diagnostic]) -> None:
        """Keep the warnings among these, each once."""
        for found in problems:
            if found.level is not Level.ERROR and found not in self.warnings:
                self.warnings.append(found)

    @property
    def told(self) -> list[Diagnostic]:
        """All errors there are to tell."""
        return [*self.errors, *self.faults]


def write(outcome: Outcome, form: str, stdout: IO[str], stderr: IO[str]) -> None:
    """Write an outcome in one of the forms."""
    tell(outcome.warnings, stderr)
    _FORMS[form](outcome, stdout, stderr)


# --- json and discard -------------------------------------------------------------------------------------


def _fields(outcome: Outcome) -> Fields:
    fields = Fields()
    if outcome.told:
        fields["errors"] = [error_fields(found) for found in outcome.told]
    if outcome.results:
        fields["result"] = [_result_fields(result) for result in outcome.results]
    if len(outcome.timers) == 1:
        fields["metrics"] = dict(outcome.timers[0].values)
    elif outcome.timers:
        fields["aggregated_metrics"] = aggregated(outcome.timers)
    if outcome.notes:
        fields["explanation"] = [Fields(Op="Note", Message=note) for note in outcome.notes]
    return fields


def _result_fields(result: Result) -> Fields:
    fields = Fields(
        expressions=[
            Fields(
                value=found["value"],
                text=found["text"],
                location=Fields(row=found["location"]["row"], col=found["location"]["col"]),
            )
            for found in result["expressions"]
        ]
    )
    if result.get("bindings"):
        fields["bindings"] = result["bindings"]
    return fields


def _json(outcome: Outcome, stdout: IO[str], _stderr: IO[str]) -> None:
    stdout.write(dumps(_fields(outcome)) + "\n")


def _discard(outcome: Outcome, stdout: IO[str], _stderr: IO[str]) -> None:
    fields = _fields(outcome)
    if "result" in fields:
        fields["result"] = "discarded"
    stdout.write(dumps(ordered(fields)) + "\n")


# --- values, bindings and raw -----------------------------------------------------------------------------


def _values(outcome: Outcome, stdout: IO[str], stderr: IO[str]) -> None:
    if outcome.told:
        return tell(outcome.told, stderr)
    for result in outcome.results:
        stdout.write(dumps([found["value"] for found in result["expressions"]]) + "\n")
    return None


def _bindings(outcome: Outcome, stdout: IO[str], stderr: IO[str]) -> None:
    if outcome.told:
        return tell(outcome.told, stderr)
    for result in outcome.results:
        stdout.write(dumps(result.get("bindings", {})) + "\n")
    return None


def _raw(outcome: Outcome, stdout: IO[str], stderr: IO[str]) -> None:
    if outcome.told:
        return tell(outcome.told, stderr)
    for result in outcome.results:
        values = [found["value"] for found in result["expressions"]]
        stdout.write(
            " ".join(plain(value) if type(value) is str else marshal(value) for value in values) + "\n"
        )
    return None


# --- pretty -----------------------------------------------------------------------------------------------


def _pretty(outcome: Outcome, stdout: IO[str], stderr: IO[str]) -> None:
    for note in outcome.notes:
        stdout.write(f"Note {term(note)}\n")
    if outcome.told:
        tell(outcome.told, stderr)
    elif not outcome.results:
        stdout.write("undefined\n")
    else:
        _pretty_results(outcome.results, stdout)
    if len(outcome.timers) == 1:
        rows = sorted((name, str(value)) for name, value in outcome.timers[0].values.items())
        stdout.write(table(("Metric", "Value"), rows))
    elif outcome.timers:
        found = sorted(aggregated(outcome.timers).items())
        lines = [(name, *(marshal(row[key]) for key in _SHOWN)) for name, row in found]
        stdout.write(table(("Metric", *(key.title() for key in _SHOWN)), lines))


def _pretty_results(results: Sequence[Result], stdout: IO[str]) -> None:
    first = results[0]
    expressions, bindings = first["expressions"], first.get("bindings") or {}
    values = [found["value"] for found in expressions]
    if len(results) == 1 and not bindings and (len(values) == 1 or all(type(v) is bool for v in values)):
        stdout.write(dumps(values[0]) + "\n")
        return
    names = sorted(bindings)
    shown = [at for at, value in enumerate(values) if not bindings or type(value) is not bool]
    header = [*names, *(expressions[at]["text"] for at in shown)]
    rows = [
        [
            *(marshal(result["bindings"][name]) for name in names),
            *(marshal(result["expressions"][at]["value"]) for at in shown),
        ]
        for result in results
    ]
    stdout.write(table(header, rows))


_FORMS: Final[dict[str, Callable[[Outcome, IO[str], IO[str]], None]]] = {
    "json": _json,
    "values": _values,
    "bindings": _bindings,
    "pretty": _pretty,
    "raw": _raw,
    "discard": _discard,
}


# --- statistics -------------------------------------------------------------------------------------------

_SHOWN: Final = ("min", "max", "mean", "90%", "99%")
_PERCENTILES: Final = {
    "median": 0.5,
    "75%": 0.75,
    "90%": 0.9,
    "95%": 0.95,
    "99%": 0.99,
    "99.9%": 0.999,
    "99.99%": 0.9999,
}


def aggregated(timers: Sequence[Timers]) -> dict[str, dict[str, Any]]:
    """The statistics of each timer over several evaluations."""
    return {name: statistics([one.values[name] for one in timers]) for name in timers[0].values}


def statistics(values: Sequence[int]) -> dict[str, Value]:
    """Count, least, greatest, mean, deviation and percentiles."""
    ordered = sorted(values)
    count = len(ordered)
    mean = sum(ordered) / count
    found: dict[str, Value] = {
        "count": count,
        "min": ordered[0],
        "max": ordered[-1],
        "mean": _number(mean),
        "stddev": _number(math.sqrt(sum((value - mean) ** 2 for value in ordered) / count)),
    }
    for name, share in _PERCENTILES.items():
        found[name] = _number(_percentile(ordered, share))
    return found


def _percentile(ordered: Sequence[int], share: float) -> float:
    """The value below which this share lies, between its two neighbours."""
    place = share * (len(ordered) + 1)
    if place < 1:
        return ordered[0]
    if place >= len(ordered):
        return ordered[-1]
    lower, upper = ordered[int(place) - 1], ordered[int(place)]
    return lower + (place - int(place)) * (upper - lower)


def _number(value: float) -> int | Number:
    return int(value) if float(value).is_integer() else Number(f"{value:.3f}".rstrip("0").rstrip("."))
