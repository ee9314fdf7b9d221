"""An AdmissionReview as it came in: bytes to a request, or a reason why it is none.

Numbered, since strangers may reach the port:

1. The body is there, and no longer than a server takes (``web.server.MAX_BODY``).
2. It is JSON of bounded depth.
3. It is an AdmissionReview of v1 or v1beta1, whose shapes are the same; it is answered in its own version.
4. Its uid is a string that is there: without it no answer can be told apart from another one's.
5. Every field that is used has its type; the operation is one of the four; ``dryRun`` is a boolean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sekisho.admission import codes
from sekisho.diag import Code, Diagnostic, DiagnosticError, Limit
from sekisho.diag.depth import deeper_than
from sekisho.kube.review import Operation, Request
from sekisho.kube.review.request import REVIEW_API_VERSION

VERSIONS: Final = (REVIEW_API_VERSION, "admission.k8s.io/v1beta1")

DEPTH: Final = Limit(
    "the nesting of an AdmissionReview", 220, "levels", "an object's own 200, and the review around it"
)
UID: Final = Limit("a uid", 256, "characters", "those of API servers have 36")

NAMESPACE: Final = "Namespace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request, and the version to answer it in."""

    request: Request
    version: str


def decode(body: bytes | None) -> Incoming:
    """The request in a body. Raises DiagnosticError: ADM001, ADM003."""
    if body is None:
        raise _bad("the AdmissionReview is larger than an object can be", codes.TOO_MUCH)
    review = _value(body)
    version = review.get("apiVersion") if isinstance(review, dict) else None
    if not isinstance(review, dict) or review.get("kind") != "AdmissionReview":
        raise _bad("the body is no AdmissionReview")
    if version not in VERSIONS:
        raise _bad(f"the AdmissionReview is of none of the versions {', '.join(VERSIONS)}")
    request = review.get("request")
    if not isinstance(request, dict):
        raise _bad("the AdmissionReview has no request")
    uid = request.get("uid")
    if not isinstance(uid, str) or not uid or UID.exceeded_by(len(uid)):
        raise _bad("request.uid is no string of a uid's length")
    dry_run = request.get("dryRun")
    if dry_run is not None and not isinstance(dry_run, bool):
        raise _bad("request.dryRun is neither true nor false")
    return Incoming(request=_request(review), version=str(version))


def _value(body: bytes) -> Any:
    import orjson

    try:
        value = orjson.loads(body)
    except ValueError:
        raise _bad("the body is no JSON") from None
    if deeper_than(value, DEPTH.value):
        raise _bad(str(DEPTH), codes.TOO_MUCH)
    return value


def _request(review: Mapping[str, Any]) -> Request:
    try:
        request = Request.from_review({**review, "apiVersion": REVIEW_API_VERSION})
    except DiagnosticError as error:
        raise _bad(error.diagnostics[0].message) from None
    if request.operation is Operation.NONE:
        raise _bad("request.operation is missing")
    if request.object is None and request.old_object is None:
        raise _bad("request.object and request.oldObject are both missing")
    if request.operation is Operation.DELETE and request.old_object is None:
        raise _bad("oldObject cannot be nil for DELETE operations")
    if request.kind.kind == NAMESPACE and not request.kind.group:
        # An apply of a Namespace names the Namespace itself as the one it is in; older requests do not.
        return replace(request, namespace="")
    return request


def _bad(why: str, code: Code = codes.BAD_REVIEW) -> DiagnosticError:
    return DiagnosticError(Diagnostic(code=code, message=why))
