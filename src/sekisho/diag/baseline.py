"""Baselines: the findings that are known and accepted for the time being.

A baseline is a JSON file ``{"version": 1, "findings": [{"fingerprint", "code", "where", "message"}]}``. Only
the fingerprints decide; the rest is there for the people who review it. Fingerprints hold no line
numbers, so moving text does not make a known finding new.
"""

from __future__ import annotations

import json
from collections import Counter

from sekisho.diag.code import register
from sekisho.diag.diagnostic import Diagnostic, DiagnosticError, ObjectPath
from sekisho.diag.report import Report, span_of
from sekisho.diag.source import Source, Span

BAD_BASELINE = register("CLI010", "the baseline cannot be read")

VERSION = 1


def dump_baseline(report: Report) -> str:
    """The baseline that accepts every finding of this report."""
    rows = [
        {
            "fingerprint": finding.fingerprint(),
            "code": finding.code.id,
            "where": _where(finding),
            "message": finding.message,
        }
        for finding in report.findings
    ]
    rows.sort(key=lambda row: (row["where"], row["code"], row["fingerprint"]))
    return json.dumps({"version": VERSION, "findings": rows}, indent=2, ensure_ascii=False) + "\n"


def load_baseline(source: Source) -> Counter[str]:
    """How many findings of each fingerprint are accepted."""
    try:
        value = json.loads(source.text)
        if value["version"] != VERSION:
            raise _bad(source, f"its version is {value['version']!r}, this program reads {VERSION}")
        return Counter(str(row["fingerprint"]) for row in value["findings"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _bad(source, "it is not a baseline file") from error


def _bad(source: Source, why: str) -> DiagnosticError:
    return DiagnosticError(
        Diagnostic(
            code=BAD_BASELINE,
            message=f"the baseline cannot be read: {why}",
            at=Span(source, 0, 0),
            help="write a new one with --write-baseline",
        )
    )


def apply_baseline(report: Report, accepted: Counter[str]) -> Report:
    """The report without the accepted findings; ``suppressed`` counts them.

    A fingerprint that was accepted n times hides at most n findings, so a second violation of the same rule
    in the same field shows.
    """
    left = Counter(accepted)
    kept: list[Diagnostic] = []
    for finding in report.findings:
        fingerprint = finding.fingerprint()
        if left[fingerprint] > 0:
            left[fingerprint] -= 1
        else:
            kept.append(finding)
    return Report(
        findings=tuple(kept),
        suppressed=report.suppressed + len(report.findings) - len(kept),
        facts=report.facts,
    )


def _where(finding: Diagnostic) -> str:
    if isinstance(finding.at, ObjectPath):
        return str(finding.at.ref)
    span = span_of(finding.at)
    return span.source.name if span else ""
