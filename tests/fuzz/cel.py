"""CEL for the long fuzz: generated and mutated expressions through parser, checker, both evaluators."""

from __future__ import annotations

import random
import time

import sekisho.cel as cel
from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.cel.lexer import tokens
from sekisho.cel.types import DYN
from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.lang.meter import Limits
from tests.property.cel_generate import Generator, an_object

SECONDS = 0.5
GRACE = 1.0
BOUNDS = cel.Bounds(cost=1_000_000, limits=Limits(seconds=SECONDS))
ENVIRONMENT = kubernetes_environment(variables={"x": DYN})
PIECES = [
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        "?",
        ":",
        "!",
        "-",
        "+",
        "&&",
        "||",
        "==",
        " in ",
        "x",
        "x.a",
        "v0",
        "1",
    ),
    *(
        "has(x.a)",
        ".all(v, v)",
        ".map(v, w, v)",
        ".?a",
        "[?0]",
        ".orValue(1)",
        "optional.of(",
        ".split('a')",
        "'",
    ),
    *(
        "quantity('1')",
        "ip('::1')",
        "semver('1.2.3')",
        ".format([x])",
        "duration('1h')",
        "timestamp(0)",
        "b'\\xff'",
    ),
]


def text(rng: random.Random) -> str:
    """An expression, mostly with a few tokens changed."""
    made = Generator(rng).expression()
    if rng.random() < 0.4:
        return made
    for _ in range(rng.randint(1, 3)):
        found = tokens(made, lambda *_: None)
        token = rng.choice(found)
        kept = token.text if rng.random() < 0.4 else ""
        made = made[: token.start] + rng.choice(PIECES) + kept + made[token.end :]
    return made


def attempt(expression: str, rng: random.Random) -> str:
    """Compile and evaluate in both ways; says how far it came. Any exception but DiagnosticError is a failure."""
    found: tuple[Diagnostic, ...] = ()
    try:
        program = cel.compile(expression, ENVIRONMENT)
    except DiagnosticError as error:
        found = error.diagnostics
    if found:
        assert all(finding.message and finding.code.page() for finding in found)
        return "CEL refused"
    activation = {"x": an_object(rng)}
    start = time.monotonic()
    explained = program.explain(activation, bounds=BOUNDS)
    try:
        outcome = program.run(activation, bounds=BOUNDS)
    except DiagnosticError:
        assert explained.error is not None
        return "CEL failed"
    finally:
        took = time.monotonic() - start
        assert took < 2 * SECONDS + GRACE, f"evaluation took {took:.1f} s"
    assert explained.error is None
    assert explained.cost <= outcome.cost
    assert repr(explained.value) == repr(outcome.value) or not isinstance(outcome.value, bool | int | str)
    return "CEL evaluated"
