"""Which definitions make a group."""

from __future__ import annotations

import pytest

from sekisho import rego
from sekisho.diag import Source
from sekisho.rego.check import check
from sekisho.rego.nodes import Scalar, Var
from sekisho.rego.parser import parse_module
from sekisho.rego.plan.ir import Form
from sekisho.rego.plan.tree import RuleTree, build


def tree(*texts: str) -> RuleTree:
    modules = [
        parse_module(Source(f"{n}.rego", text), dialect=rego.Dialect.V1) for n, text in enumerate(texts)
    ]
    checked = check(modules)
    return build(checked.tree, checked.packages)


@pytest.mark.parametrize(
    ("rules", "want"),
    [
        ("p := 1", {("t", "p"): Form.COMPLETE}),
        ("p contains 1", {("t", "p"): Form.SET}),
        ("p[x] := 1 if x := 1", {("t", "p"): Form.OBJECT}),
        ("f(x) := x", {("t", "f"): Form.FUNCTION}),
        (
            "a.b.c := 1\n\na.b.d := 2",
            {("t", "a", "b", "c"): Form.COMPLETE, ("t", "a", "b", "d"): Form.COMPLETE},
        ),
        ("p[x].y := 1 if x := 1\n\np.q.z := 2", {("t", "p"): Form.OBJECT}),
        ("p[x] contains 1 if x := 1", {("t", "p"): Form.OBJECT}),
    ],
)
def test_forms(rules: str, want: dict[tuple[str, ...], Form]) -> None:
    found = tree(f"package t\n\n{rules}")
    assert dict(zip(found.paths, found.forms, strict=True)) == want


def test_definitions_of_several_modules_are_one_group() -> None:
    found = tree("package t\n\np := 1", "package t\n\np := 1\n\nq := 2")
    assert [len(definitions) for definitions in found.definitions] == [2, 1]


def test_steps_below_a_dynamic_path() -> None:
    found = tree("package t\n\np[x].y := 1 if x := 1\n\np.q.z := 2")
    dynamic, fixed = (definition.steps for definition in found.definitions[0])
    assert isinstance(dynamic[0], Var)
    assert isinstance(dynamic[1], Scalar)
    assert [step.value for step in fixed if isinstance(step, Scalar)] == ["q", "z"]


def test_a_package_without_rules_is_in_the_tree() -> None:
    found = tree("package a.b", "package t\n\np := 1")
    node = found.root.find(("a", "b"))
    assert node is not None
    assert (node.group, node.children) == (-1, {})


def test_groups_are_numbered_by_path() -> None:
    assert tree("package t\n\nb := 1\n\na := 2").paths == [("t", "a"), ("t", "b")]
