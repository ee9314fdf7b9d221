"""Reports: order, repetition, exit status, baselines."""

from __future__ import annotations

import pytest

from sekisho.diag import (
    Blame,
    Code,
    Diagnostic,
    DiagnosticError,
    Level,
    ObjectPath,
    ObjectRef,
    Report,
    Source,
    Span,
)
from sekisho.diag.baseline import apply_baseline, dump_baseline, load_baseline

FINDING = Code(id="TST001", title="a finding", blame=Blame.INPUT, finding=True)
INPUT = Code(id="TST002", title="unusable input", blame=Blame.INPUT)
WORLD = Code(id="TST003", title="the environment", blame=Blame.ENVIRONMENT)
OURS = Code(id="TST004", title="a bug", blame=Blame.BUG)
SOURCE = Source("a.yaml", "one\ntwo\n")


def at(offset: int, code: Code = FINDING, message: str = "m", level: Level = Level.ERROR) -> Diagnostic:
    return Diagnostic(code=code, message=message, level=level, at=Span(SOURCE, offset, offset + 1))


def test_findings_are_sorted_and_told_once() -> None:
    report = Report.of([at(4), at(0), at(4)])
    assert [finding.at for finding in report.findings] == [at(0).at, at(4).at]


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        ([], 0),
        ([at(0, level=Level.WARNING)], 0),
        ([at(0)], 1),
        ([at(0), at(0, INPUT)], 2),
        ([at(0, INPUT), at(0, WORLD)], 3),
        ([at(0, WORLD), at(0, OURS)], 70),
    ],
)
def test_the_gravest_finding_decides(findings: list[Diagnostic], status: int) -> None:
    assert Report.of(findings).exit_status() == status


def test_a_baseline_accepts_what_it_knows_and_no_more() -> None:
    pod = ObjectRef(group_version="v1", kind="Pod", name="web")
    known = Diagnostic(code=FINDING, message="m", at=ObjectPath(ref=pod, path=("spec",)))
    other = Diagnostic(code=FINDING, message="n", at=ObjectPath(ref=pod, path=("spec",)))
    accepted = load_baseline(Source("b.json", dump_baseline(Report.of([known]))))
    report = apply_baseline(Report.of([known, other]), accepted)
    assert report.suppressed == 1
    assert len(report.findings) == 1
    assert apply_baseline(Report.of([known]), accepted).findings == ()


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2, "findings": []}', '{"version": 1}', "{" * 50_000])
def test_a_bad_baseline_is_told(text: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        load_baseline(Source("b.json", text))
    assert caught.value.diagnostics[0].code.id == "CLI010"
