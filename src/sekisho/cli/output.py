"""Options that commands with findings share: the form of the output, and baselines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from sekisho.diag import Report

F = TypeVar("F", bound=Callable[..., Any])

FORMS: Final = ("text", "json", "sarif", "junit", "github", "html")


def report_options(function: F, *, forms: Sequence[str] = FORMS) -> F:
    """``-o``, ``--baseline``, ``--write-baseline``, ``--fail-on-new``; ``forms`` are those of ``-o``."""
    for option in reversed(
        (
            click.option(
                "-o", "--output", type=click.Choice(forms), default="text", help="Form of the output."
            ),
            click.option(
                "--baseline",
                type=click.Path(dir_okay=False),
                help="File of findings that are accepted; they are not shown.",
            ),
            click.option(
                "--write-baseline",
                type=click.Path(dir_okay=False, writable=True),
                help="Accept all findings of this run in this file.",
            ),
            click.option(
                "--fail-on-new",
                is_flag=True,
                help="Show accepted findings too, but fail for new ones only.",
            ),
        )
    ):
        function = option(function)
    return function


def finish(
    report: Report, *, output: str, baseline: str | None, write_baseline: str | None, fail_on_new: bool
) -> int:
    """Apply the baseline, write the report to standard output, and say the exit status."""
    from sekisho.diag.baseline import apply_baseline, dump_baseline, load_baseline
    from sekisho.diag.render import render

    if write_baseline:
        Path(write_baseline).write_text(dump_baseline(report), encoding="utf-8")
        count = len(report.findings)
        print(f"{count} finding{'s' * (count != 1)} accepted in {write_baseline}", file=sys.stderr)
        return 0
    shown = report
    if baseline:
        from sekisho import manifest

        new = apply_baseline(report, load_baseline(manifest.read_source(baseline)))
        if not fail_on_new:
            shown = new
        report = new
    render(shown, output, sys.stdout)
    return report.exit_status()
