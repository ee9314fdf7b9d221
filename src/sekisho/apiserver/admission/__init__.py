"""Admission: who is asked about a write before it is stored, and what they change."""

from sekisho.apiserver.admission.asked import Asked
from sekisho.apiserver.admission.chain import NO_REVIEWERS, Chain, Reviewers, denied_by, not_called
from sekisho.apiserver.admission.pipeline import (
    UNGUARDED,
    Admission,
    Guarding,
    Plugins,
    Written,
    default_plugins,
)
from sekisho.apiserver.admission.webhooks import Conditions, ReadConditions, Unmet

__all__ = [
    "NO_REVIEWERS",
    "UNGUARDED",
    "Admission",
    "Asked",
    "Chain",
    "Conditions",
    "Guarding",
    "Plugins",
    "ReadConditions",
    "Reviewers",
    "Unmet",
    "Written",
    "default_plugins",
    "denied_by",
    "not_called",
]
