"""The program: a quick door for what must start fast, and ``main`` for everything else."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """The program ``sekisho``."""
    if sys.argv[1:3] == ["sandbox", "do"]:
        from sekisho.sandbox import image

        used = image.use()
        from sekisho.cli import sandbox_do

        status = sandbox_do.quick(sys.argv[3:])
        image.keep(used)
        if status is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    from sekisho.cli import main as commands

    commands.main()
