"""Mutating and validating webhooks: which are asked, what they are told, what becomes of their answers."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.admission.test_plugins import PODS, pod
from tests.unit.apiserver.calling import Client, run
from tests.unit.apiserver.custom.made import CRDS, WIDGETS, definition, version, widget

from sekisho.apiserver.admission import Guarding, Unmet
from sekisho.apiserver.webhooks import Refused
from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube import codes

CONFIGS = "/apis/admissionregistration.k8s.io/v1"
CM = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Hooks:
    """Webhooks by the host of their URL."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._answers = answers

    async def post(self, client: Mapping[str, Any], body: Any, *, seconds: float) -> Any:
        name = client["url"].removeprefix("https://").removesuffix("/")
        request = body["request"]
        self.asked.append((name, json.loads(json.dumps(request))))
        answer = self._answers[name]
        if isinstance(answer, Exception):
            raise answer
        response = answer(request) if callable(answer) else answer
        if "response" in response or "kind" in response:
            return response
        return {
            "apiVersion": body["apiVersion"],
            "kind": "AdmissionReview",
            "response": {"uid": request["uid"], "allowed": True, **response},
        }

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


RULE = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}


def hook(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": f"{name}.example.com",
        "clientConfig": {"url": f"https://{name}/"},
        "rules": [RULE],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        **more,
    }


def config(kind: str, name: str, *hooks: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    raw = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": list(hooks),
    }
    return f"{CONFIGS}/{kind.lower()}webhookconfigurations", raw


def patching(*operations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "patch": base64.b64encode(json.dumps(operations).encode()).decode(),
        "patchType": "JSONPatch",
        **more,
    }


def add(path: str, value: Any) -> dict[str, Any]:
    return patching({"op": "add", "path": path, "value": value})


def cm(name: str = "a", **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"app": "x"}},
        "data": data,
    }


def with_hooks(
    folder: Path,
    hooks: Hooks,
    configs: list[tuple[str, dict[str, Any]]],
    work: Callable[[Client], Awaitable[Any]],
    **settings: Any,
) -> Any:
    async def whole(call: Client) -> Any:
        for path, raw in configs:
            code, answer = await call("POST", path, raw)
            assert code == 201, answer
        return await work(call)

    return run(folder, whole, caller=hooks, **settings)


def create(
    folder: Path, hooks: Hooks, *configs: tuple[str, dict[str, Any]], body: Any = None
) -> tuple[int, Any]:
    async def work(call: Client) -> Any:
        return await call("POST", CM, body or cm())

    code, answer = with_hooks(folder, hooks, list(configs), work)
    return code, answer


def test_mutating_ones_are_asked_in_order_before_validating_ones(tmp_path: Path) -> None:
    hooks = Hooks(
        a=lambda _: add("/data", {"seen": "a"}),
        b=lambda request: add("/data/seen", request["object"]["data"]["seen"] + "b"),
        c={},
    )
    code, made = create(
        tmp_path,
        hooks,
        config("Validating", "v", hook("c")),
        config("Mutating", "m2", hook("b")),
        config("Mutating", "m1", hook("a")),
    )
    assert (code, made["data"], hooks.names) == (201, {"seen": "ab"}, ["a", "b", "c"])
    assert hooks.asked[2][1]["object"]["data"] == {"seen": "ab"}


