"""Suites: decoding, filters, assertions (policy.md 1.11)."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho import manifest
from sekisho.diag import DiagnosticError, ObjectPath, ObjectRef, Source, path_text
from sekisho.kube.object import Object
from sekisho.policy.suite import Assertion, Case, Filter, Suite, Test, is_suite, load_suite

HEAD = "apiVersion: test.gatekeeper.sh/v1alpha1\nkind: Suite\n"
AT = ObjectPath(ref=ObjectRef(group_version="test.gatekeeper.sh/v1alpha1", kind="Suite"))


def load(text: str) -> Suite:
    (document,) = manifest.load(Source("suite.yaml", HEAD + text))
    return load_suite(Object(document.value, document), "suite.yaml")


def assertion(text: str) -> Assertion:
    suite = load(f"tests: [{{cases: [{{assertions: [{text}]}}]}}]")
    return suite.tests[0].cases[0].assertions[0]


@pytest.mark.parametrize(
    ("api_version", "kind", "wanted"),
    [
        ("test.gatekeeper.sh/v1alpha1", "Suite", True),
        ("test.gatekeeper.sh/v2", "Suite", True),
        ("test.gatekeeper.sh", "Suite", False),
        ("test.gatekeeper.sh/v1alpha1", "Suites", False),
        ("v1", "Suite", False),
        (1, "Suite", False),
    ],
)
def test_is_suite(api_version: Any, kind: str, wanted: bool) -> None:
    assert is_suite({"apiVersion": api_version, "kind": kind}) is wanted
    assert not is_suite([])


def test_a_suite_is_decoded_whole() -> None:
    suite = load(
        """
skip: true
tests:
  - name: t
    template: a.yaml
    constraint: b.yaml
    expansion: c.yaml
    mutators: [m.yaml]
    invalid: true
    skip: true
    cases:
      - name: c
        object: o.yaml
        inventory: [i.yaml, j.yaml]
        skip: true
        assertions:
          - violations: 2
            message: text
