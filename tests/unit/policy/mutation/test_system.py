from __future__ import annotations

from typing import Any

import pytest
from tests.unit.policy.mutation.made import assign, mutate, mutator, widget

from sekisho.diag import Deadline, DiagnosticError
from sekisho.kube import patch
from sekisho.kube.object import Object
from sekisho.kube.review import Operation
from sekisho.policy.match import Subject
from sekisho.policy.mutation import Mutators, Occasion, system


def label(name: str, key: str, value: str, **spec: Any) -> Object:
    parameters = {"assign": {"value": value}}
    return mutator("AssignMetadata", name, location=f"metadata.labels.{key}", parameters=parameters, **spec)


def when(**labels: str) -> dict[str, Any]:
    return {"labelSelector": {"matchLabels": labels}}


def test_mutators_are_applied_by_kind_and_name() -> None:
    rows = [
        mutator("ModifySet", "a", location="spec.a", parameters={"values": {"fromList": [1]}}),
        assign("spec.b", 1, "b"),
        assign("spec.b", 2, "a"),
        label("z", "a", "b"),
    ]
    names = [row.policy for row in Mutators.build(rows).mutators]
    assert names == ["Assign/a", "Assign/b", "AssignMetadata/z", "ModifySet/a"]


def test_the_last_one_wins() -> None:
    result = mutate(widget({}), assign("spec.a", 1, "a"), assign("spec.a", 2, "b"))
    assert result.object.raw["spec"] == {"a": 2}
    assert result.passes == 1


def test_passes_go_on_until_nothing_changes() -> None:
    # Applied in this order, each makes the one before it match.
    rows = [
        label("a", "c", "1", match=when(b="1")),
        label("b", "b", "1", match=when(a="1")),
        label("c", "a", "1"),
    ]
    result = mutate(widget(), *rows)
    assert result.object.labels == {"a": "1", "b": "1", "c": "1"}
    assert result.passes == 3
    assert [change.mutator.object.name for change in result.changes] == ["c", "b", "a"]


def test_what_is_undone_in_one_pass_is_no_mutation() -> None:
    object = widget({"a": "y"})
    result = mutate(object, assign("spec.a", "x", "a"), assign("spec.a", "y", "b"))
    assert not result.mutated
    assert result.object is object
    assert (result.changes, result.patch, result.passes) == ((), (), 0)


def becomes(name: str, old: str, new: str) -> Object:
    """A mutator that changes an object's kind."""
    apply_to = [{"groups": [""], "versions": ["v1"], "kinds": [old]}]
    return mutator("Assign", name, location="kind", parameters={"assign": {"value": new}}, applyTo=apply_to)


ENDLESS = [becomes("a", "C", "Widget"), becomes("b", "B", "C"), becomes("c", "Widget", "B")]
"""Widget becomes B; B becomes C; C becomes Widget, and B in the same pass; and so on."""


def test_an_object_that_comes_back_does_not_converge() -> None:
    with pytest.raises(DiagnosticError) as found:
        mutate(widget(), *ENDLESS)
    (problem,) = found.value.diagnostics
    assert problem.code.id == "POL040"
    assert (
        problem.message
        == "mutation not converging for Widget cog: each pass changes what the one before it made"
    )
    assert problem.help == "it goes round between Assign/a, Assign/c, Assign/b"
    assert [note.message for note in problem.notes] == [
        "Assign/a is here",
        "Assign/c is here",
        "Assign/b is here",
    ]


def test_a_cycle_is_seen_long_before_the_last_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "STEPS", system.Limit("mutation", 500, "steps", ""))
    idle = [label(f"m{number}", "a", "b", match={"name": "another"}) for number in range(60)]
    with pytest.raises(DiagnosticError, match="POL040"):
        mutate(widget(), *ENDLESS, *idle)


def test_a_kind_that_changes_is_seen_in_the_same_pass() -> None:
    rows = [becomes("a", "Widget", "B"), becomes("b", "B", "C"), becomes("c", "Widget", "D")]
    result = mutate(widget(), *rows)
    assert result.object.kind == "C"
    assert result.passes == 1


def test_steps_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "STEPS", system.Limit("mutation", 5, "steps", "a test"))
    rows = [label(f"m{number}", f"k{number}", "v") for number in range(4)]
    with pytest.raises(DiagnosticError) as found:
        mutate(widget(), *rows)
    assert found.value.diagnostics[0].code.id == "POL044"
    assert found.value.diagnostics[0].message == (
        "mutation of Widget cog was stopped: mutation is limited to 5 steps (a test)"
    )


def test_time_is_limited() -> None:
    rows = [label(f"m{number:03}", f"k{number}", "v") for number in range(200)]
    with pytest.raises(DiagnosticError, match="mutation of Widget cog was stopped: no time was left"):
        mutate(widget(), *rows, deadline=Deadline.after(-1))