def test_what_a_webhook_is_told(tmp_path: Path) -> None:
    hooks = Hooks(v={})

    async def work(call: Client) -> None:
        await call("POST", f"{CM}?fieldManager=me", cm())
        await call("PATCH", f"{CM}/a", {"data": {"x": "1"}}, MERGE)
        await call("DELETE", f"{CM}/a")

    with_hooks(tmp_path, hooks, [config("Validating", "v", hook("v"))], work)
    create, update, delete = (request for _, request in hooks.asked)
    assert create["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert (create["operation"], create["name"], create["namespace"]) == ("CREATE", "a", "default")
    assert (create["oldObject"], create["dryRun"]) == (None, False)
    assert create["options"] == {
        "kind": "CreateOptions",
        "apiVersion": "meta.k8s.io/v1",
        "fieldManager": "me",
    }
    assert create["requestResource"] == create["resource"]
    assert (update["operation"], "data" in update["oldObject"], update["object"]["data"]) == (
        "UPDATE",
        False,
        {"x": "1"},
    )
    assert (delete["operation"], delete["object"], delete["oldObject"]["data"]) == (
        "DELETE",
        None,
        {"x": "1"},
    )


@pytest.mark.parametrize(
    ("response", "code", "told"),
    [
        ({"allowed": False}, 400, 'admission webhook "v.example.com" denied the request without explanation'),
        (
            {"allowed": False, "status": {"message": "no way", "code": 403, "reason": "Forbidden"}},
            403,
            'admission webhook "v.example.com" denied the request: no way',
        ),
        (
            {"allowed": False, "status": {"reason": "Busy", "code": 200}},
            400,
            'admission webhook "v.example.com" denied the request: Busy',
        ),
        ({"allowed": False, "status": {"message": "x", "code": 9999}}, 400, "denied the request: x"),
        ({"allowed": False, "status": "nonsense"}, 400, "without explanation"),
    ],
)
def test_a_denial(tmp_path: Path, response: Any, code: int, told: str) -> None:
    for kind in ("Validating", "Mutating"):
        found, answer = create(tmp_path / kind, Hooks(v=response), config(kind, "v", hook("v")))
        assert (found, told in answer["message"]) == (code, True), answer


def test_warnings_are_passed_on(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        return (await call.raw("POST", CM, cm())).warnings

    configs = [config("Validating", "v", hook("v")), config("Mutating", "m", hook("m"))]
    hooks = Hooks(v={"warnings": ["careful"]}, m={"warnings": ["really"]})
    assert with_hooks(tmp_path, hooks, configs, work) == ("really", "careful")


BROKEN: list[tuple[Any, str]] = [
    (Refused("nothing answers", timeout=True), "failed to call webhook: nothing answers"),
    ({"response": None}, "received invalid webhook response: webhook response was absent"),
    (
        {"apiVersion": "v9", "kind": "AdmissionReview", "response": {"allowed": True}},
        "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got v9, Kind=AdmissionReview",
    ),
    (
        {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": {"uid": "x", "allowed": True},
        },
        'expected response.uid="',
    ),
    ({"patch": "e30="}, "webhook returned response.patch but not response.patchType"),
    ({"patchType": "JSONPatch"}, "webhook returned response.patchType but not response.patch"),
    ({"patch": "%%%", "patchType": "JSONPatch"}, "received undecodable patch in webhook response"),
    (patching({"op": "add", "path": "/x", "value": 1}, patchType="Merge"), 'unsupported patch type "Merge"'),
]


@pytest.mark.parametrize(("answer", "told"), BROKEN)
def test_a_webhook_that_is_not_there_or_lies_fails_the_request(
    tmp_path: Path, answer: Any, told: str
) -> None:
    code, found = create(tmp_path, Hooks(m=answer), config("Mutating", "m", hook("m")))
    assert (code, found["reason"]) == (500, "InternalError")
    assert found["message"].startswith('Internal error occurred: failed calling webhook "m.example.com": ')
    assert told in found["message"]


@pytest.mark.parametrize(("answer", "told"), BROKEN)
def test_one_that_may_be_ignored_is(tmp_path: Path, answer: Any, told: str) -> None:
    del told
    code, made = create(tmp_path, Hooks(m=answer), config("Mutating", "m", hook("m", failurePolicy="Ignore")))
    assert (code, "data" in made) == (201, False)


@pytest.mark.parametrize(
    "response", [{"allowed": False}, {"allowed": "true"}, {"allowed": 1}, {"allowed": None}]
)
def test_only_true_allows_and_a_denial_is_never_ignored(tmp_path: Path, response: Any) -> None:
    code, _ = create(
        tmp_path, Hooks(v=response), config("Validating", "v", hook("v", failurePolicy="Ignore"))
    )
    assert code == 400


def test_a_validating_webhook_changes_nothing(tmp_path: Path) -> None:
    code, found = create(tmp_path, Hooks(v=add("/data", {"x": "1"})), config("Validating", "v", hook("v")))
    assert (code, "validating webhook may not return response.patch" in found["message"]) == (500, True)


def test_what_the_server_owns_no_webhook_changes(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        _, made = await call("POST", CM, cm())
        assert (made["metadata"]["name"], made["metadata"]["namespace"]) == ("a", "default")
        assert made["metadata"]["uid"] != "mine"
        assert "deletionTimestamp" not in made["metadata"]

    spoiled = patching(
        {"op": "add", "path": "/metadata/uid", "value": "mine"},
        {"op": "replace", "path": "/metadata/name", "value": "other"},
        {"op": "replace", "path": "/metadata/namespace", "value": "kube-system"},
        {"op": "add", "path": "/metadata/deletionTimestamp", "value": "2020-01-01T00:00:00Z"},
    )
    with_hooks(tmp_path, Hooks(m=spoiled), [config("Mutating", "m", hook("m"))], work)


def test_what_is_mutated_is_validated(tmp_path: Path) -> None:
    code, found = create(
        tmp_path, Hooks(m=add("/metadata/labels", {"a b": "c"})), config("Mutating", "m", hook("m"))
    )
    assert (code, found["reason"]) == (422, "Invalid")


def test_what_is_mutated_gets_defaults(tmp_path: Path) -> None:
    rule = {**RULE, "resources": ["pods"]}

    def more(_: Any) -> Any:
        return add("/spec/containers/-", {"name": "side", "image": "s:1"})

    async def work(call: Client) -> Any:
        return (await call("POST", PODS, pod()))[1]

    made = with_hooks(tmp_path, Hooks(m=more), [config("Mutating", "m", hook("m", rules=[rule]))], work)
    side = made["spec"]["containers"][1]
    assert side["imagePullPolicy"] == "IfNotPresent"
    assert side["volumeMounts"][0]["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"


def test_who_wants_to_is_asked_once_more(tmp_path: Path) -> None:
    hooks = Hooks(
        a=lambda request: add("/metadata/labels/a", str(len(request["object"]["metadata"]["labels"]))),
        b=lambda _: add("/metadata/labels/b", "y"),
    )
    again = config("Mutating", "m1", hook("a", reinvocationPolicy="IfNeeded"))
    _, made = create(tmp_path, hooks, again, config("Mutating", "m2", hook("b")))
    assert (hooks.names, made["metadata"]["labels"]["a"]) == (["a", "b", "a"], "3")


MATCHES: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"rules": [{**RULE, "operations": ["DELETE"]}]}, False),
    ({"rules": [{**RULE, "apiGroups": ["apps"]}]}, False),
    ({"rules": [{**RULE, "apiGroups": ["*"], "resources": ["*"]}]}, True),
    ({"rules": [{**RULE, "resources": ["*/*"]}]}, True),
    ({"rules": [{**RULE, "resources": ["configmaps/status"]}]}, False),
    ({"rules": [{**RULE, "apiVersions": ["v2"]}]}, False),
    ({"rules": [{**RULE, "scope": "Cluster"}]}, False),
    ({"rules": [{**RULE, "scope": "Namespaced"}]}, True),
    ({"objectSelector": {"matchLabels": {"app": "x"}}}, True),
    ({"objectSelector": {"matchLabels": {"app": "y"}}}, False),
    ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}, True),
    (
        {
            "namespaceSelector": {
                "matchExpressions": [
                    {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["default"]}
                ]
            }
        },
        False,
    ),
]


