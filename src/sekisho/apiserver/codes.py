"""The codes of this package."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register
from sekisho.diag.code import Blame

STORE_IN_USE: Final = register("API001", "another server uses the data folder", blame=Blame.ENVIRONMENT)
DAMAGED_STORE: Final = register("API002", "the stored objects are damaged", blame=Blame.ENVIRONMENT)
UNUSABLE_STORE: Final = register("API003", "the data folder cannot be used", blame=Blame.ENVIRONMENT)
NOT_LISTENING: Final = register("API010", "the server cannot listen there", blame=Blame.ENVIRONMENT)
UNUSABLE_KEYS: Final = register("API011", "the keys of the cluster cannot be used", blame=Blame.ENVIRONMENT)
