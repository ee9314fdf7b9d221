"""Access through the API: bindings, escalation, aggregation, what every cluster begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.calling import Client

from sekisho.apiserver.api import Api
from sekisho.apiserver.authz import Rbac
from sekisho.apiserver.authz.asking import Asking
from sekisho.apiserver.cluster import bootstrap, open_store
from sekisho.cel.kubernetes.authorizer import Attributes, ResourceAttributes
from sekisho.kube.review import UserInfo

RBAC = "/apis/rbac.authorization.k8s.io/v1"
CR, CRB = f"{RBAC}/clusterroles", f"{RBAC}/clusterrolebindings"
ROLES, BINDINGS = f"{RBAC}/namespaces/default/roles", f"{RBAC}/namespaces/default/rolebindings"
PODS = "/api/v1/namespaces/default/pods"
MERGE = "application/merge-patch+json"
GROUP = "rbac.authorization.k8s.io"

ROOT = UserInfo(username="root", groups=("system:masters", "system:authenticated"))
EVE = UserInfo(username="eve", groups=("devs", "system:authenticated"))


def run(folder: Path, work: Callable[[Client], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        store = open_store(folder)
        api = Api(store, authorizer=Rbac(store))
        await bootstrap(api)
        try:
            return await work(Client(api, ROOT))
        finally:
            await api.close()
            await store.close()

    return asyncio.run(main())


def role(name: str, *rules: dict[str, Any], kind: str = "ClusterRole", **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": {"name": name},
        "rules": list(rules),
        **more,
    }


def rule(verbs: str, resources: str, **more: Any) -> dict[str, Any]:
    return {"apiGroups": [""], "resources": resources.split(), "verbs": verbs.split(), **more}


def binding(name: str, ref: str, *subjects: dict[str, str], kind: str = "RoleBinding") -> dict[str, Any]:
    kind_of, _, named = ref.partition("/")
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": kind_of, "name": named},
        "subjects": list(subjects),
    }


def user(name: str = "eve") -> dict[str, str]:
    return {"kind": "User", "name": name, "apiGroup": GROUP}


def test_what_nobody_has_allowed(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        eve = call.acting_as(EVE)
        code, answer = await eve("GET", PODS)
        assert (code, answer["reason"], answer["message"]) == (
            403,
            "Forbidden",
            'pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "default"',
        )
        _, answer = await eve("GET", "/apis/apps/v1/deployments")
        assert answer["message"] == (
            'deployments.apps is forbidden: User "eve" cannot list resource "deployments" in API group "apps" at the '
            "cluster scope"
        )
        _, answer = await eve("GET", "/metrics")
        assert answer["message"] == 'forbidden: User "eve" cannot get path "/metrics"'
        assert (await eve("GET", "/api"))[0] == 200
        assert (await eve("GET", "/version"))[0] == 200

    run(tmp_path, work)


def test_bindings_count_from_the_next_question_on(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        eve = call.acting_as(EVE)
        await call("POST", ROLES, role("reader", rule("get list", "pods"), kind="Role"))
        await call(
            "POST",
            BINDINGS,
            binding("b", "Role/reader", {"kind": "Group", "name": "devs", "apiGroup": GROUP}),
        )
        assert (await eve("GET", PODS))[0] == 200
        assert (await eve("GET", "/api/v1/namespaces/kube-system/pods"))[0] == 403
        assert (await eve("DELETE", f"{PODS}/a"))[0] == 403
        await call("DELETE", f"{ROLES}/reader")
        code, answer = await eve("GET", PODS)
        assert (code, answer["message"].partition(" in the namespace ")[2]) == (
            403,
            '"default": RBAC: role.rbac.authorization.k8s.io "reader" not found',
        )
        await call("POST", ROLES, role("reader", rule("get list", "pods"), kind="Role"))
        assert (await eve("GET", PODS))[0] == 200
        await call("DELETE", f"{BINDINGS}/b")
        assert (await eve("GET", PODS))[0] == 403

    run(tmp_path, work)


def test_a_service_account_of_the_namespace_need_not_name_it(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        account = {"kind": "ServiceAccount", "name": "robot"}
        await call("POST", BINDINGS, binding("b", "ClusterRole/view", account))
        there = call.acting_as(UserInfo(username="system:serviceaccount:default:robot"))
        other = call.acting_as(UserInfo(username="system:serviceaccount:kube-system:robot"))
        assert ((await there("GET", PODS))[0], (await other("GET", PODS))[0]) == (200, 403)

    run(tmp_path, work)


def test_view_edit_and_admin_are_gathered(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", BINDINGS, binding("b", "ClusterRole/edit", user()))
        eve = call.acting_as(EVE)
        assert (await eve("GET", f"{PODS}/none"))[0] == 404
        assert (await eve("GET", ROLES))[0] == 403
        more = role("crontabs", {"apiGroups": ["example.com"], "resources": ["crontabs"], "verbs": ["list"]})
        more["metadata"]["labels"] = {
            f"{GROUP[:18]}.k8s.io/x": "y",
            "rbac.authorization.k8s.io/aggregate-to-view": "true",
        }
        await call("POST", CR, more)
        for name in ("view", "edit", "admin"):
            _, found = await call("GET", f"{CR}/{name}")
            assert more["rules"][0] in found["rules"], name
        await call("DELETE", f"{CR}/crontabs")
        _, found = await call("GET", f"{CR}/edit")
        assert more["rules"][0] not in found["rules"]
        more["metadata"]["labels"]["gone"] = "soon"
        await call("POST", CR, more)
        await call("DELETE", f"{CR}?labelSelector=gone=soon")
        _, found = await call("GET", f"{CR}/edit")
        assert more["rules"][0] not in found["rules"]

    run(tmp_path, work)


def test_what_every_cluster_begins_with_is_completed_and_never_shortened(tmp_path: Path) -> None:
    async def first(call: Client) -> None:
        _, view = await call("GET", f"{CR}/cluster-admin")
        assert view["metadata"]["labels"] == {"kubernetes.io/bootstrapping": "rbac-defaults"}
        _, basic = await call("GET", f"{CR}/system:basic-user")
        extra = rule("get", "secrets")
        await call("PUT", f"{CR}/system:basic-user", {**basic, "rules": [extra]})
        await call("DELETE", f"{CR}/system:discovery")
        _, off = await call("GET", f"{CR}/system:node-proxier")
        off["metadata"]["annotations"]["rbac.authorization.kubernetes.io/autoupdate"] = "false"
        await call("PUT", f"{CR}/system:node-proxier", {**off, "rules": []})

    async def second(call: Client) -> None:
        _, basic = await call("GET", f"{CR}/system:basic-user")
        assert rule("get", "secrets") in basic["rules"]
        assert any(row["resources"] == ["selfsubjectaccessreviews"] for row in basic["rules"])
        assert (await call("GET", f"{CR}/system:discovery"))[0] == 200
        assert not (await call("GET", f"{CR}/system:node-proxier"))[1].get("rules")

    run(tmp_path, first)
    run(tmp_path, second)


async def _manager(call: Client, *rules: dict[str, Any]) -> Client:
    """Somebody who may write roles and bindings, and has ``rules`` besides."""
    writer = {
        "apiGroups": [GROUP],
        "resources": ["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
        "verbs": ["create", "update", "patch", "get", "delete"],
    }
    await call("POST", CR, role("manager", writer, *rules))
    await call("POST", CRB, binding("manager", "ClusterRole/manager", user(), kind="ClusterRoleBinding"))
    return call.acting_as(EVE)


def test_nobody_grants_what_they_have_not(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        eve = await _manager(call, rule("get", "pods"))
        assert (await eve("POST", ROLES, role("fine", rule("get", "pods"), kind="Role")))[0] == 201
        code, answer = await eve(
            "POST", CR, role("more", rule("get list delete", "pods"), rule("get", "secrets"))
        )
        assert (code, answer["message"]) == (
            403,
            (
                'clusterroles.rbac.authorization.k8s.io "more" is forbidden: user "eve" (groups=["devs" '
                '"system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n'
                '{APIGroups:[""], Resources:["pods"], Verbs:["list" "delete"]}\n'
                '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
            ),
        )
        code, _ = await eve("PATCH", f"{ROLES}/fine", {"rules": [rule("*", "*")]}, MERGE)
        assert code == 403
        assert (await eve("PATCH", f"{CR}/manager", {"rules": [rule("*", "*")]}, MERGE))[0] == 403
        ask = binding("b", "ClusterRole/cluster-admin", user(), kind="ClusterRoleBinding")
        code, answer = await eve("POST", CRB, ask)
        assert (code, '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}' in answer["message"]) == (403, True)
        assert (await eve("POST", BINDINGS, binding("b", "ClusterRole/cluster-admin", user())))[0] == 403
        assert (await eve("POST", BINDINGS, binding("b", "Role/fine", user())))[0] == 201
        code, answer = await eve("POST", BINDINGS, binding("c", "ClusterRole/later", user()))
        assert (code, answer["message"]) == (404, 'clusterroles.rbac.authorization.k8s.io "later" not found')
        _, bound = await eve("GET", f"{BINDINGS}/b")
        bound["roleRef"]["name"] = "cluster-admin"
        assert (await eve("PUT", f"{BINDINGS}/b", bound))[0] in (403, 404, 422)

    run(tmp_path, work)


def test_who_may_escalate_or_bind(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        special = {
            "apiGroups": [GROUP],
            "resources": ["clusterroles"],
            "verbs": ["bind"],
            "resourceNames": ["view"],
        }
        escalate = {"apiGroups": [GROUP], "resources": ["roles"], "verbs": ["escalate"]}
        eve = await _manager(call, special, escalate)
        assert (await eve("POST", BINDINGS, binding("b", "ClusterRole/view", user())))[0] == 201
        assert (await eve("POST", BINDINGS, binding("c", "ClusterRole/edit", user())))[0] == 403
        assert (await eve("POST", ROLES, role("any", rule("*", "*"), kind="Role")))[0] == 201
        assert (await eve("POST", CR, role("any", rule("*", "*"))))[0] == 403

    run(tmp_path, work)


def test_gathering_rules_asks_for_everything(tmp_path: Path) -> None:
    gather = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}

    async def work(call: Client) -> None:
        eve = await _manager(call)
        code, answer = await eve("POST", CR, role("all", aggregationRule=gather))
        assert (code, answer["message"]) == (
            403,
            (
                'clusterroles.rbac.authorization.k8s.io "all" is forbidden: must have cluster-admin privileges to use the '
                "aggregationRule"
            ),
        )
        await call("POST", CR, role("all", aggregationRule=gather))
        assert (await eve("PATCH", f"{CR}/all", {"aggregationRule": None}, MERGE))[0] == 403
        assert (await eve("PATCH", f"{CR}/all", {"metadata": {"finalizers": ["a/b"]}}, MERGE))[0] == 200

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("path", "raw", "told"),
    [
        (CR, role("r", {"apiGroups": [""], "resources": ["pods"]}), "rules[0].verbs: Required value"),
        (
            CR,
            role("r", {"verbs": ["get"]}),
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        ),
        (
            CR,
            role("r", {"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["pods"]}),
            "rules cannot apply to both regular resources and non-resource URLs",
        ),
        (
            ROLES,
            role("r", {"verbs": ["get"], "nonResourceURLs": ["/x"]}, kind="Role"),
            "namespaced rules cannot apply to non-resource URLs",
        ),
        (
            CR,
            role("r", aggregationRule={"clusterRoleSelectors": []}),
            "at least one clusterRoleSelector required",
        ),
        (
            CRB,
            binding("b", "Role/x", user(), kind="ClusterRoleBinding"),
            'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
        ),
        (
            BINDINGS,
            binding("b", "Role/a%b", user()),
            "roleRef.name: Invalid value: \"a%b\": may not contain '%'",
        ),
        (
            BINDINGS,
            binding("b", "Role/x", {"kind": "Robot", "name": "x"}),
            'subjects[0].kind: Unsupported value: "Robot"',
        ),
        (
            CRB,
            binding(
                "b", "ClusterRole/view", {"kind": "ServiceAccount", "name": "x"}, kind="ClusterRoleBinding"
            ),
            "subjects[0].namespace: Required value",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, path: str, raw: Any, told: str) -> None:
    async def work(call: Client) -> None:
        code, answer = await call("POST", path, raw)
        assert (code, told in answer["message"]) == (422, True), answer

    run(tmp_path, work)


def test_a_role_that_is_bound_stays_the_one(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        _, made = await call("POST", BINDINGS, binding("b", "ClusterRole/view", user()))
        made["roleRef"]["name"] = "edit"
        code, answer = await call("PUT", f"{BINDINGS}/b", made)
        assert (code, "cannot change roleRef" in answer["message"]) == (422, True)

    run(tmp_path, work)


def test_expressions_ask_the_same(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", BINDINGS, binding("b", "ClusterRole/view", user()))
        rbac = call.api.authorizer
        assert isinstance(rbac, Rbac)
        asking = Asking(rbac)
        pods = ResourceAttributes(resource="pods", namespace="default")
        answer = asking.authorize(Attributes(user=EVE, verb="list", resource=pods))
        assert (answer.allowed, answer.reason) == (
            True,
            'RBAC: allowed by RoleBinding "b/default" of ClusterRole "view" to User "eve"',
        )
        assert not asking.authorize(Attributes(user=EVE, verb="get", path="/metrics")).allowed

    run(tmp_path, work)


def test_what_somebody_may_do(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await call("POST", ROLES, role("reader", rule("get", "pods", resourceNames=["a"]), kind="Role"))
        await call("POST", BINDINGS, binding("b", "Role/reader", user()))
        found = await call.api.authorizer.permissions(EVE, "default")
        assert any(row.resources == ("pods",) and row.names == ("a",) for row in found.rows)
        assert any("/version" in row.paths for row in found.rows)
        elsewhere = await call.api.authorizer.permissions(EVE, "kube-system")
        assert not any(row.resources == ("pods",) for row in elsewhere.rows)

    run(tmp_path, work)


def test_every_namespace_has_a_service_account(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}
        await call("POST", "/api/v1/namespaces", body)
        accounts = "/api/v1/namespaces/team/serviceaccounts/default"
        _, first = await call("GET", accounts)
        await call("DELETE", accounts)
        _, second = await call("GET", accounts)
        assert first["metadata"]["uid"] != second["metadata"]["uid"]
        assert (await call("GET", "/api/v1/namespaces/default/serviceaccounts/default"))[0] == 200

    run(tmp_path, work)
