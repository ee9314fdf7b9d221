"""Gator's own tests of suites, taken from its tables: pkg/gator/verify."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sekisho.cli.policy.suitefiles import DiskFiles, find_suites
from sekisho.diag import Diagnostic, DiagnosticError, ObjectPath, ObjectRef
from sekisho.policy.compiler import compile_code
from sekisho.policy.suite import Assertion, Case, Filter, Test
from sekisho.policy.verify import CaseResult, Runner, TestResult
from tests.conformance.gator.golang import Call, Literal, Name, function, table

AT = ObjectPath(ref=ObjectRef(group_version="test.gatekeeper.sh/v1alpha1", kind="Suite"))

ELSEWHERE = {
    "fs.ErrNotExist": "there is no file or directory",
    "constraintclient.ErrMissingConstraintTemplate": "missing ConstraintTemplate",
}
"""Errors of other packages, and what our messages say instead."""


@dataclass(frozen=True)
class Outcome:
    """How a case of the table went: ``problem`` is None where it is as wanted."""

    name: str
    problem: str | None


def run_all(folder: Path, names: Mapping[str, Any]) -> Iterator[Outcome]:
    """Every table of pkg/gator/verify that is about behaviour."""
    runner = (folder / "runner_test.go").read_text(encoding="utf-8")
    for row in table(function(runner, "TestRunner_Run"), names):
        yield Outcome(
            f"Run: {row.get('name')}",
            _suite(row.get("suite"), row.get("f"), row.get("want"), row.get("filter", "")),
        )
    for row in table(function(runner, "TestRunner_RunCase"), names):
        yield Outcome(f"RunCase: {row.get('name')}", _case(row))
    assertions = (folder / "assertion_test.go").read_text(encoding="utf-8")
    for row in table(function(assertions, "TestAssertion_Run"), names):
        yield Outcome(f"Assertion: {row.get('name')}", _assertion(row))
    filters = (folder / "filter_test.go").read_text(encoding="utf-8")
    for row in table(function(filters, "TestFilter_Error"), names):
        yield Outcome(f"Filter error: {row.get('name')}", _bad_filter(row))
    for row in table(function(filters, "TestFilter_MatchesTest"), names):
        got = Filter.parse(row.get("filter", "")).wants_test(_test(row.get("test")))
        yield Outcome(f"Filter test: {row.get('name')}", _differs(got, bool(row.get("want"))))
    for row in table(function(filters, "TestFilter_MatchesCase"), names):
        yield Outcome(f"Filter case: {row.get('name')}", _cases(row))


def _suite(suite: Literal, files: Any, want: Literal, filter: str) -> str | None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, file in (files if isinstance(files, dict) else {}).items():
            (folder / path).write_text(file.get("Data", ""), encoding="utf-8")
        raw = {"apiVersion": "test.gatekeeper.sh/v1alpha1", "kind": "Suite", **_plain(suite)}
        (folder / "suite.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
        (found,) = find_suites((str(folder / "suite.yaml"),))
        result = Runner(DiskFiles(), compile=compile_code).run(found, Filter.parse(filter))
    if result.skipped is not bool(want.get("Skipped")):
        return f"skipped: {result.skipped}"
    wanted = want.get("TestResults", [])
    if len(wanted) != len(result.tests):
        return f"{len(result.tests)} tests, want {len(wanted)}"
    rows = zip(result.tests, wanted, strict=True)
    return next((problem for got, row in rows if (problem := _test_differs(got, row))), None)


def _test_differs(got: TestResult, want: Literal) -> str | None:
    if problem := _result_differs(got, want):
        return problem
    wanted = want.get("CaseResults") or []
    if len(wanted) != len(got.cases):
        return f"{len(got.cases)} cases, want {len(wanted)}"
    rows = zip(got.cases, wanted, strict=True)
    return next((problem for case, row in rows if (problem := _result_differs(case, row))), None)


def _result_differs(got: TestResult | CaseResult, want: Literal) -> str | None:
    if got.skipped is not bool(want.get("Skipped")):
        return f"skipped: {got.skipped}"
    return _error_differs(got.problem, want.get("Error"))


def _error_differs(got: Diagnostic | None, want: Any) -> str | None:
    if (got is None) != (want is None):
        return f"got {got.message if got else 'no error'}, want {want}"
    if got is None or not isinstance(want, Name):
        return None
    text = ELSEWHERE.get(want.text, want.text)
    return None if text in got.message else f"got {got.message!r}, want {text!r}"


def _case(row: Literal) -> str | None:
    case = Literal("Case", {"Object": "object.yaml", "Assertions": row.get("assertions")})
    test = {"Template": "template.yaml", "Constraint": "constraint.yaml", "Cases": [case]}
    suite = Literal("Suite", {"Tests": [Literal("Test", test)]})
    files = {
        f"{name}.yaml": Literal("File", {"Data": row.get(name)})
        for name in ("template", "constraint", "object")
    }
    want = Literal(
        "SuiteResult", {"TestResults": [Literal("TestResult", {"CaseResults": [row.get("want")]})]}
    )
    return _suite(suite, files, want, "")


def _assertion(row: Literal) -> str | None:
    raw = _plain(row.get("assertion"))
    assertion = Assertion(at=AT, violations=raw.get("violations", "yes"), message=raw.get("message"))
    messages = [result.get("Msg", "") for result in row.get("results") or ()]
    return _error_differs(assertion.problem(messages), row.get("wantErr"))


def _bad_filter(row: Literal) -> str | None:
    try:
        Filter.parse(row.get("filter", ""))
    except DiagnosticError as error:
        return _error_differs(error.diagnostics[0], row.get("want"))
    return _error_differs(None, row.get("want"))


def _cases(row: Literal) -> str | None:
    """What is wanted of each case of each test."""
    filter = Filter.parse(row.get("filter", ""))
    wanted = row.get("wantMatch")
    got = {
        test: {name: filter.wants_case(Test(at=AT, name=test), Case(at=AT, name=name)) for name in cases}
        for test, cases in wanted.items()
    }
    return _differs(got, wanted)


def _test(raw: Literal) -> Test:
    cases = tuple(Case(at=AT, name=case.get("Name", "")) for case in raw.get("Cases") or ())
    return Test(at=AT, name=raw.get("Name", ""), cases=cases)


def _differs(got: Any, want: Any) -> str | None:
    return None if got == want else f"got {got}, want {want}"


def _plain(value: Any) -> Any:
    """A literal of gator's types as the YAML that it stands for."""
    if isinstance(value, Literal):
        if value.type == "intstr.IntOrString":
            return value.get("StrVal", "neither")
        return {name[0].lower() + name[1:]: _plain(item) for name, item in value.fields.items()}
    if isinstance(value, Call):
        return _plain(value.args[0])
    return [_plain(item) for item in value] if isinstance(value, list) else value