@pytest.mark.parametrize(("more", "asked"), MATCHES)
def test_which_are_asked(tmp_path: Path, more: Any, asked: bool) -> None:
    hooks = Hooks(v={})
    create(tmp_path, hooks, config("Validating", "v", hook("v", **more)))
    assert bool(hooks.asked) is asked


def test_a_namespace_is_selected_by_its_own_labels(tmp_path: Path) -> None:
    rule = {**RULE, "resources": ["namespaces"]}
    selector = {"matchLabels": {"team": "a"}}
    hooks = Hooks(v={})

    async def work(call: Client) -> None:
        for name, labels in (("one", {"team": "a"}), ("two", {"team": "b"})):
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            await call("POST", "/api/v1/namespaces", body)

    configs = [config("Validating", "v", hook("v", rules=[rule], namespaceSelector=selector))]
    with_hooks(tmp_path, hooks, configs, work)
    assert [(row["name"], row["namespace"]) for _, row in hooks.asked] == [("one", "one")]


def test_a_dry_run_asks_only_who_has_no_side_effects(tmp_path: Path) -> None:
    hooks = Hooks(v={})

    async def work(call: Client) -> Any:
        return await call("POST", f"{CM}?dryRun=All", cm())

    code, _ = with_hooks(
        tmp_path, hooks, [config("Validating", "v", hook("v", sideEffects="NoneOnDryRun"))], work
    )
    assert (code, hooks.asked[0][1]["dryRun"]) == (201, True)


def test_configurations_are_never_put_before_webhooks(tmp_path: Path) -> None:
    rule = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}

    async def work(call: Client) -> Any:
        return (await call("DELETE", f"{CONFIGS}/validatingwebhookconfigurations/v"))[0]

    hooks = Hooks(v={"allowed": False})
    configs = [config("Validating", "v", hook("v", rules=[rule]))]
    assert (with_hooks(tmp_path, hooks, configs, work), hooks.asked) == (200, [])


