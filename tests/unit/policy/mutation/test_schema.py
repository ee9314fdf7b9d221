"""Conflicts between mutators: Gatekeeper's own tables (pkg/mutation/schema), in our words and values."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.policy.mutation.made import mutator

from sekisho.kube.object import Object
from sekisho.policy.mutation import Mutators

CONSTANT = {"assign": {"value": {"name": "a", "id": "a", "image": "a", "list": "a", "container": "a"}}}
EXTERNAL = {"assign": {"externalData": {"provider": "p"}}}
SET = {"values": {"fromList": ["a"]}}
TAG = {"assignTag": ":v1"}

ROW = tuple[str, str]
"""How a mutator implies something: its location, after a mark for its kind.

``=`` is an Assign of a value, of which nothing is known; ``{}`` a ModifySet, ``:`` an AssignImage, and ``?`` an
Assign of external data; of the last two nothing can be below.
"""


def made(name: str, row: str, *, kinds: str = "Widget", operations: str = "*") -> Object:
    mark, _, location = row.partition(" ")
    kind, parameters = {
        "=": ("Assign", CONSTANT),
        "?": ("Assign", EXTERNAL),
        "{}": ("ModifySet", SET),
        ":": ("AssignImage", TAG),
    }[mark]
    apply_to: dict[str, Any] = {"groups": [""], "versions": ["v1"], "kinds": kinds.split()}
    return mutator(
        kind,
        name,
        location=location,
        parameters=parameters,
        applyTo=[{**apply_to, "operations": operations.split()}],
    )


def disabled(*objects: Object) -> set[str]:
    return {mutator.object.name for mutator in Mutators.build(objects).disabled}


TABLE = [
    ("one", ["= spec.name"], ""),
    ("different children", ["= spec.name", "= spec.parts[list: a]"], ""),
    ("an object and a list", ["= spec.name", "= spec[list: a]"], "01"),
    ("an object and a list with its key", ["= spec.name", "= spec[name: a]"], "01"),
    ("anything and a list", ["= spec.parts", "= spec.parts[name: a].image"], ""),
    ("anything and an object", ["= spec.parts", "= spec.parts.image"], ""),
    ("anything and a set", ["= spec.parts", "{} spec.parts"], ""),
    ("a list and a set", ["= spec.parts[name: a]", "{} spec.parts"], "01"),
    ("a set and a text", ["{} spec.parts[name: a].images", ": spec.parts[name: a].images"], "01"),
    ("a set and a text below it", [": spec.parts.image", "{} spec.parts"], "01"),
    ("an object and a set", ["= spec.parts.name", "{} spec.parts"], "01"),
    ("two keys of a list", ["= spec[image: a]", "= spec[name: a]"], "01"),
    ("two keys of a list below", ["= spec.parts[id: a].x", "= spec.parts[name: a].x"], "01"),
    (
        "several at once",
        ["= spec.container.name", "= spec.container[name: a]", "= spec[container: a].name"],
        "012",
    ),
    ("beyond an end that may go on", ["= spec.fields.a", "= spec.fields.a.b"], ""),
    ("beyond an end", ["? spec.fields.a", "= spec.fields.a.b"], "01"),
    ("beyond an end that comes after", ["= spec.fields.a.b", "= spec.fields.a", "? spec.fields.a"], "02"),
    ("beyond an end above", ["? spec.fields.a", "= spec.fields.a", "? spec.fields"], "012"),
    (
        "two ends at one place",
        ["? spec.fields.a", "= spec.fields.a", "= spec.fields.c", "? spec.fields.a"],
        "",
    ),
    ("an end and another place", ["? spec.fields.a", "= spec.fields.c"], ""),
    ("beyond the end of an image", [": spec.image", "= spec.image.x"], "01"),
    ("one item and every item", ["= spec.parts[name: a].x", "= spec.parts[name: *].x"], ""),
    ("external data and beyond, in items", ["? spec.parts[name: a].x", "= spec.parts[name: *].x.y"], "01"),
    ("beyond, and external data, in items", ["= spec.parts[name: a].x.y", "? spec.parts[name: *].x"], "01"),
    ("external data twice, in items", ["? spec.parts[name: a].x", "? spec.parts[name: *].x"], ""),
    (
        "what is further down takes part",
        ["= spec.parts[name: a]", "= spec.parts[name: a].x", "= spec.parts.name", "= spec.parts.name.x"],
        "0123",
    ),
    ("the same location twice", ["= spec.parts[name: a]", "= spec.parts[name: a]"], ""),
]


@pytest.mark.parametrize(("rows", "want"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_conflicts(rows: list[str], want: str) -> None:
    objects = [made(str(number), row) for number, row in enumerate(rows)]
    assert disabled(*objects) == set(want)
    assert disabled(*reversed(objects)) == set(want)


def test_other_kinds_are_no_conflict() -> None:
    assert (
        disabled(made("a", "= spec.name", kinds="Widget"), made("b", "= spec[name: a]", kinds="Gadget"))
        == set()
    )


def test_other_operations_are_no_conflict() -> None:
    a = made("a", "= spec.name", operations="CREATE")
    assert disabled(a, made("b", "= spec[name: a]", operations="UPDATE")) == set()
    assert disabled(a, made("b", "= spec[name: a]", operations="CREATE")) == {"a", "b"}
    assert disabled(a, made("b", "= spec[name: a]")) == {"a", "b"}


def test_conflicts_do_not_spread() -> None:
    rows = [
        made("a", "= spec.name.x", kinds="Widget"),
        made("b", "= spec[name: a].x", kinds="Widget Gadget"),
        made("c", "= spec[name: a].y", kinds="Gadget"),
    ]
    assert disabled(*rows) == {"a", "b"}


def test_a_mutator_may_be_in_conflict_for_two_kinds() -> None:
    rows = [
        made("a", "= spec.name.x", kinds="Widget"),
        made("b", "= spec[name: a].x[tag: v1].id", kinds="Widget Gadget"),
        made("c", "= spec[name: a].x.tag.id", kinds="Gadget"),
    ]
    assert disabled(*rows) == {"a", "b", "c"}
    assert disabled(*rows[1:]) == {"b", "c"}


def test_without_the_other_one_there_is_no_conflict() -> None:
    rows = [made("a", "= spec.name.x"), made("b", "= spec[name: a].x")]
    assert disabled(rows[0]) == disabled(rows[1]) == set()


def test_labels_are_in_conflict_with_nothing() -> None:
    label = mutator(
        "AssignMetadata", "l", location="metadata.labels.a", parameters={"assign": {"value": "b"}}
    )
    assert disabled(label, made("a", "= spec.labels")) == set()


def test_each_is_told_with_those_that_it_is_in_conflict_with() -> None:
    system = Mutators.build(
        [made("b", "= spec.name"), made("a", "= spec[name: a]"), made("c", "= spec[name: b].x")]
    )
    assert [(problem.code.id, problem.policy) for problem in system.problems] == [
        ("POL037", "Assign/a"),
        ("POL037", "Assign/b"),
        ("POL037", "Assign/c"),
    ]
    text = "the following mutators have conflicting schemas: Assign/a, Assign/b, Assign/c"
    assert {problem.message for problem in system.problems} == {text}


def test_many_are_told_shortly() -> None:
    rows = [made(f"m{number:03}", f"= spec[name: n{number}].x") for number in range(200)]
    system = Mutators.build([*rows, made("z", "= spec.name")])
    assert len(system.problems) == 201
    assert max(len(problem.message) for problem in system.problems) < 200
    assert "and 195 more" in system.problems[0].message
