"""Strategic merge patches: which lists merge, in which order, and what the directives do."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.kube.schema import Schema
from sekisho.kube.schema.builtin import builtin
from sekisho.kube.strategic import PatchError, strategic_merge


def schema(group: str = "", version: str = "v1", kind: str = "Pod") -> Schema:
    found = builtin("1.33").lookup(group, version, kind)
    assert found is not None
    return found.schema


def pod(*containers: Any, **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


def named(*names: str) -> list[dict[str, Any]]:
    return [{"name": name} for name in names]


def of_spec(value: dict[str, Any], patch: dict[str, Any]) -> Any:
    return strategic_merge(value, {"spec": patch}, schema())["spec"]


ORDERS = [
    pytest.param({"containers": named("d", "a")}, "d a b c", id="of the patch, then what it does not name"),
    pytest.param({"containers": named("c", "d")}, "a b c d", id="before an item that came after it"),
    pytest.param(
        {"containers": named("d"), "$setElementOrder/containers": named("d", "b", "a")},
        "d b a c",
        id="said by the patch",
    ),
    pytest.param({"$setElementOrder/containers": named("c", "a")}, "b c a", id="said without a change"),
    pytest.param({"containers": [{"name": "b", "$patch": "delete"}]}, "a c", id="an item goes"),
    pytest.param({"containers": [{"$patch": "replace"}, *named("z")]}, "z", id="the list is replaced"),
    pytest.param({"containers": []}, "a b c", id="nothing to merge"),
]


@pytest.mark.parametrize(("patch", "wanted"), ORDERS)
def test_items_of_a_merged_list_and_their_order(patch: dict[str, Any], wanted: str) -> None:
    found = of_spec(pod(*named("a", "b", "c")), patch)
    assert [row["name"] for row in found["containers"]] == wanted.split()


def test_items_merge_by_their_key() -> None:
    old = pod({"name": "a", "image": "x", "env": [{"name": "E", "value": "1"}]})
    patch = {"containers": [{"name": "a", "env": [{"name": "F"}]}]}
    [found] = of_spec(old, patch)["containers"]
    assert found == {"name": "a", "image": "x", "env": [{"name": "F"}, {"name": "E", "value": "1"}]}


def test_a_list_without_a_strategy_is_replaced() -> None:
    found = of_spec(pod({"name": "a", "args": ["x"]}), {"containers": [{"name": "a", "args": ["y"]}]})
    assert found["containers"][0]["args"] == ["y"]


def test_null_takes_a_field_away_and_is_never_kept() -> None:
    found = of_spec(pod(nodeSelector={"a": "1"}), {"nodeSelector": None, "affinity": {"nodeAffinity": None}})
    assert found == {"containers": [], "affinity": {}}


PLAIN_LISTS = [
    pytest.param({"finalizers": ["c", "a"]}, ["c", "a", "b"], id="merge"),
    pytest.param({"$deleteFromPrimitiveList/finalizers": ["a"]}, ["b"], id="take out"),
    pytest.param(
        {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}, ["c", "b"], id="take out and add"
    ),
]


@pytest.mark.parametrize(("patch", "wanted"), PLAIN_LISTS)
def test_lists_of_plain_values(patch: dict[str, Any], wanted: list[str]) -> None:
    found = strategic_merge({"metadata": {"finalizers": ["a", "b"]}}, {"metadata": patch}, schema())
    assert found["metadata"]["finalizers"] == wanted


def test_only_the_keys_that_are_to_be_kept_stay() -> None:
    old = pod(volumes=[{"name": "v", "emptyDir": {}}])
    patch = {"volumes": [{"name": "v", "secret": {}, "$retainKeys": ["name", "secret"]}]}
    assert of_spec(old, patch)["volumes"] == [{"name": "v", "secret": {}}]


MAPS = [
    pytest.param({"$patch": "replace", "a": "2"}, {"a": "2"}, id="replace"),
    pytest.param({"$patch": "delete"}, {}, id="delete"),
    pytest.param({"a": "2"}, {"a": "2", "b": "1"}, id="merge"),
]


@pytest.mark.parametrize(("patch", "wanted"), MAPS)
def test_maps(patch: dict[str, str], wanted: dict[str, str]) -> None:
    assert of_spec(pod(nodeSelector={"a": "1", "b": "1"}), {"nodeSelector": patch})["nodeSelector"] == wanted


REFUSED = [
    pytest.param({"$patch": "merge"}, "unknown patch type: merge in map: map[$patch:merge]", id="directive"),
    pytest.param({"$retainKeys": "a"}, "invalid patch format of retainKeys", id="retain"),
    pytest.param({"$retainKeys": ["a"], "b": 1}, "invalid patch format of retainKeys", id="not kept"),
    pytest.param({"$setElementOrder": []}, "invalid patch format of setElementOrder list", id="order"),
    pytest.param({"$deleteFromPrimitiveList": []}, "invalid patch format of primitive list", id="primitive"),
    pytest.param({"containers": [[1]]}, "list element types are not identical: ", id="types"),
    pytest.param(
        {"containers": [{"image": "x"}]},
        "map: map[image:x] does not contain declared merge key: name",
        id="no key",
    ),
    pytest.param(
        {"containers": named("b", "a"), "$setElementOrder/containers": named("a", "b")},
        "The order in patch list:",
        id="order of the patch",
    ),
    pytest.param({"tolerations": [[1]]}, "", id="a list of lists where lists are replaced"),
]


@pytest.mark.parametrize(("patch", "text"), REFUSED)
def test_malformed_patches(patch: dict[str, Any], text: str) -> None:
    old = pod(*named("a", "b"), tolerations=[])
    if not text:
        assert of_spec(old, patch)["tolerations"] == [[1]]
        return
    with pytest.raises(PatchError) as raised:
        of_spec(old, patch)
    assert raised.value.text.startswith(text)


def test_a_patch_deeper_than_any_object_is_refused() -> None:
    patch: dict[str, Any] = {}
    value: dict[str, Any] = {}
    for _ in range(300):
        patch, value = {"a": patch}, {"a": value}
    with pytest.raises(PatchError):
        strategic_merge(value, patch, None)


def test_the_inputs_stay_as_they_were() -> None:
    old, patch = pod(*named("a")), {"spec": {"containers": [{"name": "a", "image": "x"}]}}
    strategic_merge(old, patch, schema())
    assert old == pod(*named("a"))
    assert patch == {"spec": {"containers": [{"name": "a", "image": "x"}]}}
