"""rego.parse_module: trees and messages as OPA 1.19 gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sekisho.diag import Limit
from sekisho.lang.meter import Exhausted, Limits
from sekisho.rego.builtins.syntax import SIZE

Call = Callable[..., Any]

TRUE = {"type": "boolean", "value": True}
BODY = [{"index": 0, "terms": TRUE}]


def var(name: str) -> dict[str, Any]:
    return {"type": "var", "value": name}


def string(text: str) -> dict[str, Any]:
    return {"type": "string", "value": text}


def number(value: int) -> dict[str, Any]:
    return {"type": "number", "value": value}


def ref(*parts: Any) -> dict[str, Any]:
    return {"type": "ref", "value": list(parts)}


def rules(call: Call, text: str) -> Any:
    return call("rego.parse_module", "a.rego", f"package a\n{text}")["rules"]


def value(call: Call, text: str) -> Any:
    return rules(call, f"p := {text}")[0]["head"]["value"]


def body(call: Call, text: str) -> Any:
    return rules(call, f"p if {{ {text} }}")[0]["body"]


def test_module(call: Call) -> None:
    text = "# é\npackage a.b\nimport data.x as y\nimport input"
    assert call("rego.parse_module", "a.rego", text) == {
        "package": {"path": [var("data"), string("a"), string("b")]},
        "imports": [
            {"path": ref(var("data"), string("x")), "alias": "y"},
            {"path": ref(var("input"))},
        ],
        "comments": [{"Text": "IMOp", "Location": {"file": "a.rego", "row": 1, "col": 1}}],
    }


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("p := 1", {"name": "p", "ref": [var("p")], "value": number(1), "assign": True}),
        ("p = 1", {"name": "p", "ref": [var("p")], "value": number(1)}),
        ("p if true", {"name": "p", "ref": [var("p")], "value": TRUE}),
        ("p contains 1", {"name": "p", "ref": [var("p")], "key": number(1)}),
        ("a.b contains 1", {"ref": [var("a"), string("b")], "key": number(1)}),
        (
            "f(_, x) = 1",
            {"name": "f", "ref": [var("f")], "args": [var("$0"), var("x")], "value": number(1)},
        ),
        (
            'p["a"] := 1',
            {
                "name": "p",
                "ref": [var("p"), string("a")],
                "key": string("a"),
                "value": number(1),
                "assign": True,
            },
        ),
        ("p.q if true", {"ref": [var("p"), string("q")], "value": TRUE}),
        ("p[x] if x = 1", {"ref": [var("p"), var("x")], "key": var("x"), "value": TRUE}),
        (
            "p.q = 1 if true",
            {"name": "p", "ref": [var("p"), string("q")], "value": number(1)},
        ),
        ("a.b.c = 1", {"ref": [var("a"), string("b"), string("c")], "value": number(1)}),
        ("default p.q = 1", {"ref": [var("p"), string("q")], "value": number(1)}),
    ],
)
def test_heads(call: Call, text: str, head: dict[str, Any]) -> None:
    assert rules(call, text)[0]["head"] == head


def test_rules(call: Call) -> None:
    default, first, second = rules(call, "default f(_) := 0\nf(_) := 1 if { true } { x[_] } ")
    assert default["default"] is True
    assert default["head"]["args"] == [var("$0")]
    assert first["body"] == BODY
    assert first["head"]["args"] == [var("$1")]
    assert second["body"] == [{"index": 0, "terms": ref(var("x"), var("$2"))}]
    assert second["head"]["args"] == [var("$3")]


def test_else(call: Call) -> None:
    (rule,) = rules(call, "f(_) if { false } else := 2 if { true } else = 3")
    one = rule["else"]
    two = one["else"]
    assert one["head"] == {
        "name": "f",
        "ref": [var("f")],
        "args": [var("$1")],
        "value": number(2),
        "assign": True,
    }
    assert two["head"] == {"name": "f", "ref": [var("f")], "args": [var("$2")], "value": number(3)}
    assert two["body"] == BODY
    assert "else" not in two


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", [{"index": 0, "terms": var("x")}]),
        ("not x", [{"index": 0, "negated": True, "terms": var("x")}]),
        ("1; 2", [{"index": 0, "terms": number(1)}, {"index": 1, "terms": number(2)}]),
        ("x := 1", [{"index": 0, "terms": [ref(var("assign")), var("x"), number(1)]}]),
        ("data.f.g(1)", [{"index": 0, "terms": [ref(var("data"), string("f"), string("g")), number(1)]}]),
        ("some x, y", [{"index": 0, "terms": {"symbols": [var("x"), var("y")]}}]),
        (
            "some v in xs",
            [
                {
                    "index": 0,
                    "terms": {
                        "symbols": [
                            {
                                "type": "call",
                                "value": [ref(var("internal"), string("member_2")), var("v"), var("xs")],
                            }
                        ]
                    },
                }
            ],
        ),
        (
            "every v in xs { v }",
            [
                {
                    "index": 0,
                    "terms": {
                        "key": None,
                        "value": var("v"),
                        "domain": var("xs"),
                        "body": [{"index": 0, "terms": var("v")}],
                    },
                }
            ],
        ),
        (
            "x with input.a as 1",
            [
                {
                    "index": 0,
                    "terms": var("x"),
                    "with": [{"target": ref(var("input"), string("a")), "value": number(1)}],
                }
            ],
        ),
    ],
)
def test_bodies(call: Call, text: str, expected: Any) -> None:
    assert body(call, text) == expected


def test_negated_body(call: Call) -> None:
    text = "import future.keywords.not\np if { not { true } }"
    assert rules(call, text)[0]["body"] == [
        {"index": 0, "terms": {"type": "not", "explicit_body": True, "body": BODY}}
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null", {"type": "null", "value": {}}),
        ("input", ref(var("input"))),
        ("f(x)[0].a", ref({"type": "call", "value": [ref(var("f")), var("x")]}, number(0), string("a"))),
        ("[]", {"type": "array", "value": []}),
        ("set()", {"type": "set", "value": []}),
        ("{x, 2, 1, data.a, 2}", {
            "type": "set",
            "value": [number(1), number(2), var("x"), ref(var("data"), string("a"))],
        }),
        ('{"b": 1, "a": 2, "b": 3}', {
            "type": "object",
            "value": [[string("a"), number(2)], [string("b"), number(3)]],
        }),
        ("[x | true]", {"type": "arraycomprehension", "value": {"term": var("x"), "body": BODY}}),
        ("{x | true}", {"type": "setcomprehension", "value": {"term": var("x"), "body": BODY}}),
        ("{x: 1 | true}", {
            "type": "objectcomprehension",
            "value": {"key": var("x"), "value": number(1), "body": BODY},
        }),
        ("1 in xs", {
            "type": "call",
            "value": [ref(var("internal"), string("member_2")), number(1), var("xs")],
        }),
        ('$"a{x}{1}"', {
            "type": "templatestring",
            "value": {
                "multi_line": False,
                "parts": [string("a"), {"index": 0, "terms": var("x")}, number(1)],
            },
        }),
        ("$``", {"type": "templatestring", "value": {"multi_line": True, "parts": None}}),
    ],
)  # fmt: skip
def test_terms(call: Call, text: str, expected: Any) -> None:
    assert value(call, text) == expected


def test_sets_are_in_the_order_of_their_terms(call: Call) -> None:
    kinds = [
        *("null", "false", "true", "1.5", '"a"', "$`{x}`", "x", "input", "[1]", "[1, x]", "{1: 2}", "{1: x}"),
        *("{1}", "{1, 2}", "[x | x]", "{x: 1 | x}", "{x | x}", "{x | not x}", "{x | x = 1}"),
        *("{x | every v in x { v }}", "f(1)", "f(x)"),
    ]
    inside = [value(call, kind) for kind in kinds]
    assert value(call, "{" + ", ".join(reversed(kinds)) + "}")["value"] == inside


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.rego:0: rego_parse_error: empty module"),
        ("p := 1", "1 error occurred: a.rego:1: rego_parse_error: package expected"),
        (
            "package a\nimport foo.\tb",
            (
                "1 error occurred: a.rego:2: rego_parse_error: unexpected whitespace token: expected identifier\n"
                "\timport foo.\tb\n\t          ^"
            ),
        ),
        (
            "package a\np { true }\nq { true }",
            (
                "2 errors occurred:\na.rego:2: rego_parse_error: `if` keyword is required before rule body\n"
                "a.rego:3: rego_parse_error: `if` keyword is required before rule body"
            ),
        ),
        (
            'package a\n\tp := "é" §',
            '1 error occurred: a.rego:2: rego_parse_error: illegal token\n\tp := "é" §\n\t          ^',
        ),
        (
            "package a\np if {\n\n",
            "1 error occurred: a.rego:4: rego_parse_error: unexpected eof token\n\tp if {\n\t     ^",
        ),
    ],
)
def test_errors(call: Call, text: str, message: str) -> None:
    assert call("rego.parse_module", "a.rego", text) == f"eval_builtin_error: {message}"


def test_operands(call: Call) -> None:
    assert call("rego.parse_module", 1, "") == ("eval_type_error: operand 1 must be string but got number")


def test_limits(call: Call, context: Callable[..., Any]) -> None:
    assert str(SIZE) in call("rego.parse_module", "a", "#" * (SIZE.value + 1))
    tight = Limits(items=Limit("items", 100, "items", ""))
    with pytest.raises(Exhausted):
        call("rego.parse_module", "a", "package a # " + "x" * 100, context=context(limits=tight))
