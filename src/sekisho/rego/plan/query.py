"""Planning of queries: bodies whose solutions are shown."""

from __future__ import annotations

from dataclasses import dataclass

from sekisho.rego.check.program import CheckedQuery
from sekisho.rego.plan import ir
from sekisho.rego.plan.body import BodyPlanner
from sekisho.rego.plan.ir import Const, Operand
from sekisho.rego.plan.planner import Unit
from sekisho.rego.plan.terms import Names


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """A planned query: its block, the operand of each expression's value, and of each variable shown."""

    block: ir.Block
    values: tuple[Operand, ...]
    bindings: tuple[tuple[str, Operand], ...]


def plan_query(unit: Unit, module: int, query: CheckedQuery) -> QueryPlan:
    """Plan a query; ``module`` is the number that its source will have."""
    planner = BodyPlanner(unit, module, Names())
    planner.ordered = True
    planner.body(query.body)
    values = tuple(Const(True) if name is None else planner.bound[name] for _, name in query.expressions)
    bindings = tuple((shown, planner.bound[name]) for name, shown in query.variables.items())
    return QueryPlan(planner.block, values, bindings)
