"""Strings count code points and change case one by one (expectations are what opa 1.19 gives)."""

import pytest

from sekisho.lang.meter import Exhausted
from sekisho.rego.values import Number, Set


@pytest.mark.parametrize(
    ("name", "operands", "value"),
    [
        ("contains", ["héllo", "él"], True),
        ("contains", ["a", 1], "eval_type_error: operand 2 must be string but got number"),
        ("startswith", ["abc", "ab"], True),
        ("endswith", ["abc", ""], True),
        ("endswith", [None, "a"], "eval_type_error: operand 1 must be string but got null"),
        ("strings.any_prefix_match", [["ab", "cd"], "c"], True),
        ("strings.any_prefix_match", ["ab", Set.of(["x", "a"])], True),
        ("strings.any_suffix_match", [["ab"], ["b", "x"]], True),
        ("strings.any_suffix_match", [[], [""]], False),
        (
            "strings.any_prefix_match",
            [1, "a"],
            "eval_type_error: operand 1 must be one of {string, set, array} but got number",
        ),
        (
            "strings.any_prefix_match",
            ["a", ["a", 1]],
            "eval_type_error: operand 2 must be array of strings but got array containing number",
        ),
        ("strings.count", ["cheese", "e"], 3),
        ("strings.count", ["abc", ""], 4),
        ("indexof", ["日本語", "語"], 2),
        ("indexof", ["a", "x"], -1),
        ("indexof", ["a", ""], "eval_builtin_error: empty search character"),
        ("indexof_n", ["aaaa", "aa"], [0, 1, 2]),
        ("substring", ["héllo", 1, 2], "él"),
        ("substring", ["abc", 1, -1], "bc"),
        ("substring", ["abc", 5, 1], ""),
        ("substring", ["abc", -1, 1], "eval_builtin_error: negative offset"),
        (
            "substring",
            ["abc", Number("1.0"), 1],
            "eval_type_error: operand 2 must be integer number but got floating-point number",
        ),
        ("split", ["a,b,", ","], ["a", "b", ""]),
        ("split", ["", ","], [""]),
        ("split", ["日本", ""], ["日", "本"]),
        ("split", ["", ""], []),
        ("strings.split_n", ["a,b,c", ",", 2], ["a", "b"]),
        ("strings.split_n", ["a,b,c", ",", -2], ["b", "c"]),
        ("strings.split_n", ["a,b,c", ",", 0], []),
        ("strings.split_n", ["a", ",", 9], ["a"]),
        ("trim", ["éaé", "é"], "a"),
        ("trim", ["a", ""], "a"),
        ("trim_left", ["aab", "a"], "b"),
        ("trim_right", ["baa", "a"], "b"),
        ("trim_prefix", ["aab", "a"], "ab"),
        ("trim_suffix", ["baa", "aa"], "b"),
        ("trim_space", ["\u00a0 a\t\u3000"], "a"),
        ("trim_space", ["\x1fa"], "\x1fa"),
        ("concat", [",", ["a", "b"]], "a,b"),
        ("concat", ["", Set.of(["b", "a"])], "ab"),
        ("concat", [",", []], ""),
        ("concat", [",", "ab"], "eval_type_error: operand 2 must be one of {set, array} but got string"),
        (
            "concat",
            [",", [1]],
            "eval_type_error: operand 2 must be array of strings but got array containing number",
        ),
        ("replace", ["banana", "an", "x"], "bxxa"),
        ("strings.replace_n", [{"<": "&lt;", ">": "&gt;"}, "<b>"], "&lt;b&gt;"),
        ("strings.replace_n", [{"a": "1", "ab": "2"}, "ab"], "1b"),
        ("strings.replace_n", [{}, "ab"], "ab"),
        ("strings.replace_n", [{"": "-", "a": "x"}, "ab"], "-x-b-"),
        (
            "strings.replace_n",
            [{1: "a"}, "x"],
            "eval_type_error: operand 1 non-string key found in pattern object",
        ),
        (
            "strings.replace_n",
            [{"a": 1}, "x"],
            "eval_type_error: operand 1 non-string value found in pattern object",
        ),
        ("strings.reverse", ["aé日"], "日éa"),
        ("upper", ["ßéŉᾳ"], "ßÉŉᾼ"),
        ("upper", ["ﬁǆ"], "ﬁǄ"),
        ("lower", ["ΣΑΣ"], "σασ"),
        ("lower", ["İI"], "ii"),
        ("sprintf", ["%v", "x"], "eval_type_error: operand 2 must be array but got string"),
        ("sprintf", ["%v/%d", ["x", 1]], "x/1"),
    ],
)
def test_values(call, name, operands, value):
    assert call(name, *operands) == value


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("concat", ["", ["x" * 10_000_000] * 10]),
        ("concat", ["x" * 10_000_000, [""] * 10]),
        ("replace", ["a" * 1_000_000, "a", "b" * 100]),
        ("replace", ["a" * 1_000_000, "", "b" * 100]),
        ("strings.replace_n", [{"a": "b" * 100}, "a" * 1_000_000]),
        ("split", ["a" * 40_000_000, "a"]),
        ("split", ["a" * 40_000_000, ""]),
        ("indexof_n", ["a" * 30_000_000, "a"]),
    ],
)
def test_what_would_fill_the_memory_is_stopped(call, name, operands):
    with pytest.raises(Exhausted):
        call(name, *operands)


def test_many_long_strings_are_stopped(call, context):
    query = context()
    for _ in range(12):
        call("trim_space", "x" * 50_000_000, context=query)
    with pytest.raises(Exhausted):
        call("trim_space", "x" * 50_000_000, context=query)