"""
    )
    assert suite.skip
    assert not suite.warnings
    (test,) = suite.tests
    assert (test.name, test.template, test.constraint, test.expansion) == ("t", "a.yaml", "b.yaml", "c.yaml")
    assert (test.mutators, test.invalid, test.skip) == (("m.yaml",), True, True)
    (case,) = test.cases
    assert (case.name, case.object, case.inventory, case.skip) == ("c", "o.yaml", ("i.yaml", "j.yaml"), True)
    (row,) = case.assertions
    assert (row.violations, row.message) == (2, "text")
    assert path_text(row.at.path) == "tests[0].cases[0].assertions[0]"
    assert row.at.span() is not None


@pytest.mark.parametrize("text", ["", "tests: null", "tests: []"])
def test_a_suite_may_be_empty(text: str) -> None:
    assert load(text).tests == ()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{}", "yes"),
        ("null", "yes"),
        ("{violations: yes}", "yes"),
        ("{violations: no}", "no"),
        ('{violations: "yes"}', "yes"),
        ("{violations: false}", "no"),
        ("{violations: 0}", 0),
        ("{violations: 3.0}", 3),
        ("{violations: -1}", -1),
        ("{violations: some}", "some"),
        ("{violations: null}", "yes"),
    ],
)
def test_violations_is_a_number_or_a_word(text: str, wanted: Any) -> None:
    row = assertion(text)
    assert row.violations == wanted
    assert type(row.violations) is type(wanted)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("tests: {}", "tests"),
        ("tests: [1]", "tests[0]"),
        ("tests: [{name: 1}]", "tests[0].name"),
        (
            "tests: [{cases: [{assertions: [{violations: 1.5}]}]}]",
            "tests[0].cases[0].assertions[0].violations",
        ),
        (
            "tests: [{cases: [{assertions: [{violations: []}]}]}]",
            "tests[0].cases[0].assertions[0].violations",
        ),
        ("tests: [{cases: [{inventory: i.yaml}]}]", "tests[0].cases[0].inventory"),
        ("skip: maybe", "skip"),
    ],
)
def test_a_field_of_the_wrong_type_is_an_error_at_the_field(text: str, path: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        load(text)
    (found,) = caught.value.diagnostics
    assert found.code.id == "KUB041"
    assert isinstance(found.at, ObjectPath)
    assert path_text(found.at.path) == path


@pytest.mark.parametrize(
    ("text", "path", "help"),
    [
        ("test: []", "test", 'did you mean "tests"?'),
        ("tests: [{case: []}]", "tests[0].case", 'did you mean "cases"?'),
        ("tests: [{cases: [{assertion: []}]}]", "tests[0].cases[0].assertion", 'did you mean "assertions"?'),
        (
            "tests: [{cases: [{assertions: [{count: 1}]}]}]",
            "tests[0].cases[0].assertions[0].count",
            "known fields: message, violations",
        ),
    ],
)
def test_a_field_that_nothing_reads_is_a_warning(text: str, path: str, help: str) -> None:
    (found,) = load(text).warnings
    assert found.code.id == "POL082"
    assert isinstance(found.at, ObjectPath)
    assert path_text(found.at.path) == path
    assert found.help == help


@pytest.mark.parametrize(
    ("violations", "message", "messages", "wanted"),
    [
        ("yes", None, ["a"], None),
        ("yes", None, [], "got 0 violations but want at least 1: got messages []"),
        ("no", None, [], None),
        ("no", None, ["a", "b"], "got 2 violations but want none: got messages [a b]"),
        (0, None, [], None),
        (2, None, ["a", "a"], None),
        (2, None, ["a"], "got 1 violations but want exactly 2: got messages [a]"),
        ("yes", "^a$", ["ab", "a"], None),
        ("yes", "c", ["ab"], 'got 0 violations containing "c" but want at least 1: got messages [ab]'),
        ("no", "c", ["ab"], None),
        ("no", 'a"', ['a"b'], 'got 1 violations containing "a\\"" but want none: got messages [a"b]'),
        (
            1,
            "a",
            ["a", "b", "ac"],
            'got 2 violations containing "a" but want exactly 1: got messages [a b ac]',
        ),
        ("yes", "", [], 'got 0 violations containing "" but want at least 1: got messages []'),
    ],
)
def test_an_assertion_counts_messages(
    violations: Any, message: str | None, messages: Any, wanted: str | None
) -> None:
    problem = Assertion(at=AT, violations=violations, message=message).problem(messages)
    assert (problem.message if problem else None) == (
        f"unexpected number of violations: {wanted}" if wanted else None
    )


@pytest.mark.parametrize("violations", [-1, "other", ""])
def test_an_assertion_that_makes_no_sense_fails_its_case(violations: Any) -> None:
    problem = Assertion(at=AT, violations=violations).problem([])
    assert problem is not None
    assert problem.code.id == "POL080"


def test_a_bad_expression_is_told_where_there_is_something_to_match() -> None:
    row = Assertion(at=AT, violations="no", message="(?=a)")
    assert row.problem([]) is None
    problem = row.problem(["a"])
    assert problem is not None
    assert "invalid or unsupported Perl syntax" in problem.message


def make(test: str, *cases: str) -> Test:
    return Test(at=AT, name=test, cases=tuple(Case(at=AT, name=name) for name in cases))


@pytest.mark.parametrize(
    ("filter", "test", "cases", "runs", "wanted"),
    [
        ("", "t", ["c"], True, ["c"]),
        ("t", "t", ["c"], True, ["c"]),
        ("ab", "cabd", [], True, []),
        ("c", "t", ["c", "d"], True, ["c"]),
        ("x", "t", ["c"], False, []),
        ("^t$//", "t", ["c"], True, ["c"]),
        ("^t$//", "tt", ["c"], False, []),
        ("//c", "t", ["abc", "d"], True, ["abc"]),
        ("t//c", "t", ["c", "d"], True, ["c"]),
        ("t//c", "u", ["c"], False, []),
        ("t//c", "t", ["d"], True, []),
        ("//", "t", ["c"], True, ["c"]),
    ],
)
def test_filters(filter: str, test: str, cases: list[str], runs: bool, wanted: list[str]) -> None:
    found = Filter.parse(filter)
    row = make(test, *cases)
    assert found.wants_test(row) is runs
    assert [case.name for case in row.cases if runs and found.wants_case(row, case)] == wanted


@pytest.mark.parametrize("text", ["a//b//c", "(?=a)", "(//a", "a//("])
def test_a_malformed_filter_is_refused(text: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        Filter.parse(text)
    assert caught.value.diagnostics[0].code.id == "POL083"
