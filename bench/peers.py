"""Where the peers are: in the variable named after them, on the PATH, or where tools/peers.sh puts them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".peers"


def program(name: str) -> str | None:
    """The path of a peer; None, and a line that says so, if it is not installed."""
    found = os.environ.get(name.upper().replace("-", "_")) or shutil.which(name)
    local = FOLDER / "bin" / name
    if found is None and local.exists():
        found = str(local)
    if found is None:
        print(f"{name} is not installed (tools/peers.sh does it): its figures are left out", file=sys.stderr)
    return found


def normal() -> dict[str, str]:
    """This environment without what would make Python compile every module at every start.

    An installed package has its byte code beside it; so have the processes that are measured.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
