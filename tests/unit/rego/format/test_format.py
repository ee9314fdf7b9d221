"""The common form of Rego: what `opa fmt` prints, and that nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.diag import DiagnosticError, Source
from sekisho.rego import Dialect, format, parse_module
from sekisho.rego.format import format_module, format_source
from sekisho.rego.format.same import canonical


def formatted(text: str, dialect: Dialect = Dialect.V1) -> str:
    return format_source(Source("a.rego", text), dialect=dialect)


def rule(text: str, dialect: Dialect = Dialect.V1) -> str:
    head = "package a\n\n"
    out = formatted(head + text, dialect)
    assert out.startswith(head)
    return out.removeprefix(head)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("p:=1", "p := 1\n"),
        ("p = 1", "p := 1\n"),
        ("p if true", "p := true\n"),
        ("p := 1 if true", "p := 1\n"),
        ("p if{x}", "p if x\n"),
        ("p if{x;y}", "p if {\n\tx\n\ty\n}\n"),
        ("p if\n x", "p if {\n\tx\n}\n"),
        ("p if { x } else := 2 if { y }", "p if x\n\nelse := 2 if y\n"),
        ("p if {\n x\n} else := 2 if {\n y\n}", "p if {\n\tx\n} else := 2 if {\n\ty\n}\n"),
        ("default p=false", "default p := false\n"),
        ("a.b := 1", 'a["b"] := 1\n'),
        ("a.b.c := 1", "a.b.c := 1\n"),
        ("a.b := 1\n\na.b.c := 1", "a.b := 1\n\na.b.c := 1\n"),
        ("p contains x if some x in [1,2]", "p contains x if some x in [1, 2]\n"),
        ("p.q contains 1", "p.q contains 1\n"),
        ("f(_,[x]):=x+1", "f(_, [x]) := x + 1\n"),
        ("p := 1\nq := 2\n\nr := 3", "p := 1\nq := 2\n\nr := 3\n"),
    ],
)
def test_heads(written: str, wanted: str) -> None:
    assert rule(written) == wanted


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("p { x }", "p {\n\tx\n}\n"),
        ("p { true }", "p = true\n"),
        ("p = 1", "p = 1\n"),
        ("p := 1", "p := 1\n"),
        ("p[x] { x := 1 }", "p[x] {\n\tx := 1\n}\n"),
        ("p[x] = true { x }", "p[x] = true {\n\tx\n}\n"),
        ("p.q", 'p["q"]\n'),
        ("p { 1 } { 2 }", "p {\n\t1\n}\n\np {\n\t2\n}\n"),
    ],
)
def test_heads_of_v0(written: str, wanted: str) -> None:
    assert rule(written, Dialect.V0) == wanted


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("a+b*c-d", "a + (b * c) - d"),
        ("(a == b) + c", "(a == b) + c"),
        ("a - (b - c)", "a - (b - c)"),
        ("x := a + b + c", "x := (a + b) + c"),
        ("y := -x", "y := 0 - x"),
        ("- 1 == x", "-1 == x"),
        ("x in (y in z)", "x in (y in z)"),
        ("x = (k, v in z)", "x = (k, v in z)"),
        ("plus(1, 2) == z", "1 + 2 == z"),
        ("f(eq(x, 1))", "f(eq(x, 1))"),
        ("f((a | b), (a & b))", "f((a | b), a & b)"),
        ("{(a|b): (c|d)}", "{(a | b): (c | d)}"),
        ("[(a & b) | c]", "[(a & b) | c]"),
        ('foo["bar"]["a b"][_]', 'foo.bar["a b"][_]'),
        ('input["if"].if', 'input["if"].if'),
        ("x[`a b`]", 'x["a b"]'),
        ('`raw\\` == "x\\u0041"', '`raw\\` == "x\\u0041"'),
        ("1e3 == 1.50", "1e3 == 1.50"),
        ('$"a {x+1} \\{ b"', '$"a {x + 1} \\{ b"'),
        ("{a|a:=1;b:=2}", "{a | a := 1; b := 2}"),
        ("every m in [1]{m==1}", "every m in [1] { m == 1 }"),
        ("every k,m in a|b {m==1}", "every k, m in a | b { m == 1 }"),
        ("x with input as 1  with data.y as 2", "x with input as 1 with data.y as 2"),
        ("not x==1", "not x == 1"),
        ("x == set( )", "x == set()"),
    ],
)
def test_expressions(written: str, wanted: str) -> None:
    assert rule(f"p if {{\n\t{written}\n}}") == f"p if {{\n\t{wanted}\n}}\n"


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("x := [1,\n2, 3]", "x := [\n\t1,\n\t2, 3,\n]"),
        ("x := [\n1]", "x := [\n\t1,\n]"),
        ('x := {"a": {\n"b": 1}}', 'x := {"a": {\n\t"b": 1,\n}}'),
        ("x := f(\n1)", "x := f(1)"),
        ("x := f(1,\n2)", "x := f(\n\t1,\n\t2,\n)"),
        ("x := [\ny | y := 1]", "x := [\ny | y := 1]"),
        ("x := {\nk: v |\nsome k, v in y}", "x := {k: v |\n\tsome k, v in y\n}"),
    ],
)
def test_lists_break_where_they_are_broken(written: str, wanted: str) -> None:
    assert rule(written) == wanted + "\n"


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("p := 1 # c", "p := 1 # c\n"),
        ("p if { # c\n x\n}", "p if { # c\n\tx\n}\n"),
        ("p if {\n # c\n\n x # d\n # e\n} # f", "p if {\n\t# c\n\n\tx # d\n\t# e\n} # f\n"),
        (
            "p := [ # a\n# b\n1, # c\n2 # d\n# e\n] # f",
            "p := [ # a\n\t# b\n\t1, # c\n\t2, # d\n\t# e\n] # f\n",
        ),
        ("p := f(\n# c\nx)", "p := f(\n\t# c\n\tx,\n)\n"),
        ('p := {"a": # c\n1}', 'p := {\n\t"a": 1, # c\n}\n'),
        ('p := {"a": [{\n# c\n"b": 1}]}', 'p := {"a": [{\n\t# c\n\t"b": 1,\n}]}\n'),
        ("p if x == # c\n 1", "p if x == 1 # c\n"),
        ("p if x == # c\n # d\n 1", "p if x == 1 # c\n\n# d\n"),
        ("p := [] # c\n\n\n# d", "p := [] # c\n\n# d\n"),
        ("p := [ # c\n]", "p := [ # c\n]\n"),
        ("p := {x | # c\n x := 1}", "p := {x | # c\n\tx := 1\n}\n"),
        ('p := $"{ # c\nx}"', 'p := $"{ # c\n\tx}"\n'),
        ("p if {\n x\n}\n# c\nelse := 2", "p if {\n\tx\n}\n\n# c\nelse := 2\n"),
        ("# METADATA\n# title: x\n# METADATA\n# title: y\np := 1", None),
    ],
)
def test_comments_keep_their_places(written: str, wanted: str | None) -> None:
    out = rule(written)
    assert out == wanted if wanted is not None else out.count("\n\n# METADATA") == 1


def test_imports_are_sorted_within_their_groups() -> None:
    text = """\
        package a # p

        # about
        import data.z # z
        import data.b as c
        import rego.v1

        import future.keywords.in
        import data.a
        """
    wanted = """\
        package a # p

        # about
        import data.b as c
        import data.z # z
        import rego.v1

        import data.a
        """
    assert formatted(dedent(text)) == dedent(wanted)


def test_keywords_import_brings_if_and_contains() -> None:
    text = "package a\nimport future.keywords\np[x] { x := 1 }\nq = 1 { x }\n"
    wanted = "package a\n\nimport future.keywords\n\np contains x if x := 1\nq = 1 if x\n"
    assert formatted(text, Dialect.V0) == wanted


def test_long_chains_have_parentheses_only_as_deep_as_they_may_nest() -> None:
    out = formatted("package a\nx := " + " + ".join(["1"] * 150) + "\n")
    assert out.count("(") < 30


def test_what_is_no_rego_is_refused() -> None:
    with pytest.raises(DiagnosticError) as caught:
        formatted("package a\np := \n")
    assert caught.value.diagnostics[0].code.id == "REG100"


def test_an_outcome_that_differs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(format, "format_module", lambda module: "package b\n")
    with pytest.raises(DiagnosticError) as caught:
        formatted("package a\n")
    assert caught.value.diagnostics[0].code.id == "REG123"


def test_a_lost_comment_is_a_difference() -> None:
    module = parse_module(Source("a.rego", "package a # c\n"), dialect=Dialect.V1)
    assert canonical(module) != canonical(replace(module, comments=()))


WHOLE = """\
package a # p

