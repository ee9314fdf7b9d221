"""Custom resources: shaped, judged, selected, scaled, printed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.calling import Client, run
from tests.unit.apiserver.custom.made import CRDS, MERGE, WIDGETS, definition, version, widget

SCALE = {
    "specReplicasPath": ".spec.size",
    "statusReplicasPath": ".status.size",
    "labelSelectorPath": ".status.selector",
}
WHOLE = version(
    subresources={"status": {}, "scale": SCALE},
    selectableFields=[{"jsonPath": ".spec.color"}],
    additionalPrinterColumns=[
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1},
        {"name": "Color", "type": "string", "jsonPath": ".spec.color"},
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    ],
)


def served(folder: Path, work: Callable[[Client], Awaitable[Any]]) -> Any:
    async def whole(call: Client) -> Any:
        assert (await call("POST", CRDS, definition(WHOLE)))[0] == 201
        return await work(call)

    return run(folder, whole)


def test_unknown_fields_are_dropped_and_defaults_filled_in(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        answer = await call.raw("POST", WIDGETS, widget(size=1, junk=1, free={"any": 1}))
        return answer.code, json.loads(answer.body), answer.warnings

    code, made, warnings = served(tmp_path, work)
    assert (code, made["spec"]) == (201, {"size": 1, "color": "red", "free": {"any": 1}})
    assert warnings == ('unknown field "spec.junk"',)


def test_embedded_resources_keep_their_metadata(tmp_path: Path) -> None:
    template = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {"a": "b"}},
        "spec": {},
    }

    async def work(call: Client) -> Any:
        return (await call("POST", WIDGETS, widget(size=1, template=template)))[1]["spec"]["template"]

    assert served(tmp_path, work) == template


BLOCKED = "some validation rules were not checked because the object was invalid"


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"size": 12}, ["spec: Invalid value: too big"]),
        (
            {"size": -1},
            ["spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 0"],
        ),
        (
            {"size": "1"},
            [
                'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
                BLOCKED,
            ],
        ),
        ({}, ["spec.size: Required value", BLOCKED]),
        (
            {"size": 1, "color": "green"},
            ['spec.color: Unsupported value: "green": supported values: "red", "blue"'],
        ),
        ({"size": 1, "most": True}, ["spec.most: Invalid value"]),
        ({"size": 1, "tags": ["a", "a"]}, ['spec.tags[1]: Duplicate value: "a"']),
        (
            {"size": 1, "ports": [{"name": "a"}, {"name": "a"}]},
            ['spec.ports[1]: Duplicate value: {"name":"a"}'],
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, spec: Any, told: list[str]) -> None:
    async def work(call: Client) -> None:
        code, answer = await call("POST", WIDGETS, widget(**spec))
        assert code == 422
        assert [text for text in told if text not in answer["message"]] == []
        assert answer["details"]["kind"] == "Widget"

    served(tmp_path, work)


def test_a_rule_sees_the_old_object(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", WIDGETS, widget(size=5))
        code, answer = await call("PATCH", f"{WIDGETS}/a", {"spec": {"size": 4}}, MERGE)
        assert (code, answer["details"]["causes"][0]["message"]) == (422, "Invalid value: shrinks from 5")
        assert (await call("PATCH", f"{WIDGETS}/a", {"spec": {"size": 6}}, MERGE))[0] == 200

    served(tmp_path, work)


def test_what_was_wrong_before_and_has_not_changed_is_no_error(tmp_path: Path) -> None:
    stricter = json.loads(json.dumps(WHOLE))
    spec = stricter["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["size"]["maximum"] = 3
    spec["properties"]["ports"]["items"]["properties"]["port"]["maximum"] = 10
    spec["x-kubernetes-validations"] = [{"rule": "self.size < 2", "message": "new rule"}]

    async def work(call: Client) -> None:
        await call("POST", WIDGETS, widget(size=5, ports=[{"name": "a", "port": 50}]))
        await call("PATCH", f"{CRDS}/widgets.example.com", {"spec": {"versions": [stricter]}}, MERGE)
        answer = await call.raw("PATCH", f"{WIDGETS}/a", {"metadata": {"labels": {"x": "y"}}}, MERGE)
        assert (answer.code, answer.warnings) == (200, ("spec: Invalid value: new rule",))
        code, refused = await call("PATCH", f"{WIDGETS}/a", {"spec": {"color": "blue"}}, MERGE)
        assert (code, "new rule" in refused["message"]) == (422, True)
        assert "should be less than" not in refused["message"]
        ports = [{"name": "b", "port": 50}, {"name": "a", "port": 50}]
        code, refused = await call("PATCH", f"{WIDGETS}/a", {"spec": {"ports": ports}}, MERGE)
        assert [row["field"] for row in refused["details"]["causes"]] == ["spec.ports[0].port", "spec"]

    served(tmp_path, work)


def test_the_status_is_apart(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        body = widget(size=1)
        body["status"] = {"size": 9}
        _, made = await call("POST", WIDGETS, body)
        assert "status" not in made
        _, told = await call(
            "PATCH", f"{WIDGETS}/a/status", {"status": {"size": 1}, "spec": {"size": 7}}, MERGE
        )
        assert (told["status"], told["spec"]["size"], told["metadata"]["generation"]) == ({"size": 1}, 1, 1)
        _, changed = await call("PATCH", f"{WIDGETS}/a", {"spec": {"size": 2}, "status": {"size": 7}}, MERGE)
        assert (changed["status"], changed["metadata"]["generation"]) == ({"size": 1}, 2)

    served(tmp_path, work)


def test_scale(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", WIDGETS, widget(size=3))
        await call("PATCH", f"{WIDGETS}/a/status", {"status": {"size": 2, "selector": "a=b"}}, MERGE)
        _, scale = await call("GET", f"{WIDGETS}/a/scale")
        assert (scale["kind"], scale["spec"], scale["status"]) == (
            "Scale",
            {"replicas": 3},
            {"replicas": 2, "selector": "a=b"},
        )
        _, scale = await call("PATCH", f"{WIDGETS}/a/scale", {"spec": {"replicas": 5}}, MERGE)
        assert scale["spec"] == {"replicas": 5}
        scale["spec"]["replicas"] = 6
        assert (await call("PUT", f"{WIDGETS}/a/scale", scale))[0] == 200
        code, stale = await call("PUT", f"{WIDGETS}/a/scale", scale)
        assert (code, stale["reason"]) == (409, "Conflict")
        assert (await call("GET", f"{WIDGETS}/a"))[1]["spec"]["size"] == 6
        code, refused = await call("PATCH", f"{WIDGETS}/a/scale", {"spec": {"replicas": -1}}, MERGE)
        assert (code, "must be greater than or equal to 0" in refused["message"]) == (422, True)

    served(tmp_path, work)


def test_built_in_workloads_scale_too(tmp_path: Path) -> None:
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    labels = {"app": "web"}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
    }

    async def work(call: Client) -> None:
        await call("POST", deployments, body)
        _, scale = await call("PATCH", f"{deployments}/web/scale", {"spec": {"replicas": 0}}, MERGE)
        assert (scale["spec"], scale["status"]["selector"]) == ({}, "app=web")
        _, now = await call("GET", f"{deployments}/web")
        assert (now["spec"]["replicas"], now["metadata"]["generation"]) == (0, 2)

    run(tmp_path, work)


def test_field_selectors(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", WIDGETS, widget("a", size=1))
        await call("POST", WIDGETS, widget("b", size=1, color="blue"))
        _, found = await call("GET", f"{WIDGETS}?fieldSelector=spec.color%3Dblue".replace("%3D", "="))
        assert [row["metadata"]["name"] for row in found["items"]] == ["b"]
        code, answer = await call("GET", f"{WIDGETS}?fieldSelector=spec.size=1")
        assert (code, answer["message"]) == (
            400,
            "field label not supported: spec.size",
        )

    served(tmp_path, work)


def test_printer_columns(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await call("POST", WIDGETS, widget(size=1))
        table = await call.raw("GET", WIDGETS, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        return json.loads(table.body)

    table = served(tmp_path, work)
    assert [row["name"] for row in table["columnDefinitions"]] == ["Name", "Size", "Color", "Ready"]
    assert table["rows"][0]["cells"] == ["a", 1, "red", None]


def test_an_update_names_the_version_that_it_changes(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", WIDGETS, widget(size=1))
        code, answer = await call("PUT", f"{WIDGETS}/a", widget(size=2))
        assert (code, answer["message"]) == (
            422,
            (
                'widgets.example.com "a" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified '
                "for an update"
            ),
        )

    served(tmp_path, work)


def test_a_strategic_merge_patch_is_not_for_them(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", WIDGETS, widget(size=1))
        code, _ = await call("PATCH", f"{WIDGETS}/a", {}, "application/strategic-merge-patch+json")
        assert code == 415

    served(tmp_path, work)
