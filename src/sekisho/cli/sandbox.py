"""``sekisho sandbox``: run code that nobody trusts."""

from __future__ import annotations

from typing import Final

import click

from sekisho.cli.main import LazyGroup

VERBS: Final = {
    "do": ("sekisho.cli.sandbox_do", "Run a command on this machine's files, with its writes in an overlay."),
    "doctor": ("sekisho.cli.sandbox_doctor", "Whether this machine can run sandboxes, and why not."),
    "exposure": ("sekisho.cli.sandbox_exposure", "What of the host's kernel a sandbox can reach."),
}


@click.command(cls=LazyGroup, rows=VERBS, epilog="Example: sekisho sandbox exposure --profile strict")
def command() -> None:
    """Run code that nobody trusts, with a kernel of our own in front of the kernel. Linux on x86-64 only."""
