"""Static types that something dynamic went into are not relied on: compiled code gives what the language says."""

from __future__ import annotations

from typing import Any

import pytest

import sekisho.cel as cel
from sekisho.cel.standard import BINDINGS, OPTIONALS
from sekisho.cel.types import DYN
from sekisho.diag import DiagnosticError

ENVIRONMENT = cel.Environment(libraries=(OPTIONALS, BINDINGS), variables={"x": DYN})


@pytest.mark.parametrize(
    ("expression", "item", "wanted"),
    [
        ("([1] + x)[1] == 1", [True], False),
        ("([1] + x).exists(v, v == 0)", [False], False),
        ("([1] + x)[1] in [1, 2]", [True], False),
        ("([1] + x)[1] + 1", [1.5], "no such overload"),
        ("([1] + x).map(v, v + 1)", ["a"], "no such overload"),
        ("([1] + x).all(v, v < 5)", [True], "no such overload"),
        ("cel.bind(l, [1] + x, l[1] * 2)", [0.5], "no such overload"),
        ("x == 1", True, False),
        ("x == 0", False, False),
        ("x == 1.0", True, False),
        ("x != true", 1, True),
        ("x in [1, 2]", True, False),
        ("x < 5", True, "no such overload"),
        ("x + 1", True, "no such overload: _+_"),
        ("x[0]", "text", "no such key: 0"),
        ("x.a", "text", "no such key: a"),
        ("has(x.a)", "a", False),
        ("'a' in x", "abc", "no such overload"),
        ("x.startsWith('a')", ["a"], "no such overload"),
        ("x.contains('a')", {"a": 1}, "no such overload"),
        ("size(x)", 5, "no such overload: size"),
        ("x && true", 1, "no such overload"),
        ("x ? 1 : 2", "yes", "no such overload"),
        ("!x", 0, "no such overload"),
        ("x[-1]", [1, 2], "index out of bounds: -1"),
        ("x == 9007199254740993", 9007199254740992.0, True),
    ],
)
def test_values_and_errors(expression: str, item: Any, wanted: Any) -> None:
    program = cel.compile(expression, ENVIRONMENT)
    if isinstance(wanted, str):
        with pytest.raises(DiagnosticError) as caught:
            program.eval({"x": item})
        assert caught.value.diagnostics[0].message == wanted
        return
    assert program.eval({"x": item}) is wanted
