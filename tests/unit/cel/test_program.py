"""Expressions from text to value."""

from __future__ import annotations

from typing import Any

import pytest

import sekisho.cel as cel
from sekisho.cel.problems import display_all
from sekisho.cel.standard import BINDINGS, OPTIONALS, TWO_VARIABLES
from sekisho.cel.types import DYN
from sekisho.cel.values import NONE, Duration, Optional, Timestamp, UInt
from sekisho.diag import DiagnosticError
from sekisho.lang.meter import Limits

OBJECT = {"a": {"b": 1, "list": ["x", "y"], "none": None}, "name": "web", "on": True}
LIBRARIES = (OPTIONALS, TWO_VARIABLES, BINDINGS)


def environment(*names: str, **options: bool) -> cel.Environment:
    return cel.Environment(
        libraries=LIBRARIES, variables=dict.fromkeys(names, DYN), options=cel.Options(**options)
    )


def program(expression: str, **options: bool) -> cel.Program:
    return cel.compile(expression, environment("object", "other", **options))


def both(expression: str, **values: Any) -> Any:
    """The value, which compiled code and the plain evaluator must agree on."""
    compiled = program(expression)
    activation = {"object": OBJECT, "other": None, **values}
    outcome = compiled.run(activation)
    explained = compiled.explain(activation)
    assert explained.error is None
    assert repr(explained.value) == repr(outcome.value) or explained.value == list(outcome.value)
    assert explained.cost <= outcome.cost
    return outcome.value


def code_of(expression: str, bounds: cel.Bounds | None = None, **values: Any) -> tuple[str, str]:
    with pytest.raises(DiagnosticError) as caught:
        program(expression, homogeneous=True, literals=True).eval(
            {"object": OBJECT, "other": None, **values}, bounds=bounds or cel.Bounds()
        )
    [diagnostic] = caught.value.diagnostics
    return diagnostic.code.id, diagnostic.message


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("object.a.b == 1 && [1, 2].all(x, x > 0)", True),
        ("1 + 2 * 3 - 4", 3),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("1u + 2u", UInt(3)),
        ("1.5 * 2.0", 3.0),
        ("'a' + 'b'", "ab"),
        ("[1] + [2]", [1, 2]),
        ("has(object.a.b) && !has(object.a.c)", True),
        ("object.a.list[1]", "y"),
        ("'x' in object.a.list", True),
        ("'b' in object.a", True),
        ("object.a.list.map(x, x + '!')", ["x!", "y!"]),
        ("object.a.list.filter(x, x != 'x')", ["y"]),
        ("[1, 2, 3].exists_one(x, x > 2)", True),
        ("object.a.list.exists(x, x.startsWith('y'))", True),
        ("{'k': 1}.map(k, k)", ["k"]),
        ("[1, 2].transformMap(i, v, i < 1, v)", {0: 1}),
        ("object.?a.?c.orValue('none')", "none"),
        ("object.?a.?b", Optional(1)),
        ("object.?missing", NONE),
        ("object.a.?b.optMap(x, x + 1).value()", 2),
        ("cel.bind(x, object.a.b, x + x)", 2),
        ("object.on ? 'yes' : 'no'", "yes"),
        ("size('été') + 'été'.size()", 6),
        ("type(1) == int && type(1u) == uint && type([]) == list", True),
        ("dyn(1) == 1.0 && dyn(1u) == 1 && dyn(1) != 'x'", True),
        ("dyn(1) == true || dyn(true) == 1", False),
        ("duration('1h') + duration('30m')", Duration(5400 * 10**9)),
        ("timestamp('1970-01-01T00:00:01Z')", Timestamp(10**9)),
        ("'abc'.matches('^a.c$')", True),
        ("b'\\xff\\377a'", b"\xff\xffa"),
        ("r'\\n' + '''a'b'''", "\\na'b"),
        ("{true: 'a', 1: 'b'}[true]", "a"),
        ("object.a.none == null", True),
    ],
)
def test_values(expression: str, value: Any) -> None:
    found = both(expression)
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("object.missing == 1 || true", True),
        ("true || object.missing == 1", True),
        ("object.missing == 1 && false", False),
        ("[1, 2].exists(x, 1 / (x - 1) == 1)", True),
        ("[1, 2].all(x, 1 / (x - 1) == 2)", False),
        ("cel.bind(x, 1 / 0, true)", True),
        ("false ? 1 / 0 : 2", 2),
    ],
)
def test_errors_are_absorbed(expression: str, value: Any) -> None:
    assert both(expression) == value


