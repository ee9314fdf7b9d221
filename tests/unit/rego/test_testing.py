"""The test runner: what it finds, how it runs it, and what it makes of cases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sekisho.diag import DiagnosticError, Source
from sekisho.rego import Dialect, parse_module
from sekisho.rego.testing import Case, Outcome, Result, Suite, cases_of, discover, prepare
from sekisho.rego.values import Set, Value, key


def suite(*texts: str, seconds: float = 5.0) -> Suite:
    modules = {
        f"m{number}.rego": parse_module(Source(f"m{number}.rego", f"package p\n{text}\n"), dialect=Dialect.V1)
        for number, text in enumerate(texts)
    }
    return Suite.of(modules, seconds=seconds)


def results(*texts: str, data: Value = None) -> dict[str, Result]:
    return {result.test.name: result for result in suite(*texts).run(data)}


def names(*texts: str) -> list[str]:
    return [test.name for test in suite(*texts).tests]


def test_tests_are_found_by_module_and_place() -> None:
    assert names("test_b := true\ntest_a := true\nhelper := 1", "test_c := true") == [
        "test_b",
        "test_a",
        "test_c",
    ]


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("a.test_x := true", "a.test_x"),
        ("test_x.y := true", "test_x"),
        ("test_x[k] if some k in [1]", "test_x"),
        ('a["test_x y"] := true', 'a["test_x y"]'),
        ("todo_test_x if true", "todo_test_x"),
    ],
)
def test_name(rule: str, name: str) -> None:
    assert names(rule) == [name]


def test_full_name() -> None:
    [test] = suite('a["test_x y"] := true').tests
    assert test.full_name == 'data.p.a["test_x y"]'
    assert test.package_name == "data.p"
    assert test.at.begins == (2, 1)


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ("test_x := true", Outcome.PASS),
        ("test_x if 1 == 1", Outcome.PASS),
        ("test_x if 1 == 2", Outcome.FAIL),
        ("test_x := 7", Outcome.FAIL),
        ("test_x := false", Outcome.FAIL),
        ("test_x contains 1", Outcome.FAIL),
        ("test_x.y := true", Outcome.FAIL),
        ("test_x if 1 / 0 == 1", Outcome.FAIL),
        ("test_x := y if some y in [1, 2]", Outcome.ERROR),
        ("todo_test_x if true", Outcome.SKIPPED),
        ('test_x if input.a == 1 with input as {"a": 1}', Outcome.PASS),
        ("test_x if data.n == 3", Outcome.PASS),
    ],
)
def test_outcome(rule: str, outcome: Outcome) -> None:
    [result] = results(rule, data={"n": 3}).values()
    assert result.outcome is outcome


def test_a_function_is_an_error() -> None:
    assert results("test_x(a) := a")["test_x"].outcome is Outcome.ERROR


def test_tests_of_one_name_are_numbered() -> None:
    found = results("test_x := true\ntest_x := false", "test_x := true\na.test_x := true\na.test_x := true")
    assert {name: result.outcome.value for name, result in found.items()} == {
        "test_x": "PASS",
        "test_x#01": "FAIL",
        "test_x#02": "PASS",
        "a.test_x": "PASS",
        'a["test_x#01"]': "PASS",
    }


def test_output_and_notes_belong_to_their_test() -> None:
    found = results('test_x if { print("one", 1); trace("two") }\ntest_y := true')
    assert (found["test_x"].output, found["test_x"].notes) == (("one 1",), ("two",))
    assert (found["test_y"].output, found["test_y"].notes) == ((), ())


def test_a_test_that_takes_too_long_stops_and_the_next_one_runs() -> None:
    endless = "test_x if { some a in numbers.range(1, 99999); some b in numbers.range(1, 99999); a * b < 0 }"
    first, second = suite(f"{endless}\ntest_y := true", seconds=0.05).run()
    assert first.errors[0].code.id == "REG520"
    assert second.outcome is Outcome.PASS


def test_durations_are_the_clocks() -> None:
    ticks: Iterator[int] = iter([100, 350])
    [result] = suite("test_x := true").run(clock=lambda: next(ticks))
    assert result.duration == 250


def test_modules_that_do_not_compile() -> None:
    with pytest.raises(DiagnosticError, match="REG203"):
        suite("test_x if y")


def shown(cases: tuple[Case, ...]) -> dict[str, object]:
    return {case.name: shown(case.cases) if case.cases else case.passed for case in cases}


@pytest.mark.parametrize(
    ("rule", "cases"),
    [
        ("test_x[n] if { some n, c in {\"a\": 1, \"b\": 2}; c == 1 }", {"a": True, "b": False}),
        ("test_x[c.n] if { some c in [{\"n\": \"a\", \"v\": 1}, {\"n\": 2, \"v\": 2}]; c.v == 1 }", {"a": True, "2": False}),
        ("test_x[a][b] if { some a in [\"p\", \"q\"]; some b in [1, 2]; a == \"p\" }",
         {"p": {"1": True, "2": True}, "q": {"1": False, "2": False}}),
        ("test_x[n] := n > 1 if some n in [1, 2]", {"1": False, "2": True}),
        ("test_x[n] if { some n in [1, 2]; f(n) }\nf(n) if n == 2", {"1": False, "2": True}),
        ("test_x[n] if { n := sprintf(\"%d\", [i]); [1, 2][_] = i; i == 1 }", {"1": True}),
        ("test_x[n] if { some n in []; false }", {}),
    ],
)  # fmt: skip
def test_cases(rule: str, cases: dict[str, object]) -> None:
    result = results(rule)["test_x"]
    assert shown(result.cases) == cases
    wrong = any(not case.passed for _, case in result.leaves())
    assert result.outcome is (Outcome.FAIL if wrong else Outcome.PASS)


def test_a_test_counts_its_cases() -> None:
    result = results("test_x[a][b] if { some a in [1, 2]; some b in [1, 2]; a + b < 4 }")["test_x"]
    assert (result.count(Outcome.PASS), result.count(Outcome.FAIL), result.count(Outcome.ERROR)) == (3, 1, 0)


def test_a_rule_that_reports_its_cases_itself_is_left_alone() -> None:
    rule = 'test_x[n] if { some n in ["a", "b"]; n == "a"; internal.test_case([n]) }'
    assert shown(results(rule)["test_x"].cases) == {"a": True}


def test_preparing_leaves_modules_alone() -> None:
    module = parse_module(Source("m", "package p\ntest_x[n] if { some n in [1] }\n"), dialect=Dialect.V1)
    before = module.rules[0].body
    prepared = prepare({"m": module})["m"]
    assert module.rules[0].body == before
    assert len(prepared.rules[0].body) == len(before) + 1
    assert discover({"m": module}) == discover({"m": prepared})


@pytest.mark.parametrize(
    ("value", "begun", "cases"),
    [
        ({}, [], {}),
        ({"a": True}, [["a"]], {"a": True}),
        ({"a": True}, [["a"], ["b"]], {"a": True, "b": False}),
        ({"a": 1, "b": Set(set())}, [], {"a": False, "b": False}),
        ({key([1]): True, 2: True}, [], {"2": True, "[1]": True}),
        ({"a": {"x": True}}, [["a", "y"]], {"a": {"x": True, "y": False}}),
    ],
)
def test_cases_of(value: Value, begun: list[list[Value]], cases: dict[str, object]) -> None:
    assert shown(cases_of(value, begun)) == cases


def test_a_group_fails_with_any_of_its_cases() -> None:
    [group] = cases_of({"a": {"x": True}}, [["a", "y"]])
    assert not group.passed
    assert [names for names, _ in group.leaves()] == [("a", "x"), ("a", "y")]
