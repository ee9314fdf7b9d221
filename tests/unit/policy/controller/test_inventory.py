"""The inventory, changed object by object, is that of all objects."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.kube.object import Object
from sekisho.policy.controller.inventory import changed, inventory_of


def thing(namespace: str, kind: str, name: str, value: int) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return Object({"apiVersion": "v1", "kind": kind, "metadata": metadata, "value": value})


ROWS = st.tuples(
    st.sampled_from(["", "a", "b"]), st.sampled_from(["X", "Y"]), st.sampled_from("mn"), st.integers(0, 3)
)


@settings(max_examples=200, deadline=None)
@given(batches=st.lists(st.lists(st.tuples(ROWS, st.booleans()), max_size=5), max_size=6))
def test_any_changes_give_what_building_anew_gives(batches: list[list[tuple[Any, bool]]]) -> None:
    known: dict[tuple[str, str, str], Object] = {}
    inventory = inventory_of(())
    for batch in batches:
        before, copied = inventory, copy.deepcopy(inventory)
        changes = []
        for (namespace, kind, name, value), gone in batch:
            object = thing(namespace, kind, name, value)
            if gone:
                known.pop((namespace, kind, name), None)
            else:
                known[namespace, kind, name] = object
            changes.append((object, None if gone else object))
        inventory = changed(before, changes)
        assert before == copied
        assert inventory == inventory_of(known.values())
