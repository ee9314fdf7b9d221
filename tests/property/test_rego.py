"""Compiled Rego against a plain interpreter of its plan, on objects as they come and as they should not."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from bench.rego_cases import Rule, rules
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.rego_reference import Conflict, Reference

from sekisho import rego
from sekisho.diag import DiagnosticError, Source
from sekisho.rego.capabilities import NONE
from sekisho.rego.check import check, known_builtins
from sekisho.rego.parser import parse_module
from sekisho.rego.plan.planner import Unit
from sekisho.rego.values import Set, equal

RULES = {rule.name: rule for rule in rules()}
SCALARS = st.sampled_from([None, True, False, 0, 1, -1, 1.5, 10**20, "", "x", "1Gi", "200m", "*", "web"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "image", "host", "limits", "path", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def both(text: str) -> tuple[rego.Program, Reference]:
    program = rego.compile({"t.rego": text})
    checked = check([parse_module(Source("t.rego", text), dialect=rego.Dialect.V1)])
    return program, Reference(program, Unit(checked, known_builtins(NONE)))


PROGRAMS = {name: both(rule.text) for name, rule in RULES.items()}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for k, v in value.items():
            found += places(v, (*path, k))
    elif isinstance(value, list):
        for k, v in enumerate(value):
            found += places(v, (*path, k))
    return found


@st.composite
def documents(draw: st.DrawFn, rule: Rule) -> Any:
    document = copy.deepcopy(draw(st.sampled_from(rule.inputs)))
    for _ in range(draw(st.integers(0, 4))):
        path = draw(st.sampled_from(places(document) or [("review",)]))
        place = document
        for step in path[:-1]:
            place = place[step]
        if draw(st.booleans()):
            place[path[-1]] = draw(VALUES)
        else:
            place.pop(path[-1], None) if isinstance(place, dict) else place.pop(path[-1])
    return document


def outcome(work: Any) -> Any:
    try:
        return work()
    except Conflict:
        return "conflict"
    except DiagnosticError as error:
        return "conflict" if error.diagnostics[0].code.alias == "eval_conflict_error" else str(error)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return bool(a == b)
    return type(a) is type(b) and equal(a, b)


@pytest.mark.parametrize("name", sorted(RULES))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_rules_on_damaged_objects(name: str, data: st.DataObject) -> None:
    rule = RULES[name]
    program, reference = PROGRAMS[name]
    document = data.draw(documents(rule))
    before = json.dumps(document)
    entry = program.rule("data.template.violation")
    found = outcome(lambda: entry(document, {}))
    want = outcome(lambda: reference.rule("data.template.violation", document, {}))
    assert same(found, want)
    assert json.dumps(document) == before
    explained = outcome(lambda: program.explain_reads("data.template.violation", document, {}))
    if isinstance(found, Set):
        assert [element for element, _ in explained] == list(found)
    else:
        assert explained == found
