"""``sekisho cel``: the Common Expression Language."""

from __future__ import annotations

from typing import Final

import click

from sekisho.cli.main import LazyGroup

VERBS: Final = {
    "eval": ("sekisho.cli.cel.evaluate", "Evaluate an expression."),
}


@click.command(
    cls=LazyGroup,
    rows=VERBS,
    epilog="Example: sekisho cel eval 'object.spec.replicas > 1' -i deployment.yaml",
)
def command() -> None:
    """The Common Expression Language, as Kubernetes has it."""
