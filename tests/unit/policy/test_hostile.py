"""Input that is meant to hurt: each gives an answer or a diagnostic, within the limits.

Mutators that go round are in ``mutation/test_system.py``, templates that expand one another in
``test_expansion.py``, and providers that hang or lie beside the providers.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.unit.policy.made import constraint, engine, pod, template

from sekisho.cli.inputs import read_objects
from sekisho.diag import Deadline, ObjectPath
from sekisho.kube.review import Outcome, Request, decide
from sekisho.policy import Ask, steps
from sekisho.policy.locate import LOCATED

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = {
    "type": "object",
    "properties": {
        "labels": {
            "type": "array",
            "items": {"type": "object", "properties": {"key": {"type": "string"}, "why": {"type": "string"}}},
        }
    },
}
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
MISSING = """
violation contains {"msg": l.key} if {
	some l in input.parameters.labels
	not input.review.object.metadata.labels[l.key]
}
"""
PODS = {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "namespaces": ["shop", "a*"]}


def test_ten_thousand_constraints() -> None:
    rows = [
        constraint(f"c{number}", match=PODS, parameters={"labels": [{"key": f"k{number}"}]})
        for number in range(10_000)
    ]
    made = engine(template(MISSING, schema=LABELS), *rows)
    found = made.review(Request.of(pod()), Ask(deadline=Deadline.after(60.0)))
    assert len(made.constraints) == len(found) == 10_000
    assert not made.review(Request.of(pod(namespace="other")))


def test_a_constraint_of_five_megabytes(tmp_path: Path) -> None:
    rows = [{"key": f"k{number}", "why": "x" * 150} for number in range(25_000)]
    names = [f"namespace-{number}" for number in range(50_000)]
    big = constraint("big", match={"namespaces": [*names, "shop"]}, parameters={"labels": rows})
    (tmp_path / "big.json").write_text(json.dumps(big.raw), encoding="utf-8")
    (tmp_path / "template.json").write_text(json.dumps(template(MISSING, schema=LABELS).raw))
    assert (tmp_path / "big.json").stat().st_size > 5_000_000
    inputs = read_objects([str(tmp_path)])
    assert not inputs.problems
    made = engine(*inputs.objects)
    found = made.review(Request.of(pod()), Ask(deadline=Deadline.after(60.0)))
    assert len(found) == 25_000
    assert LOCATED.exceeded_by(len(found))
    assert {row.diagnostic.at.path for row in found if isinstance(row.diagnostic.at, ObjectPath)} == {()}


def test_a_constraint_that_takes_all_the_time_denies() -> None:
    slow = """
violation contains {"msg": "never"} if {
	some a in numbers.range(1, 100000)
	some b in numbers.range(1, 100000)
	a + b == 0
}
"""
    made = engine(template(slow), constraint(), constraint("second"))
    verdict = decide(steps(made), Request.of(pod()), now=NOW, deadline=Deadline.after(0.3))
    assert verdict.outcome is Outcome.DENY
    assert [row.diagnostic.code.id for row in verdict.findings] == ["POL101", "POL101"]
    first, second = (row.diagnostic.message for row in verdict.findings)
    assert first.startswith("eval_cancel_error")
    assert second == "no time was left to evaluate it"


def test_many_short_evaluations_end_with_the_time_too() -> None:
    made = engine(template(), *(constraint(f"c{number}") for number in range(100)))
    found = made.review(Request.of(pod()), Ask(deadline=Deadline.after(-1.0)))
    assert {(row.diagnostic.code.id, row.diagnostic.message) for row in found} == {
        ("POL101", "no time was left to evaluate it")
    }
    assert len(found) == 100


def test_deep_parameters_are_a_violation_where_they_are_read() -> None:
    value: object = 1
    for _ in range(5_000):
        value = {"a": value}
    reads = 'violation contains {"msg": json.marshal(input.parameters)}'
    made = engine(template(reads, schema=OPEN), constraint(parameters={"deep": value}))
    (found,) = made.review(Request.of(pod()))
    assert found.diagnostic.code.id == "POL101"
