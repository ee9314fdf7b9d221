"""The report of coverage, in OPA's JSON shape."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import pairwise

from sekisho.cli.rego.files import float_number
from sekisho.cli.rego.text import Fields, dumps
from sekisho.rego.cover import FileCoverage, Recorder, Stretch, coverage, percentage
from sekisho.rego.nodes import Module


def write_coverage(
    modules: Mapping[str, Module], recorder: Recorder, *, threshold: float, verbose: bool
) -> bool:
    """Write the report to standard output if enough lines are covered; else say so on standard error."""
    files = coverage(modules, recorder)
    covered = sum(len(file.covered_rows) for file in files.values())
    missed = sum(len(file.missed_rows) for file in files.values())
    share = percentage(covered, missed)
    if share < threshold:
        print(f"Code coverage threshold not met: got {share:.2f} instead of {threshold:.2f}", file=sys.stderr)
        if verbose:
            print("Lines not covered:", file=sys.stderr)
            for name, file in files.items():
                for first, last in spans(file.missed_rows):
                    place = f"{first}" if first == last else f"{first}-{last}"
                    print(f"\t{name}:{place}", file=sys.stderr)
        return False
    report = Fields(
        files={name: _file(file) for name, file in files.items()},
        covered_lines=covered,
        not_covered_lines=missed,
        coverage=float_number(share),
    )
    sys.stdout.write(dumps(report) + "\n")
    return True


def _file(file: FileCoverage) -> Fields:
    """A module's part; what is empty or 0 is left out."""
    covered, missed = len(file.covered_rows), len(file.missed_rows)
    fields = Fields(
        covered=[_range(file, stretch) for stretch in file.covered],
        not_covered=[_range(file, stretch) for stretch in file.missed],
        covered_lines=covered,
        not_covered_lines=missed,
        coverage=float_number(percentage(covered, missed)),
    )
    return Fields((name, value) for name, value in fields.items() if value)


def _range(file: FileCoverage, stretch: Stretch) -> Fields:
    start, end = (file.module.source.position(offset) for offset in stretch)
    return Fields(start=Fields(row=start.line, col=start.column), end=Fields(row=end.line, col=end.column))


def spans(rows: Iterable[int]) -> list[tuple[int, int]]:
    """Lines as stretches of successive ones."""
    ordered = sorted(rows)
    breaks = [at for at, (a, b) in enumerate(pairwise(ordered), start=1) if b > a + 1]
    begins, ends = [0, *breaks], [*breaks, len(ordered)]
    return [(ordered[a], ordered[b - 1]) for a, b in zip(begins, ends, strict=True)] if ordered else []
