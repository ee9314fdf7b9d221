"""The codes of this package."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Blame, register

NO_DEFINITION: Final = register(
    "POL220", "the definition of a template's constraints could not be written", blame=Blame.ENVIRONMENT
)
