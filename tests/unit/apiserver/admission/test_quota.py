"""ResourceQuota: what is used, what is refused, what the status says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.admission.test_plugins import PODS, pod
from tests.unit.apiserver.calling import Client, run

QUOTAS = "/api/v1/namespaces/default/resourcequotas"
CM = "/api/v1/namespaces/default/configmaps"
SERVICES = "/api/v1/namespaces/default/services"


def quota(name: str = "q", **more: Any) -> dict[str, Any]:
    hard = more.pop("hard")
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name},
        "spec": {"hard": hard, **more},
    }


async def used(call: Client, name: str = "q") -> Any:
    await call.api.admission.quotas.settle()
    return (await call("GET", f"{QUOTAS}/{name}"))[1]["status"]["used"]


CPU = {"requests": {"cpu": "600m"}, "limits": {"cpu": "1"}}


def test_what_is_used_is_counted_and_bounded(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", PODS, pod("before", resources=CPU))
        await call("POST", QUOTAS, quota(hard={"pods": "2", "requests.cpu": "2"}))
        assert await used(call) == {"pods": "1", "requests.cpu": "600m"}
        assert (await call("POST", PODS, pod("a", resources=CPU)))[0] == 201
        code, answer = await call("POST", PODS, pod("b", resources=CPU))
        assert (code, answer["message"]) == (
            403,
            'pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
        )
        await call("DELETE", f"{PODS}/a")
        assert await used(call) == {"pods": "1", "requests.cpu": "600m"}
        code, answer = await call("POST", PODS, pod("c", resources={"requests": {"cpu": "1500m"}}))
        assert (code, answer["message"].partition("forbidden: ")[2]) == (
            403,
            "exceeded quota: q, requested: requests.cpu=1500m, used: requests.cpu=600m, limited: requests.cpu=2",
        )

    run(tmp_path, work)


def test_writes_at_once_cannot_both_have_the_last_of_something(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", QUOTAS, quota(hard={"count/configmaps": "3"}))
        bodies = [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{index}"}}
            for index in range(20)
        ]
        answers = await asyncio.gather(*(call("POST", CM, body) for body in bodies))
        assert sorted(code for code, _ in answers).count(201) == 3
        assert await used(call) == {"count/configmaps": "3"}

    run(tmp_path, work)


def test_what_was_let_through_and_not_stored_is_given_back(tmp_path: Path) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "same"}}

    async def work(call: Client) -> None:
        await call("POST", QUOTAS, quota(hard={"configmaps": "2"}))
        answers = await asyncio.gather(call("POST", CM, body), call("POST", CM, body))
        assert sorted(code for code, _ in answers) == [201, 409]
        other = {**body, "metadata": {"name": "other"}}
        assert (await call("POST", f"{CM}?dryRun=All", other))[0] == 201
        assert (await call("POST", CM, other))[0] == 201

    run(tmp_path, work)


def test_containers_must_say_what_a_quota_is_about(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", QUOTAS, quota(hard={"requests.cpu": "2", "limits.memory": "1Gi"}))
        code, answer = await call("POST", PODS, pod())
        assert (code, answer["message"]) == (
            403,
            'pods "p" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
        )

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("scope", "body", "counts"),
    [
        ({"scopes": ["BestEffort"]}, pod(), True),
        ({"scopes": ["BestEffort"]}, pod(resources=CPU), False),
        ({"scopes": ["NotTerminating"]}, pod(activeDeadlineSeconds=5), False),
        ({"scopes": ["Terminating"]}, pod(activeDeadlineSeconds=5), True),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [
                        {"scopeName": "PriorityClass", "operator": "In", "values": ["system-node-critical"]}
                    ]
                }
            },
            pod(priorityClassName="system-node-critical"),
            True,
        ),
        (
            {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists"}]}},
            pod(),
            False,
        ),
    ],
)
def test_scopes(tmp_path: Path, scope: Any, body: Any, counts: bool) -> None:
    async def work(call: Client) -> None:
        await call("POST", QUOTAS, quota(hard={"pods": "0"}, **scope))
        assert (await call("POST", PODS, body))[0] == (403 if counts else 201)

    run(tmp_path, work)


def test_services_count_by_their_kind(tmp_path: Path) -> None:
    def service(name: str, type: str) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"type": type, "ports": [{"port": 80}]},
        }

    async def work(call: Client) -> None:
        await call(
            "POST",
            QUOTAS,
            quota(hard={"services": "5", "services.nodeports": "1", "services.loadbalancers": "1"}),
        )
        assert (await call("POST", SERVICES, service("a", "ClusterIP")))[0] == 201
        assert (await call("POST", SERVICES, service("b", "NodePort")))[0] == 201
        code, answer = await call("POST", SERVICES, service("c", "LoadBalancer"))
        assert (code, "requested: services.nodeports=1" in answer["message"]) == (403, True)

    run(tmp_path, work)


def test_the_count_survives_a_restart(tmp_path: Path) -> None:
    async def first(call: Client) -> None:
        await call("POST", QUOTAS, quota(hard={"pods": "1"}))
        await call("POST", PODS, pod())

    async def second(call: Client) -> Any:
        return (await call("POST", PODS, pod("q")))[0]

    run(tmp_path, first)
    assert run(tmp_path, second) == 403
