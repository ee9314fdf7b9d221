"""Admission: the question, the answer, who answers, and the one chain that every decision goes through."""

from sekisho.kube.review.request import NOBODY, Operation, Request, UserInfo
from sekisho.kube.review.verdict import (
    ALLOWED,
    DecisionRecord,
    Finding,
    Judge,
    Outcome,
    Reviewer,
    Rung,
    Verdict,
)

__all__ = [
    "ALLOWED",
    "NOBODY",
    "DecisionRecord",
    "Finding",
    "Judge",
    "Operation",
    "Outcome",
    "Request",
    "Reviewer",
    "Rung",
    "UserInfo",
    "Verdict",
]
