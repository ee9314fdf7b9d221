"""The codes of this package: OCI001-OCI099."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register

BAD_REFERENCE: Final = register("OCI001", "an image reference is malformed")
