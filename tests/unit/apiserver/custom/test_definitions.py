"""Definitions: what they get, what is served because of them, how they end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.calling import Client, run
from tests.unit.apiserver.custom.made import CRDS, MERGE, WIDGETS, conditions, definition, version, widget


def test_a_definition_is_served_at_once(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        assert (await call("GET", WIDGETS))[0] == 404
        code, made = await call("POST", CRDS, definition(shortNames=["wd"]))
        assert code == 201
        assert conditions(made) == {
            "NamesAccepted": ("True", "NoConflicts"),
            "Established": ("True", "InitialNamesAccepted"),
        }
        assert made["status"]["storedVersions"] == ["v1"]
        assert made["status"]["acceptedNames"] == {
            "plural": "widgets",
            "singular": "widget",
            "shortNames": ["wd"],
            "kind": "Widget",
            "listKind": "WidgetList",
        }
        _, found = await call("GET", "/apis/example.com/v1")
        [row] = found["resources"]
        assert (row["name"], row["shortNames"], row["kind"]) == ("widgets", ["wd"], "Widget")
        _, groups = await call("GET", "/apis")
        assert "example.com" in [row["name"] for row in groups["groups"]]
        _, listed = await call("GET", WIDGETS)
        assert (listed["kind"], listed["items"]) == ("WidgetList", [])

    run(tmp_path, work)


def test_objects_and_definitions_survive_a_restart(tmp_path: Path) -> None:
    async def first(call: Client) -> Any:
        await call("POST", CRDS, definition())
        return (await call("POST", WIDGETS, widget(size=1)))[1]

    async def second(call: Client) -> Any:
        return (await call("GET", f"{WIDGETS}/a"))[1]

    assert run(tmp_path, first) == run(tmp_path, second)


def test_openapi_follows(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", CRDS, definition())
        _, index = await call("GET", "/openapi/v3")
        assert "apis/example.com/v1" in index["paths"]
        _, document = await call("GET", "/openapi/v3/apis/example.com/v1")
        assert any(name.endswith("Widget") for name in document["components"]["schemas"])

    run(tmp_path, work)


def test_names_are_whose_they_were_first(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", CRDS, definition(shortNames=["wd"]))
        _, late = await call("POST", CRDS, definition(plural="gadgets", shortNames=["wd"]))
        assert conditions(late)["NamesAccepted"] == ("False", "KindConflict") or conditions(late)[
            "NamesAccepted"
        ] == ("False", "ListKindConflict")
        assert conditions(late)["Established"] == ("False", "NotAccepted")
        assert (await call("GET", "/apis/example.com/v1/gadgets"))[0] == 404
        await call("DELETE", f"{CRDS}/widgets.example.com")
        _, now = await call("GET", f"{CRDS}/gadgets.example.com")
        assert conditions(now)["Established"] == ("True", "InitialNamesAccepted")
        assert (await call("GET", "/apis/example.com/v1/gadgets"))[0] == 200

    run(tmp_path, work)


def test_the_objects_of_a_deleted_definition_go_first(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", CRDS, definition())
        held = widget("held", size=1)
        held["metadata"]["finalizers"] = ["example.com/wait"]
        await call("POST", WIDGETS, held)
        await call("POST", WIDGETS, widget("free", size=1))
        code, going = await call("DELETE", f"{CRDS}/widgets.example.com")
        assert (code, going["metadata"]["finalizers"]) == (
            200,
            ["customresourcecleanup.apiextensions.k8s.io"],
        )
        assert conditions(going)["Terminating"] == ("True", "InstanceDeletionPending")
        _, left = await call("GET", WIDGETS)
        assert [row["metadata"]["name"] for row in left["items"]] == ["held"]
        assert "deletionTimestamp" in left["items"][0]["metadata"]
        code, refused = await call("POST", WIDGETS, widget("late", size=1))
        assert (code, refused["message"]) == (
            405,
            "create not allowed while custom resource definition is terminating",
        )
        await call("PATCH", f"{WIDGETS}/held", {"metadata": {"finalizers": None}}, MERGE)
        for _ in range(100):
            if (await call("GET", f"{CRDS}/widgets.example.com"))[0] == 404:
                break
            await asyncio.sleep(0.01)
        assert (await call("GET", f"{CRDS}/widgets.example.com"))[0] == 404
        assert (await call("GET", WIDGETS))[0] == 404

    run(tmp_path, work)


def test_a_watch_ends_when_its_definition_changes(tmp_path: Path) -> None:
    async def work(call: Client) -> list[bytes]:
        await call("POST", CRDS, definition())
        answer = await call.raw("GET", f"{WIDGETS}?watch=true")
        assert answer.lines is not None
        task = asyncio.ensure_future(_all(answer.lines))
        await asyncio.sleep(0)
        await call("POST", WIDGETS, widget(size=1))
        await asyncio.sleep(0.01)
        await call("PATCH", f"{CRDS}/widgets.example.com", {"spec": {"names": {"shortNames": ["w"]}}}, MERGE)
        return await asyncio.wait_for(task, 5)

    [line] = run(tmp_path, work)
    assert json.loads(line)["type"] == "ADDED"


async def _all(lines: Any) -> list[bytes]:
    return [line async for line in lines]


def _schema(**properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    return version(schema={"openAPIV3Schema": schema})


IN_SPEC = "spec.validation.openAPIV3Schema.properties[spec].properties"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (definition(plural="Widgets"), 'spec.names.plural: Invalid value: "Widgets": a DNS-1035 label must'),
        (
            definition(group="example"),
            'spec.group: Invalid value: "example": should be a domain with at least one dot',
        ),
        (
            definition(kind="Widget", listKind="Widget"),
            'spec.names.listKind: Invalid value: "Widget": kind and listKind may not be the same',
        ),
        (definition(version(storage=False)), "must have exactly one version marked as storage version"),
        (definition(version(), version("v2")), "must have exactly one version marked as storage version"),
        (definition(version(), version(storage=False)), "must contain unique version names"),
        (definition(version(schema=None)), "spec.versions[0].schema.openAPIV3Schema: Required value"),
        (
            definition(_schema(a={})),
            f"{IN_SPEC}[a].type: Required value: must not be empty for specified object fields",
        ),
        (
            definition(_schema(a={"type": "string", "default": 1})),
            f'{IN_SPEC}[a].default: Invalid value: "integer": in body must be of type string: "integer"',
        ),
        (
            definition(_schema(a={"type": "object", "default": {"b": 1}})),
            f'{IN_SPEC}[a].default: Invalid value: {{"b":1}}: must not have unknown fields',
        ),
        (
            definition(_schema(a={"type": "array", "items": {"type": "string"}, "uniqueItems": True})),
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ),
        (
            definition(
                _schema(a={"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"})
            ),
            f"{IN_SPEC}[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        (
            definition(
                _schema(a={"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"})
            ),
            "must be atomic as item of a list with x-kubernetes-list-type=set",
        ),
        (
            definition(_schema(a={"type": "string", "x-kubernetes-validations": [{"rule": "self.b"}]})),
            f"{IN_SPEC}[a].x-kubernetes-validations[0].rule: Invalid value: ",
        ),
        (
            definition(version(additionalPrinterColumns=[{"name": "A", "type": "text", "jsonPath": ".a"}])),
            'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
        ),
        (
            definition(version(additionalPrinterColumns=[{"name": "A", "type": "string", "jsonPath": "a"}])),
            "must be a simple json path starting with .",
        ),
        (
            definition(
                version(
                    subresources={
                        "scale": {"specReplicasPath": ".size", "statusReplicasPath": ".status.size"}
                    }
                )
            ),
            'spec.subresources.scale.specReplicasPath: Invalid value: ".size": should be a json path under .spec',
        ),
        (
            definition(version(selectableFields=[{"jsonPath": ".spec.ports"}])),
            "must point to a field of type string, boolean or integer",
        ),
        (
            definition(version(selectableFields=[{"jsonPath": ".spec.none"}])),
            "is an invalid path: does not refer to a valid field",
        ),
        (definition(version(deprecationWarning="old")), "can only be set for deprecated versions"),
        (
            definition(group="widgets.k8s.io"),
            "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, raw: Any, told: str) -> None:
    async def work(call: Client) -> None:
        code, answer = await call("POST", CRDS, raw)
        assert code == 422, answer
        assert told in answer["message"]

    run(tmp_path, work)


def _webhook(**more: Any) -> Any:
    raw = definition()
    raw["spec"]["conversion"] = {"strategy": "Webhook", **more}
    return raw


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (
            _webhook(),
            "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
        ),
        (
            _webhook(webhook={"conversionReviewVersions": ["v1"], "clientConfig": {}}),
            "exactly one of url or service is required",
        ),
        (
            _webhook(webhook={"conversionReviewVersions": ["v1"], "clientConfig": {"url": "http://a/"}}),
            "'https' is the only allowed URL scheme",
        ),
        (
            _webhook(webhook={"conversionReviewVersions": ["v7"], "clientConfig": {"url": "https://a/"}}),
            "must include at least one of v1, v1beta1",
        ),
    ],
)
def test_what_is_refused_of_conversions(tmp_path: Path, raw: Any, told: str) -> None:
    async def work(call: Client) -> None:
        code, answer = await call("POST", CRDS, raw)
        assert (code, told in answer["message"]) == (422, True), answer

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"spec": {"scope": "Cluster"}}, 'spec.scope: Invalid value: "Cluster": field is immutable'),
        (
            {"spec": {"names": {"kind": "Gadget"}}},
            'spec.names.kind: Invalid value: "Gadget": field is immutable',
        ),
        (
            {"spec": {"versions": [version("v2")]}},
            "missing from spec.versions; v1 was previously a storage version",
        ),
        ({"spec": {"preserveUnknownFields": True}}, "cannot set to true"),
    ],
)
def test_what_may_not_change(tmp_path: Path, change: Any, told: str) -> None:
    async def work(call: Client) -> None:
        await call("POST", CRDS, definition())
        code, answer = await call("PATCH", f"{CRDS}/widgets.example.com", change, MERGE)
        assert (code, told in answer["message"]) == (422, True), answer

    run(tmp_path, work)


def test_a_built_in_resource_is_never_replaced(tmp_path: Path) -> None:
    raw = definition(group="apps.example.com")
    raw["spec"]["group"] = "batch"

    async def work(call: Client) -> None:
        assert (await call("POST", CRDS, raw))[0] == 422
        assert (await call("GET", "/apis/batch/v1/namespaces/default/jobs"))[0] == 200

    run(tmp_path, work)


@pytest.mark.parametrize("body", [{}, {"metadata": {"name": "a.b.c"}}, {"spec": {}}, {"spec": {"names": {}}}])
def test_a_definition_without_its_parts_is_refused(tmp_path: Path, body: dict[str, Any]) -> None:
    async def work(call: Client) -> None:
        code, told = await call("POST", CRDS, body)
        assert (code, told["reason"]) == (422, "Invalid")

    run(tmp_path, work)
