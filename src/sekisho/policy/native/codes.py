"""The codes of this package, POL185-POL189."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register

BAD_NATIVE: Final = register("POL185", "the K8sNativeValidation code of a template is malformed")
