"""Templates whose code is CEL, as Gatekeeper judges by them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sekisho.diag import ObjectPath
from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Request, Rung
from sekisho.policy import Ask, Engine, may_differ
from sekisho.policy.code import CEL, PREFERRED, REGO, Choice

POD = Object({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"hostNetwork": True}})
REGO_SOURCE = 'package a\nviolation[{"msg": "Rego was asked"}] { true }'


def template(*engines: tuple[str, dict[str, Any]], **target: Any) -> Object:
    code = [{"engine": engine, "source": source} for engine, source in engines]
    return Object({
        "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "k8sx"},
        "spec": {
            "crd": {"spec": {"names": {"kind": "K8sX"}, "validation": {"openAPIV3Schema": {
                "type": "object", "properties": {"a": {"type": "string", "default": "d"}}}}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "code": code, **target}],
        },
    })  # fmt: skip


def native(*validations: dict[str, Any] | str, **source: Any) -> tuple[str, dict[str, Any]]:
    rows = [{"expression": row} if isinstance(row, str) else row for row in validations]
    return CEL, {"validations": rows, **source}


def constraint(**spec: Any) -> Object:
    return Object({
        "apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "K8sX", "metadata": {"name": "c"}, "spec": spec,
    })  # fmt: skip


def engine(
    *engines: tuple[str, dict[str, Any]], choice: str = "", target: dict[str, Any] | None = None, **spec: Any
) -> Engine:
    found = [template(*engines, **(target or {})), constraint(**spec)]
    return Engine.build(found, choice=Choice(engine=choice))


def messages(found: Engine, request: Object | Request = POD) -> list[str]:
    assert not found.problems, found.problems
    asked = request if isinstance(request, Request) else Request.of(request)
    return [row.diagnostic.message for row in found.review_itself(asked, Ask())]


def test_cel_wins_where_there_are_both() -> None:
    assert messages(engine((REGO, {"rego": REGO_SOURCE}), native("false"))) == ["failed expression: false"]


@pytest.mark.parametrize(
    ("choice", "wanted"), [(CEL, ["failed expression: false"]), (REGO, ["Rego was asked"])]
)
def test_either_can_be_forced(choice: str, wanted: list[str]) -> None:
    assert messages(engine((REGO, {"rego": REGO_SOURCE}), native("false"), choice=choice)) == wanted


@pytest.mark.parametrize(
    ("preferred", "choice", "wanted"),
    [
        (REGO, Choice(), "Rego was asked"),
        (CEL, Choice(), "failed expression: false"),
        (REGO, Choice(first=CEL), "failed expression: false"),
        (REGO, Choice(engine=CEL), "failed expression: false"),
    ],
)
def test_a_template_may_prefer_one(preferred: str, choice: Choice, wanted: str) -> None:
    given = template((REGO, {"rego": REGO_SOURCE}), native("false"))
    given.raw["metadata"]["annotations"] = {PREFERRED: preferred}
    assert messages(Engine.build([given, constraint()], choice=choice)) == [wanted]


@pytest.mark.parametrize("preferred", [CEL, REGO])
def test_a_preferred_engine_need_not_be_there(preferred: str) -> None:
    given = template(native("false") if preferred == REGO else (REGO, {"rego": REGO_SOURCE}))
    given.raw["metadata"]["annotations"] = {PREFERRED: preferred}
    assert len(messages(Engine.build([given, constraint()]))) == 1


def test_only_an_engine_can_be_preferred() -> None:
    given = template(native("false"))
    given.raw["metadata"]["annotations"] = {PREFERRED: "cel"}
    (problem,) = Engine.build([given]).problems
    assert problem.message == '"cel" is no engine of templates'
    assert problem.at == given.at("metadata", "annotations", PREFERRED)


def test_a_targets_own_rego_counts_as_rego() -> None:
    target = {"rego": REGO_SOURCE}
    assert messages(engine(native("false"), target=target, choice=REGO)) == ["Rego was asked"]
    assert messages(engine(native("false"), target=target)) == ["failed expression: false"]


@pytest.mark.parametrize(
    ("choice", "engines"), [(REGO, [native("true")]), (CEL, [(REGO, {"rego": REGO_SOURCE})])]
)
def test_a_forced_engine_must_be_there(choice: str, engines: list[tuple[str, dict[str, Any]]]) -> None:
    found = engine(*engines, choice=choice)
    assert [row.code.id for row in found.problems] == ["POL006", "POL026"]


def test_no_fallback_where_cel_is_broken() -> None:
    found = engine((REGO, {"rego": REGO_SOURCE}), native("nothing == 1"))
    assert [row.code.id for row in found.problems] == ["CEL100", "POL026"]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("variables.params.a == 'p'", []),
        ("variables.anyObject.metadata.name == 'x'", []),
        ("object.metadata.name == 'x' && oldObject == null", []),
        ("request.kind.kind == 'Pod'", []),
        ("namespaceObject == null", []),
        ("request.operation == 'CREATE'", []),
    ],
)
def test_what_expressions_see(expression: str, wanted: list[str]) -> None:
    assert messages(engine(native(expression), parameters={"a": "p"})) == wanted


def test_parameters_have_their_defaults() -> None:
    assert messages(engine(native("variables.params.a == 'd'"), parameters={})) == []


def test_missing_parameters_are_null() -> None:
    assert messages(engine(native("variables.params == null"))) == []


@pytest.mark.parametrize("name", ["params", "authorizer"])
def test_what_expressions_do_not_see(name: str) -> None:
    found = engine(native(f"{name} == null"))
    assert found.problems[0].message == f"undeclared reference to '{name}' (in container '')"


def test_a_deletion_is_about_the_old_object() -> None:
    found = engine(native("object == null && variables.anyObject.metadata.name == 'y'"))
    assert len(messages(found, Request.of(POD, operation=Operation.DELETE))) == 1


def test_the_namespace_is_seen() -> None:
    space = Object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "labels": {"a": "b"}}})
    request = replace(Request.of(POD), namespace="n", namespace_object=space)
    assert messages(engine(native("namespaceObject.metadata.labels.a == 'b'")), request) == []


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"message": "m"}, "m"),
        ({"messageExpression": "'is ' + variables.params.a", "message": "m"}, "is p"),
        ({"messageExpression": "string(object.missing)", "message": "m"}, "m"),
        ({}, "failed expression: false"),
    ],
)
def test_messages(row: dict[str, Any], wanted: str) -> None:
    assert messages(engine(native({"expression": "false", **row}), parameters={"a": "p"})) == [wanted]


@pytest.mark.parametrize(("policy", "count"), [("Fail", 1), ("Ignore", 0), (None, 1)])
def test_what_fails_follows_the_failure_policy(policy: str | None, count: int) -> None:
    source = {} if policy is None else {"failurePolicy": policy}
    found = engine(native("object.missing == 1", **source))
    assert messages(found) == count * [
        "expression 'object.missing == 1' resulted in error: no such key: missing"
    ]


def test_what_fails_is_marked() -> None:
    (finding,) = engine(native("object.missing == 1")).review_itself(Request.of(POD), Ask())
    assert finding.failed
    assert finding.diagnostic.code.id == "POL101"


def test_match_conditions_see_the_variables() -> None:
    source = {"matchCondition": [{"name": "m", "expression": "variables.anyObject.metadata.name != 'x'"}]}
    assert messages(engine(native("false", **source))) == []


def test_variables() -> None:
    rows = [
        {"name": "a", "expression": "variables.params.a"},
        {"name": "b", "expression": "variables.a + '!'"},
    ]
    assert messages(engine(native("variables.b == 'p!'", variables=rows), parameters={"a": "p"})) == []


def test_a_constraint_may_cost_a_million() -> None:
    body = "true"
    for level in range(5):
        body = f"[0,1,2,3,4,5,6,7,8,9].all(v{level}, {body})"
    assert messages(engine(native(*[body] * 6))) == [
        "validation failed due to running out of cost budget, no further validation rules will be run"
    ]


def test_findings_have_rung_line_and_field() -> None:
    (finding,) = engine(
        native({"expression": "object.spec.hostNetwork == false", "message": "no"}), enforcementAction="warn"
    ).review_itself(Request.of(POD), Ask())
    assert finding.message() == "[c] no"
    assert finding.rung is Rung.WARN
    assert isinstance(finding.diagnostic.at, ObjectPath)
    assert finding.diagnostic.at.path == ("spec", "hostNetwork")


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("request.operation == 'UPDATE'", ["K8sX reads operation of the review"]),
        (
            "oldObject == null && request.userInfo.username == ''",
            ["K8sX reads oldObject, userInfo of the review"],
        ),
        ("variables.anyObject != null", []),
    ],
)
def test_what_may_differ_at_admission(expression: str, wanted: list[str]) -> None:
    told = [row.message.split(", so")[0] for row in may_differ(engine(native(expression)))]
    assert told == wanted
