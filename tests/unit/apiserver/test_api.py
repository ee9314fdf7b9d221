"""The API without a transport: the life of objects, patches, lists, watches, errors in the API's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.calling import Client, run

from sekisho.apiserver.answer import Answer

CM = "/api/v1/namespaces/default/configmaps"
DEPLOY = "/apis/apps/v1/namespaces/default/deployments"


def config_map(name: str = "a", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(name: str = "web", **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def test_the_life_of_an_object(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        code, made = await call("POST", CM, config_map(x="1"))
        assert code == 201
        assert made["metadata"]["namespace"] == "default"
        assert "generation" not in made["metadata"]
        assert await call("GET", f"{CM}/a") == (200, made)
        code, changed = await call("PUT", f"{CM}/a", {**made, "data": {"x": "2"}})
        assert (code, changed["data"]) == (200, {"x": "2"})
        assert int(changed["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
        code, answer = await call("DELETE", f"{CM}/a")
        assert (code, answer["status"], answer["details"]["uid"]) == (200, "Success", made["metadata"]["uid"])
        code, answer = await call("GET", f"{CM}/a")
        assert (code, answer["message"]) == (404, 'configmaps "a" not found')
        assert answer["details"] == {"name": "a", "kind": "configmaps"}

    run(tmp_path, work)


def test_generations_count_changes_of_the_spec_alone(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        _, made = await call("POST", DEPLOY, deployment())
        assert made["metadata"]["generation"] == 1
        assert made["spec"]["replicas"] == 1
        merge = "application/merge-patch+json"
        _, labelled = await call("PATCH", f"{DEPLOY}/web", {"metadata": {"labels": {"x": "y"}}}, merge)
        assert labelled["metadata"]["generation"] == 1
        _, scaled = await call("PATCH", f"{DEPLOY}/web", {"spec": {"replicas": 3}}, merge)
        assert scaled["metadata"]["generation"] == 2
        _, same = await call("PATCH", f"{DEPLOY}/web", {"spec": {"replicas": 3}}, merge)
        assert same["metadata"]["resourceVersion"] == scaled["metadata"]["resourceVersion"]
        _, ignored = await call("PATCH", f"{DEPLOY}/web", {"status": {"replicas": 9}}, merge)
        assert ignored["status"] == {}
        _, status = await call(
            "PATCH", f"{DEPLOY}/web/status", {"status": {"replicas": 3}, "spec": {"replicas": 9}}, merge
        )
        assert (status["status"], status["spec"]["replicas"]) == ({"replicas": 3}, 3)
        assert status["metadata"]["generation"] == 2

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "reason", "text"),
    [
        (
            "POST",
            CM,
            config_map("A_"),
            422,
            "Invalid",
            'ConfigMap "A_" is invalid: metadata.name: Invalid value',
        ),
        (
            "POST",
            CM,
            {"apiVersion": "v1", "kind": "ConfigMap"},
            422,
            "Invalid",
            "name or generateName is required",
        ),
        ("POST", CM, b"{", 400, "BadRequest", "json parse error"),
        ("POST", CM, [], 400, "BadRequest", "cannot unmarshal array"),
        ("POST", CM, deployment(), 400, "BadRequest", "cannot be handled as a ConfigMap"),
        (
            "POST",
            "/api/v1/namespaces/nowhere/configmaps",
            config_map(),
            404,
            "NotFound",
            'namespaces "nowhere" not found',
        ),
        (
            "POST",
            CM,
            {**config_map(), "metadata": {"name": "a", "namespace": "other"}},
            400,
            "BadRequest",
            "does not match the namespace sent on the request",
        ),
        ("PUT", f"{CM}/b", config_map(), 400, "BadRequest", "does not match the name on the URL (b)"),
        ("PUT", f"{CM}/a", config_map(), 404, "NotFound", 'configmaps "a" not found'),
        ("GET", "/api/v1/nothings", None, 404, "NotFound", "could not find the requested resource"),
        ("GET", "/apis/no.such/v1", None, 404, "NotFound", "could not find the requested resource"),
        ("DELETE", "/api/v1/namespaces/default", None, 403, "Forbidden", "this namespace may not be deleted"),
        ("GET", f"{CM}?resourceVersion=999", None, 504, "Timeout", "Too large resource version"),
        ("GET", f"{CM}?fieldSelector=spec.x=1", None, 400, "BadRequest", "is not a known field selector"),
        ("GET", f"{CM}?labelSelector=(", None, 400, "BadRequest", "unable to parse requirement"),
        ("GET", f"{CM}?continue=zzz", None, 400, "BadRequest", "continue key is not valid"),
        (
            "POST",
            f"{CM}?fieldValidation=Strict",
            {**config_map(), "dta": {}},
            400,
            "BadRequest",
            'strict decoding error: unknown field "dta"',
        ),
        (
            "POST",
            DEPLOY,
            deployment(replicas="three"),
            400,
            "BadRequest",
            'Deployment in version "v1" cannot be handled as a Deployment',
        ),
        (
            "POST",
            DEPLOY,
            deployment(selector={"matchLabels": {"app": "other"}}),
            422,
            "Invalid",
            "`selector` does not match template `labels`",
        ),
    ],
)
def test_errors_say_what_the_api_says(
    tmp_path: Path, method: str, path: str, body: Any, code: int, reason: str, text: str
) -> None:
    async def work(call: Client) -> None:
        found, answer = await call(method, path, body)
        assert (found, answer["code"], answer["reason"]) == (code, code, reason)
        assert text in answer["message"]

    run(tmp_path, work)


def test_a_dry_run_stores_nothing(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        code, made = await call("POST", f"{CM}?dryRun=All", config_map())
        assert (code, made["metadata"]["name"]) == (201, "a")
        assert (await call("GET", f"{CM}/a"))[0] == 404

    run(tmp_path, work)


def test_stale_writes_conflict(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        _, made = await call("POST", CM, config_map())
        await call("PUT", f"{CM}/a", {**made, "data": {"x": "2"}})
        code, answer = await call("PUT", f"{CM}/a", {**made, "data": {"x": "3"}})
        assert (code, answer["reason"]) == (409, "Conflict")
        assert answer["message"].startswith(
            'Operation cannot be fulfilled on configmaps "a": the object has been'
        )
        code, _ = await call("DELETE", f"{CM}/a", {"preconditions": {"uid": "other"}})
        assert code == 409

    run(tmp_path, work)


def test_a_finalizer_holds_an_object_until_it_is_gone(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", CM, {**config_map(), "metadata": {"name": "a", "finalizers": ["x.io/y"]}})
        code, gone = await call("DELETE", f"{CM}/a")
        assert (code, gone["metadata"]["deletionGracePeriodSeconds"]) == (200, 0)
        assert gone["metadata"]["deletionTimestamp"]
        merge = "application/merge-patch+json"
        code, answer = await call(
            "PATCH", f"{CM}/a", {"metadata": {"finalizers": ["x.io/y", "x.io/z"]}}, merge
        )
        assert (code, answer["details"]["causes"][0]["field"]) == (422, "metadata.finalizers")
        assert (await call("PATCH", f"{CM}/a", {"metadata": {"finalizers": None}}, merge))[0] == 200
        assert (await call("GET", f"{CM}/a"))[0] == 404

    run(tmp_path, work)


def test_lists_come_in_pages(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        for name in "abcde":
            await call("POST", CM, {**config_map(name), "metadata": {"name": name, "labels": {"n": name}}})
        _, page = await call("GET", f"{CM}?limit=2")
        assert page["metadata"]["remainingItemCount"] == 3
        names = [row["metadata"]["name"] for row in page["items"]]
        while token := page["metadata"].get("continue"):
            _, page = await call("GET", f"{CM}?limit=2&continue={token}")
            names += [row["metadata"]["name"] for row in page["items"]]
        assert names == list("abcde")
        _, some = await call("GET", f"{CM}?labelSelector=n in (a,c)")
        assert [row["metadata"]["name"] for row in some["items"]] == ["a", "c"]
        _, one = await call("GET", f"{CM}?fieldSelector=metadata.name=b")
        assert [row["metadata"]["name"] for row in one["items"]] == ["b"]

    run(tmp_path, work)


async def _lines(answer: Answer, count: int) -> list[dict[str, Any]]:
    assert answer.lines is not None
    found: list[dict[str, Any]] = []
    async for chunk in answer.lines:
        found += [json.loads(line) for line in chunk.splitlines()]
        if len(found) >= count:
            break
    await answer.lines.aclose()  # type: ignore[attr-defined]
    return found


def test_a_watch_tells_what_comes_into_view_and_what_leaves_it(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        labelled = {**config_map(), "metadata": {"name": "a", "labels": {"x": "1"}}}
        await call("POST", CM, labelled)
        answer = await call.raw("GET", f"{CM}?watch=1&labelSelector=x=1")
        merge = "application/merge-patch+json"
        await call("PATCH", f"{CM}/a", {"data": {"k": "v"}}, merge)
        await call("PATCH", f"{CM}/a", {"metadata": {"labels": {"x": "2"}}}, merge)
        await call("PATCH", f"{CM}/a", {"data": {"k": "w"}}, merge)
        await call("PATCH", f"{CM}/a", {"metadata": {"labels": {"x": "1"}}}, merge)
        await call("DELETE", f"{CM}/a")
        rows = await _lines(answer, 5)
        assert [row["type"] for row in rows] == ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]

    run(tmp_path, work)


def test_a_watch_list_ends_with_a_bookmark(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", CM, config_map())
        path = (
            f"{CM}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        )
        rows = await _lines(await call.raw("GET", path), 2)
        assert [row["type"] for row in rows] == ["ADDED", "BOOKMARK"]
        assert rows[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        code, answer = await call("GET", f"{CM}?watch=1&sendInitialEvents=true")
        assert (code, answer["reason"]) == (422, "Invalid")

    run(tmp_path, work)


def test_strategic_patches_merge_lists_by_their_keys(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", DEPLOY, deployment())
        kind = "application/strategic-merge-patch+json"
        body = {"spec": {"template": {"spec": {"containers": [{"name": "d", "image": "x:1"}]}}}}
        _, both = await call("PATCH", f"{DEPLOY}/web", body, kind)
        names = [row["name"] for row in both["spec"]["template"]["spec"]["containers"]]
        assert names == ["d", "c"]

    run(tmp_path, work)


def test_discovery_has_three_forms(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        _, legacy = await call("GET", "/api/v1")
        assert {"pods", "pods/log", "configmaps"} <= {row["name"] for row in legacy["resources"]}
        _, groups = await call("GET", "/apis")
        assert "apps" in {row["name"] for row in groups["groups"]}
        for version in ("v2", "v2beta1"):
            accept = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
            answer = await call.raw("GET", "/apis", accept=accept)
            assert f";v={version};" in answer.content_type
            assert json.loads(answer.body)["apiVersion"] == f"apidiscovery.k8s.io/{version}"

    run(tmp_path, work)
