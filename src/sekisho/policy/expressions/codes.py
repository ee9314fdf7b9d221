"""The codes of this package, POL180-POL184."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register

WRONG_RESULT: Final = register("POL180", "an expression of a policy gives a value of the wrong type")
