"""The codes of this package: ADM001 to ADM099."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Blame, register

BAD_REVIEW: Final = register("ADM001", "an AdmissionReview cannot be read")
NOT_SERVED: Final = register("ADM002", "the webhook does not serve what is asked for")
TOO_MUCH: Final = register("ADM003", "an AdmissionReview is too large or too deeply nested")
OVERLOADED: Final = register(
    "ADM004", "the webhook has more requests than it can answer", blame=Blame.ENVIRONMENT
)
OUT_OF_TIME: Final = register("ADM005", "the time to answer in ran out", blame=Blame.ENVIRONMENT)
NOT_READY: Final = register("ADM006", "no policies are loaded yet", blame=Blame.ENVIRONMENT)
FAILED: Final = register("ADM007", "a review failed", blame=Blame.BUG)
PROTECTED: Final = register("ADM010", "what is to be changed belongs to the guard itself", finding=True)
PUT_BACK: Final = register("ADM011", "a webhook configuration of the guard was changed by others")
CHANGED: Final = register("ADM020", "a decision log was changed", finding=True)
CUT: Final = register("ADM021", "lines of a decision log are missing", finding=True)
BAD_HEAD: Final = register("ADM022", "the head of a decision log cannot be read")
