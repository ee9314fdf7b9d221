"""The warnings of status.typeChecking, with their texts."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.policy.vap.made import policy

from sekisho.kube.gvk import BUILT_IN
from sekisho.kube.object import Object
from sekisho.kube.schema import CustomKinds
from sekisho.policy.vap import expression_warnings, read_policy, type_checking

APPS: dict[str, Any] = {
    "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["deployments"],
}  # fmt: skip


def warnings(
    *validations: dict[str, str], rules: tuple[dict[str, Any], ...] = (APPS,), **spec: Any
) -> list[dict[str, str]]:
    found = policy(matchConstraints={"resourceRules": list(rules)}, validations=list(validations), **spec)
    return [row.to_json() for row in expression_warnings(read_policy(found))]


def test_an_unknown_field_is_told_as_the_server_does() -> None:
    assert warnings({"expression": "true"}, {"expression": "object.spec.replica > 1"}) == [
        {
            "fieldRef": "spec.validations[1].expression",
            "warning": "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replica'\n"
            " | object.spec.replica > 1\n | ...........^\n",
        }
    ]


def test_the_core_group_is_empty() -> None:
    rules = ({**APPS, "apiGroups": [""], "resources": ["pods"]},)
    (found,) = warnings({"expression": "object.spec.x == 1"}, rules=rules)
    assert found["warning"].startswith("/v1, Kind=Pod: ERROR")


def test_each_kind_has_a_line() -> None:
    rules = ({**APPS, "resources": ["statefulsets", "deployments", "daemonsets"]},)
    (found,) = warnings({"expression": "object.spec.x == 1"}, rules=rules)
    kinds = [line.split(":")[0] for line in found["warning"].splitlines() if "Kind=" in line]
    assert kinds == ["apps/v1, Kind=DaemonSet", "apps/v1, Kind=Deployment", "apps/v1, Kind=StatefulSet"]


def test_only_kinds_without_the_field_warn() -> None:
    rules = ({**APPS, "resources": ["statefulsets", "deployments"]},)
    (found,) = warnings({"expression": "object.spec.serviceName == ''"}, rules=rules)
    assert "Deployment" in found["warning"]
    assert "StatefulSet" not in found["warning"]


@pytest.mark.parametrize(
    "expression",
    [
        "object.spec.replicas > 1",
        "object.spec.template.spec.containers.all(c, c.image.startsWith('a'))",
        "object.metadata.labels['a'] == 'b'",
        "object.spec.template.spec.containers[0].ports[0].containerPort == 1",
        "oldObject == null || oldObject.spec.replicas == object.spec.replicas",
        "object.spec.strategy.rollingUpdate.maxSurge == 1",
        "object.spec.template.spec.containers.all(c, quantity(c.resources.limits['cpu']).isGreaterThan(quantity('1')))",
        "object.metadata.creationTimestamp < timestamp('2020-01-01T00:00:00Z')",
        "request.operation == 'CREATE' && namespaceObject.metadata.name == 'x'",
        "authorizer.path('/').check('get').allowed()",
    ],
)
def test_what_fits_is_not_warned_of(expression: str) -> None:
    assert warnings({"expression": expression}) == []


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("object.spec.replicas == '1'", "found no matching overload for '_==_' applied to '(int, string)'"),
        ("object.spec.template.spec.containers.image == ''", "does not support field selection"),
        ("namespaceObject.metadata.uid == ''", "undefined field 'uid'"),
        ("request.objekt == null", "undefined field 'objekt'"),
    ],
)
def test_what_does_not_fit(expression: str, message: str) -> None:
    (found,) = warnings({"expression": expression})
    assert message in found["warning"]


def test_messages_are_checked_too() -> None:
    (found,) = warnings({"expression": "true", "messageExpression": "string(object.spec.x)"})
    assert found["fieldRef"] == "spec.validations[0].messageExpression"


def test_variables_are_typed() -> None:
    spec = {"variables": [{"name": "r", "expression": "object.spec.replicas"}]}
    (found,) = warnings({"expression": "variables.r == 'x'"}, **spec)
    assert "applied to '(int, string)'" in found["warning"]


def test_params_are_typed_by_their_kind() -> None:
    spec = {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}
    (found,) = warnings({"expression": "params.date == 'x'"}, **spec)
    assert "undefined field 'date'" in found["warning"]


@pytest.mark.parametrize(
    "change",
    [{"apiGroups": ["*"]}, {"apiVersions": ["*"]}, {"resources": ["*"]}, {"resources": ["deployments/scale"]},
     {"resources": ["nothing"]}, {"apiVersions": ["v7"]}],
)  # fmt: skip
def test_rules_that_name_no_kind_are_not_checked(change: dict[str, Any]) -> None:
    assert warnings({"expression": "object.x == 1"}, rules=({**APPS, **change},)) == []


def test_custom_kinds_are_checked_by_their_definition() -> None:
    crd = Object({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "oxen.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"kind": "Ox", "plural": "oxen"},
            "versions": [{
                "name": "v1", "served": True, "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {"legs": {"type": "integer"}}}}}},
            }],
        },
    })  # fmt: skip
    rules = {**APPS, "apiGroups": ["example.com"], "resources": ["oxen"]}
    found = policy(
        matchConstraints={"resourceRules": [rules]},
        validations=[{"expression": "object.spec.legs == 4"}, {"expression": "object.spec.horns == 2"},
                     {"expression": "object.metadata.labels['a'] == 'b'"}],
    )  # fmt: skip
    told = expression_warnings(
        read_policy(found), scheme=BUILT_IN.with_crds([crd.raw]), custom=CustomKinds.of([crd])
    )
    assert [row.field_ref for row in told] == ["spec.validations[1].expression"]


def test_the_status_of_a_checked_policy() -> None:
    rules = {"resourceRules": [APPS]}
    good = read_policy(policy(matchConstraints=rules, validations=[{"expression": "true"}]))
    bad = policy(matchConstraints=rules, validations=[{"expression": "object.x == 1"}])
    bad = Object({**bad.raw, "metadata": {**bad.metadata, "generation": 3}})
    assert type_checking(good, expression_warnings(good)) == {"typeChecking": {}}
    status = type_checking(read_policy(bad), expression_warnings(read_policy(bad)))
    assert status["observedGeneration"] == 3
    (row,) = status["typeChecking"]["expressionWarnings"]
    assert row["fieldRef"] == "spec.validations[0].expression"
