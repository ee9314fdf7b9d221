"""regex.* and glob.* (expectations are what opa 1.19 gives)."""

import pytest

from sekisho.lang.meter import Exhausted

LOOKAHEAD = "eval_builtin_error: error parsing regexp: invalid or unsupported Perl syntax: `(?=`"


@pytest.mark.parametrize(
    ("name", "operands", "value"),
    [
        ("regex.match", ["b+", "abbc"], True),
        ("regex.match", ["^b", "ab"], False),
        ("re_match", ["", ""], True),
        ("regex.match", ["(?=a)", "a"], LOOKAHEAD),
        ("regex.match", [1, "a"], "eval_type_error: operand 1 must be string but got number"),
        ("regex.is_valid", ["(a)"], True),
        ("regex.is_valid", ["(?=a)"], False),
        ("regex.is_valid", [1], False),
        ("regex.find_n", [r"[a-z]\d", "a1 b2 c3", 2], ["a1", "b2"]),
        ("regex.find_n", ["日", "日本日", -1], ["日", "日"]),
        ("regex.find_n", ["a*", "baa", -1], ["", "aa"]),
        ("regex.find_n", ["a", "a", 0], []),
        ("regex.find_all_string_submatch_n", ["(a)(b)?", "aab", -1], [["a", "a", ""], ["ab", "a", "b"]]),
        ("regex.split", [r"\s*,\s*", "a , b,c"], ["a", "b", "c"]),
        ("regex.split", ["", "abc"], ["a", "b", "c"]),
        ("regex.split", ["x", ""], [""]),
        ("regex.split", ["a", "aba"], ["", "b", ""]),
        ("regex.replace", ["foobar", "o+", "0"], "f0bar"),
        ("regex.replace", ["ab", "(a)(b)", "$2$1"], "ba"),
        ("regex.replace", ["ab", "(?P<x>a)", "<${x}>"], "<a>b"),
        ("regex.replace", ["ab", "(a)", "$1x"], "b"),
        ("regex.replace", ["ab", "(a)", "${1}x$$$"], "ax$$b"),
        ("regex.replace", ["ab", "(a)", "$9-${"], "-${b"),
        ("regex.replace", ["日", "", "-"], "-日-"),
        ("regex.template_match", ["urn:foo:{.*}", "urn:foo:bar", "{", "}"], True),
        ("regex.template_match", ["a.b<\\d+>", "axb1", "<", ">"], False),
        (
            "regex.template_match",
            ["a{b", "a", "{", "}"],
            'eval_builtin_error: unbalanced braces in "a{b"',
        ),
        (
            "regex.template_match",
            ["a", "a", "é", "}"],
            "eval_builtin_error: start delimiter has to be exactly one character long but is 2 long",
        ),
        ("regex.globs_match", ["a.a.[0-9]+z", "b.b."], False),
        ("regex.globs_match", ["[a-z]+", "a*b"], True),
        ("regex.globs_match", ["[a-c]+", "[c-e]+"], True),
        ("regex.globs_match", ["xa*", "x"], False),
        (
            "regex.globs_match",
            ["[b-a]", "a"],
            (
                "eval_builtin_error: input:[b-a], pos:4, range is out of order: 'a' comes before 'b' in Unicode: "
                "the input provided is invalid"
            ),
        ),
        (
            "regex.globs_match",
            ["+", "a"],
            (
                "eval_builtin_error: input:+, pos:1, flag '+' must be preceded by a non-flag: "
                "the input provided is invalid"
            ),
        ),
        ("glob.match", ["*.github.com", [], "api.github.com"], True),
        ("glob.match", ["*.github.com", [], "a.b.github.com"], False),
        ("glob.match", ["**.github.com", [], "a.b.github.com"], True),
        ("glob.match", ["*.com", None, "a.b.com"], True),
        ("glob.match", ["*/a", ["/"], "x.y/a"], True),
        ("glob.match", ["?at", [], "cat"], True),
        ("glob.match", ["?at", ["c"], "cat"], False),
        ("glob.match", ["[a-c]x", [], "bx"], True),
        ("glob.match", ["[!a-c]x", [], "bx"], False),
        ("glob.match", ["[!abc]x", [], "dx"], True),
        ("glob.match", ["{cat,[b]at,{c,d}og}", [], "dog"], True),
        ("glob.match", ["a\\*b", [], "a*b"], True),
        ("glob.match", ["a.b", [], "axb"], False),
        ("glob.match", ["é?", ["日"], "é日"], False),
        (
            "glob.match",
            ["[b-a]", [], "x"],
            "eval_builtin_error: hi character 'a' should be greater than lo 'b'",
        ),
        ("glob.match", ["[", [], "x"], "eval_builtin_error: unexpected end of input"),
        (
            "glob.match",
            ["a", "x", "a"],
            "eval_type_error: operand 2 must be one of {array, null} but got string",
        ),
        (
            "glob.match",
            ["a", ["ab"], "a"],
            "eval_type_error: operand 2 must be array of runes but got array containing string",
        ),
        ("glob.quote_meta", ["a*?[b]{c}\\,!"], "a\\*\\?\\[b\\]\\{c\\}\\\\,!"),
    ],
)
def test_values(call, name, operands, value):
    assert call(name, *operands) == value


def test_a_quoted_glob_matches_itself(call):
    text = "a*?[b]{c}\\,!-.x"
    assert call("glob.match", call("glob.quote_meta", text), [], text) is True


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("regex.match", ["(a|b)*a(a|b){500}c", "ab" * 1_000_000]),
        ("regex.replace", ["a" * 100_000, "a", "b" * 1000]),
        ("glob.match", ["*a" * 2000, [], "a" * 20_000]),
        ("glob.match", ["a" * 20_000, [], "a"]),
        ("regex.globs_match", [".*a" * 2000, "a"]),
    ],
)
def test_what_could_not_be_stopped_is_refused(call, name, operands):
    with pytest.raises(Exhausted):
        call(name, *operands)
