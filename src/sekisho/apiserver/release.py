"""Which Kubernetes the server is."""

from __future__ import annotations

from typing import Final

MINOR: Final = 33
"""The minor version of Kubernetes that the server reports and whose kinds it serves."""

VERSION: Final = f"1.{MINOR}"
