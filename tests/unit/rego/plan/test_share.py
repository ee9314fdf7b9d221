"""Clauses that begin alike."""

from __future__ import annotations

from sekisho import rego
from sekisho.diag import Source
from sekisho.rego.capabilities import NONE
from sekisho.rego.check import check, known_builtins
from sekisho.rego.parser import parse_module
from sekisho.rego.plan import ir
from sekisho.rego.plan.planner import Unit
from sekisho.rego.plan.share import share


def clauses(text: str) -> list[ir.Clause]:
    module = parse_module(Source("t.rego", f"package t\n\n{text}"), dialect=rego.Dialect.V1)
    unit = Unit(check([module]), known_builtins(NONE))
    return share(unit.groups()[unit.tree.group(("t", "p"))].clauses)


def test_one_loop_serves_all_clauses() -> None:
    (clause,) = clauses(
        "p contains x if { x := input.xs[_]; x > 1 }\n\n"
        "p contains [y, 1] if { y := input.xs[_]; y > 2 }\n\n"
        'p contains "z" if { z := input.xs[_]; z > 3 }'
    )
    *start, branch = clause.block
    assert [type(ins) for ins in start] == [ir.Path, ir.Scan]
    assert isinstance(branch, ir.Branch)
    element = start[1].value
    assert [arm.block[0].args[0] for arm in branch.arms] == [element] * 3
    assert branch.arms[0].value == element


def test_clauses_without_a_common_loop_stay_apart() -> None:
    assert len(clauses("p contains 1 if input.a\n\np contains 2 if input.a")) == 2
    assert len(clauses("p contains x if x := input.a[_]\n\np contains x if x := input.b[_]")) == 2


def test_other_constants_are_other_beginnings() -> None:
    text = "p contains x if { x := input.xs[_]; f(x, 1) }\n\np contains x if { x := input.xs[_]; f(x, true) }\n\nf(a, b) if a == b"
    (clause,) = clauses(text)
    branch = clause.block[-1]
    assert isinstance(branch, ir.Branch)
    assert [arm.block[0].args[1].value for arm in branch.arms] == [1, True]


def test_a_key_that_looks_like_a_local_is_no_local() -> None:
    (clause,) = clauses(
        "p contains x if { x := input.xs[_]; x.e_2 }\n\np contains y if { y := input.xs[_]; y.e_2; y.xs_1 }"
    )
    branch = clause.block[-1]
    assert isinstance(branch, ir.Branch)
    paths = [ins.keys for arm in branch.arms for ins in arm.block if isinstance(ins, ir.Path)]
    assert paths == [("xs_1",)]