def test_objects_are_matched_as_they_are_by_then() -> None:
    rows = [label("a", "team", "core"), label("b", "seen", "yes", match=when(team="core"))]
    assert mutate(widget(), *rows).object.labels == {"team": "core", "seen": "yes"}


@pytest.mark.parametrize(
    ("asked", "source", "applied"),
    [
        (None, "Original", True),
        (None, "Generated", True),
        ("All", "Original", True),
        ("All", "Generated", True),
        ("Original", "Original", True),
        ("Original", "Generated", False),
        ("Generated", "Original", False),
        ("Generated", "Generated", True),
    ],
)
def test_sources(asked: str | None, source: str, applied: bool) -> None:
    match = {"source": asked} if asked else {}
    assert mutate(widget(), label("a", "a", "b", match=match), source=source).mutated is applied


def test_operations() -> None:
    create = [{"groups": [""], "versions": ["v1"], "kinds": ["Widget"], "operations": ["CREATE"]}]
    rule = assign("spec.a", 1, applyTo=create)
    assert mutate(widget(), rule, operation=Operation.CREATE).mutated
    assert not mutate(widget(), rule, operation=Operation.UPDATE).mutated
    assert not mutate(widget(), rule).mutated


def test_a_match_that_cannot_be_answered() -> None:
    rule = label("a", "a", "b", match={"namespaceSelector": {"matchLabels": {"x": "y"}}})
    with pytest.raises(DiagnosticError) as found:
        mutate(widget(namespace="shop"), rule)
    (problem,) = found.value.diagnostics
    assert problem.code.id == "POL042"
    assert problem.message == (
        "matching for mutator AssignMetadata/a failed for Widget shop/cog: "
        "namespace selector for namespace-scoped object but missing Namespace"
    )
    assert problem.help == "add the Namespace shop to the input"


def test_the_namespace_is_looked_at() -> None:
    rule = label("a", "a", "b", match={"namespaceSelector": {"matchLabels": {"x": "y"}}})
    around = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"x": "y"}}}
    subject = Subject(object=widget(namespace="shop"), namespace=Object(around))
    assert Mutators.build([rule]).mutate(subject, Occasion()).mutated


def test_wrong_mutators_are_left_out_and_told() -> None:
    built = Mutators.build([assign("spec.", 1, "bad"), assign("spec.a", 1, "good"), widget()])
    assert [row.object.name for row in built.mutators] == ["good"]
    assert [problem.code.id for problem in built.problems] == ["POL031"]


def test_the_last_of_two_with_one_name_holds() -> None:
    built = Mutators.build([assign("spec.a", 1), assign("spec.a", 2)])
    assert [problem.code.id for problem in built.problems] == ["POL038"]
    assert built.mutate(Subject(object=widget())).object.raw["spec"] == {"a": 2}


def test_the_same_mutator_twice_is_one() -> None:
    assert not Mutators.build([assign("spec.a", 1), assign("spec.a", 1)]).problems


def test_all_kinds_together_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "BINDINGS", system.Limit("applyTo", 2, "kinds", "a test"))
    built = Mutators.build([assign(f"spec.a{number}", 1, f"m{number}") for number in range(4)])
    assert [row.object.name for row in built.mutators] == ["m0", "m1"]
    assert [problem.code.id for problem in built.problems] == ["POL039"]


def test_the_patch_makes_the_object() -> None:
    object = widget({"a": [{"n": "x"}], "b": 1}, labels={"k": "v"})
    result = mutate(
        object, assign("spec.a[n: x].c.d", [1], "a"), assign("spec.b", {"e": None}, "b"), label("l", "m", "n")
    )
    assert patch.apply(object.raw, result.patch) == result.object.raw


def test_a_thousand_mutators_of_one_kind() -> None:
    rows = [assign(f"spec.f{number:04}", number, f"m{number:04}") for number in range(1000)]
    result = mutate(widget({}), *rows)
    assert len(result.changes) == 1000
    assert result.passes == 1


def test_items_of_lists_are_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "STEPS", system.Limit("mutation", 100, "steps", "a test"))
    object = widget({"list": [{"n": number} for number in range(200)]})
    with pytest.raises(DiagnosticError, match="limited to 100 steps"):
        mutate(object, assign("spec.list[n: *].x", 1))


def test_what_is_set_is_limited_however_often_it_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "SET", system.Limit("mutation", 10_000, "characters", "a test"))
    object = widget({"list": [{"n": number} for number in range(200)]})
    assert mutate(object, assign("spec.list[n: *].x", {"text": "a" * 10})).mutated
    with pytest.raises(DiagnosticError) as found:
        mutate(object, assign("spec.list[n: *].x", {"text": "a" * 100}))
    assert found.value.diagnostics[0].code.id == "POL044"