import data.b # b

p := [ 1, {"k": f(x, {y | y := 2; z})} ] if { x; not y == (1 + 2) * 3
  every k, v in {"a": [1, 2]} { v > k }
  $"a {x} b" == "c" with input as {"a": 1} with data.b as 2
  some a, b in {1, 2}; q[a].c["d e"] } else := 3 if { z }

q[k] := v if some k, v in [ (1 | 2), {a: b | a := 1; b := 2} ]
"""
GAPS = [at for at, char in enumerate(WHOLE) if char == " " and '"' not in WHOLE[at - 4 : at + 4]]


@given(st.lists(st.sampled_from(GAPS), max_size=6, unique=True), st.sampled_from(["\n", " # c\n", "\n# c\n"]))
@settings(max_examples=150, deadline=None)
def test_breaks_and_comments_anywhere_are_kept(places: list[int], inserted: str) -> None:
    text = WHOLE
    for at in sorted(places, reverse=True):
        text = text[:at] + inserted + text[at:]
    try:
        module = parse_module(Source("a.rego", text), dialect=Dialect.V1)
    except DiagnosticError:
        return
    once = formatted(text)
    again = parse_module(Source("a.rego", once), dialect=Dialect.V1)
    assert canonical(again) == canonical(module)
    assert format_module(again) == once
