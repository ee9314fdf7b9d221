"""An answer as it goes out: an AdmissionReview, or an error that leaves it to the webhook's failure policy.

The API server knows what to do with a webhook that fails: its ``failurePolicy``. So a question that could not
be asked is answered with an HTTP error by default, whose Status has the sentence, and the one place where
people write down whether to fail open decides. ``OnFailure`` can decide here instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sekisho.admission import codes
from sekisho.admission.judge import Answer
from sekisho.diag import ObjectPath, path_text
from sekisho.kube.ladder import Rung
from sekisho.kube.review import Finding, Outcome, Verdict, message, to_admission_response

KIND: Final = "AdmissionReview"
JSON: Final = (("Content-Type", "application/json"),)

UNAVAILABLE: Final = 503
FAILED: Final = 500
BUSY: Final = frozenset({codes.OVERLOADED, codes.OUT_OF_TIME, codes.NOT_READY})
"""Reasons that go away by themselves: the Status says that the service is unavailable, not broken."""

FAILED_OPEN: Final = "failed-open"

MOST_CAUSES: Final = 64
"""Fields that a refusal names: more than that nobody mends one by one."""


class OnFailure(Enum):
    """Who decides about what could not be judged."""

    WEBHOOK = "webhook"
    """The API server, by the ``failurePolicy`` of the webhook."""
    FAIL = "fail"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """Who decides about what could not be judged, and whether refusals name fields.

    With ``fields`` the field at fault stands behind Gatekeeper's message, for people who read it through
    kubectl; programs find it among the causes in either case.
    """

    on_failure: OnFailure = OnFailure.WEBHOOK
    fields: bool = False


PLAIN: Final = Manner()


def reply(answer: Answer, uid: str, version: str, manner: Manner) -> tuple[int, dict[str, Any]]:
    """The HTTP status and the body."""
    on_failure = manner.on_failure
    verdict = answer.verdict
    if verdict.outcome is Outcome.COULD_NOT_ASK:
        if on_failure is OnFailure.WEBHOOK:
            return failure(verdict)
        if on_failure is OnFailure.IGNORE:
            return 200, _review(_ignored(verdict, uid), version)
    response = to_admission_response(verdict, uid)
    status = response["status"]
    if answer.message:
        status["message"] = answer.message
    if answer.code:
        status["code"] = answer.code
        status["reason"] = "Invalid" if answer.code == 422 else "InternalError"
    causes = _causes(verdict) if verdict.outcome is Outcome.DENY else []
    if causes:
        status["details"] = {"causes": causes}
        if manner.fields:
            status["message"] = "\n".join(_line(row) for row in verdict.findings if row.rung is Rung.DENY)
    return 200, _review(response, version)


def failure(verdict: Verdict) -> tuple[int, dict[str, Any]]:
    """An HTTP error with a Status: the webhook failed, and its failure policy decides."""
    busy = any(row.code in BUSY for row in verdict.failures)
    code = UNAVAILABLE if busy else FAILED
    return code, status(message(verdict), code, "ServiceUnavailable" if busy else "InternalError")


def status(text: str, code: int, reason: str) -> dict[str, Any]:
    """A Status of Kubernetes."""
    return {
        "apiVersion": "v1",
        "kind": "Status",
        "metadata": {},
        "status": "Failure",
        "message": text,
        "reason": reason,
        "code": code,
    }


def _review(response: dict[str, Any], version: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": KIND, "response": response}


def _ignored(verdict: Verdict, uid: str) -> dict[str, Any]:
    """Allowed because nobody could be asked, which is said to the client and to the audit log."""
    text = message(verdict)
    return {
        "uid": uid,
        "allowed": True,
        "status": {"code": 299},
        "warnings": [line for line in text.split("\n") if line],
        "auditAnnotations": {FAILED_OPEN: text},
    }


def _line(finding: Finding) -> str:
    at = finding.diagnostic.at
    field = path_text(at.path) if isinstance(at, ObjectPath) else ""
    return f"{finding.message()} (at {field})" if field else finding.message()


def _causes(verdict: Verdict) -> list[dict[str, str]]:
    """The fields at fault, as Kubernetes' own refusals name them."""
    causes: list[dict[str, str]] = []
    for finding in verdict.findings:
        at = finding.diagnostic.at
        if finding.rung is Rung.DENY and isinstance(at, ObjectPath) and at.path:
            cause = {"reason": "FieldValueInvalid", "message": finding.message(), "field": path_text(at.path)}
            causes.append(cause)
    return causes[:MOST_CAUSES]
