"""Calls as they are planned."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho import rego
from sekisho.diag import Source

MODULE = """
package p
f() = x { x = input.a }
v { y := f(); y == 1 }
other { f(2) }
n { not f() }
nested = sprintf("%v", [f()])
"""


@pytest.mark.parametrize(
    ("input", "wanted"),
    [
        ({"a": 1}, {"f": 1, "v": True, "nested": "1"}),
        ({"a": 2}, {"f": 2, "other": True, "nested": "2"}),
        ({}, {"n": True}),
        ({"a": False}, {"f": False, "n": True, "nested": "false"}),
    ],
)
def test_a_call_without_operands_is_the_value_of_the_rule(input: Any, wanted: Any) -> None:
    module = rego.parse_module(Source("p.rego", MODULE), dialect=rego.Dialect.V0)
    program = rego.compile({"p.rego": module}, dialect=rego.Dialect.V0)
    (row,) = program.query("x = data.p").eval(input, {})
    assert row["bindings"]["x"] == wanted
