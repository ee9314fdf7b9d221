"""The match conditions of webhooks."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.policy.vap.made import thing

from sekisho.diag import DiagnosticError
from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Request
from sekisho.policy.expressions import ConditionError
from sekisho.policy.vap import MatchConditions


def conditions(*expressions: str, failure: str | None = None) -> MatchConditions:
    rows = [{"name": f"c{index}", "expression": text} for index, text in enumerate(expressions)]
    webhook: dict[str, Any] = {"name": "w", "matchConditions": rows}
    if failure:
        webhook["failurePolicy"] = failure
    raw = {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "w"}, "webhooks": [webhook],
    }  # fmt: skip
    return MatchConditions.of(Object(raw), ("webhooks", 0))


@pytest.mark.parametrize(
    ("expressions", "wanted"),
    [
        ([], True),
        (["true"], True),
        (["true", "false"], False),
        (["object.missing == 1", "false"], False),
        (["request.operation == 'CREATE' && object.metadata.name == 'x'"], True),
        (["request.kind.kind == 'ConfigMap' && request.resource.resource == 'configmaps'"], True),
        (["namespaceObject == null"], True),
    ],
)
def test_whether_they_hold(expressions: list[str], wanted: bool) -> None:
    assert conditions(*expressions).hold(Request.of(thing())) is wanted


def test_a_deletion_has_the_old_object() -> None:
    found = conditions("object == null && oldObject.metadata.name == 'x'")
    assert found.hold(Request.of(thing(), operation=Operation.DELETE))


def test_an_error_denies_by_default() -> None:
    with pytest.raises(ConditionError, match="no such key: missing"):
        conditions("object.missing == 1", "true").hold(Request.of(thing()))


def test_an_error_passes_over_where_failures_are_ignored() -> None:
    assert conditions("object.missing == 1", "true", failure="Ignore").hold(Request.of(thing())) is False


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("params.x == 1", "undeclared reference to 'params' (in container '')"),
        ("variables.x == 1", "undeclared reference to 'variables' (in container '')"),
        (
            "1",
            'webhooks[0].matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int',
        ),
        (" ", "webhooks[0].matchConditions[0].expression: Required value"),
    ],
)
def test_wrong_ones_are_told(expression: str, message: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        conditions(expression)
    assert error.value.diagnostics[0].message == message
