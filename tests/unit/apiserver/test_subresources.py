"""Reviews, tokens, bindings, evictions, and what a subresource may touch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.running import MERGE, STRATEGIC, Client, run

from sekisho.apiserver.authorize import ANONYMOUS
from sekisho.kube.review import UserInfo

PODS = "/api/v1/namespaces/default/pods"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
ANN = UserInfo(username="ann", groups=("ops", "system:authenticated"))


def pod(name: str = "a", **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "x:1"}]
    return {"metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def test_who_am_i(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        code, found = await call.acting_as(ANN)("POST", path, {})
        assert code == 201
        assert found["status"] == {"userInfo": {"username": "ann", "groups": ["ops", "system:authenticated"]}}
        assert "name" not in found["metadata"]

    run(tmp_path, work)


ACCESS = "/apis/authorization.k8s.io/v1"
PODS_LIST = {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "default"}}


@pytest.mark.parametrize(
    ("path", "spec", "allowed"),
    [
        ("selfsubjectaccessreviews", PODS_LIST, True),
        ("selfsubjectaccessreviews", {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}, True),
        ("subjectaccessreviews", {**PODS_LIST, "user": "bob", "groups": ["x"]}, True),
        ("subjectaccessreviews", {**PODS_LIST, "groups": ["system:unauthenticated"]}, False),
        ("namespaces/default/localsubjectaccessreviews", {**PODS_LIST, "user": "bob"}, True),
    ],
)
def test_may_somebody(tmp_path: Path, path: str, spec: dict[str, Any], allowed: bool) -> None:
    async def work(call: Client) -> None:
        code, found = await call.acting_as(ANN)("POST", f"{ACCESS}/{path}", {"spec": spec})
        assert (code, found["status"]["allowed"]) == (201, allowed)

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("path", "spec", "field"),
    [
        ("selfsubjectaccessreviews", {}, "spec.resourceAttributes"),
        (
            "selfsubjectaccessreviews",
            {**PODS_LIST, "nonResourceAttributes": {"path": "/"}},
            "spec.nonResourceAttributes",
        ),
        ("subjectaccessreviews", PODS_LIST, "spec.user"),
        (
            "namespaces/kube-system/localsubjectaccessreviews",
            {**PODS_LIST, "user": "bob"},
            "spec.resourceAttributes.namespace",
        ),
        ("selfsubjectrulesreviews", {}, "spec.namespace"),
    ],
)
def test_questions_that_are_none(tmp_path: Path, path: str, spec: dict[str, Any], field: str) -> None:
    async def work(call: Client) -> None:
        code, answer = await call("POST", f"{ACCESS}/{path}", {"spec": spec})
        assert (code, answer["details"]["causes"][0]["field"]) == (422, field)

    run(tmp_path, work)


def test_what_may_i(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        path = f"{ACCESS}/selfsubjectrulesreviews"
        _, found = await call.acting_as(ANN)("POST", path, {"spec": {"namespace": "default"}})
        assert found["status"]["resourceRules"] == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
        assert found["status"]["nonResourceRules"] == [{"verbs": ["*"], "nonResourceURLs": ["*"]}]

    run(tmp_path, work)


def test_strangers_ask_nothing(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        stranger = call.acting_as(ANONYMOUS)
        code, _ = await stranger("POST", f"{ACCESS}/selfsubjectaccessreviews", {"spec": PODS_LIST})
        assert code == 403

    run(tmp_path, work)


REVIEW = "/apis/authentication.k8s.io/v1/tokenreviews"


def test_a_token_is_given_out_and_known_again(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call.settle()
        request = {"spec": {"expirationSeconds": 600}}
        code, given = await call("POST", f"{ACCOUNTS}/default/token", request)
        assert code == 201
        assert given["status"]["expirationTimestamp"].endswith("Z")
        _, known = await call("POST", REVIEW, {"spec": {"token": given["status"]["token"]}})
        assert known["status"]["authenticated"] is True
        assert known["status"]["user"]["username"] == "system:serviceaccount:default:default"
        assert "system:authenticated" in known["status"]["user"]["groups"]
        _, unknown = await call("POST", REVIEW, {"spec": {"token": "made-up"}})
        assert unknown["status"] == {"error": "[invalid bearer token]", "user": {}}
        asked = {"token": given["status"]["token"], "audiences": ["vault"]}
        _, other = await call("POST", REVIEW, {"spec": asked})
        assert "authenticated" not in other["status"]

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("spec", "code", "text"),
    [
        ({"expirationSeconds": 5}, 422, "may not specify a duration less than 10 minutes"),
        (
            {"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "x"}},
            400,
            "cannot bind token",
        ),
        ({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "x"}}, 404, 'pods "x" not found'),
    ],
)
def test_tokens_that_nobody_gets(tmp_path: Path, spec: dict[str, Any], code: int, text: str) -> None:
    async def work(call: Client) -> None:
        await call.settle()
        found, answer = await call("POST", f"{ACCOUNTS}/default/token", {"spec": spec})
        assert found == code
        assert text in answer["message"]

    run(tmp_path, work)


def test_a_binding_puts_a_pod_on_a_node_once(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", PODS, pod())
        binding = {
            "metadata": {"name": "a", "annotations": {"by": "me"}},
            "target": {"kind": "Node", "name": "n"},
        }
        code, answer = await call("POST", f"{PODS}/a/binding", binding)
        assert (code, answer["status"]) == (201, "Success")
        _, bound = await call("GET", f"{PODS}/a")
        assert bound["spec"]["nodeName"] == "n"
        assert bound["metadata"]["annotations"] == {"by": "me"}
        assert bound["status"]["conditions"][0]["type"] == "PodScheduled"
        code, answer = await call("POST", f"{PODS}/a/binding", binding)
        assert (code, answer["message"]) == (
            409,
            'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n"',
        )

    run(tmp_path, work)


def test_an_eviction_deletes(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", PODS, pod())
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}}
        code, answer = await call("POST", f"{PODS}/a/eviction", {**eviction, "metadata": {"name": "b"}})
        assert (code, answer["message"]) == (400, "name in URL does not match name in Eviction object")
        code, _ = await call("POST", f"{PODS}/a/eviction", eviction)
        assert code == 201
        assert (await call("GET", f"{PODS}/a"))[0] == 404

    run(tmp_path, work)


def test_ephemeral_containers_are_all_that_their_subresource_adds(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", PODS, pod())
        debug = {"name": "d", "image": "busybox"}
        patch = {"spec": {"ephemeralContainers": [debug], "nodeName": "n"}}
        code, found = await call("PATCH", f"{PODS}/a/ephemeralcontainers", patch, STRATEGIC)
        assert code == 200
        assert [row["name"] for row in found["spec"]["ephemeralContainers"]] == ["d"]
        assert "nodeName" not in found["spec"]

    run(tmp_path, work)


def test_a_resize_changes_resources_and_nothing_else(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", PODS, pod())
        cpu = {"requests": {"cpu": "1"}}
        container = {"name": "c", "image": "y:2", "resources": cpu}
        code, found = await call(
            "PATCH", f"{PODS}/a/resize", {"spec": {"containers": [container]}}, STRATEGIC
        )
        assert code == 200
        assert found["spec"]["containers"][0]["resources"] == cpu
        assert found["spec"]["containers"][0]["image"] == "x:1"

    run(tmp_path, work)


def test_scale(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        labels = {"app": "web"}
        template = {"metadata": {"labels": labels}, "spec": pod()["spec"]}
        deployment = {
            "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        }
        path = "/apis/apps/v1/namespaces/default/deployments"
        await call("POST", path, deployment)
        code, scaled = await call("PATCH", f"{path}/web/scale", {"spec": {"replicas": 4}}, MERGE)
        assert (code, scaled["kind"], scaled["spec"]["replicas"]) == (200, "Scale", 4)
        assert scaled["status"] == {"replicas": 0, "selector": "app=web"}
        assert (await call("GET", f"{path}/web"))[1]["spec"]["replicas"] == 4

    run(tmp_path, work)