def test_a_resource_in_another_version_is_converted(tmp_path: Path) -> None:
    crd = definition(version("v1"), version("v2", storage=False))
    rule = {
        "operations": ["*"],
        "apiGroups": ["example.com"],
        "apiVersions": ["v2"],
        "resources": ["widgets"],
    }

    async def work(call: Client) -> None:
        await call("POST", CRDS, crd)
        await call("POST", WIDGETS, widget(size=1))

    for policy, names in (("Equivalent", ["v"]), ("Exact", [])):
        hooks = Hooks(v={})
        configs = [config("Validating", "v", hook("v", rules=[rule], matchPolicy=policy))]
        with_hooks(tmp_path / policy, hooks, configs, work)
        assert hooks.names == names
        for _, request in hooks.asked:
            assert (request["kind"]["version"], request["object"]["apiVersion"]) == ("v2", "example.com/v2")
            assert request["requestKind"]["version"] == "v1"


def test_validating_ones_are_asked_at_the_same_time(tmp_path: Path) -> None:
    class Slow(Hooks):
        async def post(self, client: Mapping[str, Any], body: Any, *, seconds: float) -> Any:
            self.under_way = getattr(self, "under_way", 0) + 1
            self.most = max(getattr(self, "most", 0), self.under_way)
            await asyncio.sleep(0)
            self.under_way -= 1
            return await super().post(client, body, seconds=seconds)

    hooks = Slow(a={}, b={}, c={})
    create(tmp_path, hooks, config("Validating", "v", hook("a"), hook("b"), hook("c")))
    assert hooks.most == 3


def test_a_scale_is_shown_as_one(tmp_path: Path) -> None:
    rule = {
        "operations": ["UPDATE"],
        "apiGroups": ["example.com"],
        "apiVersions": ["v1"],
        "resources": ["widgets/scale"],
    }
    scale = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}
    hooks = Hooks(m=patching({"op": "replace", "path": "/spec/replicas", "value": 4}))

    async def work(call: Client) -> Any:
        await call("POST", CRDS, definition(version(subresources={"scale": scale})))
        await call("POST", WIDGETS, widget(size=1))
        await call("PATCH", f"{WIDGETS}/a/scale", {"spec": {"replicas": 2}}, MERGE)
        return (await call("GET", f"{WIDGETS}/a"))[1]["spec"]["size"]

    assert with_hooks(tmp_path, hooks, [config("Mutating", "m", hook("m", rules=[rule]))], work) == 4
    assert (hooks.asked[0][1]["kind"]["kind"], hooks.asked[0][1]["object"]["spec"]) == (
        "Scale",
        {"replicas": 2},
    )


def _conditions(outcome: Any) -> Any:
    def read(object: Any, path: Any) -> Any:
        row = object.get(*path)["matchConditions"][0]
        if row["expression"] == "broken":
            raise DiagnosticError(Diagnostic(code=codes.BAD_REVIEW, message="compilation failed"))

        def hold(request: Any) -> bool:
            if isinstance(outcome, Exception):
                raise outcome
            return bool(outcome)

        return hold

    return read


CONDITION = [{"name": "c", "expression": "x"}]


@pytest.mark.parametrize(
    ("outcome", "policy", "code", "asked"),
    [
        (True, "Fail", 201, True),
        (False, "Fail", 201, False),
        (Unmet("no such key"), "Fail", 403, False),
        (Unmet("no such key"), "Ignore", 201, False),
    ],
)
def test_match_conditions(tmp_path: Path, outcome: Any, policy: str, code: int, asked: bool) -> None:
    hooks = Hooks(v={})

    async def work(call: Client) -> Any:
        return (await call("POST", CM, cm()))[0]

    configs = [config("Validating", "v", hook("v", matchConditions=CONDITION, failurePolicy=policy))]
    found = with_hooks(tmp_path, hooks, configs, work, guarding=Guarding(conditions=_conditions(outcome)))
    assert (found, bool(hooks.asked)) == (code, asked)


