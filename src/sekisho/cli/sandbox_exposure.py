"""``sekisho sandbox exposure``: what of the host's kernel a sandbox can reach, from the table."""

from __future__ import annotations

import json

import click


@click.command(epilog="Example: sekisho sandbox exposure --option sealed-network -o json")
@click.option(
    "--profile", type=click.Choice(["default", "strict"]), default="default", help="Who resolves paths."
)
@click.option(
    "--option",
    "options",
    multiple=True,
    type=click.Choice(["sealed-network", "sysv-ipc"]),
    help="A choice of the sandbox that changes the filter; repeatable.",
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def command(*, profile: str, options: tuple[str, ...], output: str) -> int:
    """Print which system calls run on the host's kernel, under which rule, and why.

    Calls in which the kernel resolves a path, and those that the Sentry may let it continue, stand apart.
    """
    from sekisho.sandbox.table import Option, Profile
    from sekisho.sandbox.table.report import exposure, exposure_text

    chosen = frozenset(Option(option) for option in options)
    if output == "json":
        click.echo(json.dumps(exposure(Profile(profile), chosen), indent=2))
    else:
        click.echo(exposure_text(Profile(profile), chosen), nl=False)
    return 0
