from __future__ import annotations

import pytest

from sekisho.rego.lexer import SOFT_KEYWORDS, tokenize


def kinds(text: str, keywords: frozenset[str] = SOFT_KEYWORDS) -> list[str]:
    return tokenize(text, keywords).kinds[:-3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a _b c1", ["identifier"] * 3),
        ("a\u0660", ["identifier"]),  # digits of any script continue a name
        ("\u00e9", ["illegal"]),  # letters of other scripts do not
        ("x := y", ["identifier", "assign", "identifier"]),
        ("== != <= >= < > =", ["equal", "neq", "lte", "gte", "lt", "gt", "eq"]),
        ("+-*/%&|", ["plus", "minus", "mul", "div", "rem", "and", "or"]),
        ("[]{}(),:.;", list("[]{}(),:.;")),
        ("1 1.5 1e3 1.5E-3 0", ["number"] * 5),
        ('"a" "\\"" `b\n`', ["string"] * 3),
        ("if in every contains not null", ["if", "in", "every", "contains", "not", "null"]),
        ("# a\n x # b", ["identifier"]),
        ("\ufeffx", ["identifier"]),
        ("x\ufeff", ["identifier", "illegal"]),
        ("", []),
        (" \r\n\t", []),
    ],
)
def test_kinds(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


def test_soft_keywords_are_identifiers_without_import() -> None:
    assert kinds("if in every contains", frozenset()) == ["identifier"] * 4


def test_reserve_changes_what_follows() -> None:
    tokens = tokenize("in in in")
    tokens.reserve({"in"}, 1)
    assert tokens.kinds[:3] == ["identifier", "in", "in"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('"abc', "non-terminated string"),
        ('"abc\\"', "non-terminated string"),
        ('"', "non-terminated string"),
        ("`abc", "non-terminated string"),
        ("`", "non-terminated string"),
        ('"\\q"', "illegal escape sequence"),
        ("1.", "expected fraction"),
        ("1.x", "expected fraction"),
        ("1e", "expected exponent"),
        ("1e+", "expected exponent"),
        ("0x10", "illegal number format"),
        ("!", "illegal ! character"),
        ("$", "illegal $ character"),
        ("\0", "illegal null character"),
        ("@", ""),
        ('$"a', "non-terminated string"),
        ('$"a\\q"', "illegal escape sequence"),
    ],
)
def test_faults(text: str, fault: str) -> None:
    tokens = tokenize(text)
    assert tokens.kinds[0] == "illegal"
    assert tokens.faults[0] == fault


def test_offsets() -> None:
    tokens = tokenize("ab  := `x`")
    assert list(zip(tokens.starts, tokens.ends, strict=True))[:3] == [(0, 2), (4, 6), (7, 10)]


def test_template_string_is_cut_into_parts() -> None:
    tokens = tokenize('$"a{ {"k": 1}.k }b{c}"')
    found = list(zip(tokens.kinds, tokens.lexemes, strict=True))
    assert found[0] == ("template-string-part", "a")
    assert ("template-string-part", "b") in found
    assert found[-4] == ("template-string-end", "")


def test_template_string_without_end_of_expression() -> None:
    assert kinds('$"a{x') == ["template-string-part", "identifier"]


def test_comments_have_offsets() -> None:
    assert tokenize("x # one\n# two").comments == [(2, 7), (8, 13)]