def test_conditions_that_nobody_can_evaluate_fail_closed(tmp_path: Path) -> None:
    code, answer = create(
        tmp_path, Hooks(v={}), config("Validating", "v", hook("v", matchConditions=CONDITION))
    )
    assert (code, "match conditions cannot be evaluated here" in answer["message"]) == (500, True)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            {"name": "short.name"},
            'webhooks[0].name: Invalid value: "short.name": should be a domain with at least three segments',
        ),
        (
            {"sideEffects": "Some"},
            'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
        ),
        (
            {"timeoutSeconds": 31},
            "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds",
        ),
        ({"clientConfig": {"url": "http://v/"}}, "'https' is the only allowed URL scheme"),
        ({"clientConfig": {"url": "https://user@v/"}}, "user information is not permitted in the URL"),
        (
            {"clientConfig": {}},
            "webhooks[0].clientConfig: Required value: exactly one of url or service is required",
        ),
        ({"admissionReviewVersions": ["v9"]}, "must include at least one of v1, v1beta1"),
        ({"rules": [{**RULE, "operations": []}]}, "webhooks[0].rules[0].operations: Required value"),
        (
            {"rules": [{**RULE, "apiVersions": ["*", "v1"]}]},
            "if '*' is present, must not specify other API versions",
        ),
        (
            {"rules": [{**RULE, "resources": ["pods/*", "pods/log"]}]},
            "if 'pods/*' is present, must not specify pods/log",
        ),
        (
            {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}},
            "webhooks[0].namespaceSelector.matchExpressions[0].operator",
        ),
        (
            {"matchConditions": [{"name": "c", "expression": "broken"}]},
            "webhooks[0].matchConditions: Invalid value",
        ),
    ],
)
def test_what_is_refused_of_a_configuration(tmp_path: Path, more: Any, told: str) -> None:
    path, raw = config("Validating", "v", {**hook("v"), **more})

    async def work(call: Client) -> None:
        code, answer = await call("POST", path, raw)
        assert (code, told.removesuffix(": Invalid value") in answer["message"]) == (422, True), answer

    run(tmp_path, work, guarding=Guarding(conditions=_conditions(True)))


AUTOSCALER = {
    "apiVersion": "autoscaling/v1",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "a"},
    "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d"}},
}
EVENT = {
    "apiVersion": "events.k8s.io/v1",
    "kind": "Event",
    "metadata": {"name": "e"},
    "eventTime": "2026-01-02T03:04:05.000000Z",
    "action": "A",
    "note": "hello",
    "reason": "R",
    "type": "Normal",
    "reportingController": "example.com/c",
    "reportingInstance": "i",
    "regarding": {"kind": "Pod", "name": "p", "namespace": "default"},
}


@pytest.mark.parametrize(
    ("path", "body", "rule", "kind", "field"),
    [
        (
            "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers",
            AUTOSCALER,
            {"apiGroups": ["autoscaling"], "apiVersions": ["v2"], "resources": ["horizontalpodautoscalers"]},
            {"group": "autoscaling", "version": "v2", "kind": "HorizontalPodAutoscaler"},
            ("spec", "metrics", 0, "resource", "name"),
        ),
        (
            "/apis/events.k8s.io/v1/namespaces/default/events",
            EVENT,
            {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["events"]},
            {"group": "", "version": "v1", "kind": "Event"},
            ("message",),
        ),
    ],
)
def test_built_in_objects_are_shown_in_the_version_of_the_rule(
    tmp_path: Path, path: str, body: dict[str, Any], rule: dict[str, Any], kind: Any, field: tuple[Any, ...]
) -> None:
    hooks = Hooks(a={})
    rules = [{"operations": ["*"], **rule}]

    async def work(call: Client) -> Any:
        return await call("POST", path, body)

    code, answer = with_hooks(tmp_path, hooks, [config("Validating", "v", hook("a", rules=rules))], work)
    assert code == 201, answer
    [(_, request)] = hooks.asked
    assert request["kind"] == kind
    assert request["requestKind"]["version"] == body["apiVersion"].rpartition("/")[2]
    found = request["object"]
    assert found["apiVersion"] == "/".join(filter(None, (kind["group"], kind["version"])))
    for step in field:
        found = found[step]
    assert found in ("cpu", "hello")


def test_an_exact_webhook_is_not_asked_about_another_version(tmp_path: Path) -> None:
    hooks = Hooks(a={"allowed": False})
    rule = {"apiGroups": ["autoscaling"], "apiVersions": ["v2"], "resources": ["*"], "operations": ["*"]}
    path = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"

    async def work(call: Client) -> Any:
        return await call("POST", path, AUTOSCALER)

    only = config("Validating", "v", hook("a", rules=[rule], matchPolicy="Exact"))
    assert with_hooks(tmp_path, hooks, [only], work)[0] == 201
    assert not hooks.asked
