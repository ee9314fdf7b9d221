"""Reports of ``sekisho rego test``: opa's text and JSON, and JUnit XML."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import IO, Final
from xml.sax.saxutils import escape

from sekisho.cli.opa import format_duration
from sekisho.cli.rego.text import Fields, dumps, error_fields
from sekisho.diag import Diagnostic
from sekisho.diag.render.junit import attribute, legal
from sekisho.diag.render.text import format_finding, use_colour
from sekisho.rego.testing import Case, Outcome, Result
from sekisho.rego.text import text as term

_LINE: Final = "-" * 80

# --- pretty -----------------------------------------------------------------------------------------------


def pretty(results: Iterable[Result], stream: IO[str], *, verbose: bool = False) -> list[Result]:
    """Write results as they come: those that did not pass, or all of them; then the counts."""
    done: list[Result] = []
    shown_file = ""
    dirty = False
    for result in results:
        done.append(result)
        if verbose or result.outcome is not Outcome.PASS:
            begins = result.test.at.begins
            name = result.test.at.source.name
            if shown_file not in {"", name}:
                stream.write("\n")
            shown_file, dirty = name, True
            stream.write(f"{name}:{begins.line}:\n{_headline(result)}\n")
            _details(result, stream, verbose=verbose)
    if verbose:
        _failures(done, stream)
    if dirty:
        stream.write(f"{_LINE}\n")
    total = sum(result.count(outcome) for result in done for outcome in Outcome)
    for outcome in Outcome:
        count = sum(result.count(outcome) for result in done)
        if count:
            stream.write(f"{outcome.value}: {count}/{total}\n")
    return done


def _headline(result: Result) -> str:
    line = f"{result.test.package_name}.{result.test.name}: {result.outcome.value}"
    if result.outcome is Outcome.SKIPPED:
        return line
    return f"{line} ({format_duration(result.duration)})"


def _details(result: Result, stream: IO[str], *, verbose: bool) -> None:
    for case in result.cases:
        _case(case, 1, stream, verbose=verbose)
    printed = "\n".join(result.output).strip()
    if printed:
        stream.write("\n" + _indented(printed) + "\n\n")
    for error in result.errors:
        stream.write(_indented(format_finding(error, colour=use_colour(stream)).rstrip("\n")) + "\n")


def _case(case: Case, depth: int, stream: IO[str], *, verbose: bool) -> None:
    if verbose or not case.passed:
        stream.write(f"{'  ' * depth}{case.name}: {'PASS' if case.passed else 'FAIL'}\n")
    for inner in case.cases:
        _case(inner, depth + 1, stream, verbose=verbose)


def _failures(results: Sequence[Result], stream: IO[str]) -> None:
    """The failing tests again, with their notes and their failing cases."""
    failures = [result for result in results if result.outcome is Outcome.FAIL]
    if not failures:
        return
    stream.write(f"{_LINE}\nFAILURES\n{_LINE}\n")
    for result in failures:
        stream.write(f"{_headline(result)}\n\n")
        for note in result.notes:
            stream.write(f"  Note {term(note)}\n")
        for names, case in result.leaves():
            if not case.passed:
                for depth, name in enumerate(names, 1):
                    stream.write(f"{'  ' * depth}{name}: FAIL\n")
        stream.write("\n")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


# --- json -------------------------------------------------------------------------------------------------


def json(results: Iterable[Result], stream: IO[str]) -> None:
    """Write results in the shape of ``opa test --format json``; ``output`` is base64."""
    stream.write(dumps([_fields(result) for result in results]) + "\n")


def _fields(result: Result) -> Fields:
    begins = result.test.at.begins
    fields = Fields(
        location=Fields(file=result.test.at.source.name, row=begins.line, col=begins.column),
        package=result.test.package_name,
        name=result.test.name,
    )
    if result.outcome is Outcome.FAIL:
        fields["fail"] = True
    if result.errors:
        fields["error"] = _error(result.errors)
    if result.outcome is Outcome.SKIPPED:
        fields["skip"] = True
    fields["duration"] = result.duration
    if result.output:
        printed = "".join(f"{line}\n" for line in result.output)
        fields["output"] = base64.b64encode(printed.encode("utf-8", "replace")).decode("ascii")
    if result.cases:
        fields["sub_results"] = {case.name: _case_fields(case) for case in result.cases}
    return fields


def _error(errors: Sequence[Diagnostic]) -> Fields | list[Fields]:
    """The error of an evaluation, or the list of those of a compilation."""
    rows = [error_fields(found) for found in errors]
    if errors[0].code.alias.startswith("rego_"):
        return rows
    return Fields({name: rows[0][name] for name in ("code", "message", "location") if name in rows[0]})


def _case_fields(case: Case) -> Fields:
    fields = Fields(name=case.name) if case.name else Fields()
    if not case.passed:
        fields["fail"] = True
    if case.cases:
        fields["sub_results"] = {inner.name: _case_fields(inner) for inner in case.cases}
    return fields


# --- junit ------------------------------------------------------------------------------------------------


def junit(results: Sequence[Result], stream: IO[str]) -> None:
    """Write results as JUnit XML: a suite for each package, a case for each test or case of a test."""
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(f'<testsuites name="sekisho rego test" {_counts(results)}>\n')
    packages: dict[str, list[Result]] = {}
    for result in results:
        packages.setdefault(result.test.package_name, []).append(result)
    for package, rows in packages.items():
        stream.write(f"  <testsuite name={attribute(package)} {_counts(rows)}>\n")
        for result in rows:
            for name, passed in _junit_cases(result):
                stream.write(_testcase(result, name, passed=passed))
        stream.write("  </testsuite>\n")
    stream.write("</testsuites>\n")


def _counts(results: Sequence[Result]) -> str:
    count = {outcome: sum(result.count(outcome) for result in results) for outcome in Outcome}
    seconds = sum(result.duration for result in results) / 1e9
    return (
        f'tests="{sum(count.values())}" failures="{count[Outcome.FAIL]}" errors="{count[Outcome.ERROR]}" '
        f'skipped="{count[Outcome.SKIPPED]}" time="{seconds:.6f}"'
    )


def _junit_cases(result: Result) -> list[tuple[str, bool]]:
    name = result.test.name
    if not result.cases:
        return [(name, result.outcome is Outcome.PASS)]
    return [(f"{name}[{' / '.join(names)}]", case.passed) for names, case in result.leaves()]


def _testcase(result: Result, name: str, *, passed: bool) -> str:
    test = result.test
    place = f'file={attribute(test.at.source.name)} line="{test.at.begins.line}"'
    names = f"classname={attribute(test.package_name)} name={attribute(name)}"
    head = f'    <testcase {names} {place} time="{result.duration / 1e9:.6f}"'
    body = ""
    if result.outcome is Outcome.SKIPPED:
        body += "      <skipped/>\n"
    elif result.outcome is Outcome.ERROR:
        text = "".join(map(format_finding, result.errors))
        body += f"      <error message={attribute(result.errors[0].message)}>{escape(legal(text))}</error>\n"
    elif not passed:
        notes = "".join(f"{note}\n" for note in result.notes)
        body += f'      <failure message="the test is not true">{escape(legal(notes))}</failure>\n'
    if result.output and not passed:
        printed = "\n".join(result.output)
        body += f"      <system-out>{escape(legal(printed))}</system-out>\n"
    return f"{head}>\n{body}    </testcase>\n" if body else f"{head}/>\n"
