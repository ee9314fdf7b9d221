from __future__ import annotations

import pytest
from tests.unit.rego.parser.show import query, term

from sekisho.diag import DiagnosticError
from sekisho.rego.nodes import Scalar
from sekisho.rego.parser import parse_term
from sekisho.rego.values import Number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null", "null"),
        ("true", "true"),
        ("x", "x"),
        ("_", "$0"),
        ('"a\\n\\u00e9\\ud83d\\ude00"', '"a\\né😀"'),
        ('"\\ud800"', '"\ufffd"'),
        ("`a\\n`", '"a\\\\n"'),
        ("[1, 2,]", "[1 2]"),
        ("[, 1]", "[1]"),
        ("[]", "[]"),
        ("{}", "{}"),
        ("set()", "<>"),
        ("{1}", "<1>"),
        ("{1, 2,}", "<1 2>"),
        ('{"a": 1, b: {2}}', '{"a": 1 b: <2>}'),
        ("{1 + 2: 3}", "{(plus 1 2): 3}"),
        ("(1)", "1"),
        ("a.b.c", 'a["b"]["c"]'),
        ('a[b]["c"][0]', 'a[b]["c"][0]'),
        ("a.if.contains.null", 'a["if"]["contains"]["null"]'),
        ("f(x, y,)", "(f x y)"),
        ("f()", "(f)"),
        ("a.b(x)", '(a["b"] x)'),
        ("f(x)[0].y", '(f x)[0]["y"]'),
        ("f(x)[0](y)", "((f x)[0] y)"),
        ("[1, 2][0]", "[1 2][0]"),
        ("{1: 2}[x]", "{1: 2}[x]"),
        ("contains", "contains"),
        ("(a)(b)", "(a b)"),
    ],
)
def test_terms(text: str, expected: str) -> None:
    assert term(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-12", -12),
        ("- 12", -12),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("1.0", Number("1.0")),
        ("-1e3", Number("-1e3")),
        (".5", Number(".5")),
        ("-0", Number("-0")),
        ("9" * 5000, Number("9" * 5000)),
        ("1e30102", Number("1e30102")),
    ],
)
def test_numbers_are_exact(text: str, value: int | Number) -> None:
    found = parse_term(text)
    assert isinstance(found, Scalar)
    assert found.value == value
    assert type(found.value) is type(value)
    assert getattr(found.value, "text", "") == getattr(value, "text", "")


@pytest.mark.parametrize("text", ["1e30105", "1e-40000", "9" * 40000, "1e999999999999999999999"])
def test_numbers_have_bounds(text: str) -> None:
    with pytest.raises(DiagnosticError, match="number too big"):
        parse_term(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", "(plus 1 (mul 2 3))"),
        ("1 - 2 - 3", "(minus (minus 1 2) 3)"),
        ("1 -2", "(minus 1 2)"),
        ("(1 + 2) * 3", "(mul (plus 1 2) 3)"),
        ("a | b & c", "(or a (and b c))"),
        ("a & b | c", "(or (and a b) c)"),
        ("a == b | c + d % e", "(equal a (or b (plus c (rem d e))))"),
        ("a < b == c", "(equal (lt a b) c)"),
        ("-x", "(minus 0 x)"),
        ("-x.y * 2", '(mul (minus 0 x["y"]) 2)'),
        ("a in b", "(internal.member_2 a b)"),
        ("a in b in c", "(internal.member_2 (internal.member_2 a b) c)"),
        ("k, v in xs", "(internal.member_3 k v xs)"),
        ("a == b in c", "(internal.member_2 (equal a b) c)"),
        ("f(a in b)", "(f (internal.member_2 a b))"),
        ("f(a, b in c)", "(f a (internal.member_2 b c))"),
        ("f((a, b in c))", "(f (internal.member_3 a b c))"),
        ("[a, b in c]", "[a (internal.member_2 b c)]"),
        ("[(a, b in c)]", "[(internal.member_3 a b c)]"),
        ("{a, b in c}", "<a (internal.member_2 b c)>"),
        ("x[k, v in xs]", "x[(internal.member_3 k v xs)]"),
        ("x := y + 1", "(assign x (plus y 1))"),
        ("[x, y] = f(z)", "(eq [x y] (f z))"),
    ],
)
def test_operators(text: str, expected: str) -> None:
    assert query(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[x | x = a[_]]", "[x | (eq x a[$0])]"),
        ("{x | x}", "<x | x>"),
        ("{k: v | v = a[k]; v}", "{k: v | (eq v a[k]); v}"),
        ("{k + 1: v | v}", "{(plus k 1): v | v}"),
        ("{a | b}", "<a | b>"),
        ("{a | b, c}", "<(or a b) c>"),
        ("[a | b, c]", "[(or a b) c]"),
        ("{(a | b)}", "<(or a b)>"),
        ("{a + 1 | b}", "<(or (plus a 1) b)>"),
        ("{a: b | c, d: e}", "{a: (or b c) d: e}"),
        ("{, a | b}", "<(or a b)>"),
        ("[x | x = 1\n y]", "[x | (eq x 1); y]"),
        ("[[a | b, c] | d]", "[[(or a b) c] | d]"),
    ],
)
def test_comprehensions_come_before_unions(text: str, expected: str) -> None:
    assert term(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('$""', "$()"),
        ('$"a"', '$("a")'),
        ('$"a{x}b"', '$("a" x "b")'),
        ('$"{x}{y + 1}"', "$(x (plus y 1))"),
        ('$"\\{x}\\n"', '$("{x}\\n")'),
        ("$`\\{x}\\n{y}\n`", '$("{x}\\\\n" y "\\n")'),
        ('$"{ {"a": 1}.a }"', '$({"a": 1}["a"])'),
        ('$"{$"{x}"}"', "$($(x))"),
        ('$"{x in xs}"', "$((internal.member_2 x xs))"),
    ],
)
def test_template_strings(text: str, expected: str) -> None:
    assert term(text) == expected


def test_each_wildcard_is_a_variable_of_its_own() -> None:
    assert query("a[_][_] = _") == "(eq a[$0][$1] $2)"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("  a.b[0] ", 2, 8),
        (" f(x) ", 1, 5),
        (" [1, 2] ", 1, 7),
        ('x["a"] + 1 ', 0, 10),
        ("(a + b) * c", 0, 11),
        (" {x | y} ", 1, 8),
        (' $"a{x}" ', 1, 8),
        (" -1 ", 1, 3),
    ],
)
def test_spans(text: str, start: int, end: int) -> None:
    found = parse_term(text)
    assert (found.start, found.end) == (start, end)


@pytest.mark.parametrize("text", ["", "x; y", "x := 1; y", "not x", "some x", "x with input as 1"])
def test_parse_term_takes_one_term(text: str) -> None:
    with pytest.raises(DiagnosticError, match="expected exactly one term"):
        parse_term(text)
