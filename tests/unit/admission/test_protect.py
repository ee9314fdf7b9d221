"""Who may change what the guard consists of: lock-out attempts, and those who may mend."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from tests.unit.admission.reviews import constraint, pod, review
from tests.unit.admission.test_service import DENYING

from sekisho.admission import Repair, Settings
from sekisho.admission.decode import decode
from sekisho.admission.judge import Asking, admit
from sekisho.admission.protect import Protect, Protected
from sekisho.diag import Deadline
from sekisho.kube.review import Step

OWN = "sekisho-system"
ACCOUNT = "system:serviceaccount:sekisho-system:sekisho"
REPAIR = Repair(
    namespace=OWN, account=ACCOUNT, users=frozenset({"root"}), groups=frozenset({"system:masters"})
)
PROTECTED = Protected(
    configurations=frozenset({"gatekeeper-validating-webhook-configuration"}),
    rights=frozenset({"sekisho"}),
    policies=True,
)
SETTINGS = Settings(repair=REPAIR, guards=(Step(name="protect", call=Protect(REPAIR, PROTECTED)),))


def thing(api_version: str, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


PARTS = {
    "a webhook configuration": thing(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "gatekeeper-validating-webhook-configuration",
    ),
    "a definition": thing(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", "configs.config.gatekeeper.sh"
    ),
    "its namespace": thing("v1", "Namespace", OWN),
    "its deployment": thing("apps/v1", "Deployment", "sekisho", OWN),
    "its certificate": thing("v1", "Secret", "sekisho-webhook-server-cert", OWN),
    "its lease": thing("coordination.k8s.io/v1", "Lease", "sekisho-controller-status", OWN),
    "its rights": thing("rbac.authorization.k8s.io/v1", "ClusterRole", "sekisho"),
    "a policy": constraint(),
}
OPERATIONS = ("CREATE", "UPDATE", "DELETE")


def asked(value: dict[str, Any], operation: str, user: str, *groups: str) -> Any:
    fields: dict[str, Any] = {"operation": operation, "userInfo": {"username": user, "groups": list(groups)}}
    if operation == "DELETE":
        fields |= {"object": None, "oldObject": value}
    elif operation == "UPDATE":
        fields |= {"oldObject": value}
    request = decode(orjson.dumps(review(value, **fields))).request
    asking = Asking(now=datetime.now(UTC), deadline=Deadline.after(10))
    return admit(request, DENYING, SETTINGS, asking).verdict


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("value", PARTS.values(), ids=PARTS)
def test_nobody_else_changes_what_the_guard_consists_of(value: dict[str, Any], operation: str) -> None:
    verdict = asked(value, operation, "mallory", "system:authenticated")
    assert not verdict.allowed
    assert verdict.failures[0].code.id == "ADM010"
    assert "only root and the group system:masters may change it" in verdict.failures[0].message


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("value", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize(
    "user",
    [("root",), ("anybody", "system:masters"), (ACCOUNT,)],
    ids=["a named user", "a named group", "itself"],
)
def test_named_principals_may(value: dict[str, Any], operation: str, user: tuple[str, ...]) -> None:
    verdict = asked(value, operation, *user)
    assert not any(row.code.id == "ADM010" for row in verdict.failures)


def test_a_policy_that_denies_everything_can_be_taken_away() -> None:
    assert asked(constraint(), "DELETE", "root").allowed
    assert asked(constraint(action="dryrun"), "UPDATE", "root").allowed
    assert not asked(pod(), "CREATE", "root").allowed, "policies hold for everybody's Pods"


def test_kubernetes_itself_keeps_objects_in_order() -> None:
    user = "system:serviceaccount:kube-system:deployment-controller"
    verdict = asked(PARTS["its deployment"], "UPDATE", user, "system:serviceaccounts")
    assert verdict.allowed


def test_what_belongs_to_others_is_theirs() -> None:
    others = thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets.example.com")
    verdict = asked(others, "DELETE", "mallory")
    assert not any(row.code.id == "ADM010" for row in verdict.failures)
