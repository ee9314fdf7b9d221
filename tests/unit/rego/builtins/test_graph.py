"""graph.*: nodes and paths that can be reached (values checked against opa 1.19)."""

import pytest

from sekisho.lang.meter import Exhausted
from sekisho.rego.values import Set


@pytest.mark.parametrize(
    ("graph", "start", "nodes"),
    [
        ({"a": ["b"], "b": ["c", "d"], "c": ["a"]}, ["a"], ["a", "b", "c"]),
        ({"a": Set.of(["b"]), "b": []}, Set.of(["a"]), ["a", "b"]),
        ({"a": 5, "b": ["a"]}, ["b", "x"], ["a", "b"]),
        ({}, ["a"], []),
    ],
)
def test_reachable(call, graph, start, nodes):
    assert call("graph.reachable", graph, start) == Set.of(nodes)


@pytest.mark.parametrize(
    ("graph", "start", "paths"),
    [
        ({"a": ["b"], "b": ["c", "d"], "c": ["a"], "d": []}, ["a"], [["a", "b", "c"], ["a", "b", "d"]]),
        ({"a": [], "b": ["a"]}, ["a", "b"], [["a"], ["b", "a"]]),
        ({"a": ["b", "a"]}, ["a"], [["a"], ["a", "a"]]),  # a root may lead to itself once
        ({"a": ["x"]}, ["a", "x"], [["a"]]),
    ],
)
def test_reachable_paths(call, graph, start, paths):
    assert call("graph.reachable_paths", graph, start) == Set.of(paths)


def test_wrong_operands(call):
    assert call("graph.reachable", [], []) == "eval_type_error: operand 1 must be object but got array"
    expected = "eval_type_error: operand 2 must be {array, set} but got string"
    assert call("graph.reachable_paths", {}, "x") == expected


def test_paths_of_a_clique_exhaust_the_meter(call):
    nodes = list(range(40))
    with pytest.raises(Exhausted):
        call("graph.reachable_paths", dict.fromkeys(nodes, nodes), [0])
