"""Which requests policies and bindings are about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.policy.vap.made import binding, judged, messages, namespace, policy, thing

from sekisho.kube.gvk import GVR
from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Request

RULE: dict[str, Any] = {
    "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"],
}  # fmt: skip
DEPLOYMENT = thing("Deployment", api="apps/v1", metadata={"labels": {"app": "web"}})


def rule(**changes: Any) -> dict[str, Any]:
    return {**RULE, **changes}


def about(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceRules": list(rules), **more}


def matches(constraints: dict[str, Any], request: Object | Request, *known: Object) -> bool:
    found = policy(matchConstraints=constraints, validations=[{"expression": "false"}])
    return bool(judged(found, about=request, known=known).findings)


@pytest.mark.parametrize(
    ("constraints", "wanted"),
    [
        (about(rule()), True),
        (about(rule(apiGroups=["*"])), True),
        (about(rule(apiGroups=["batch"])), False),
        (about(rule(apiGroups=["batch", "apps"])), True),
        (about(rule(apiGroups=[""])), False),
        (about(rule(apiVersions=["*"])), True),
        (about(rule(apiVersions=["v2"])), False),
        (about(rule(operations=["*"])), True),
        (about(rule(operations=["UPDATE", "CREATE"])), True),
        (about(rule(operations=["DELETE"])), False),
        (about(rule(resources=["*"])), True),
        (about(rule(resources=["*/*"])), True),
        (about(rule(resources=["pods", "deployments"])), True),
        (about(rule(resources=["deployments/scale"])), False),
        (about(rule(resources=["*/scale"])), False),
        (about(rule(scope="*")), True),
        (about(rule(scope="Namespaced")), True),
        (about(rule(scope="Cluster")), False),
        (about(rule(resourceNames=["x"])), True),
        (about(rule(resourceNames=["y"])), False),
        (about(rule(apiGroups=["batch"]), rule()), True),
        (about(rule(), excludeResourceRules=[rule()]), False),
        (about(rule(), excludeResourceRules=[rule(resourceNames=["y"])]), True),
        (about(rule(), objectSelector={"matchLabels": {"app": "web"}}), True),
        (about(rule(), objectSelector={"matchLabels": {"app": "db"}}), False),
        (about(rule(), objectSelector={}), True),
    ],
)
def test_rules(constraints: dict[str, Any], wanted: bool) -> None:
    assert matches(constraints, DEPLOYMENT) is wanted


@pytest.mark.parametrize(
    ("resources", "wanted"),
    [
        (["pods"], False),
        (["pods/exec"], True),
        (["pods/*"], True),
        (["*"], False),
        (["*/*"], True),
        (["*/exec"], True),
    ],
)
def test_subresources(resources: list[str], wanted: bool) -> None:
    request = Request.of(thing("PodExecOptions"), operation=Operation.CONNECT)
    request = replace(request, resource=GVR("", "v1", "pods"), subresource="exec")
    constraints = about(rule(apiGroups=[""], operations=["CONNECT"], resources=resources))
    assert matches(constraints, request) is wanted


@pytest.mark.parametrize(("scope", "wanted"), [("Cluster", True), ("Namespaced", False), ("*", True)])
def test_a_namespace_is_cluster_scoped(scope: str, wanted: bool) -> None:
    constraints = about(rule(apiGroups=[""], resources=["namespaces"], scope=scope))
    assert matches(constraints, namespace()) is wanted


SELECTS = {"matchLabels": {"tier": "one"}}


@pytest.mark.parametrize(
    ("selector", "request_", "known", "wanted"),
    [
        (SELECTS, DEPLOYMENT, [namespace(tier="one")], True),
        (SELECTS, DEPLOYMENT, [namespace(tier="two")], False),
        ({}, DEPLOYMENT, [], True),
        (SELECTS, namespace(tier="one"), [], True),
        (SELECTS, namespace(tier="two"), [], False),
        (SELECTS, thing("Node", namespace=""), [], True),
        ({"matchLabels": {"kubernetes.io/metadata.name": "shop"}}, DEPLOYMENT, [namespace()], True),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, thing(namespace=""), [], True),
    ],
)
def test_namespace_selectors(
    selector: dict[str, Any], request_: Object, known: list[Object], wanted: bool
) -> None:
    everything = rule(apiGroups=["*"], resources=["*"])
    assert matches(about(everything, namespaceSelector=selector), request_, *known) is wanted


def test_an_unknown_namespace_denies_only_if_all_else_matches() -> None:
    found = policy(
        matchConstraints=about(rule(), namespaceSelector=SELECTS), validations=[{"expression": "true"}]
    )
    assert messages(judged(found, about=DEPLOYMENT)) == [
        'failed to configure policy: namespaces "shop" not found'
    ]
    assert judged(found, about=thing()).findings == ()
    (finding,) = judged(found, about=DEPLOYMENT).findings
    assert finding.message() == (
        "ValidatingAdmissionPolicy 'p' denied request: "
        'failed to configure policy: namespaces "shop" not found'
    )
    assert finding.diagnostic.help == "add the Namespace shop to the input"


@pytest.mark.parametrize(("match_policy", "wanted"), [("Equivalent", True), ("Exact", False), (None, True)])
def test_other_versions_match_if_equivalent(match_policy: str | None, wanted: bool) -> None:
    more = {} if match_policy is None else {"matchPolicy": match_policy}
    constraints = about(rule(apiGroups=["networking.k8s.io"], resources=["ipaddresses"]), **more)
    found = thing("IPAddress", api="networking.k8s.io/v1beta1", namespace="")
    assert matches(constraints, found) is wanted


def test_what_matched_in_another_version_is_judged_in_it() -> None:
    constraints = about(rule(apiGroups=["networking.k8s.io"], resources=["ipaddresses"]))
    expression = (
        "object.apiVersion == 'networking.k8s.io/v1' && request.kind.version == 'v1'"
        " && request.requestKind.version == 'v1beta1'"
    )
    found = policy(matchConstraints=constraints, validations=[{"expression": expression}])
    address = thing("IPAddress", api="networking.k8s.io/v1beta1", namespace="")
    assert judged(found, about=address).findings == ()


def test_versions_with_other_fields_are_not_converted() -> None:
    constraints = about(rule(apiGroups=["resource.k8s.io"], apiVersions=["v1beta2"], resources=["*"]))
    found = policy(matchConstraints=constraints, validations=[{"expression": "true"}])
    assert messages(judged(found, about=thing("ResourceClaim", api="resource.k8s.io/v1beta1"))) == [
        (
            "failed to configure binding: failed to convert object version: "
            "resource.k8s.io/v1beta1, Kind=ResourceClaim to resource.k8s.io/v1beta2"
        )
    ]


def test_an_autoscaler_is_converted() -> None:
    constraints = about(rule(apiGroups=["autoscaling"], apiVersions=["v2"], resources=["*"]))
    expression = "object.spec.metrics[0].resource.target.averageUtilization == 80"
    found = policy(matchConstraints=constraints, validations=[{"expression": expression}])
    assert judged(found, about=thing("HorizontalPodAutoscaler", api="autoscaling/v1")).findings == ()


@pytest.mark.parametrize(
    ("resources", "wanted"),
    [
        (None, True),
        (about(rule()), True),
        (about(rule(resources=["pods"])), False),
        ({}, True),
        ({"objectSelector": {"matchLabels": {"app": "db"}}}, False),
        ({"excludeResourceRules": [rule()]}, False),
    ],
)
def test_bindings_narrow(resources: dict[str, Any] | None, wanted: bool) -> None:
    found = policy(matchConstraints=about(rule()), validations=[{"expression": "false"}])
    spec = {} if resources is None else {"matchResources": resources}
    assert bool(judged(found, binding(**spec), about=DEPLOYMENT).findings) is wanted


def test_bindings_that_cannot_be_matched_deny() -> None:
    found = policy(matchConstraints=about(rule()), validations=[{"expression": "true"}])
    bound = binding(matchResources={"namespaceSelector": SELECTS})
    assert messages(judged(found, bound, about=DEPLOYMENT)) == [
        'failed to configure binding: namespaces "shop" not found'
    ]


def test_either_object_may_be_selected() -> None:
    constraints = about(rule(operations=["*"]), objectSelector={"matchLabels": {"app": "web"}})
    request = replace(
        Request.of(thing("Deployment", api="apps/v1"), operation=Operation.UPDATE), old_object=DEPLOYMENT
    )
    assert matches(constraints, request)


def test_custom_resources_have_the_plural_of_their_definition() -> None:
    crd = Object({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "oxen.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Ox", "plural": "oxen"},
                 "versions": [{"name": "v1", "served": True, "storage": True}]},
    })  # fmt: skip
    constraints = about(rule(apiGroups=["example.com"], resources=["oxen"]))
    found = policy(matchConstraints=constraints, validations=[{"expression": "false"}])
    ox = thing("Ox", api="example.com/v1")
    request = replace(Request.of(ox), resource=GVR("", "", ""))
    assert judged(found, about=request, known=[crd]).findings
