"""The quick way into the runtime: what a start imports comes from an image (``sandbox.image``).

The program that ``sekisho-runtime install --wrapper`` writes calls this.
"""

from __future__ import annotations

import gc
import os
import sys

from sekisho.sandbox import image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """The program."""
    gc.disable()  # a start makes no garbage worth looking for; the Sentry looks again
    used = image.use()
    from sekisho.sandbox.oci_runtime import main as program

    status = program.run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:
        status = status or 1
    image.keep(used)
    os._exit(status)
