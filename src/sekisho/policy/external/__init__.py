"""External data: what policies ask of providers, and who answers."""

from sekisho.policy.external.answers import (
    Absent,
    Answers,
    Composed,
    Outcome,
    Providers,
    Questions,
    State,
    Unasked,
)
from sekisho.policy.external.kinds import is_provider
from sekisho.policy.external.load import declared
from sekisho.policy.external.session import Session

__all__ = [
    "Absent",
    "Answers",
    "Composed",
    "Outcome",
    "Providers",
    "Questions",
    "Session",
    "State",
    "Unasked",
    "declared",
    "is_provider",
]
