"""Reports of ``sekisho policy verify``: gator's text, JUnit XML with every case, forms of findings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import IO, Any
from xml.sax.saxutils import escape

from sekisho.diag import Diagnostic, ObjectPath, Report
from sekisho.diag.render import render
from sekisho.diag.render.data import report_data
from sekisho.diag.render.junit import attribute, legal
from sekisho.diag.render.text import format_finding
from sekisho.diag.report import span_of
from sekisho.policy.verify import CaseResult, SuiteResult, TestResult

# --- text: as go test writes it, like gator ---------------------------------------------------------------


def go_test(results: Sequence[SuiteResult], stream: IO[str], *, verbose: bool) -> None:
    """Write results: what failed, or all of it; a line for each suite; the verdict and an empty line."""
    for result in results:
        for test in result.tests:
            stream.writelines(_test_lines(test, verbose=verbose))
        word = "FAIL" if result.failed else "ok"
        stream.write(f"{word}\t{result.suite.file}\t{result.seconds:.3f}s\n")
    stream.write("FAIL\n\n" if any(result.failed for result in results) else "PASS\n\n")


def _test_lines(result: TestResult, *, verbose: bool) -> Iterator[str]:
    name = result.test.name
    if verbose:
        if result.skipped:
            yield f"=== SKIP  {name}\n"
            return
        yield f"=== RUN   {name}\n"
    for case in result.cases:
        yield from _case_lines(case, verbose=verbose)
    if result.failed:
        yield f"--- FAIL: {name}\t({result.seconds:.3f}s)\n"
        if result.problem is not None:
            yield f"  {result.problem.message}\n"
    elif verbose:
        yield f"--- PASS: {name}\t({result.seconds:.3f}s)\n"


def _case_lines(result: CaseResult, *, verbose: bool) -> Iterator[str]:
    name = result.case.name
    if verbose:
        if result.skipped:
            yield f"    === SKIP  {name}\n"
            return
        yield f"    === RUN   {name}\n"
        if result.printed:
            yield "        === PRINT ===\n"
            for text in result.printed:
                yield from (f"        {line}\n" for line in text.split("\n"))
    if result.problem is not None:
        yield f"    --- FAIL: {name}\t({result.seconds:.3f}s)\n        {result.problem.message}\n"
    elif verbose:
        yield f"    --- PASS: {name}\t({result.seconds:.3f}s)\n"
    if result.trace is not None:
        prefix = "    --- " if verbose else ""
        yield "".join(f"{prefix}{line}\n" for line in f"TRACE: {name}\t{result.trace}".splitlines())


# --- other forms ------------------------------------------------------------------------------------------


def write(results: Sequence[SuiteResult], findings: Sequence[Diagnostic], form: str, stream: IO[str]) -> None:
    """Write results in one of the forms that programs read."""
    report = Report.of(findings)
    if form == "junit":
        _junit(results, stream)
    elif form == "json":
        data = {**report_data(report), "suites": [_suite_data(result) for result in results]}
        json.dump(data, stream, indent=2, ensure_ascii=False, default=str)
        stream.write("\n")
    else:
        render(report, form, stream)


def _suite_data(result: SuiteResult) -> dict[str, Any]:
    return {
        "file": result.suite.file,
        "outcome": _outcome(result),
        "seconds": round(result.seconds, 6),
        "tests": [
            {
                "name": test.test.name,
                "outcome": _outcome(test),
                "seconds": round(test.seconds, 6),
                **_problem_data(test),
                "cases": [
                    {
                        "name": case.case.name,
                        "outcome": _outcome(case),
                        "seconds": round(case.seconds, 6),
                        **_problem_data(case),
                        **({} if case.trace is None else {"trace": case.trace}),
                    }
                    for case in test.cases
                ],
            }
            for test in result.tests
        ],
    }


def _outcome(result: SuiteResult | TestResult | CaseResult) -> str:
    return "skip" if result.skipped else "fail" if result.failed else "pass"


def _problem_data(result: TestResult | CaseResult) -> dict[str, str]:
    if result.problem is None:
        return {}
    return {"code": result.problem.code.id, "message": result.problem.message}


def _junit(results: Sequence[SuiteResult], stream: IO[str]) -> None:
    """A suite for each file; a case for each case, and for each test that failed or passed without one."""
    rows = {result.suite.file: [*_junit_cases(result)] for result in results}
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    everything = [row for cases in rows.values() for row in cases]
    stream.write(f'<testsuites name="sekisho policy verify" {_counts(everything)}>\n')
    for file, cases in rows.items():
        stream.write(f"  <testsuite name={attribute(file)} {_counts(cases)}>\n")
        stream.writelines(_testcase(file, test, result) for test, result in cases)
        stream.write("  </testsuite>\n")
    stream.write("</testsuites>\n")


_Row = tuple[str, TestResult | CaseResult]


def _junit_cases(result: SuiteResult) -> Iterator[_Row]:
    for test in result.tests:
        if test.problem is not None or not test.cases:
            yield test.test.name, test
        for case in test.cases:
            yield test.test.name, case


def _counts(rows: Sequence[_Row]) -> str:
    failures = sum(result.problem is not None for _, result in rows)
    skipped = sum(result.skipped for _, result in rows)
    seconds = sum(result.seconds for _, result in rows)
    return f'tests="{len(rows)}" failures="{failures}" skipped="{skipped}" time="{seconds:.3f}"'


def _testcase(file: str, test: str, result: TestResult | CaseResult) -> str:
    subject = result.case if isinstance(result, CaseResult) else result.test
    head = f"    <testcase classname={attribute(test)} name={attribute(subject.name or test)}"
    head += f" file={attribute(file)}{_line(subject.at)}"
    head += f' time="{result.seconds:.3f}"'
    if result.skipped:
        return f"{head}>\n      <skipped/>\n    </testcase>\n"
    if result.problem is None:
        return f"{head}/>\n"
    message = attribute(result.problem.message)
    text = escape(legal(format_finding(result.problem)))
    return f"{head}>\n      <failure message={message}>{text}</failure>\n    </testcase>\n"


def _line(at: ObjectPath) -> str:
    span = span_of(at)
    return f' line="{span.begins.line}"' if span else ""
