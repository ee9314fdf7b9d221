"""``sekisho sandbox``: run code that nobody trusts."""

from __future__ import annotations

from typing import Final

import click

from sekisho.cli.main import LazyGroup
from sekisho.sandbox.oci_runtime import main, options

VERBS: Final = {
    "bundle": ("sekisho.cli.sandbox_bundle", "An image as a bundle: its root folder and what runs in it."),
    "do": ("sekisho.cli.sandbox_do", "Run a command on this machine's files, with its writes in an overlay."),
    "check": ("sekisho.cli.sandbox_check", "Whether a program does the same in a sandbox, and at what cost."),
    "doctor": ("sekisho.cli.sandbox_doctor", "Whether this machine can run sandboxes, and why not."),
    "responsibility": (
        "sekisho.cli.sandbox_responsibility",
        "What a sandbox does not cover, and what to do about it.",
    ),
    "exposure": ("sekisho.cli.sandbox_exposure", "What of the host's kernel a sandbox can reach."),
}


@click.command(cls=LazyGroup, rows=VERBS, epilog="Example: sekisho sandbox exposure --profile strict")
def command() -> None:
    """Run code that nobody trusts, with a kernel of our own in front of the kernel. Linux on x86-64 only."""


def _verb(name: str) -> click.Command:
    """A command of the OCI runtime, which reads its own flags: they are what engines pass."""

    def callback(arguments: tuple[str, ...]) -> int:
        return main.run([name, *arguments])

    return click.Command(
        name,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        callback=callback,
        help=options.COMMANDS[name].help,
        short_help=f"{options.COMMANDS[name].help} (OCI)",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True},
    )


for _name in options.COMMANDS:
    command.add_command(_verb(_name))
