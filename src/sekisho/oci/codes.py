"""The codes of this package: OCI001-OCI099."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Blame, register

BAD_REFERENCE: Final = register("OCI001", "an image reference is malformed")
NOT_FOUND: Final = register("OCI002", "an image is not there")
NOT_ASKED: Final = register("OCI003", "a registry could not be asked", blame=Blame.ENVIRONMENT)
REFUSED: Final = register("OCI004", "a registry refuses", blame=Blame.ENVIRONMENT)
NOT_THE_CONTENT: Final = register("OCI005", "content is not what its digest says")
BAD_CONTENT: Final = register("OCI006", "a manifest or an index is malformed")
TOO_LARGE: Final = register("OCI007", "an image goes beyond a limit")
BAD_CREDENTIALS: Final = register(
    "OCI008", "credentials for a registry cannot be had", blame=Blame.ENVIRONMENT
)
BAD_LAYOUT: Final = register("OCI009", "a folder or an archive is no image layout")
BAD_LAYER: Final = register("OCI010", "a layer cannot be unpacked")
NO_PLATFORM: Final = register("OCI011", "an image has nothing for the platform")
"""Outcomes: NOT_FOUND is an answer; NOT_ASKED and REFUSED are none, so they are neither a yes nor a no."""
