"""Names: imports, declarations, functions, with, conflicts. Messages and places are OPA's."""

from __future__ import annotations

import pytest

from sekisho.diag import DiagnosticError
from sekisho.rego.capabilities import Capabilities
from sekisho.rego.dialect import Dialect
from sekisho.rego.nodes import RuleKind

from .helpers import body_text, checked, errors

ERRORS = {
    "x := 1 twice": ("p if { x := 1; x := 2 }", ["2:16 REG204 var x assigned above"]),
    "x used, then declared": ("p if { x == 1; x := 2 }", ["2:16 REG204 var x referenced above"]),
    "x declared by some, then assigned": ("p if { some x; x := 2 }", ["2:16 REG204 var x declared above"]),
    "an argument declared again": ("f(x) if { x := 2 }", ["2:11 REG204 arg x redeclared"]),
    "some x without a use": ("p if { some x; input.y }", ["2:8 REG205 declared var x unused"]),
    "every x without a use": ("p if { every x in input.y { true } }", ["2:29 REG205 declared var x unused"]),
    "an assignment to a reference": ("p if { input.x := 1 }", ["2:8 REG215 cannot assign to ref"]),
    "an assignment to a number in a pattern": (
        "p if { [x, 1] := input.y; x }",
        ["2:12 REG215 cannot assign to number"],
    ),
    "an assignment under not": (
        "p if { not x := 1 }",
        ["2:8 REG215 cannot assign vars inside negated expression"],
    ),
    "an undefined function": ("p if { f(1) }", ["2:8 REG202 undefined function f"]),
    "an undefined function under not": ("p if { not f(1) }", ["2:8 REG202 undefined function f"]),
    "a function of another package": ("p if { data.u.f(1) }", ["2:8 REG202 undefined function data.u.f"]),
    "a local variable called": ("p if { x := 1; x(2) }", ["2:16 REG202 undefined function x"]),
    "a local variable called inside": (
        "p if { x := 1; y := x(2) }",
        ["2:21 REG214 called function x shadowed"],
    ),
    "too many arguments": (
        "f(x) := x\np if { f(1, 2, 3) }",
        ["3:8 REG206 function data.t.f has arity 1, got 3 arguments"],
    ),
    "too few operands": (
        "p if { startswith(input.x) }",
        [
            "2:8 REG206 startswith: arity mismatch\n\thave: (any)\n\twant: (search: string, base: string)",
        ],
    ),
    "too many operands inside": (
        "p := count(1, [x])",
        [
            (
                "2:6 REG206 count: arity mismatch\n\thave: (number, array<???>, ???)\n\t"
                "want: (collection: any<string, array[any], object[any: any], set[any]>)"
            ),
        ],
    ),
    "a rule called input": (
        "input := 1",
        ["2:1 REG201 rules must not shadow input (use a different rule name)"],
    ),
    "a variable called input": (
        "p if { input := 1 }",
        ["2:8 REG201 variables must not shadow input (use a different variable name)"],
    ),
    "an argument called data": (
        "f(data) := 1",
        ["2:1 REG201 args must not shadow data (use a different variable name)"],
    ),
    "a call as an argument": ("f(count(x)) := 1", ["2:3 REG216 rule arguments cannot contain calls"]),
    "print as a value": ("p := print(1)", ["2:6 REG211 print(1) used as value"]),
    "print of what is not bound": ("p if { print(x); x = 1 }", ["2:14 REG210 var x is undeclared"]),
    "a template of what is not bound": ('p := $"{x.y}"', ["2:9 REG210 var x is undeclared"]),
    "a template of a relation": (
        'p := $"{walk(1)}"',
        ["2:9 REG218 illegal call to relation built-in 'walk' that may cause multiple outputs"],
    ),
    "a deprecated built-in": (
        "p if { any(input.x) }",
        ["2:8 REG212 deprecated built-in function calls in expression: any"],
    ),
    "with a name that is nothing": (
        "p if { true with foo as 1 }",
        ["2:18 REG217 with keyword target must reference existing input, data, or a function"],
    ),
    "with a part of a rule": (
        "q := {}\np if { true with data.t.q.r as 1 }",
        ["3:18 REG209 with keyword cannot partially replace virtual document(s)"],
    ),
    "with a relation": (
        "p if { true with walk as 1 }",
        ["2:18 REG209 with keyword replacing built-in function: target must not be a relation"],
    ),
    "with a void function": (
        "p if { true with print as 1 }",
        ["2:18 REG209 with keyword replacing built-in function: target must not be a void function"],
    ),
    "with an internal function": (
        "p if { true with internal.print as 1 }",
        [
            (
                "2:18 REG209 with keyword replacing built-in function: "
                'replacement of internal function "internal.print" invalid'
            ),
        ],
    ),
    "a value and a set": ("p := 1\np contains 2", ["2:1 REG207 conflicting rules data.t.p found"]),
    "functions of two arities": ("f(x) := 1\nf(x, y) := 2", ["2:1 REG207 conflicting rules data.t.f found"]),
    "a value and a partial object": (
        "p := 1\np[x] := 2 if { x := 3 }",
        ["2:1 REG207 conflicting rules data.t.p[x] found"],
    ),
    "a rule below a value": (
        "p := 1\np.q := 2\np.r.s := 3",
        [
            (
                "2:1 REG207 rule data.t.p conflicts with:\n  rule data.t.p.q at m0.rego:3\n"
                "  rule data.t.p.r.s at m0.rego:4"
            ),
        ],
    ),
    "two defaults": (
        "default p := 1\ndefault p := 2",
        ["1:1 REG207 multiple default rules data.t.p found at m0.rego:2, m0.rego:3"],
    ),
    "two imports of one name": (
        "package t\nimport data.a.x\nimport data.b.x\np := x",
        ["3:1 REG200 import must not shadow import data.a.x"],
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    source, expected = ERRORS[name]
    assert errors(source) == expected


STRICT = {
    "an unused import": (
        "package t\nimport data.u.f as g\np := 1",
        ["2:1 REG205 import data.u.f as g unused"],
    ),
    "an unused assignment": ("p if { x := 1 }", ["2:8 REG205 assigned var x unused"]),
    "an unused assignment in a comprehension": ("p := [1 | x := 1]", ["2:11 REG205 assigned var x unused"]),
    "an unused argument": (
        "f(x, y) := y",
        ["2:1 REG205 unused argument x. (hint: use _ (wildcard variable) instead)"],
    ),
    "an argument used in an else branch": ("f(x) := 1 if { false } else := x", []),
    "a used import": ("package t\nimport data.u.x\nimport input.y as z\np := [x, z]", []),
}


@pytest.mark.parametrize("name", STRICT)
def test_strict_error(name: str) -> None:
    source, expected = STRICT[name]
    assert errors(source) == []
    assert errors(source, strict=True) == expected


def test_v0_lets_pass_what_v1_refuses() -> None:
    source = "package t\nimport data.a.x\nimport data.b.x\np { input := 1; input == 1 }\nq { any([x]) }"
    assert errors(source, dialect=Dialect.V0) == []
    assert errors(source, dialect=Dialect.V0, strict=True) == [
        "4:5 REG201 variables must not shadow input (use a different variable name)"
    ]


def test_only_the_earliest_stage_speaks() -> None:
    assert errors("p if { x := 1; x := 2 }\nq if { nope(y) }") == ["2:16 REG204 var x assigned above"]


def test_errors_are_limited() -> None:
    source = "\n".join(f"p{i} if {{ f{i}(1) }}" for i in range(12))
    found = errors(source)
    assert len(found) == 11
    assert found[0] == "0:0 REG299 error limit reached"
    assert len(errors(source, max_errors=0)) == 12


def test_help_names_a_near_function() -> None:
    with pytest.raises(DiagnosticError) as raised:
        checked("p if { start_with(input.x, 1) }")
    assert raised.value.diagnostics[0].help == "did you mean `startswith`?"


def test_a_denied_built_in() -> None:
    denied = Capabilities(denied=frozenset({"http.send"}))
    assert errors("p if { http.send({}) }", capabilities=denied) == [
        "2:8 REG213 unsafe built-in function calls in expression: http.send"
    ]
    assert errors("p if { true with http.send as 1 }", capabilities=denied) == [
        '2:18 REG209 with keyword replacing built-in function: target must not be unsafe: "http.send"'
    ]


def test_a_built_in_that_the_capability_set_lacks() -> None:
    few = Capabilities(builtins=frozenset({"eq"}))
    assert errors("p if { count(input.x) }", capabilities=few) == ["2:8 REG202 undefined function count"]


def test_a_rule_where_there_is_data() -> None:
    assert errors("package a.b\np := 1", exists=lambda path: path == ("a", "b", "p")) == [
        "2:1 REG208 conflicting rule for data path a/b/p found"
    ]


def test_a_package_where_there_is_a_rule() -> None:
    assert errors("package a\nb := 1", "package a.b\nc := 1") == [
        "1:1 REG207 package a.b conflicts with rule b defined at m0.rego:2",
        "2:1 REG207 rule data.a.b conflicts with:\n  rule data.a.b.c at m1.rego:2",
    ]
    assert errors("package a\nb := 1", "package a.b") == [
        "1:1 REG207 package a.b conflicts with rule b defined at m0.rego:2"
    ]


BODIES = {
    "imports and rules": (
        "package t\nimport data.u.v as w\nimport input.request as r\np if { w.x; r.y; q }\nq := 1",
        ["data.u.v.x", "input.request.y", "data.t.q"],
    ),
    "locals": ("p if { x := 1; y := x; y == x }", ["x~1 := 1", "y~2 := x~1", "y~2 == x~1"]),
    "a local hides a rule": ("x := 1\np if { x := 2; x == 2 }", ["x~1 := 2", "x~1 == 2"]),
    "a rule by its own name in a comprehension": (
        "x := 1\np if { y := [x | x := 2]; y }",
        ["y~2 := [x~1 | x~1 := 2]", "y~2"],
    ),
    "undeclared variables belong to the outermost body that mentions them": (
        "p if { x = 1; y := [x | x = input[_]]; z := {k | k = input[_]}; y; z }",
        ["x = 1", "y~1 := [x | x = input[_]]", "z~3 := {k~2 | k~2 = input[_]}", "y~1", "z~3"],
    ),
    "some": (
        "p if { some k, [v, 1] in input.x; some i; k == v; input.y[i] }",
        ["some k~1, [v~2, 1] in input.x", "k~1 == v~2", "input.y[i~3]"],
    ),
    "every": (
        "p if { every k, v in input.x { k == v } }",
        ["every k~1, v~2 in input.x { k~1 == v~2 }"],
    ),
    "a built-in with dots": ("p if { io.jwt.decode(input.x) }", ["io.jwt.decode(input.x)"]),
    "a function of this package": ("f(x) := x\np if { f(1) == 1 }", ["data.t.f(1) == 1"]),
    "a rule called like an operator": ("plus(x, y) := 0\np if { 1 + 2 == 0 }", ["data.t.plus(1, 2) == 0"]),
    "print": (
        'p if { print("x", input.y) }',
        ['internal.print([{~1 | ~1 = "x"}, {~2 | ~2 = input.y}])'],
    ),
    "a template string": (
        'q := 1\np if { x := $"a {input.y} {q}"; x }',
        ['x~2 := internal.template_string(["a ", {~1 | ~1 = input.y}, " ", {data.t.q}])', "x~2"],
    ),
    "with a function": (
        "f(x) := x\np if { count(1) == 1 with count as f }",
        ["count(1) == 1 with count as f"],
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_resolved_body(name: str) -> None:
    source, expected = BODIES[name]
    source = source.replace("count(1) == 1", "count([]) == 1")
    expected = [line.replace("count(1) == 1", "count([]) == 1") for line in expected]
    assert body_text(checked(source), "t", "p") == expected


def test_print_can_be_dropped() -> None:
    program = checked('p if { print("x"); input.y }', keep_print=False)
    assert body_text(program, "t", "p") == ["input.y"]


def test_the_rule_tree() -> None:
    program = checked(
        "a.b := 1\na.c contains 2\na.d[x].e := 3 if { x := 4 }\nf(x) := x\ndefault g := 5\ng := 6 if input.h"
    )
    tree = program.tree
    kinds = {node.path: node.kind for node in tree.below()}
    assert kinds == {
        ("t", "a", "b"): RuleKind.COMPLETE,
        ("t", "a", "c"): RuleKind.SET,
        ("t", "a", "d"): RuleKind.OBJECT,
        ("t", "f"): RuleKind.FUNCTION,
        ("t", "g"): RuleKind.COMPLETE,
    }
    function, defaulted = tree.find(("t", "f")), tree.find(("t", "g"))
    assert function is not None
    assert function.arity == 1
    assert defaulted is not None
    assert defaulted.default is not None
    assert len(defaulted.rules) == 1
    assert tree.find(("t", "a", "z")) is None


def test_a_function_without_arguments_is_a_rule() -> None:
    node = checked("f() := 1\np := f").tree.find(("t", "f"))
    assert node is not None
    assert node.kind is RuleKind.COMPLETE
    assert node.rules[0].args is None


def test_else_branches_share_the_arguments() -> None:
    node = checked("f(x) := 1 if { x == 1 } else := x").tree.find(("t", "f"))
    assert node is not None
    first, second = node.rules[0].chain()
    assert first.args == second.args
