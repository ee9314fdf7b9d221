"""Errors: OPA's texts, our codes, exact places; and advice where there is a fix."""

from __future__ import annotations

import pytest
from tests.unit.rego.parser.show import faults, helps


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("p if {", "2:7 REG100 unexpected eof token"),
        ("p if {}", None),  # an object holds
        ("p if { x", "2:9 REG100 unexpected eof token: expected \\n or ; or }"),
        ("p if { x y }", "2:10 REG100 unexpected identifier token: expected \\n or ; or }"),
        ("p if { x == }", "2:13 REG100 unexpected } token"),
        ("p if { [1 }", '2:11 REG100 unexpected } token: expected "," or "]"'),
        ("p if { f(1 2) }", '2:12 REG100 unexpected number token: expected "," or ")"'),
        ("p if { x[1 }", "2:12 REG100 unexpected } token: expected ["),
        ("p if { (x }", "2:11 REG100 non-terminated expression"),
        ("p if { x. y }", "2:10 REG100 unexpected whitespace token: expected identifier"),
        ("p if { x.1 }", "2:10 REG100 unexpected number token: expected identifier"),
        ("p := {1 2}", "2:9 REG100 unexpected number token: non-terminated set"),
        ('p := {"a": 1, "b" 2}', '2:19 REG100 unexpected number token: expected ":"'),
        ('p := {"a": 1 "b": 2}', "2:14 REG100 unexpected string token: non-terminated object"),
        ("p if { [x | ] }", "2:13 REG100 found empty body"),
        ("p if { {} }", None),
        ("p if { some 1 }", "2:13 REG100 unexpected number token: expected var"),
        (
            "p if { some x == 1 }",
            "2:20 REG100 unexpected } token: expected `x in xs` or `x, y in xs` expression",
        ),
        ("p if { not some x }", "2:12 REG100 unexpected some keyword: illegal negation of 'some'"),
        (
            "p if { every x { x } }",
            "2:16 REG100 unexpected { token: expected `x[, y] in xs { ... }` expression",
        ),
        ("p if { every x in xs }", "2:22 REG100 unexpected } token: missing body"),
        (
            "p if { every 1, x in xs { x } }",
            "2:25 REG100 unexpected { token: expected key to be a variable",
        ),
        (
            "p if { every [x] in xs { x } }",
            "2:24 REG100 unexpected { token: expected value to be a variable",
        ),
        ("p if { x with 1 as 2 }", "2:15 REG100 unexpected number token: expected ident"),
        ("p if { x with f(1) as 2 }", "2:20 REG100 unexpected as keyword: expected with target path"),
        ("p if { x with input }", "2:21 REG100 unexpected } token: expected as keyword"),
        ("p if { null.x }", None),
        ("p := null.x", "2:6 REG100 illegal ref (head cannot be null)"),
        ('p if { 1 == "a"[x] }', "2:13 REG100 illegal ref (head cannot be string)"),
        ("p if { 1 == 1 ! }", "2:15 REG101 illegal ! character"),
        ('p := "\\q"', "2:6 REG101 illegal escape sequence"),
        ('p := "\\u12x4"', '2:6 REG101 illegal string literal: "\\u12x4"'),
        ("p := 01", "2:6 REG100 unexpected number token: expected number without leading zero"),
        ("p := .5.2", "2:7 REG100 unexpected number token: invalid float"),
        ("p := - x y", "2:10 REG105 var cannot be used for rule name"),
        ("p := -[]", "2:7 REG100 unexpected [ token: expected number"),
        ("p := @", "2:6 REG101 illegal token"),
        (
            "p :=",
            "2:5 REG100 unexpected eof token: expected rule value term (e.g., p := <VALUE> { ... })",
        ),
        (
            "f(x) := if",
            "2:9 REG100 unexpected if keyword: expected function value term (e.g., f(...) := <VALUE> { ... })",
        ),
        (
            "default p := if",
            "2:14 REG100 unexpected if keyword: expected default rule value term (e.g., default p := <VALUE>)",
        ),
        (
            "f(x) contains y if z",
            "2:6 REG105 unexpected contains keyword: the contains keyword can only be used with multi-value rule definitions (e.g., f(x) contains <VALUE> { ... })",
        ),
        ("p+1", "2:2 REG100 unexpected plus token"),
        ("p", "2:1 REG105 var cannot be used for rule name"),
        ("1", "2:1 REG105 number cannot be used for rule name"),
        ("input", "2:1 REG105 refs cannot be used for rule head"),
        ("p; q", "2:1 REG105 multiple expressions cannot be used for rule head"),
        ("not p", "2:1 REG105 negated expressions cannot be used for rule head"),
        ("some p", "2:1 REG105 'some' declarations cannot be used for rule head"),
        ("every x in p { x }", "2:1 REG105 expression cannot be used for rule head"),
        ("p := 1 with x as 2", "2:1 REG105 expressions using with keyword cannot be used for rule head"),
        ("p + 1", "2:1 REG105 rule name conflicts with built-in function"),
        ("f()", "2:1 REG105 rule argument list must take at least one argument"),
        ("[x] := y", "2:1 REG105 array cannot be used for rule name"),
        ("f(x).y := 1", "2:1 REG105 invalid rule head"),
        ("if := 1", "2:1 REG100 unexpected if keyword"),
        ("contains := 1", "2:1 REG105 contains keyword cannot be used for rule name"),
        ("a.b.c", "2:1 REG105 rule must have value assignment and/or body declaration"),
        ("default p := x", "2:1 REG108 illegal default rule (value cannot contain var)"),
        ("default p := [input.x]", "2:1 REG108 illegal default rule (value cannot contain ref)"),
        ("default p := {1: f(x)}", "2:1 REG108 illegal default rule (value cannot contain call)"),
        ("default p[x]", "2:1 REG108 illegal default rule (must have a value)"),
        ("default f(1) := 2", "2:1 REG108 illegal default rule (arguments cannot contain number)"),
        ("default f(x, x) := 2", "2:1 REG108 illegal default rule (arguments cannot be repeated x)"),
        ("default 1", "2:9 REG108 unexpected number token: expected rule head name"),
        (
            "p[x] if y else := 1",
            "2:11 REG109 else keyword cannot be used on rules with variables in head",
        ),
        (
            "p contains 1 if x else := 1",
            "2:19 REG109 else keyword cannot be used on multi-value rules",
        ),
        (
            "p if x else 1",
            "2:13 REG109 unexpected number token: expected else value term or rule body",
        ),
        ("p if { x } else := 1 if { x } { y }", "2:31 REG109 expected else keyword"),
        ("p if x else := 1 if", "2:20 REG100 unexpected eof token: rule body expected"),
        (
            'p := $"{x := 1}"',
            "2:9 REG110 unexpected assignment (':=') in template-string expression",
        ),
        ('p := $"{x = 1}"', "2:9 REG110 unexpected unification ('=') in template-string expression"),
        ('p := $"{not x}"', "2:9 REG110 unexpected negation ('not') in template-string expression"),
        ('p := $"{some x}"', "2:9 REG110 unexpected 'some' in template-string expression"),
        ('p := $"{x y}"', "2:11 REG110 expected } to end template string expression"),
        ('p := $"\\u12x4"', '2:6 REG110 illegal template-string part: $"\\u12x4"'),
    ],
)
def test_v1(rule: str, expected: str | None) -> None:
    found = faults(f"package p\n{rule}")
    assert found == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("p if { x }", ["2:1 REG105 var cannot be used for rule name"]),
        (
            "p { some x in xs }",
            ["2:12 REG100 unexpected identifier token: expected \\n or ; or }"],
        ),
        ("p.q = 1 { x } else = 2", ["2:15 REG109 else keyword cannot be used on multi-value rules"]),
        ('p = $"x"', ["2:5 REG110 template strings are not supported by current capabilities"]),
    ],
)
def test_v0(rule: str, expected: list[str]) -> None:
    assert faults(f"package p\n{rule}", "v0") == expected


