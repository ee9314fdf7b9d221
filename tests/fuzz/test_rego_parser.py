"""Whatever the text, parsing ends in a tree or in diagnostics.

A few seconds with the tests; SEKISHO_FUZZ_EXAMPLES=n for a longer run.
"""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.diag import Diagnostic, DiagnosticError, Source
from sekisho.rego.dialect import Dialect
from sekisho.rego.lexer import tokenize
from sekisho.rego.parser import parse_module, parse_query

EXAMPLES = int(os.environ.get("SEKISHO_FUZZ_EXAMPLES", "200"))
SETTINGS = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

SEEDS = [
    """package a.b

import data.lib as l

# METADATA
# title: T
# custom: {a: [1]}
p := 1 if {
	x := input.x
	not x == 2 with input as {"a": 1}
} else := {k: v | some k, v in xs}
""",
    r"""package a

import future.keywords.not

f(_, [x]) := $"a{x}\{b" if every k, v in {1, 2} { k < v; not {v} }

q contains -x.y[_] if some x in [a | b, c]
""",
    """package a

import rego.v1

violation contains {"msg": sprintf("%v", [1e3])} if {
	x = [`raw`][0].y(1)[_]
}
""",
    r"""package a

violation[{"msg": msg}] {
	count(x - {1.5}) > 0 # why
	msg := "\u00e9"
} {
	true
}

p.q[x] = y { x == y | z & w }

default r = {null: set()}
""",
]

TOKENS = [
    *"[]{}(),:.;+-*/%&|=<>!$#\"'`\\\n\t @",
    *(":=", "==", "!=", "<=", ">=", "\r\n", '"s"', "`r`", '$"', "$`", '$"{x}"', "{}", "set()"),
    *("[x | y]", "{x: y | z}", "x", "_", "input", "data", "f(", "x.y", "x[", "0", "01", "1.5", "1e"),
    *("package", "import", "as", "default", "else", "not", "some", "with", "null", "true", "false"),
    *("in", "every", "if", "contains", "9" * 20, "1e99999", "1e999999999999", "# METADATA\n"),
    *("package a\n", "import rego.v1\n", "import future.keywords.not\n", "# scope: rule\n", "# x: [\n"),
    *("\0", "\ufeff", "\u0660", "é", "\ud800", "\u2028"),
]

spaced = st.lists(st.sampled_from(TOKENS), max_size=40).map(" ".join)
tight = st.lists(st.sampled_from(TOKENS), max_size=40).map("".join)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A module with a few of its tokens removed, doubled, replaced, or with others put in."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        tokens = tokenize(text)
        at = draw(st.integers(0, max(0, len(tokens.kinds) - 4)))
        start, end = tokens.starts[at], tokens.ends[at]
        new = draw(st.sampled_from(["", text[start:end] * 2, *TOKENS]))
        text = text[:start] + new + text[draw(st.sampled_from([start, end])) :]
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


def check(text: str) -> None:
    for dialect in Dialect:
        source = Source("fuzz.rego", text)
        found: tuple[Diagnostic, ...] = ()
        try:
            module = parse_module(source, dialect=dialect)
        except DiagnosticError as error:
            found = error.diagnostics
        else:
            assert all(0 <= rule.start < rule.end <= len(text) for rule in module.rules)
        assert len(found) <= 10
        assert all(diagnostic.message and diagnostic.at for diagnostic in found)
        with contextlib.suppress(DiagnosticError):
            parse_query(source, dialect=dialect)


@SETTINGS
@given(mutated())
def test_mutated_modules(text: str) -> None:
    check(text)


@SETTINGS
@given(st.one_of(spaced, tight), st.booleans())
def test_tokens_in_any_order(text: str, body: bool) -> None:
    check(f"package a\np if {{ {text} }}" if body else text)


@SETTINGS
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    check(text)


@pytest.mark.parametrize("seed", SEEDS)
def test_seeds_parse(seed: str) -> None:
    dialect = Dialect.V0 if seed is SEEDS[-1] else Dialect.V1
    assert parse_module(Source("seed.rego", seed), dialect=dialect).rules
