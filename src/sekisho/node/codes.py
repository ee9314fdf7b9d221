"""The codes of this package."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register
from sekisho.diag.code import Blame

NO_NODE: Final = register("API020", "this machine cannot run Pods in sandboxes", blame=Blame.ENVIRONMENT)
