"""ValidatingAdmissionPolicies of a running cluster: judged, refused, looked up, checked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.calling import Client, run

from sekisho.apiserver.authz import Rbac
from sekisho.apiserver.cluster import bootstrap
from sekisho.cli.admission.live import LivePolicies
from sekisho.kube.review import UserInfo

GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICIES, BINDINGS = f"{GROUP}/validatingadmissionpolicies", f"{GROUP}/validatingadmissionpolicybindings"
CM = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}


def live(folder: Path, work: Callable[[Client], Awaitable[Any]], **settings: Any) -> Any:
    return run(folder, work, guarding=LivePolicies().guarding(), **settings)


def policy(*validations: dict[str, Any], name: str = "p", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {"matchConstraints": {"resourceRules": [RULE]}, "validations": list(validations), **spec},
    }


def binding(name: str = "b", policy: str = "p", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": policy, "validationActions": ["Deny"], **spec},
    }


def cm(name: str = "a", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


SHORT = {"expression": "object.metadata.name.size() < 5", "message": "too long"}


def test_a_policy_judges_from_the_next_write_on(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        assert (await call("POST", CM, cm("before-it")))[0] == 201
        assert (await call("POST", POLICIES, policy(SHORT)))[0] == 201
        assert (await call("POST", CM, cm("unbound")))[0] == 201
        await call("POST", BINDINGS, binding())
        code, answer = await call("POST", CM, cm("too-long"))
        told = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: too long"
        assert (code, answer["reason"]) == (422, "Invalid")
        assert answer["message"] == f'configmaps "too-long" is forbidden: {told}'
        assert answer["details"]["causes"] == [{"message": told}]
        assert (await call("POST", CM, cm("ok")))[0] == 201
        assert (await call("DELETE", f"{BINDINGS}/b"))[0] == 200
        assert (await call("POST", CM, cm("too-long")))[0] == 201

    live(tmp_path, work)


def test_a_reason_decides_the_status(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", POLICIES, policy({**SHORT, "reason": "Forbidden"}))
        await call("POST", BINDINGS, binding())
        code, answer = await call("POST", CM, cm("too-long"))
        assert (code, answer["reason"]) == (403, "Forbidden")

    live(tmp_path, work)


def test_a_warning_passes(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await call("POST", POLICIES, policy(SHORT))
        await call("POST", BINDINGS, binding(validationActions=["Warn"]))
        answer = await call.raw("POST", CM, cm("too-long"))
        return answer.code, answer.warnings

    assert live(tmp_path, work) == (
        201,
        ("Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': too long",),
    )


def test_params_are_those_of_the_moment(tmp_path: Path) -> None:
    rule = {"expression": "object.data.x == params.data.x"}
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    constraints = {"resourceRules": [{**RULE, "resources": ["secrets"]}]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"x": "MQ=="}}

    async def work(call: Client) -> None:
        await call("POST", CM, cm("params", x="0"))
        await call("POST", POLICIES, policy(rule, paramKind=kind, matchConstraints=constraints))
        reference = {"name": "params", "parameterNotFoundAction": "Deny"}
        await call("POST", BINDINGS, binding(paramRef=reference))
        secrets = "/api/v1/namespaces/default/secrets"
        assert (await call("POST", secrets, secret))[0] == 422
        await call("PATCH", f"{CM}/params", {"data": {"x": "MQ=="}}, MERGE)
        assert (await call("POST", secrets, secret))[0] == 201
        await call("DELETE", f"{CM}/params")
        code, answer = await call("DELETE", f"{secrets}/s")
        assert (code, "no params found for policy binding" in answer["message"]) == (403, True)

    live(tmp_path, work)


def test_the_user_and_what_the_user_may_do(tmp_path: Path) -> None:
    rule = {
        "expression": "authorizer.group('').resource('secrets').namespace('default').check('get').allowed()"
    }

    async def work(call: Client) -> None:
        await bootstrap(call.api)
        root = call.acting_as(UserInfo(username="root", groups=("system:masters",)))
        await root("POST", POLICIES, policy(rule))
        await root("POST", BINDINGS, binding())
        grant = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "eve"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"kind": "User", "name": "eve"}],
        }
        role = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "maps"},
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}],
        }
        below = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
        assert (await root("POST", f"{below}/roles", role))[0] == 201
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "maps"}
        weak = {
            **grant,
            "metadata": {"name": "bob"},
            "roleRef": reference,
            "subjects": [{"kind": "User", "name": "bob"}],
        }
        for raw in (grant, weak):
            assert (await root("POST", f"{below}/rolebindings", raw))[0] == 201
        codes = [
            (await call.acting_as(UserInfo(username=name))("POST", CM, cm(name)))[0]
            for name in ("eve", "bob")
        ]
        assert codes == [201, 422]

    store_settings: dict[str, Any] = {}

    async def with_rbac(call: Client) -> None:
        await work(call)

    _with_rbac(tmp_path, with_rbac, store_settings)


def _with_rbac(folder: Path, work: Callable[[Client], Awaitable[Any]], settings: dict[str, Any]) -> None:
    from sekisho.apiserver.api import Api
    from sekisho.apiserver.cluster import open_store

    async def main() -> None:
        store = open_store(folder)
        api = Api(store, authorizer=Rbac(store), guarding=LivePolicies().guarding(), **settings)
        try:
            await work(Client(api))
        finally:
            await api.close()
            await store.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (policy({"expression": "object.x ="}), "spec.validations[0].expression: Invalid value"),
        (policy({"expression": "1 + 1"}), "spec.validations[0].expression"),
        (policy(), "spec.validations"),
        (policy(SHORT, paramKind={"apiVersion": "v1"}), "spec.paramKind.kind"),
        (binding(validationActions=[]), "spec.validationActions"),
    ],
)
def test_what_is_malformed_is_not_stored(tmp_path: Path, raw: dict[str, Any], told: str) -> None:
    path = POLICIES if raw["kind"] == "ValidatingAdmissionPolicy" else BINDINGS

    async def work(call: Client) -> None:
        code, answer = await call("POST", path, raw)
        assert (code, told.partition(":")[0] in answer["message"]) == (422, True), answer

    live(tmp_path, work)


def test_types_are_checked_in_the_status(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await call("POST", POLICIES, policy({"expression": "object.dta.x == 'y'"}))
        for _ in range(200):
            _, found = await call("GET", f"{POLICIES}/p")
            if "typeChecking" in (found.get("status") or {}):
                return found["status"]
            await asyncio.sleep(0.01)
        raise AssertionError(found)

    status = live(tmp_path, work)
    assert status["observedGeneration"] == 1
    [warning] = status["typeChecking"]["expressionWarnings"]
    assert warning["fieldRef"] == "spec.validations[0].expression"
    assert "undefined field 'dta'" in warning["warning"]


def test_policies_are_in_force_after_a_restart(tmp_path: Path) -> None:
    async def first(call: Client) -> None:
        await call("POST", POLICIES, policy(SHORT))
        await call("POST", BINDINGS, binding())

    async def second(call: Client) -> Any:
        return (await call("POST", CM, cm("too-long")))[0]

    live(tmp_path, first)
    assert live(tmp_path, second) == 422


def test_match_conditions_of_webhooks(tmp_path: Path) -> None:
    class Hook:
        def __init__(self) -> None:
            self.names: list[str] = []

        async def post(self, client: Mapping[str, Any], body: Any, *, seconds: float) -> Any:
            self.names.append(body["request"]["name"])
            response = {"uid": body["request"]["uid"], "allowed": True}
            return {"apiVersion": body["apiVersion"], "kind": "AdmissionReview", "response": response}

    def config(expression: str, policy: str = "Fail") -> dict[str, Any]:
        return {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "w"},
            "webhooks": [
                {
                    "name": "w.example.com",
                    "clientConfig": {"url": "https://w/"},
                    "rules": [RULE],
                    "sideEffects": "None",
                    "admissionReviewVersions": ["v1"],
                    "failurePolicy": policy,
                    "matchConditions": [{"name": "c", "expression": expression}],
                }
            ],
        }

    hook = Hook()
    path = f"{GROUP}/validatingwebhookconfigurations"

    async def work(call: Client) -> None:
        assert (await call("POST", path, config("object.data.x =")))[0] == 422
        assert (await call("POST", path, config("object.data.x == 'y'")))[0] == 201
        assert (await call("POST", CM, cm("no", x="n")))[0] == 201
        assert (await call("POST", CM, cm("yes", x="y")))[0] == 201
        code, answer = await call("POST", CM, cm("none"))
        assert (code, "no such key" in answer["message"]) == (403, True), answer

    live(tmp_path, work, caller=hook)
    assert hook.names == ["yes"]


def test_an_autoscaler_is_judged_in_the_version_of_the_policy(tmp_path: Path) -> None:
    constraints = {
        "matchPolicy": "Equivalent",
        "resourceRules": [
            {
                "apiGroups": ["autoscaling"],
                "apiVersions": ["v2"],
                "operations": ["*"],
                "resources": ["horizontalpodautoscalers"],
            }
        ],
    }
    rule = {"expression": "object.spec.metrics[0].resource.target.averageUtilization < 80", "message": "much"}
    body = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a"},
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d"}},
    }
    path = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"

    async def work(call: Client) -> None:
        assert (await call("POST", POLICIES, policy(rule, matchConstraints=constraints)))[0] == 201
        await call("POST", BINDINGS, binding())
        code, answer = await call("POST", path, body)
        assert (code, "denied request: much" in answer["message"]) == (422, True)
        spec = {**body["spec"], "targetCPUUtilizationPercentage": 50}
        assert (await call("POST", path, {**body, "spec": spec}))[0] == 201

    live(tmp_path, work)


def test_policies_that_are_alpha_are_not_offered(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        _, group = await call("GET", GROUP)
        assert not [row["name"] for row in group["resources"] if row["name"].startswith("mutatingadmission")]
        _, groups = await call("GET", "/apis/admissionregistration.k8s.io")
        assert [row["version"] for row in groups["versions"]] == ["v1"]
        assert (await call("GET", f"{GROUP}/mutatingadmissionpolicies"))[0] == 404

    live(tmp_path, work)
