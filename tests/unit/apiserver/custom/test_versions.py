"""Several versions of a custom resource, and conversion between them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.calling import Client, run
from tests.unit.apiserver.custom.made import CRDS, MERGE, WIDGETS, definition, version, widget

from sekisho.apiserver.webhooks import Refused

OLD = "/apis/example.com/v1beta1/namespaces/default/widgets"
LATER = {
    "openAPIV3Schema": {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"size": {"type": "integer"}, "new": {"type": "string", "default": "x"}},
            }
        },
    }
}


def two(**conversion: Any) -> Any:
    raw = definition(version("v1"), version("v1beta1", storage=False, deprecated=True, schema=LATER))
    raw["spec"]["conversion"] = conversion or {"strategy": "None"}
    return raw


def test_an_object_is_shown_in_the_version_that_is_asked_for(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", CRDS, two())
        _, made = await call("POST", WIDGETS, widget(size=1, color="blue"))
        assert made["apiVersion"] == "example.com/v1"
        answer = await call.raw("GET", f"{OLD}/a")
        seen = json.loads(answer.body)
        assert (seen["apiVersion"], seen["spec"]) == ("example.com/v1beta1", {"size": 1, "new": "x"})
        assert answer.warnings == ("example.com/v1beta1 Widget is deprecated",)
        _, group = await call("GET", "/apis/example.com")
        assert group["preferredVersion"]["version"] == "v1"

    run(tmp_path, work)


def test_a_watch_shows_the_version_that_is_watched(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await call("POST", CRDS, two())
        await call("POST", WIDGETS, widget(size=1))
        answer = await call.raw("GET", f"{OLD}?watch=true&timeoutSeconds=1")
        assert answer.lines is not None
        first = await anext(answer.lines)
        await call("PATCH", f"{WIDGETS}/a", {"spec": {"size": 2}}, MERGE)
        second = await anext(answer.lines)
        await answer.lines.aclose()  # type: ignore[attr-defined]
        return [json.loads(line)["object"] for line in (first, second)]

    assert [(row["apiVersion"], row["spec"]["size"]) for row in run(tmp_path, work)] == [
        ("example.com/v1beta1", 1),
        ("example.com/v1beta1", 2),
    ]


def test_a_new_default_shows_in_old_objects(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", CRDS, definition())
        await call("POST", WIDGETS, widget(size=1))
        newer = json.loads(json.dumps(version()))
        spec = newer["schema"]["openAPIV3Schema"]["properties"]["spec"]
        spec["properties"]["fresh"] = {"type": "boolean", "default": True}
        del spec["properties"]["color"]
        await call("PATCH", f"{CRDS}/widgets.example.com", {"spec": {"versions": [newer]}}, MERGE)
        _, seen = await call("GET", f"{WIDGETS}/a")
        assert seen["spec"] == {"size": 1, "fresh": True}

    run(tmp_path, work)


def test_the_storage_version_is_remembered(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", CRDS, two())
        moved = two()["spec"]["versions"]
        moved[0]["storage"], moved[1]["storage"] = False, True
        _, now = await call("PATCH", f"{CRDS}/widgets.example.com", {"spec": {"versions": moved}}, MERGE)
        assert now["status"]["storedVersions"] == ["v1", "v1beta1"]

    run(tmp_path, work)


class Converter:
    """A webhook that moves the size between versions; ``spoil`` changes its answer."""

    def __init__(self, spoil: Any = None) -> None:
        self.asked: list[Any] = []
        self._spoil = spoil

    async def post(self, client: Mapping[str, Any], body: Any, *, seconds: float) -> Any:
        assert client == {"url": "https://convert.example.com/"}
        request = body["request"]
        self.asked.append(request)
        objects = [
            {**row, "apiVersion": request["desiredAPIVersion"], "spec": {"size": row["spec"]["size"] + 1}}
            for row in request["objects"]
        ]
        answer = {
            "apiVersion": body["apiVersion"],
            "kind": "ConversionReview",
            "response": {"uid": request["uid"], "result": {"status": "Success"}, "convertedObjects": objects},
        }
        if self._spoil is not None:
            self._spoil(answer)
        return answer


HOOK = {
    "strategy": "Webhook",
    "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://convert.example.com/"}},
}


def test_a_webhook_converts_and_is_asked_once_for_each_state(tmp_path: Path) -> None:
    hook = Converter()

    async def work(call: Client) -> None:
        await call("POST", CRDS, two(**HOOK))
        await call("POST", WIDGETS, widget("a", size=1))
        await call("POST", WIDGETS, widget("b", size=1))
        assert hook.asked == []
        for _ in range(2):
            _, listed = await call("GET", OLD)
            assert [row["spec"]["size"] for row in listed["items"]] == [2, 2]
        [request] = hook.asked
        assert (len(request["objects"]), request["desiredAPIVersion"]) == (2, "example.com/v1beta1")
        _, changed = await call("PATCH", f"{OLD}/a", {"spec": {"size": 5}}, MERGE)
        assert changed["apiVersion"] == "example.com/v1beta1"
        assert (await call("GET", f"{WIDGETS}/a"))[1]["spec"]["size"] == 6

    run(tmp_path, work, caller=hook)


def _other_name(answer: Any) -> None:
    for row in answer["response"]["convertedObjects"]:
        row["metadata"] = {**row["metadata"], "name": "x"}


def _labels(answer: Any) -> None:
    for row in answer["response"]["convertedObjects"]:
        row["metadata"] = {
            **row["metadata"],
            "labels": {"a": "b"},
            "finalizers": ["x/y"],
            "ownerReferences": [],
        }


def _set(path: str, value: Any) -> Any:
    def spoil(answer: Any) -> None:
        *steps, last = path.split(".")
        for step in steps:
            answer = answer[step]
        answer[last] = value

    return spoil


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_other_name, "must have the same name: a != x"),
        (_set("response.uid", "other"), 'expected response.uid="'),
        (_set("response", None), "no response provided"),
        (_set("apiVersion", "v9"), "expected webhook response of apiextensions.k8s.io/v1"),
        (_set("response.result", {"status": "Failure", "message": "no way"}), "no way"),
        (_set("response.result", {}), "response.result.status was '', not 'Success'"),
        (_set("response.convertedObjects", []), "returned 0 objects, expected 1"),
        (_set("response.convertedObjects", [1]), "it is no object"),
        (_set("response.convertedObjects", [{"apiVersion": "example.com/v1"}]), "invalid groupVersion"),
    ],
)
def test_a_webhook_that_lies_is_not_believed(tmp_path: Path, spoil: Any, told: str) -> None:
    async def work(call: Client) -> None:
        await call("POST", CRDS, two(**HOOK))
        await call("POST", WIDGETS, widget(size=1))
        code, answer = await call("GET", f"{OLD}/a")
        assert (code, told in answer["message"]) == (500, True), answer
        assert "conversion webhook for example.com/v1, Kind=Widget" in answer["message"]
        assert (await call("GET", f"{WIDGETS}/a"))[0] == 200

    run(tmp_path, work, caller=Converter(spoil))


def test_of_metadata_a_webhook_changes_labels_and_annotations_alone(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await call("POST", CRDS, two(**HOOK))
        await call("POST", WIDGETS, widget(size=1))
        return (await call("GET", f"{OLD}/a"))[1]["metadata"]

    metadata = run(tmp_path, work, caller=Converter(_labels))
    assert (metadata["labels"], "finalizers" in metadata) == ({"a": "b"}, False)


def test_a_webhook_that_cannot_be_asked(tmp_path: Path) -> None:
    class Silent:
        async def post(self, client: Mapping[str, Any], body: Any, *, seconds: float) -> Any:
            raise Refused("nothing answers", timeout=True)

    async def work(call: Client) -> Any:
        await call("POST", CRDS, two(**HOOK))
        await call("POST", WIDGETS, widget(size=1))
        return await call("GET", f"{OLD}/a")

    code, answer = run(tmp_path, work, caller=Silent())
    assert (code, answer["message"]) == (
        500,
        "Internal error occurred: conversion webhook for example.com/v1, Kind=Widget failed: nothing answers",
    )
