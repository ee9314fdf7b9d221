"""``sekisho sandbox responsibility``: what a sandbox does not cover."""

from __future__ import annotations

import json

import click


@click.command(epilog="Example: sekisho sandbox responsibility -o json")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def command(*, output: str) -> int:
    """Print what a sandbox does not cover, why not, and what to do about it."""
    from dataclasses import asdict

    from sekisho.sandbox.table.responsibility import GAPS, text

    if output == "json":
        click.echo(json.dumps([asdict(gap) for gap in GAPS], indent=2))
    else:
        click.echo(text(), nl=False)
    return 0
