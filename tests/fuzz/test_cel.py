"""Whatever the text, compiling ends in a program or in diagnostics, and a program in a value or in diagnostics.

A few seconds with the tests; SEKISHO_FUZZ_EXAMPLES=n for a longer run.
"""

from __future__ import annotations

import contextlib
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sekisho.cel as cel
from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.cel.types import DYN
from sekisho.diag import DiagnosticError
from sekisho.lang.meter import Limits

EXAMPLES = int(os.environ.get("SEKISHO_FUZZ_EXAMPLES", "200"))
SETTINGS = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
ENVIRONMENT = kubernetes_environment(variables={"x": DYN})
BOUNDS = cel.Bounds(cost=100_000, limits=Limits(seconds=0.5))
ITEM = {"a": [1, 2.5, "s", None, {"b": True}], "b": {"a": "x"}, "s": "text", "n": 3}

PIECES = [
    *"()[]{}.,:?!-+*/%<>=&|'\"`@\\ \n",
    *(
        "==",
        "!=",
        "<=",
        "&&",
        "||",
        " in ",
        "x",
        "x.a",
        "x.b.a",
        "v",
        "true",
        "null",
        "1",
        "2u",
        "1.5",
        "0x1F",
    ),
    *('"s"', "b'\\xff'", "r'\\'", "'''t'''", "has(x.a)", ".all(v, ", ".map(v, ", ".exists(v, w, ", ".size()"),
    *(
        ".?a",
        "[?0]",
        "[0]",
        "{'a': ",
        "size(",
        "string(",
        "duration('1h')",
        "x.s.matches(",
        ".format([",
        "// c\n",
    ),
    *("optional.of(", ".orValue(", ".optMap(v, ", ".transformList(i, v, ", "quantity('1Gi')", ".split(','"),
]


def check(text: str) -> None:
    with contextlib.suppress(DiagnosticError):
        program = cel.compile(text, ENVIRONMENT)
        explained = program.explain({"x": ITEM}, bounds=BOUNDS)
        with contextlib.suppress(DiagnosticError):
            outcome = program.run({"x": ITEM}, bounds=BOUNDS)
            assert explained.error is None
            assert explained.cost <= outcome.cost


@SETTINGS
@given(st.text())
def test_any_text(text: str) -> None:
    check(text)


@SETTINGS
@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_texts_of_pieces(pieces: list[str]) -> None:
    check("".join(pieces))
