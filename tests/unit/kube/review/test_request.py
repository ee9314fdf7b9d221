from __future__ import annotations

from typing import Any

import pytest

from sekisho.diag import DiagnosticError
from sekisho.kube.gvk import GVK, GVR
from sekisho.kube.object import Object
from sekisho.kube.review import NOBODY, Operation, Request, UserInfo

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}


def review(**request: Any) -> dict[str, Any]:
    whole = {
        "uid": "u1",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "operation": "CREATE",
        "userInfo": {"username": "alice", "uid": "1", "groups": ["dev"], "extra": {"scopes": ["a"]}},
        "object": POD,
        "namespace": "shop",
        "name": "web",
        **request,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": whole}


def test_an_offline_question_is_a_create_by_nobody() -> None:
    object = Object(POD)
    request = Request.of(object)
    assert request.operation is Operation.CREATE
    assert request.user is NOBODY
    assert request.kind == GVK("", "v1", "Pod")
    assert request.resource == GVR("", "v1", "pods")
    assert (request.namespace, request.name) == ("shop", "web")
    assert request.object is object
    assert request.old_object is None
    assert request.subject is object
    assert request.to_json() == {
        "uid": "",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "operation": "CREATE",
        "userInfo": {},
        "object": POD,
        "oldObject": None,
        "dryRun": False,
        "options": None,
        "name": "web",
        "namespace": "shop",
    }


def test_a_deletion_is_about_the_old_object() -> None:
    object = Object(POD)
    request = Request.of(object, operation=Operation.DELETE)
    assert request.object is None
    assert request.subject is object
    assert request.to_json()["oldObject"] is POD


def test_a_namespace_is_in_no_namespace() -> None:
    raw = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "namespace": "odd"}}
    assert Request.of(Object(raw)).namespace == ""


def test_a_changed_object_makes_a_changed_question() -> None:
    request = Request.of(Object(POD))
    assert request.with_object(Object({})).subject.raw == {}


def test_an_admission_review_is_read_and_written() -> None:
    namespace = Object({"kind": "Namespace"})
    raw = review(
        subResource="status",
        requestKind={"group": "", "version": "v1", "kind": "Pod"},
        requestResource={"group": "", "version": "v1", "resource": "pods"},
        requestSubResource="status",
        oldObject=POD,
        operation="UPDATE",
        dryRun=True,
        options={"kind": "UpdateOptions"},
    )
    request = Request.from_review(raw, namespace_object=namespace)
    assert request.namespace_object is namespace
    assert request.user == UserInfo(username="alice", uid="1", groups=("dev",), extra={"scopes": ("a",)})
    assert request.dry_run
    assert request.to_json() == raw["request"]


def test_little_is_needed() -> None:
    raw = review()
    raw["request"] = {"kind": {}, "object": POD}
    request = Request.from_review(raw)
    assert request.operation is Operation.NONE
    assert request.resource == GVR("", "", "")
    assert request.request_kind is None


def test_connect_needs_no_object() -> None:
    request = Request.from_review(review(operation="CONNECT", object=None))
    assert request.object is None


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ([], "it is not an AdmissionReview"),
        ({"kind": "Pod"}, "it is not an AdmissionReview"),
        (
            {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1beta1"},
            "its apiVersion is 'admission.k8s.io/v1beta1'",
        ),
        (
            {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"},
            "its field request is not a mapping",
        ),
        (review(kind="Pod"), "its field kind is not a mapping"),
        (review(uid=3), "its field uid is not a string"),
        (review(object=None), "request.object and request.oldObject are both missing"),
        (review(operation="PATCH"), "its operation 'PATCH' is unknown"),
        (review(userInfo={"groups": "dev"}), "its field groups is not a list of strings"),
        (review(userInfo={"groups": [1]}), "its field groups is not a list of strings"),
    ],
)
def test_what_is_no_admission_review(raw: Any, wanted: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        Request.from_review(raw)
    problem = caught.value.diagnostics[0]
    assert problem.code.id == "KUB053"
    assert problem.message.startswith(f"the AdmissionReview is malformed: {wanted}")


def test_the_object_inside_is_checked_too() -> None:
    with pytest.raises(DiagnosticError) as caught:
        Request.from_review(review(object={"kind": "Pod"}))
    assert caught.value.diagnostics[0].code.id == "KUB002"
