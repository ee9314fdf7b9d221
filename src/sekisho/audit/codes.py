"""The codes of this package."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register
from sekisho.diag.code import Blame

NOT_READ: Final = register("AUD001", "a kind could not be read for an audit")
FAILED: Final = register("AUD002", "an audit failed", blame=Blame.BUG)
NOT_EXPORTED: Final = register("AUD003", "violations could not be exported", blame=Blame.ENVIRONMENT)
