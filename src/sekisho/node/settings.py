"""What a node is to be."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass, field
from pathlib import Path

RUNTIME_CLASS = "sekisho"
"""The RuntimeClass whose Pods a node takes; Pods without a class get the same sandbox."""


def _name() -> str:
    """This machine's name, in letters that names of objects may have."""
    text = re.sub(r"[^a-z0-9.-]+", "-", platform.node().lower()).strip("-.")
    return text[:63].strip("-.") or "sekisho"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """``folder`` holds what Pods need while they run, and their logs; what it lies in is the cluster's, and
    shown to no Pod. ``images`` are folders of OCI layouts, ``pull`` patterns of registries that may
    be asked; ``host_images`` are patterns of images that stand for this machine's own root.
    """

    folder: Path
    name: str = field(default_factory=_name)
    images: tuple[Path, ...] = ()
    pull: tuple[str, ...] = ()
    host_images: tuple[str, ...] = ()
