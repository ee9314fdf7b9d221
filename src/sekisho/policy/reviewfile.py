"""AdmissionReviews in files, as gator takes them for the objects of cases (policy.md 1.11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, Path
from sekisho.kube import codes as kube_codes
from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Request
from sekisho.kube.review.request import REVIEW_API_VERSION

GROUP: Final = "admission.k8s.io"
KIND: Final = "AdmissionReview"

OBJECT_FIELDS: Final = ("object", "oldObject")

REVIEW_FIELDS: Final = frozenset({"apiVersion", "kind", "request", "response"})

REQUEST_FIELDS: Final = frozenset(
    {
        *OBJECT_FIELDS,
        *("uid", "kind", "resource", "subResource", "requestKind", "requestResource", "requestSubResource"),
        *("name", "namespace", "operation", "userInfo", "dryRun", "options"),
    }
)
"""The fields of an AdmissionReview and of its request (k8s.io/api/admission/v1)."""

INVALID: Final = "not a valid AdmissionReview object"


def is_review(object: Object) -> bool:
    """Whether an object is an AdmissionReview, of any version."""
    return object.kind == KIND and object.gvk.group == GROUP


def review_request(review: Object) -> Request:
    """The request that gator makes of an AdmissionReview, which need not be whole.

    Of the version and of the kind of the request nothing is asked; the objects need a kind and no more.
    Raises DiagnosticError (KUB053) in gator's words, or what ``Request.from_review`` finds.
    """
    request = _request(review)
    objects = _objects(review, request)
    filled = {field: {"apiVersion": "v1", **object} for field, object in objects.items()}
    whole = {**request, "kind": request.get("kind") or {}, **filled}
    parsed = Request.from_review({"apiVersion": REVIEW_API_VERSION, "kind": KIND, "request": whole})
    object, old = (Object(objects[field]) if field in objects else None for field in OBJECT_FIELDS)
    return replace(parsed, object=object, old_object=old)


def _request(review: Object) -> Mapping[str, Any]:
    _no_others(review, review.raw, REVIEW_FIELDS, ())
    request = review.raw.get("request")
    if request is None:
        raise _bad(review, (), "missing an AdmissionRequest object")
    if not isinstance(request, Mapping):
        raise _bad(review, ("request",), f"{INVALID}: request is not an object")
    _no_others(review, request, REQUEST_FIELDS, ("request",))
    return request


def _objects(review: Object, request: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    objects = {field: request[field] for field in OBJECT_FIELDS if request.get(field) is not None}
    if not objects:
        raise _bad(review, ("request",), "no object or oldObject found to review")
    for field, object in objects.items():
        if not isinstance(object, Mapping) or not isinstance(object.get("kind"), str) or not object["kind"]:
            message = f"object or oldObject cannot be unmarshalled: Object 'Kind' is missing in {field}"
            raise _bad(review, ("request", field), message)
    if request.get("operation") == Operation.DELETE.value and "oldObject" not in objects:
        raise _bad(review, ("request",), "oldObject cannot be nil for DELETE operations")
    return objects


def _no_others(review: Object, raw: Mapping[str, Any], known: frozenset[str], path: Path) -> None:
    for name in raw:
        if name not in known:
            field = ".".join((*map(str, path), name))
            raise _bad(review, (*path, name), f'{INVALID}: unknown field "{field}"')


def _bad(review: Object, path: Path, message: str) -> DiagnosticError:
    return DiagnosticError(Diagnostic(code=kube_codes.BAD_REVIEW, message=message, at=review.at(*path)))
