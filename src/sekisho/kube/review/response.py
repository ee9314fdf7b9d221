"""A verdict as the API server wants it: AdmissionResponse and AdmissionReview.

Message and codes are Gatekeeper's: 403 Forbidden with a line ``[constraint-name] msg`` for each finding that
denies; 299 when it is allowed with warnings; else 200.
"""

from __future__ import annotations

import binascii
import json
from typing import Any, Final

from sekisho.diag import Level
from sekisho.kube.ladder import Rung
from sekisho.kube.review.request import REVIEW_API_VERSION
from sekisho.kube.review.verdict import Outcome, Verdict

OK: Final = 200
OK_WITH_WARNINGS: Final = 299
FORBIDDEN: Final = 403
COULD_NOT_ASK: Final = 500


def to_admission_response(verdict: Verdict, uid: str) -> dict[str, Any]:
    """The AdmissionResponse to the request with this uid."""
    warnings = [*verdict.lines(Rung.WARN), *verdict.warnings]
    response: dict[str, Any] = {
        "uid": uid,
        "allowed": verdict.allowed,
        "status": _status(verdict, warned=bool(warnings)),
    }
    if warnings:
        response["warnings"] = warnings
    if verdict.patch and verdict.allowed:
        operations = json.dumps(list(verdict.patch), separators=(",", ":"), ensure_ascii=False)
        response["patch"] = binascii.b2a_base64(operations.encode(), newline=False).decode("ascii")
        response["patchType"] = "JSONPatch"
    if verdict.audit_annotations:
        response["auditAnnotations"] = dict(verdict.audit_annotations)
    return response


def to_admission_review(verdict: Verdict, uid: str) -> dict[str, Any]:
    """The AdmissionReview to send back."""
    return {
        "apiVersion": REVIEW_API_VERSION,
        "kind": "AdmissionReview",
        "response": to_admission_response(verdict, uid),
    }


def message(verdict: Verdict) -> str:
    """What the person who is refused reads: a line for each reason; empty if the request is allowed."""
    if verdict.outcome is Outcome.ALLOW:
        return ""
    if verdict.outcome is Outcome.DENY:
        lines = verdict.lines(Rung.DENY) or _failures(verdict) or ("denied",)
    else:
        lines = _failures(verdict) or ("the request could not be judged",)
    return "\n".join(lines)


def _failures(verdict: Verdict) -> tuple[str, ...]:
    """Why it was refused or not judged, without what was passed over."""
    return tuple(
        f"{failure.code}: {failure.message}" for failure in verdict.failures if failure.level is Level.ERROR
    )


def _status(verdict: Verdict, *, warned: bool) -> dict[str, Any]:
    if verdict.outcome is Outcome.ALLOW:
        return {"code": OK_WITH_WARNINGS if warned else OK}
    if verdict.outcome is Outcome.DENY:
        return {"code": FORBIDDEN, "reason": "Forbidden", "message": message(verdict)}
    return {"code": COULD_NOT_ASK, "reason": "InternalError", "message": message(verdict)}
