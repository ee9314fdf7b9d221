"""The codes of this package: SRC100-SRC199. Both are warnings: without a cache everything works, slower."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Blame, register

NOT_TRUSTED: Final = register("SRC100", "the cache folder is not trusted", blame=Blame.ENVIRONMENT)
NOT_USABLE: Final = register("SRC101", "the cache cannot be written", blame=Blame.ENVIRONMENT)
