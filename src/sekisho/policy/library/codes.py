"""The codes of the library, POL200-POL219."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register

UNKNOWN_POLICY: Final = register("POL200", "the library has no such policy")
UNKNOWN_BUNDLE: Final = register("POL201", "the library has no such bundle")
WOULD_REPLACE: Final = register("POL202", "a file to be written is there already, and is another one")
