"""The forms of an evaluation's outcome, durations and statistics."""

from __future__ import annotations

import io

import pytest

from sekisho.cli.opa import format_duration, parse_duration
from sekisho.cli.rego.result import Outcome, Timers, statistics, write
from sekisho.diag import Diagnostic
from sekisho.rego import codes
from sekisho.rego.program import Result
from sekisho.rego.values import Number, Value


def result(bindings: dict[str, Value] | None = None, **expressions: Value) -> Result:
    found: Result = {
        "expressions": [
            {"value": value, "text": text, "location": {"row": 1, "col": 1}}
            for text, value in expressions.items()
        ]
    }
    if bindings:
        found["bindings"] = bindings
    return found


def written(form: str, outcome: Outcome) -> tuple[str, str]:
    out, errors = io.StringIO(), io.StringIO()
    write(outcome, form, out, errors)
    return out.getvalue(), errors.getvalue()


@pytest.mark.parametrize(
    ("results", "text"),
    [
        ([], "undefined\n"),
        ([result(a=[])], "[]\n"),
        ([result(a=False, b=True)], "false\n"),
        ([result(a=1, b="x")], '┌───┬─────┐\n│ a │  b  │\n├───┼─────┤\n│ 1 │ "x" │\n└───┴─────┘\n'),
        ([result({"x": 1}, a=True)], "┌───┐\n│ x │\n├───┤\n│ 1 │\n└───┘\n"),
        ([result(a=1), result(a=2)], "┌───┐\n│ a │\n├───┤\n│ 1 │\n│ 2 │\n└───┘\n"),
    ],
)
def test_pretty(results: list[Result], text: str) -> None:
    assert written("pretty", Outcome(results=results)) == (text, "")


def test_raw_writes_strings_as_they_are() -> None:
    assert written("raw", Outcome(results=[result(a="x y", b=["z"], c="\udcff")])) == (
        'x y ["z"] \ufffd\n',
        "",
    )


@pytest.mark.parametrize("form", ["raw", "values", "bindings", "pretty"])
def test_errors_go_to_standard_error(form: str) -> None:
    outcome = Outcome(errors=[Diagnostic(code=codes.EMPTY_QUERY, message="the query is empty")])
    assert written(form, outcome) == ("", "error REG122 (rego_compile_error): the query is empty\n")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), ("500ms", 0.5), ("1m30s", 90.0), ("1.5h", 5400.0), ("", None), ("5", None), ("-1s", None)],
)
def test_parse_duration(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (7, "7ns"),
        (1_500, "1.5µs"),
        (708_512, "708.512µs"),
        (1_079_563, "1.079563ms"),
        (999_999_999, "999.999999ms"),
        (2_000_000_000, "2s"),
        (63_500_000_000, "1m3.5s"),
        (3_600_000_000_000, "1h0m0s"),
    ],
)
def test_format_duration(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text


def test_statistics() -> None:
    found = statistics([1, 2, 4])
    assert (found["count"], found["min"], found["max"], found["median"], found["99%"]) == (3, 1, 4, 2, 4)
    assert (found["mean"], found["stddev"]) == (Number("2.333"), Number("1.247"))


def test_statistics_of_one_value() -> None:
    assert set(statistics([5]).values()) == {0, 1, 5}


def test_a_timer_keeps_no_step_that_has_nothing_to_do() -> None:
    timers = Timers()
    with timers.time("load_files", show=False):
        pass
    with timers.time("query_eval"):
        pass
    assert list(timers.values) == ["timer_rego_query_eval_ns"]