def test_v1_reports_every_rule_that_v0_would_take() -> None:
    text = "package p\nallow { x }\nnames[x] { x }\nf(x) { x }\nq { x } else = 1 { y }\n"
    assert faults(text) == [
        "2:1 REG106 `if` keyword is required before rule body",
        "3:1 REG106 `if` keyword is required before rule body",
        "3:1 REG107 `contains` keyword is required for partial set rules",
        "4:1 REG106 `if` keyword is required before function body",
        "5:1 REG106 `if` keyword is required before rule body",
        "5:9 REG106 `if` keyword is required before rule body",
    ]


def test_rego_v1_import_makes_the_same_demands() -> None:
    text = "package p\nimport rego.v1\nnames[x] { x }"
    assert [line.split()[1] for line in faults(text, "v0")] == ["REG106", "REG107"]


def test_at_most_ten_errors() -> None:
    assert len(faults("package p\n" + "p\n" * 50)) == 10


def test_one_fault_of_syntax_hides_no_earlier_one() -> None:
    assert faults("package p\np := )\nq := )") == [
        "2:6 REG100 unexpected ) token: expected rule value term (e.g., p := <VALUE> { ... })"
    ]


@pytest.mark.parametrize(
    ("text", "dialect", "part"),
    [
        ('package p\nviolation[{"msg": m}] { m := 1 }', "v1", "write `violation contains … if { … }`"),
        ("package p\nallow { x }", "v1", "put `if` between the head and the body"),
        ("package p\nallow if { x }", "v0", "`import future.keywords.if`"),
        ("package p\np { some x in xs }", "v0", "`import future.keywords.in`"),
        ("package p\np contains x", "v0", "`import future.keywords.contains`"),
        ("package p\nimport lib", "v1", "import `data.lib`"),
        ("package p\nimport data.if", "v1", "use an alias"),
        ("p := 1", "v1", "begin the module with `package name`"),
        ("", "v1", "begins with `package name`"),
    ],
)
def test_advice(text: str, dialect: str, part: str) -> None:
    assert any(part in help for help in helps(text, dialect)), helps(text, dialect)
