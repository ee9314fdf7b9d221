"""What each form of a scalar means. Every row is the answer of sigs.k8s.io/yaml 1.6 (go-yaml v2.4)."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.diag import DiagnosticError, Source
from sekisho.manifest import load

TRUE = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]
FALSE = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]
NULL = ["~", "null", "Null", "NULL", "", "# a comment"]
NOT_JSON = [".inf", ".Inf", ".INF", "+.inf", "-.inf", ".nan", ".NaN", ".NAN", "!!float .inf"]

ROWS: list[tuple[str, Any]] = [
    *((text, True) for text in TRUE),
    *((text, False) for text in FALSE),
    *((text, None) for text in NULL),
    # words in other cases, and words of other readers
    *((text, text) for text in ["yEs", "tRUE", "oN", "nO", "nULL", ".iNf", "=", "<<", "inf", "NaN"]),
    # integers
    ("0", 0),
    ("-0", 0),
    ("+1", 1),
    ("-1", -1),
    ("1_000", 1000),
    ("1__000", 1000),
    ("1_", 1),
    ("-_1", -1),
    ("_1", "_1"),
    ("0x1F", 31),
    ("0X1f", 31),
    ("-0x1F", -31),
    ("+0x1F", 31),
    ("0x_F", 15),
    ("0x", "0x"),
    ("0x1g", "0x1g"),
    ("0b101", 5),
    ("0B101", 5),
    ("-0b101", -5),
    ("0b_1", 1),
    ("0b2", "0b2"),
    ("0b-1", -1),
    ("-0b-1", "-0b-1"),
    ("0o10", 8),
    ("0O10", 8),
    ("-0o17", -15),
    ("0o8", "0o8"),
    ("010", 8),
    ("-010", -8),
    ("0644", 420),
    ("007", 7),
    # a leading zero before 8 or 9 is no octal number, but a float
    ("08", 8),
    ("0_8", 8),
    ("08.5", 8.5),
    # 64 bits, then floats
    ("9223372036854775807", 2**63 - 1),
    ("9223372036854775808", 2**63),
    ("18446744073709551615", 2**64 - 1),
    ("0xFFFFFFFFFFFFFFFF", 2**64 - 1),
    ("0x10000000000000000", "0x10000000000000000"),
    ("18446744073709551616", 1.8446744073709552e19),
    ("+9223372036854775808", 9.223372036854775808e18),
    ("-9223372036854775808", -(2**63)),
    ("-9223372036854775809", -9.223372036854775808e18),
    ("012345678901234567890", 1.2345678901234567e19),
    ("9" * 400, "9" * 400),
    # floats; what JSON writes without an exponent and is whole is an integer
    ("1.5", 1.5),
    ("1.", 1),
    (".5", 0.5),
    ("-.5", -0.5),
    ("+.5", 0.5),
    (".5_0", 0.5),
    ("._5", "._5"),
    ("1_0.5", 10.5),
    ("1e3", 1000),
    ("1E+3", 1000),
    ("1e-3", 0.001),
    ("1.0", 1),
    ("-0.0", 0),
    ("1e18", 10**18),
    ("1234567890123456789.0", 1234567890123456800),
    ("1e19", 1e19),
    ("1e21", 1e21),
    ("1e999", "1e999"),
    ("-1e999", "-1e999"),
    (".5e999", ".5e999"),
    ("1e-999", 0),
    ("1e", "1e"),
    ("e1", "e1"),
    ("0x1p-2", "0x1p-2"),
    ("1.2.3", "1.2.3"),
    ("1e3.5", "1e3.5"),
    ("+", "+"),
    (".", "."),
    ("..", ".."),
    # no base 60, no timestamps
    ("22:22", "22:22"),
    ("190:20:30", "190:20:30"),
    ("1:30.5", "1:30.5"),
    ("2001-01-01", "2001-01-01"),
    ("2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
    # quantities and names
    ("500m", "500m"),
    ("1Gi", "1Gi"),
    ("10.0.0.1", "10.0.0.1"),
    ("nginx:1.25", "nginx:1.25"),
    # quotes and blocks are strings
    ('"1"', "1"),
    ("'yes'", "yes"),
    ('""', ""),
    ("|-\n  1", "1"),
    (">-\n  yes", "yes"),
    # tags
    ("!!str 123", "123"),
    ("!!str yes", "yes"),
    ("!!str", ""),
    ("!!str ~", "~"),
    ("! 12", "12"),
    ("!!int '5'", 5),
    ("!!int 0o17", 15),
    ("!!float 3", 3),
    ("!!float '0x10'", 16),
    ("!!float 3.5", 3.5),
    ("!!bool yes", True),
    ("!!bool 'true'", True),
    ("!!null ''", None),
    ("!!null ~", None),
    ("!!binary aGk=", "hi"),
    ("!!binary //8=", "\ufffd\ufffd"),
    ("!!timestamp 2001-01-01", "2001-01-01"),
    ("!!map {a: 1}", {"a": 1}),
    ("!!seq [1]", [1]),
    ("! [1]", [1]),
    # escapes
    (r'"\x41\u00e9\U0001F600\t"', "Aé😀\t"),
    (r"'a\nb'", r"a\nb"),
    ("'it''s'", "it's"),
]

KEYS = [
    ("1", "1"),
    ("0x10", "16"),
    ("010", "8"),
    ("yes", "true"),
    ("off", "false"),
    ("1.5", "1.5"),
    ("1e6", "1e+06"),
    ("100000.0", "100000"),
    ("1234567.5", "1.2345675e+06"),
    ("0.0001", "0.0001"),
    ("1e-5", "1e-05"),
    ("-1.5", "-1.5"),
    ("3.14159265358979", "3.1415927"),
    (".inf", ".inf"),
    ("-.inf", "-.inf"),
    (".nan", ".nan"),
    ("1e39", ".inf"),
    ("2001-01-01", "2001-01-01"),
    ("''", ""),
    ("!!str 1", "1"),
    ("!!binary aGk=", "hi"),
]


def value_of(text: str) -> Any:
    (document,) = load(Source("x.yaml", text))
    return document.value


def same(left: Any, right: Any) -> bool:
    return left == right and type(left) is type(right)


@pytest.mark.parametrize(("text", "value"), ROWS)
def test_a_field(text: str, value: Any) -> None:
    assert same(value_of(f"a: {text}\n")["a"], value)


@pytest.mark.parametrize(("text", "value"), ROWS)
def test_the_parser_gives_the_same_as_the_quick_way(text: str, value: Any) -> None:
    assert same(value_of(f"&root\na: {text}\n")["a"], value)


@pytest.mark.parametrize(("text", "value"), [row for row in ROWS if "\n" not in row[0]])
def test_an_item(text: str, value: Any) -> None:
    assert same(value_of(f"- {text}\n")[0], value)


@pytest.mark.parametrize(
    ("text", "value"), [row for row in ROWS if not set(row[0]) & set("\n#[{:") and row[0]]
)
def test_an_item_in_brackets(text: str, value: Any) -> None:
    assert same(value_of(f"a: [{text}, x]\n")["a"][0], value)


@pytest.mark.parametrize("text", NOT_JSON)
def test_what_json_has_not(text: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        value_of(f"a:\n- {text}\n")
    (problem,) = error.value.diagnostics
    assert problem.code.id == "SRC009"


@pytest.mark.parametrize(("text", "key"), KEYS)
def test_a_key(text: str, key: str) -> None:
    assert value_of(f"{text}: v\n") == {key: "v"}


@pytest.mark.parametrize(("text", "key"), KEYS)
def test_a_key_in_braces(text: str, key: str) -> None:
    assert value_of(f"a: {{{text}: v}}\n") == {"a": {key: "v"}}


@pytest.mark.parametrize("text", ["~", "null", "[a]", "{a: b}", "9223372036854775808"])
def test_keys_that_json_has_not(text: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        value_of(f"? {text}\n: v\n")
    (problem,) = error.value.diagnostics
    assert problem.code.id == "SRC008"


@pytest.mark.parametrize(
    "text",
    [
        "!!int 3.5",
        "!!int ''",
        "!!int 1e3",
        "!!bool foo",
        "!!null foo",
        "!!float x",
        "!!timestamp foo",
        "!!binary a",
        "!!str [1]",
        "!!map [1]",
        "!!seq {a: 1}",
        "!!set {a, b}",
        "!!omap [a: 1]",
        "!Ref name",
        "!Sub {a: 1}",
        "!!python/object/apply:os.system [id]",
        "!<tag:example.com,2000:x> 1",
    ],
)
def test_tags_that_do_not_fit(text: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        value_of(f"a: {text}\n")
    (problem,) = error.value.diagnostics
    assert problem.code.id == "SRC010"
    assert problem.at.begins == (1, 4)
