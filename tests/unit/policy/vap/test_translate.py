"""Templates and constraints as policies and bindings: their form, and that they say the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.policy.vap.made import namespace, thing

from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Request
from sekisho.policy import Ask, Engine
from sekisho.policy.vap import Judge, Policies
from sekisho.policy.vap.translate import binding_name, translate

SOURCE: dict[str, Any] = {
    "validations": [{"expression": "variables.params.on != 'yes'", "message": "is on"}],
    "matchCondition": [{"name": "mine", "expression": "true"}],
    "variables": [{"name": "one", "expression": "1"}],
    "failurePolicy": "Ignore",
}


def template(source: dict[str, Any] = SOURCE, **target: Any) -> Object:
    return Object({
        "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "k8son"},
        "spec": {
            "crd": {"spec": {"names": {"kind": "K8sOn"}, "validation": {"openAPIV3Schema": {
                "type": "object", "properties": {"on": {"type": "string"}}}}}},
            "targets": [{
                "target": "admission.k8s.gatekeeper.sh",
                "code": [{"engine": "K8sNativeValidation", "source": source}], **target,
            }],
        },
    })  # fmt: skip


def constraint(match: dict[str, Any] | None = None, name: str = "c", **spec: Any) -> Object:
    spec.setdefault("parameters", {"on": "yes"})
    spec = {**spec, **({"match": match} if match is not None else {})}
    return Object({
        "apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "K8sOn", "metadata": {"name": name}, "spec": spec,
    })  # fmt: skip


def translated(*objects: Object, exempt: tuple[str, ...] = ()) -> tuple[list[dict[str, Any]], list[str]]:
    engine = Engine.build(objects)
    assert not [row for row in engine.problems if row.level.value == "error"], engine.problems
    made = translate(engine.templates, engine.constraints, objects, exempt=exempt)
    return list(made.objects), [row.message for row in made.problems]


def test_the_policy() -> None:
    (made,), _ = translated(template())
    spec = made["spec"]
    assert made["metadata"] == {"name": "gatekeeper-k8son"}
    assert spec["paramKind"] == {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "K8sOn"}
    assert spec["failurePolicy"] == "Ignore"
    assert spec["validations"] == SOURCE["validations"]
    assert [row["name"] for row in spec["variables"]] == ["anyObject", "params", "one"]
    assert [row["name"] for row in spec["matchConditions"]] == [
        "mine",
        "gatekeeper_internal_match_excluded_namespaces",
        "gatekeeper_internal_match_namespaces",
        "gatekeeper_internal_match_name",
        "gatekeeper_internal_match_kinds",
        "gatekeeper_internal_match_scope",
    ]
    assert spec["matchConstraints"]["resourceRules"][0]["operations"] == ["CREATE", "UPDATE"]


def test_the_binding() -> None:
    selectors = {
        "labelSelector": {"matchLabels": {"a": "b"}},
        "namespaceSelector": {"matchLabels": {"c": "d"}},
    }
    (_, made), _ = translated(template(), constraint(selectors))
    assert made["metadata"] == {"name": "gatekeeper-k8son-c"}
    assert made["spec"] == {
        "policyName": "gatekeeper-k8son",
        "paramRef": {"name": "c", "parameterNotFoundAction": "Allow"},
        "matchResources": {
            "objectSelector": {"matchLabels": {"a": "b"}}, "namespaceSelector": {"matchLabels": {"c": "d"}},
        },
        "validationActions": ["Deny"],
    }  # fmt: skip


def test_long_names_end_in_a_digest() -> None:
    name = binding_name("K8sOn", 300 * "x")
    assert len(name) == 253
    assert name.startswith("gatekeeper-k8son-xxx")
    assert name != binding_name("K8sOn", 301 * "x")


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"enforcementAction": "deny"}, ["Deny"]),
        ({"enforcementAction": "warn"}, ["Warn"]),
        ({"enforcementAction": "dryrun"}, ["Audit"]),
        ({"enforcementAction": "scoped", "scopedEnforcementActions": [
            {"action": "deny", "enforcementPoints": [{"name": "vap.k8s.io"}]},
            {"action": "warn", "enforcementPoints": [{"name": "*"}]},
            {"action": "dryrun", "enforcementPoints": [{"name": "vap.k8s.io"}]}]}, ["Deny", "Audit"]),
        ({"enforcementAction": "scoped", "scopedEnforcementActions": [
            {"action": "deny", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}]}]}, None),
    ],
)  # fmt: skip
def test_actions(spec: dict[str, Any], wanted: list[str] | None) -> None:
    made, _ = translated(template(), constraint(**spec))
    actions = [row["spec"]["validationActions"] for row in made[1:]]
    assert actions == ([] if wanted is None else [wanted])


def webhook(*operations: str) -> Object:
    rules = [
        {"apiGroups": ["apps"], "apiVersions": ["*"], "operations": list(operations), "resources": ["*"]}
    ]
    return Object({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "gatekeeper-validating-webhook-configuration"},
        "webhooks": [{
            "name": "validation.gatekeeper.sh", "rules": rules, "objectSelector": {"matchLabels": {"a": "b"}},
            "matchConditions": [{"name": "webhooks", "expression": "true"}],
        }],
    })  # fmt: skip


@pytest.mark.parametrize(
    ("operations", "webhooks", "wanted", "told"),
    [
        (["UPDATE"], None, ["UPDATE"], []),
        (["DELETE"], None, None, ["no matching operations between webhook and constraint template"]),
        (["CREATE", "DELETE"], ["*"], ["CREATE", "DELETE"], []),
        (["*"], ["CREATE"], ["CREATE"], ["operations mismatch between webhook and constraint template"]),
        (None, ["DELETE"], ["DELETE"], []),
    ],
)
def test_operations(
    operations: list[str] | None, webhooks: list[str] | None, wanted: list[str] | None, told: list[str]
) -> None:
    target = {} if operations is None else {"operations": operations}
    given = [template(**target), *([webhook(*webhooks)] if webhooks else [])]
    made, problems = translated(*given)
    assert [row["spec"]["matchConstraints"]["resourceRules"][0]["operations"] for row in made] == (
        [wanted] if wanted else []
    )
    assert problems == told


def test_the_webhook_narrows() -> None:
    (made,), _ = translated(template(), webhook("CREATE"))
    assert made["spec"]["matchConstraints"]["objectSelector"] == {"matchLabels": {"a": "b"}}
    assert made["spec"]["matchConditions"][-1] == {"name": "webhooks", "expression": "true"}


def test_templates_that_do_not_want_it_are_left_out() -> None:
    made, _ = translated(template({**SOURCE, "generateVAP": False}), constraint())
    assert made == []


# --- the same verdicts ----------------------------------------------------------------------------------------


MATCHES: list[dict[str, Any]] = [
    {},
    {"kinds": [{"apiGroups": ["apps"], "kinds": ["Deployment"]}]},
    {"kinds": [{"apiGroups": ["*"], "kinds": ["*"]}]},
    {"kinds": [{"kinds": ["ConfigMap"]}, {"apiGroups": ["batch"]}]},
    {"kinds": []},
    {"namespaces": ["shop"]},
    {"namespaces": ["sh*"]},
    {"namespaces": ["*op", "x"]},
    {"namespaces": ["*ho*"]},
    {"excludedNamespaces": ["shop"]},
    {"excludedNamespaces": ["kube-*"]},
    {"name": "x"},
    {"name": "y*"},
    {"name": "*x"},
    {"name": "gen-*"},
    {"scope": "Cluster"},
    {"scope": "Namespaced"},
    {"scope": "*"},
    {"labelSelector": {"matchLabels": {"app": "web"}}},
    {"namespaceSelector": {"matchLabels": {"tier": "one"}}},
]
OBJECTS = [
    thing(),
    thing("Deployment", api="apps/v1", metadata={"labels": {"app": "web"}}),
    thing(namespace="kube-system"),
    thing("Node", namespace=""),
    namespace(tier="one"),
    namespace("kube-system"),
    Object({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "gen-", "namespace": "shop"}}),
]


@pytest.mark.parametrize("match", MATCHES, ids=str)
def test_a_translated_constraint_says_the_same(match: dict[str, Any]) -> None:
    known = [namespace(tier="one"), namespace("kube-system", tier="two")]
    given = [template({**SOURCE, "failurePolicy": "Fail"}), constraint(match)]
    engine = Engine.build(given, inventory=known)
    made, _ = translated(*given)
    built = Policies.build([*map(Object, made), constraint(match)], inventory=known)
    assert not built.problems
    for object in OBJECTS:
        request = Request.of(object)
        request = replace(
            request, namespace_object=next((row for row in known if row.name == object.namespace), None)
        )
        by_constraint = [row.diagnostic.message for row in engine.review_itself(request, Ask())]
        by_policy = [row.diagnostic.message for row in Judge(built).judge(request).findings]
        assert by_policy == by_constraint, object


@pytest.mark.parametrize(("where", "wanted"), [("kube-system", 0), ("shop", 1), ("gate-x", 0)])
def test_excluded_and_exempt_namespaces(where: str, wanted: int) -> None:
    config = Object({
        "apiVersion": "config.gatekeeper.sh/v1alpha1", "kind": "Config", "metadata": {"name": "config"},
        "spec": {"match": [{"excludedNamespaces": ["kube-*"], "processes": ["webhook"]},
                           {"excludedNamespaces": ["shop"], "processes": ["audit"]}]},
    })  # fmt: skip
    made, _ = translated(template(), constraint(), config, exempt=("gate-*",))
    built = Policies.build([*map(Object, made), constraint()])
    assert len(Judge(built).judge(Request.of(thing(namespace=where))).findings) == wanted


def test_a_deletion_is_judged_by_the_old_object() -> None:
    source = {"validations": [{"expression": "variables.anyObject.metadata.name != 'x'"}]}
    made, _ = translated(template(source, operations=["DELETE"]), constraint(), webhook("*"))
    rules = made[0]["spec"]["matchConstraints"]
    rules.pop("objectSelector")
    rules["resourceRules"][0]["apiGroups"] = ["*"]
    built = Policies.build([*map(Object, made), constraint()])
    request = Request.of(thing(), operation=Operation.DELETE)
    assert len(Judge(built).judge(request).findings) == 1
