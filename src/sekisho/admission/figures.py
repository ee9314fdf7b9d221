"""Counts and durations: taken down where requests are answered, added up where they are shown.

Plain values, so that a process can send what is new to another one: ``Figures.take`` empties, ``add`` adds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sekisho.admission.service import Observed
from sekisho.diag import Limit
from sekisho.kube.review import Outcome

SECONDS: Final = (
    *(n / 1000 for n in range(1, 11)),
    *(n / 100 for n in range(2, 11)),
    *(n / 10 for n in range(2, 11)),
    *(n / 2 for n in range(3, 21)),
)
"""The bounds of Gatekeeper's histograms of requests."""

POLICY_SECONDS: Final = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
"""The bounds of the histogram by policy, which takes tens of microseconds."""

POLICIES: Final = Limit("policies with figures of their own", 200, "policies", "each is twelve time series")
OTHERS: Final = "other"
"""The policy under which those beyond the limit are counted."""

BY_POLICY: Final = "sekisho_policy_duration_seconds"

Labels = tuple[str, ...]


class Family(NamedTuple):
    """A metric: its name, what it says, its labels; ``bounds`` are there for a histogram."""

    name: str
    help: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...] = ()


FAMILIES: Final[Mapping[str, Family]] = {
    row.name: row
    for row in (
        Family(
            "gatekeeper_validation_request_count",
            "The number of requests that are routed to validation webhook",
            ("admission_status", "admission_dryrun"),
        ),
        Family(
            "gatekeeper_validation_request_duration_seconds",
            "The response time in seconds",
            ("admission_status",),
            SECONDS,
        ),
        Family(
            "gatekeeper_mutation_request_count",
            "The number of requests that are routed to mutation webhook",
            ("mutation_status",),
        ),
        Family(
            "gatekeeper_mutation_request_duration_seconds",
            "The response time in seconds",
            ("mutation_status",),
            SECONDS,
        ),
        Family(
            BY_POLICY,
            "How long a policy takes, of a sample of reviews",
            ("policy",),
            POLICY_SECONDS,
        ),
        Family(
            "sekisho_unanswered_requests",
            "Requests that were left to the failure policy, by the code of the reason",
            ("code",),
        ),
    )
}
"""What is counted and timed, in Gatekeeper's names where it has one."""

STATUSES: Final = {Outcome.ALLOW: "allow", Outcome.DENY: "deny", Outcome.COULD_NOT_ASK: "error"}


@dataclass(slots=True)
class Series:
    """One combination of labels: how often, the sum, and how often up to each bound."""

    count: int = 0
    total: float = 0.0
    buckets: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Figures:
    """All series, by metric and labels."""

    rows: dict[str, dict[Labels, Series]] = field(default_factory=dict)

    def count(self, name: str, labels: Labels) -> None:
        """One more."""
        self._series(name, labels).count += 1

    def time(self, name: str, labels: Labels, seconds: float) -> None:
        """One more that took this long."""
        bounds = FAMILIES[name].bounds
        series = self._series(name, labels)
        if not series.buckets:
            series.buckets = [0] * (len(bounds) + 1)
        series.count += 1
        series.total += seconds
        series.buckets[bisect_left(bounds, seconds)] += 1

    def policy(self, policy: str, seconds: float) -> None:
        """A policy took this long."""
        self.time(BY_POLICY, self._bounded(BY_POLICY, (policy,)), seconds)

    def observe(self, observed: Observed) -> None:
        """An answer was given."""
        kind, answer = observed.hook.name, observed.answer
        outcome = answer.verdict.outcome
        if outcome is Outcome.COULD_NOT_ASK:
            for code in {row.code.id for row in answer.verdict.failures}:
                self.count("sekisho_unanswered_requests", (code,))
        if not answer.asked:
            return
        if kind == "validation":
            dry = "true" if observed.request.dry_run else "false"
            status = STATUSES[outcome]
            self.count("gatekeeper_validation_request_count", (status, dry))
            self.time("gatekeeper_validation_request_duration_seconds", (status,), observed.seconds)
        elif kind == "mutation":
            status = "success" if outcome is Outcome.ALLOW else "error"
            self.count("gatekeeper_mutation_request_count", (status,))
            self.time("gatekeeper_mutation_request_duration_seconds", (status,), observed.seconds)

    def take(self) -> list[Any]:
        """All of it as JSON, and begin anew."""
        taken = [
            [name, list(labels), series.count, series.total, series.buckets]
            for name, labels, series in self.series()
            if series.count
        ]
        self.rows.clear()
        return taken

    def add(self, taken: list[Any]) -> None:
        """Add what another one took down."""
        for name, labels, count, total, buckets in taken:
            series = self._series(name, self._bounded(name, tuple(labels)))
            series.count += count
            series.total += total
            if buckets:
                was = series.buckets or [0] * len(buckets)
                series.buckets = [old + new for old, new in zip(was, buckets, strict=True)]

    def series(self) -> Iterator[tuple[str, Labels, Series]]:
        """Every series."""
        for name, rows in self.rows.items():
            for labels, series in rows.items():
                yield name, labels, series

    def _bounded(self, name: str, labels: Labels) -> Labels:
        """The labels, or those of all others where there are too many policies."""
        if name != BY_POLICY:
            return labels
        known = self.rows.setdefault(name, {})
        return (OTHERS,) if labels not in known and POLICIES.exceeded_by(len(known) + 1) else labels

    def _series(self, name: str, labels: Labels) -> Series:
        assert len(labels) == len(FAMILIES[name].labels), "a value for each label"
        return self.rows.setdefault(name, {}).setdefault(labels, Series())
