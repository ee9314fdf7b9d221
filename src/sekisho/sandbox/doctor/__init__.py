"""Why a machine can or cannot run sandboxes, and what to do."""

from sekisho.sandbox.doctor.checks import CHECKS, Check, examine, why_not
from sekisho.sandbox.doctor.facts import Facts, gather

__all__ = ["CHECKS", "Check", "Facts", "examine", "gather", "why_not"]