@pytest.mark.parametrize(
    ("expression", "code", "message"),
    [
        ("1 +", "CEL001", "Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', "),
        ("object.spec[", "CEL001", "Syntax error: mismatched input '<EOF>' expecting {"),
        ("object a", "CEL001", "Syntax error: extraneous input 'a' expecting <EOF>"),
        ("9223372036854775808", "CEL002", "invalid int literal"),
        ("has(object)", "CEL003", "invalid argument to has() macro"),
        ("[1].all(1, true)", "CEL003", "argument must be a simple name"),
        ("for + 1", "CEL004", "reserved identifier: for"),
        ("nothing", "CEL100", "undeclared reference to 'nothing' (in container '')"),
        ("1 + 'a'", "CEL101", "found no matching overload for '_+_' applied to '(int, string)'"),
        ("'a'.length", "CEL102", "type 'string' does not support field selection"),
        ("[1, 'a']", "CEL103", "expected type 'int' but found 'string'"),
        ("1 && true", "CEL103", "expected type 'bool' but found 'int'"),
        ("duration('1 hour')", "CEL104", "invalid duration argument"),
        ("'a'.matches('(')", "CEL104", "invalid matches argument"),
        ("1 / 0", "CEL150", "division by zero"),
        ("9223372036854775807 + 1", "CEL150", "integer overflow"),
        ("object.a.b + 'x'", "CEL151", "no such overload"),
        ("object.on && object.a", "CEL151", "no such overload"),
        ("object.a.c", "CEL152", "no such key: c"),
        ("object.a.list[5]", "CEL152", "index out of bounds: 5"),
    ],
)
def test_errors(expression: str, code: str, message: str) -> None:
    found = code_of(expression)
    assert found[0] == code
    assert found[1].startswith(message)


def test_a_variable_without_a_value() -> None:
    with pytest.raises(DiagnosticError, match=r"CEL153: no such attribute\(s\): other"):
        program("other == 1").eval({"object": {}})


def test_too_large() -> None:
    assert code_of("'" + "a" * 100_000 + "'")[0] == "CEL010"


@pytest.mark.parametrize(
    "expression",
    ["(" * 10_000 + "1" + ")" * 10_000, "+".join("1" * 300), "[" * 300, "!" * 3 + "(" * 250 + "true"],
)
def test_too_deep(expression: str) -> None:
    assert code_of(expression)[0] in ("CEL011", "CEL001")


def test_long_chains_of_logic_are_not_deep() -> None:
    assert both(" && ".join(["object.on"] * 2_000)) is True


EXPLOSION = "object.all(a, object.all(b, object.all(c, object.all(d, a + b + c + d >= 0))))"


def test_the_cost_limit() -> None:
    code, message = code_of(EXPLOSION, cel.Bounds(cost=100_000), object=list(range(100)))
    assert (code, message) == ("CEL160", "operation cancelled: actual cost limit exceeded (100,000 units)")


def test_the_deadline() -> None:
    bounds = cel.Bounds(limits=Limits(seconds=0.05))
    assert code_of(EXPLOSION, bounds, object=list(range(1_000)))[0] == "CEL161"


def test_texts_that_grow_are_stopped() -> None:
    expression = "object"
    for name in "abcdefghijklmnopqrstuvwxyz":
        expression = f"cel.bind({name}, {expression} + {expression}, {name})"
    assert code_of("size(object + object + object)", object="x" * 30_000_000)[0] == "CEL162"


def test_values_that_share_parts_are_stopped() -> None:
    expression = "a == b"
    for _ in range(40):
        expression = f"cel.bind(a, [a, a], cel.bind(b, [b, b], {expression}))"
    expression = f"cel.bind(a, [1], cel.bind(b, [1], {expression}))"
    bounds = cel.Bounds(limits=Limits(seconds=0.05))
    assert code_of(expression, bounds)[0] == "CEL161"


def test_deep_objects_are_stopped() -> None:
    deep: Any = []
    other: Any = []
    for _ in range(20_000):
        deep, other = [deep], [other]
    assert code_of("object == other", object=deep, other=other)[0] == "CEL162"


def test_errors_are_displayed_as_cel_go_does() -> None:
    with pytest.raises(DiagnosticError) as caught:
        program("1 + x")
    assert display_all(caught.value) == (
        "ERROR: <input>:1:5: undeclared reference to 'x' (in container '')\n | 1 + x\n | ....^"
    )


def test_the_type_of_a_program() -> None:
    assert str(program("object.a.list.map(x, 1)").type) == "list(int)"
    assert str(program("object.a").type) == "dyn"
