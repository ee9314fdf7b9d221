"""``sekisho rego``: opa's verbs."""

from __future__ import annotations

from typing import Final

import click

from sekisho.cli.main import LazyGroup

VERBS: Final = {
    "check": ("sekisho.cli.rego.check", "Check Rego sources for errors."),
    "eval": ("sekisho.cli.rego.evaluate", "Evaluate a query."),
    "fmt": ("sekisho.cli.rego.fmt", "Bring Rego sources into the common form."),
    "test": ("sekisho.cli.rego.test", "Run the tests among Rego sources."),
}


@click.command(
    cls=LazyGroup, rows=VERBS, epilog="Example: sekisho rego eval -d policy.rego 'data.example.allow'"
)
def command() -> None:
    """The verbs of opa, with its flags, output and exit status (OPA 1.19)."""
