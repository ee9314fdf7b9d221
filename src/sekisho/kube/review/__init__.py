"""Admission: the question, the answer, who answers, and the one chain that every decision goes through."""

from sekisho.kube.ladder import Rung
from sekisho.kube.review.chain import FailurePolicy, PureReviewer, Step, decide, review
from sekisho.kube.review.enforce import NO_RULES, Enforced, Rules, enforce, subject_of
from sekisho.kube.review.request import NOBODY, Operation, Request, UserInfo
from sekisho.kube.review.response import message, to_admission_response, to_admission_review
from sekisho.kube.review.verdict import (
    ALLOWED,
    DecisionRecord,
    Finding,
    Judge,
    Outcome,
    Reviewer,
    Verdict,
)

__all__ = [
    "ALLOWED",
    "NOBODY",
    "NO_RULES",
    "DecisionRecord",
    "Enforced",
    "FailurePolicy",
    "Finding",
    "Judge",
    "Operation",
    "Outcome",
    "PureReviewer",
    "Request",
    "Reviewer",
    "Rules",
    "Rung",
    "Step",
    "UserInfo",
    "Verdict",
    "decide",
    "enforce",
    "message",
    "review",
    "subject_of",
    "to_admission_response",
    "to_admission_review",
]
