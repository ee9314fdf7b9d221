"""Every row of Gatekeeper's own tables for applyTo (pkg/mutation/match), in our words and values."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.policy.mutation.made import loaded

from sekisho.kube.gvk import GVK
from sekisho.kube.review import Operation
from sekisho.policy.mutation.mutator import Mutator

GEAR = GVK("factory.example", "v1", "Gear")
BOLT = GVK("", "v1", "Bolt")
CREATE, UPDATE, DELETE, CONNECT, NONE = (
    Operation.CREATE,
    Operation.UPDATE,
    Operation.DELETE,
    Operation.CONNECT,
    Operation.NONE,
)


def entry(gvk: GVK, *operations: str, **more: list[str]) -> dict[str, Any]:
    group, version, kind = gvk
    made: dict[str, Any] = {"groups": [group], "versions": [version], "kinds": [kind], **more}
    return {**made, "operations": list(operations)} if operations else made


def rule(*entries: dict[str, Any]) -> Mutator:
    return loaded("Assign", location="spec.a", parameters={"assign": {"value": 1}}, applyTo=list(entries))


KINDS = [
    ("the kind", [entry(GEAR)], True),
    ("another group", [entry(GVK("other.example", "v1", "Gear"))], False),
    ("another version", [entry(GVK("factory.example", "v2", "Gear"))], False),
    ("another kind", [entry(GVK("factory.example", "v1", "Bolt"))], False),
    (
        "one of each",
        [{"groups": ["a", "factory.example"], "versions": ["v0", "v1"], "kinds": ["Bolt", "Gear"]}],
        True,
    ),
    ("the second entry", [entry(BOLT), entry(GEAR)], True),
    (
        "a part in each entry",
        [entry(GVK("other.example", "v1", "Gear")), entry(GVK("factory.example", "v2", "Gear")), entry(BOLT)],
        False,
    ),
    ("a star is no wildcard", [{"groups": ["*"], "versions": ["*"], "kinds": ["*"]}], False),
]


@pytest.mark.parametrize(("entries", "want"), [row[1:] for row in KINDS], ids=[row[0] for row in KINDS])
def test_kinds(entries: list[dict[str, Any]], want: bool) -> None:
    assert rule(*entries).applies(GEAR, CREATE) is want


OPERATIONS = [
    ((), {CREATE, UPDATE, NONE}),
    (("*",), {CREATE, UPDATE, NONE}),
    (("CREATE", "UPDATE"), {CREATE, UPDATE, NONE}),
    (("CREATE",), {CREATE}),
    (("UPDATE",), {UPDATE}),
]


@pytest.mark.parametrize(("words", "want"), OPERATIONS)
@pytest.mark.parametrize("operation", list(Operation))
def test_operations(words: tuple[str, ...], want: set[Operation], operation: Operation) -> None:
    assert rule(entry(GEAR, *words)).applies(GEAR, operation) is (operation in want)


BOTH = [
    ("kind and operation", [entry(BOLT, "CREATE")], BOLT, CREATE, True),
    ("kind, not operation", [entry(BOLT, "CREATE")], BOLT, UPDATE, False),
    ("kind here, operation there", [entry(BOLT, "CREATE"), entry(GEAR, "UPDATE")], BOLT, UPDATE, False),
    ("both in the second", [entry(BOLT, "CREATE"), entry(GEAR, "UPDATE")], GEAR, UPDATE, True),
    ("any operation", [entry(BOLT)], BOLT, UPDATE, True),
    ("no operation, one meant", [entry(BOLT, "CREATE")], BOLT, NONE, False),
    ("no operation, all meant", [entry(BOLT, "CREATE", "UPDATE")], BOLT, NONE, True),
    # Two entries that mean all operations together do not mean all of them each.
    ("no operation, all meant by two", [entry(BOLT, "CREATE"), entry(BOLT, "UPDATE")], BOLT, NONE, False),
]


@pytest.mark.parametrize(
    ("entries", "gvk", "operation", "want"), [row[1:] for row in BOTH], ids=[row[0] for row in BOTH]
)
def test_kind_and_operation_in_one_entry(
    entries: list[dict[str, Any]], gvk: GVK, operation: Operation, want: bool
) -> None:
    assert rule(*entries).applies(gvk, operation) is want


def test_assign_metadata_is_about_everything() -> None:
    mutator = loaded("AssignMetadata", location="metadata.labels.a", parameters={"assign": {"value": "b"}})
    assert mutator.applies(GEAR, NONE)
    assert mutator.applies(BOLT, CREATE)
