"""print, trace, template strings, walk."""

import pytest

from sekisho.lang.meter import Exhausted, Limits
from sekisho.rego.values import Number, Set


def printed(call, context, arguments):
    lines = []
    query = context()
    query.printed = lines.append
    assert call("internal.print", arguments, context=query) is True
    return lines


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ([Set.of(["a"]), Set.of([1]), Set.of([{"x": "y"}])], ['a 1 {"x": "y"}']),
        ([Set.of(["a", "b"]), Set.of([1, 2])], ["a 1", "a 2", "b 1", "b 2"]),
        ([Set.of([]), Set.of([Number("1.50")])], ["<undefined> 1.50"]),
        ([], [""]),
        ([Set.of(["\udcff"])], ["\ufffd"]),
    ],
)
def test_print(call, context, arguments, lines):
    assert printed(call, context, arguments) == lines


def test_print_without_a_listener_does_nothing(call):
    assert call("internal.print", [Set.of(["a"])]) is True


def test_trace_gives_notes(call, context):
    notes = []
    query = context()
    query.notes = notes.append
    assert call("trace", "x", context=query) is True
    assert notes == ["x"]
    assert call("trace", 1) == "eval_type_error: operand 1 must be string but got number"


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["a ", Set.of(["b"]), " c ", Set.of([["d"]])], 'a b c ["d"]'),
        ([Set.of([]), "!"], "<undefined>!"),
        ([1, True, None], "1truenull"),
        ([], ""),
    ],
)
def test_template_strings(call, parts, text):
    assert call("internal.template_string", parts) == text


def test_a_template_string_has_one_output(call):
    problem = "eval_conflict_error: template-strings must not produce multiple outputs"
    assert call("internal.template_string", [Set.of([1, 2])]) == problem


def test_walk_goes_through_all_parts_in_order(call):
    document = {"b": [7], "a": Set.of(["x"]), 1: None}
    assert list(call("walk", document)) == [
        [[], document],
        [[1], None],
        [["a"], Set.of(["x"])],
        [["a", "x"], "x"],
        [["b"], [7]],
        [["b", 0], 7],
    ]


def test_walking_what_is_too_deep_or_never_ends_is_stopped(call, context):
    deep: list[object] = []
    wide: list[object] = [1]
    for _ in range(300):
        deep, wide = [deep], [wide, wide]
    for document in (deep, wide):
        with pytest.raises(Exhausted):
            list(call("walk", document, context=context(limits=Limits(seconds=0.2))))
