"""What policies say of requests: every behaviour of the API server's plugin, restated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.policy.vap.made import binding, judged, messages, namespace, policies, policy, says, thing

from sekisho.diag import ObjectPath
from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Outcome, Request, Rung, UserInfo
from sekisho.policy.vap import Judge, Policies

KEY = "validation.policy.admission.k8s.io/validation_failure"


def test_a_false_validation_denies_in_the_servers_words() -> None:
    verdict = judged(says("object.metadata.name == 'y'"))
    (finding,) = verdict.findings
    assert verdict.outcome is Outcome.DENY
    assert finding.message() == (
        "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: "
        "failed expression: object.metadata.name == 'y'"
    )
    assert finding.diagnostic.data == {"binding": "b", "expressionIndex": 0, "reason": "Invalid", "code": 422}


def test_a_true_validation_says_nothing() -> None:
    assert judged(says("object.metadata.name == 'x'")).findings == ()


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"message": " plain "}, "plain"),
        ({"messageExpression": "'name is ' + object.metadata.name"}, "name is x"),
        ({"messageExpression": "'e'", "message": "m"}, "e"),
        ({"messageExpression": "'  e  '"}, "e"),
        ({"messageExpression": "'two\\nlines'", "message": "m"}, "m"),
        ({"messageExpression": "'   '", "message": "m"}, "m"),
        ({"messageExpression": "object.metadata.missing", "message": "m"}, "m"),
        ({"messageExpression": "string(object.metadata.missing)"}, "failed expression: false"),
        (
            {"messageExpression": "[1, 2, 3, 4, 5, 6].map(i, '" + 1000 * "x" + "').join('')", "message": "m"},
            "m",
        ),
        ({}, "failed expression: false"),
    ],
)
def test_which_message_is_shown(row: dict[str, Any], wanted: str) -> None:
    if row.get("messageExpression") == "object.metadata.missing":
        row = {**row, "messageExpression": "object.metadata.missing + ''"}
    assert messages(judged(says({"expression": " false ", **row}))) == [wanted]


@pytest.mark.parametrize(
    ("reason", "code"),
    [("Forbidden", 403), ("Unauthorized", 401), ("RequestEntityTooLarge", 413), ("Invalid", 422)],
)
def test_reasons_have_a_status(reason: str, code: int) -> None:
    (finding,) = judged(says({"expression": "false", "reason": reason})).findings
    assert (finding.diagnostic.data["reason"], finding.diagnostic.data["code"]) == (reason, code)


def test_every_failing_validation_is_a_finding() -> None:
    verdict = judged(says("false", "true", {"expression": "false", "message": "second"}))
    assert messages(verdict) == ["failed expression: false", "second"]


@pytest.mark.parametrize(
    ("actions", "rung", "word", "outcome"),
    [
        (["Deny"], Rung.DENY, "Deny", Outcome.DENY),
        (["Warn"], Rung.WARN, "Warn", Outcome.ALLOW),
        (["Audit"], Rung.OBSERVE, "Audit", Outcome.ALLOW),
        (["Audit", "Deny"], Rung.DENY, "Deny", Outcome.DENY),
        (["Warn", "Audit"], Rung.WARN, "Warn", Outcome.ALLOW),
    ],
)
def test_actions_are_rungs(actions: list[str], rung: Rung, word: str, outcome: Outcome) -> None:
    verdict = judged(says("false"), binding(actions=actions))
    (finding,) = verdict.findings
    assert (finding.rung, finding.word, verdict.outcome) == (rung, word, outcome)
    assert (KEY in verdict.audit_annotations) == ("Audit" in actions)


def test_a_warning_has_the_servers_words() -> None:
    (finding,) = judged(says("false"), binding(actions=["Warn"])).findings
    assert finding.message() == (
        "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': failed expression: false"
    )


def test_failures_are_audited_as_json() -> None:
    verdict = judged(says("true", {"expression": "false", "message": "m"}), binding(actions=["Audit"]))
    assert json.loads(verdict.audit_annotations[KEY]) == [
        {"message": "m", "policy": "p", "binding": "b", "expressionIndex": 1, "validationActions": ["Audit"]}
    ]


def test_no_more_than_fifty_failures_are_audited() -> None:
    verdict = judged(says(*60 * ["false"]), binding(actions=["Audit"]))
    assert len(json.loads(verdict.audit_annotations[KEY])) == 50
    assert len(verdict.findings) == 60


# --- failure policy -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("failure", "count"), [("Fail", 1), ("Ignore", 0), (None, 1)])
def test_what_cannot_be_evaluated_follows_the_failure_policy(failure: str | None, count: int) -> None:
    spec = {} if failure is None else {"failurePolicy": failure}
    verdict = judged(says("object.spec.replicas > 1", **spec))
    assert messages(verdict) == count * [
        "expression 'object.spec.replicas > 1' resulted in error: no such key: spec"
    ]


def test_an_error_keeps_the_actions_of_the_binding() -> None:
    verdict = judged(says("object.spec.replicas > 1"), binding(actions=["Warn"]))
    assert verdict.outcome is Outcome.ALLOW
    assert verdict.findings[0].rung is Rung.WARN


def test_ignore_lets_violations_deny() -> None:
    verdict = judged(says("object.missing == 1", "false", failurePolicy="Ignore"))
    assert messages(verdict) == ["failed expression: false"]


# --- match conditions -----------------------------------------------------------------------------------------


def conditions(*expressions: str) -> list[dict[str, str]]:
    return [{"name": f"c{index}", "expression": text} for index, text in enumerate(expressions)]


@pytest.mark.parametrize(
    ("expressions", "failure", "wanted"),
    [
        (["true"], "Fail", ["failed expression: false"]),
        (["true", "false"], "Fail", []),
        (["object.missing == 1", "false"], "Fail", []),
        (["object.missing == 1", "true"], "Ignore", []),
        (["object.missing == 1"], "Fail",
         ["expression 'object.missing == 1' resulted in error: no such key: missing"]),
        (["object.a == 1", "object.b == 1"], "Fail",
         [("[expression 'object.a == 1' resulted in error: no such key: a, "
          "expression 'object.b == 1' resulted in error: no such key: b]")]),
        (["object.a == 1", "object.a == 1"], "Fail",
         ["expression 'object.a == 1' resulted in error: no such key: a"]),
    ],
)  # fmt: skip
def test_match_conditions(expressions: list[str], failure: str, wanted: list[str]) -> None:
    found = says("false", matchConditions=conditions(*expressions), failurePolicy=failure)
    assert messages(judged(found)) == wanted


def test_match_conditions_see_request_and_params_but_no_namespace() -> None:
    found = says(
        "false",
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        matchConditions=conditions(
            "request.operation == 'CREATE'", "params.data.on == 'yes'", "namespaceObject == null"
        ),
    )
    reference = {"name": "x", "parameterNotFoundAction": "Deny"}
    verdict = judged(found, binding(paramRef=reference), known=[namespace(), thing(data={"on": "yes"})])
    assert messages(verdict) == ["failed expression: false"]


# --- variables ------------------------------------------------------------------------------------------------


def variables(**rows: str) -> list[dict[str, str]]:
    return [{"name": name, "expression": text} for name, text in rows.items()]


def test_variables_see_those_before_them() -> None:
    found = says(
        {"expression": "variables.c == 5", "messageExpression": "string(variables.c)"},
        variables=variables(a="1", b="variables.a + 1", c="variables.a + variables.b"),
    )
    assert messages(judged(found)) == ["3"]


def test_variables_are_lazy() -> None:
    found = says("true || variables.broken", variables=variables(broken="object.missing == 1"))
    assert judged(found).findings == ()


def test_a_variable_that_fails_names_itself() -> None:
    found = says("variables.a == 1 && variables.a == 2", variables=variables(a="object.missing"))
    assert messages(judged(found)) == [
        (
            "expression 'variables.a == 1 && variables.a == 2' resulted in error: "
            'composited variable "a" fails to evaluate: no such key: missing'
        )
    ]


def test_errors_of_variables_are_absorbed() -> None:
    found = says("variables.a == 1 || true", variables=variables(a="object.missing"))
    assert judged(found).findings == ()


def test_variables_have_types() -> None:
    found = Policies.build([says("variables.a == 1", variables=variables(a="'text'")), binding()])
    assert [row.message for row in found.problems] == [
        "found no matching overload for '_==_' applied to '(string, int)'"
    ]


# --- params ---------------------------------------------------------------------------------------------------

PARAM_KIND = {"apiVersion": "v1", "kind": "ConfigMap"}


def limit(name: str, most: str, *, where: str = "shop", **labels: str) -> Object:
    return thing(name=name, namespace=where, data={"max": most}, metadata={"labels": labels})


def counting(**spec: Any) -> Object:
    return says(
        {
            "expression": "object.spec.replicas <= int(params.data.max)",
            "messageExpression": "'at most ' + params.data.max + ' by ' + params.metadata.name",
        },
        paramKind=PARAM_KIND,
        **spec,
    )


DEPLOYMENT = thing("Deployment", api="apps/v1", spec={"replicas": 5})


def ref(action: str = "Deny", **rest: Any) -> dict[str, Any]:
    return {"parameterNotFoundAction": action, **rest}


def params(found: Object, reference: dict[str, Any] | None, *known: Object) -> list[str]:
    spec = {} if reference is None else {"paramRef": reference}
    return messages(judged(found, binding(**spec), about=DEPLOYMENT, known=known))


def test_params_by_name_are_those_of_the_objects_namespace() -> None:
    assert params(counting(), ref(name="a"), limit("a", "3"), limit("a", "1", where="other")) == [
        "at most 3 by a"
    ]


def test_params_of_a_namespace_that_is_named() -> None:
    reference = ref(name="a", namespace="other")
    assert params(counting(), reference, limit("a", "3"), limit("a", "1", where="other")) == [
        "at most 1 by a"
    ]


def test_many_params_are_evaluated_one_by_one() -> None:
    reference = ref(selector={"matchLabels": {"for": "x"}})
    known = [limit("a", "3", **{"for": "x"}), limit("b", "9", **{"for": "x"}), limit("c", "1"),
             limit("d", "2", **{"for": "x"})]  # fmt: skip
    assert params(counting(), reference, *known) == ["at most 3 by a", "at most 2 by d"]


def test_an_empty_selector_selects_all() -> None:
    assert params(counting(), ref(selector={}), limit("a", "3"), limit("b", "4")) == [
        "at most 3 by a",
        "at most 4 by b",
    ]


NOT_FOUND = (
    "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
)


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        (ref("Allow", name="a"), []),
        (ref("Deny", name="a"), [NOT_FOUND]),
        (ref("Allow", selector={"matchLabels": {"a": "b"}}), []),
        (ref("Deny", selector={"matchLabels": {"a": "b"}}), [NOT_FOUND]),
    ],
)
def test_missing_params(reference: dict[str, Any], wanted: list[str]) -> None:
    assert params(counting(), reference) == wanted


def test_missing_params_are_let_pass_by_ignore() -> None:
    assert params(counting(failurePolicy="Ignore"), ref("Deny", name="a")) == []


def test_a_configuration_error_denies_whatever_the_actions_are() -> None:
    found = binding(actions=["Audit"], paramRef=ref("Deny", name="a"))
    verdict = judged(counting(), found, about=DEPLOYMENT)
    assert verdict.outcome is Outcome.DENY


def test_without_param_ref_params_are_null() -> None:
    found = says("params == null", paramKind=PARAM_KIND)
    assert params(found, None) == []


def test_without_param_kind_the_reference_is_ignored() -> None:
    assert params(says("false"), ref(name="a")) == ["failed expression: false"]


def test_namespaced_params_need_a_namespace() -> None:
    found, bound = counting(), binding(paramRef=ref(name="a"))
    verdict = judged(found, bound, about=thing("Node", namespace=""))
    assert messages(verdict) == [
        (
            "failed to configure binding: "
            "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
        )
    ]


def test_a_namespaces_own_params_are_in_it() -> None:
    found = says("params.data.max == '4'", paramKind=PARAM_KIND)
    verdict = judged(found, binding(paramRef=ref(name="a")), about=namespace(), known=[limit("a", "4")])
    assert verdict.findings == ()


def test_cluster_scoped_params_have_no_namespace() -> None:
    found = says("true", paramKind={"apiVersion": "v1", "kind": "Node"})
    assert params(found, ref(name="a", namespace="x")) == [
        "failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
    ]


def test_a_param_kind_that_nobody_knows() -> None:
    found = says("true", paramKind={"apiVersion": "example.com/v1", "kind": "Limit"})
    assert params(found, ref(name="a")) == [
        (
            "failed to configure binding: "
            "failed to find resource referenced by paramKind: 'example.com/v1, Kind=Limit'"
        )
    ]


def test_params_of_a_custom_kind() -> None:
    crd = Object({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "limits.example.com"},
        "spec": {"group": "example.com", "scope": "Cluster", "names": {"kind": "Limit", "plural": "limits"},
                 "versions": [{"name": "v1", "served": True, "storage": True}]},
    })  # fmt: skip
    found = says(
        "object.spec.replicas <= params.max", paramKind={"apiVersion": "example.com/v1", "kind": "Limit"}
    )
    known = thing("Limit", "a", api="example.com/v1", namespace="", max=3)
    assert params(found, ref(name="a"), crd, known) == [
        "failed expression: object.spec.replicas <= params.max"
    ]


def test_params_tell_their_kind() -> None:
    found = says("params.kind == 'ConfigMap' && params.apiVersion == 'v1'", paramKind=PARAM_KIND)
    assert params(found, ref(name="a"), limit("a", "1")) == []


# --- what expressions see --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        "request.operation == 'CREATE'",
        "request.name == 'x' && request.namespace == 'shop'",
        "request.kind.group == '' && request.kind.version == 'v1' && request.kind.kind == 'ConfigMap'",
        "request.resource.resource == 'configmaps'",
        "request.requestKind.kind == 'ConfigMap' && request.requestResource.resource == 'configmaps'",
        "!has(request.subResource)",
        "request.dryRun == false",
        "oldObject == null",
        "namespaceObject.metadata.labels.tier == 'one'",
        "namespaceObject.metadata.name == 'shop'",
        "!has(request.userInfo.username) || request.userInfo.username == ''",
    ],
)
def test_what_a_creation_sees(expression: str) -> None:
    assert messages(judged(says(expression), known=[namespace(tier="one")])) == []


def test_a_deletion_has_the_old_object_only() -> None:
    found = says("object == null && oldObject.metadata.name == 'x' && request.operation == 'DELETE'")
    assert judged(found, operation=Operation.DELETE).findings == ()


def test_an_update_has_both() -> None:
    before, after = thing(data={"a": "1"}), thing(data={"a": "2"})
    request = Request.of(after, operation=Operation.UPDATE)
    request = Request.from_review({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {**request.to_json(), "oldObject": dict(before.raw)},
    })  # fmt: skip
    assert messages(judged(says("object.data.a == oldObject.data.a"), about=request)) == [
        "failed expression: object.data.a == oldObject.data.a"
    ]


def test_the_user_is_seen() -> None:
    request = Request.of(thing())
    request = type(request)(
        kind=request.kind, resource=request.resource, name="x", namespace="shop", object=request.object,
        user=UserInfo(username="jane", groups=("dev",), extra={"k": ("v",)}),
    )  # fmt: skip
    found = says(
        "request.userInfo.username == 'jane' && 'dev' in request.userInfo.groups"
        " && request.userInfo.extra['k'] == ['v']"
    )
    assert judged(found, about=request).findings == ()


def test_a_namespace_has_no_namespace_object() -> None:
    assert (
        judged(says("namespaceObject == null && request.namespace == 'shop'"), about=namespace()).findings
        == ()
    )


def test_the_object_is_not_in_the_request() -> None:
    built = Policies.build([says("request.object == null"), binding()])
    assert [row.message for row in built.problems] == ["undefined field 'object'"]


def test_a_namespace_that_is_not_known_fails_what_reads_it() -> None:
    found = [says("namespaceObject.metadata.name != ''"), says("true")]
    assert messages(judged(found[0])) == ['failed to configure binding: namespaces "shop" not found']
    assert messages(judged(found[1])) == []


def test_the_namespace_default_is_always_there() -> None:
    found = says("namespaceObject.metadata.name == 'default'")
    assert judged(found, about=thing(namespace="")).findings == ()


def test_an_authorizer_that_nobody_is_fails() -> None:
    (message,) = messages(judged(says("authorizer.path('/').check('get').allowed()")))
    assert message.endswith("no such attribute(s): authorizer")


# --- audit annotations -----------------------------------------------------------------------------------------


def annotated(*expressions: str, **spec: Any) -> Object:
    rows = [{"key": f"k{index}", "valueExpression": text} for index, text in enumerate(expressions)]
    return policy(auditAnnotations=rows, **spec)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("'a'", {"p/k0": "a"}),
        ("'  a  '", {"p/k0": "a"}),
        ("''", {}),
        ("null", {}),
        ("string(object.metadata.name)", {"p/k0": "x"}),
    ],
)
def test_audit_annotations(expression: str, wanted: dict[str, str]) -> None:
    assert judged(annotated(expression)).audit_annotations == wanted


def test_annotations_are_made_of_admitted_objects_too() -> None:
    verdict = judged(annotated("'a'"))
    assert verdict.outcome is Outcome.ALLOW


def test_annotations_of_several_bindings_are_joined() -> None:
    found = annotated("params.data.max", paramKind=PARAM_KIND)
    selecting = binding("b", paramRef=ref(selector={}))
    naming = binding("c", paramRef=ref(name="a"))
    known = [limit("a", "3"), limit("b", "4"), limit("c", "3")]
    found = annotated("string(params.data.max)", paramKind=PARAM_KIND)
    verdict = judged(found, selecting, naming, known=known)
    assert verdict.audit_annotations == {"p/k0": "3, 4"}


@pytest.mark.parametrize(("failure", "count"), [("Fail", 1), ("Ignore", 0)])
def test_an_annotation_that_fails_denies(failure: str, count: int) -> None:
    found = annotated("string(object.missing)", failurePolicy=failure)
    verdict = judged(found, binding(actions=["Audit"]))
    assert messages(verdict) == count * [
        "expression 'string(object.missing)' resulted in error: no such key: missing"
    ]
    assert all(finding.rung is Rung.DENY for finding in verdict.findings)


def test_long_annotations_are_cut() -> None:
    verdict = judged(annotated("[1, 2, 3, 4, 5, 6].map(i, '" + 2000 * "x" + "').join('')"))
    assert len(verdict.audit_annotations["p/k0"]) == 10 * 1024


# --- costs ------------------------------------------------------------------------------------------------------

LONG = "[0,1,2,3,4,5,6,7,8,9]"


def nested(depth: int) -> str:
    body = "true"
    for level in range(depth):
        body = f"{LONG}.all(v{level}, {body})"
    return body


def test_one_expression_may_cost_no_more_than_a_million() -> None:
    (message,) = messages(judged(says(nested(6))))
    assert "operation cancelled: actual cost limit exceeded" in message


def test_all_validations_share_a_budget() -> None:
    verdict = judged(says(*[nested(5)] * 60))
    assert messages(verdict) == [
        "validation failed due to running out of cost budget, no further validation rules will be run"
    ]


def test_match_conditions_have_a_budget_of_their_own() -> None:
    found = says("false", matchConditions=conditions(*[nested(5)] * 20))
    assert messages(judged(found)) == [
        "validation failed due to running out of cost budget, no further validation rules will be run"
    ]


# --- bindings ---------------------------------------------------------------------------------------------------


def test_a_policy_without_binding_judges_nothing() -> None:
    built = policies(says("false"))
    assert not built.any
    assert Judge(built).judge(Request.of(thing())).findings == ()


def test_each_binding_judges() -> None:
    verdict = judged(says("false"), binding("b"), binding("a", actions=["Warn"]))
    assert [(row.diagnostic.data["binding"], row.word) for row in verdict.findings] == [
        ("a", "Warn"),
        ("b", "Deny"),
    ]


def test_policies_and_bindings_are_exempt() -> None:
    assert judged(says("false"), about=says("false")).findings == ()
    assert judged(says("false"), about=binding()).findings == ()


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_every_version_is_read(version: str) -> None:
    found = policy(version=version, validations=[{"expression": "false"}])
    assert messages(judged(found)) == ["failed expression: false"]


# --- the field ---------------------------------------------------------------------------------------------------


def path(expression: str, found: Object, **spec: Any) -> tuple[str | int, ...]:
    (finding,) = judged(says(expression, **spec), about=found).findings
    assert isinstance(finding.diagnostic.at, ObjectPath)
    return finding.diagnostic.at.path


POD = thing(
    "Pod",
    spec={
        "hostNetwork": True,
        "containers": [
            {"name": "a", "image": "good/a"},
            {"name": "b", "image": "bad/b", "ports": [{"containerPort": 1}, {"containerPort": 22}]},
            {"name": "c", "image": "good/c"},
        ],
    },
)


@pytest.mark.parametrize(
    ("expression", "named", "wanted"),
    [
        ("object.spec.hostNetwork == false", {}, ("spec", "hostNetwork")),
        ("has(object.spec.nodeName)", {}, ("spec", "nodeName")),
        ("object.spec.containers.all(c, c.image.startsWith('good/'))", {}, ("spec", "containers", 1, "image")),
        ("object.spec.containers.exists(c, c.image == 'x')", {}, ("spec", "containers")),
        ("size(variables.bad) == 0",
         {"bad": "object.spec.containers.filter(c, c.image.startsWith('bad/'))"},
         ("spec", "containers", 1, "image")),
        ("size(variables.bad) == 0",
         {"all": "object.spec.containers",
          "bad": "variables.all.filter(c, has(c.ports)).map(c, c.name + ' has ports')"},
         ("spec", "containers", 1, "ports")),
        ("variables.image == ''", {"image": "object.spec.containers[1].image"},
         ("spec", "containers", 1, "image")),
        ("variables.containers.all(c, !has(c.ports) || c.ports.all(p, p.containerPort > 1000))",
         {"containers": "object.spec.containers"},
         ("spec", "containers", 1, "ports", 0, "containerPort")),
        ("false", {}, ()),
        ("object.metadata.name == 'y'", {}, ()),
    ],
)  # fmt: skip
def test_findings_point_at_the_field(
    expression: str, named: dict[str, str], wanted: tuple[str | int, ...]
) -> None:
    assert path(expression, POD, variables=variables(**named)) == wanted


# --- what an audit has to know -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "bound", "wanted"),
    [
        (says("true"), binding(), set()),
        (says("namespaceObject == null"), binding(), {"Namespace shop"}),
        (says("true", paramKind=PARAM_KIND), binding(), {"inventory * v1 ConfigMap"}),
        (
            says("true"),
            binding(matchResources={"namespaceSelector": {"matchLabels": {"a": "b"}}}),
            {"labels shop"},
        ),
    ],
)
def test_a_verdict_says_what_it_depends_on(found: Object, bound: Object, wanted: set[str]) -> None:
    assert judged(found, bound, known=[namespace()]).reads == wanted
