from __future__ import annotations

from typing import Any

import pytest

from sekisho.kube.object import Object, value_at
from sekisho.kube.podspec import POD_SPEC_PATHS, containers, images, pod_spec

SPEC: dict[str, Any] = {
    "containers": [{"name": "app", "image": "app:1"}, "broken", {"name": "none"}],
    "initContainers": [{"name": "init", "image": "init:1", "restartPolicy": "Always"}],
    "ephemeralContainers": [{"name": 3, "image": "debug:1"}],
    "volumes": [{"name": "empty"}, {"name": "data", "image": {"reference": "data:1"}}, 7],
}


def wrap(path: tuple[str | int, ...], spec: Any) -> Any:
    for step in reversed(path):
        spec = {step: spec}
    return spec


@pytest.mark.parametrize(("group", "kind"), sorted(POD_SPEC_PATHS))
def test_every_workload_kind_has_its_pod_spec(group: str, kind: str) -> None:
    path = POD_SPEC_PATHS[group, kind]
    raw = {"apiVersion": f"{group}/v1" if group else "v1", "kind": kind, **wrap(path, SPEC)}
    object = Object(raw)
    spec = pod_spec(object)
    assert spec is not None
    assert spec.raw is SPEC
    assert spec.path == path
    found = containers(object)
    assert [item.name for item in found] == ["init", "app", "none", ""]
    assert [item.sidecar for item in found] == [True, False, False, False]
    for item in found:
        assert value_at(raw, item.path) is item.raw
    uses = images(object)
    assert [use.reference for use in uses] == ["init:1", "app:1", "debug:1", "data:1"]
    for use in uses:
        assert value_at(raw, use.path) == use.reference


def test_there_are_nine_kinds() -> None:
    assert len(POD_SPEC_PATHS) == 9


def test_the_metadata_of_the_pods_comes_along() -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {}}
    spec = pod_spec(Object({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": template}}))
    assert spec is not None
    assert spec.metadata == {"labels": {"a": "b"}}
    assert spec.metadata_path == ("spec", "template", "metadata")


def test_one_list_can_be_asked_for() -> None:
    spec = pod_spec(Object({"apiVersion": "v1", "kind": "Pod", "spec": SPEC}))
    assert spec is not None
    assert [item.list for item in spec.containers("containers")] == ["containers", "containers"]


@pytest.mark.parametrize(
    "raw",
    [
        {"apiVersion": "v1", "kind": "ConfigMap"},
        {"apiVersion": "example.com/v1", "kind": "Deployment", "spec": {"template": {"spec": {}}}},
        {"apiVersion": "v1", "kind": "Pod"},
        {"apiVersion": "v1", "kind": "Pod", "spec": []},
        {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": 1}},
    ],
)
def test_what_has_no_pod_spec(raw: dict[str, Any]) -> None:
    assert pod_spec(Object(raw)) is None
    assert containers(Object(raw)) == ()
    assert images(Object(raw)) == ()


def test_malformed_lists_are_left_to_the_schema() -> None:
    object = Object({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": {}, "volumes": 3}})
    assert containers(object) == ()
    assert images(object) == ()
