"""``sekisho explain``: the page for a code."""

from __future__ import annotations

import click

from sekisho.cli.codes import load_codes
from sekisho.diag import Code, lookup, registered


@click.command(epilog="Example: sekisho explain REG203")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """The page for CODE (an id such as REG203, or its alias in the field such as rego_unsafe_var_error).

    Without CODE, every code with its title.
    """
    load_codes()
    if code is None:
        for row in registered():
            click.echo(f"{row.id}  {row.title}{f'  ({row.alias})' if row.alias else ''}")
        return
    found = lookup(code)
    if not found:
        raise click.UsageError(f"there is no code {code!r}; `sekisho explain` lists them all{_nearest(code)}")
    for at, row in enumerate(found):
        click.echo(("\n" if at else "") + _page(row))


def _page(code: Code) -> str:
    return code.page().rstrip() or f"# {code.id}: {code.title}"


def _nearest(code: str) -> str:
    import difflib

    near = difflib.get_close_matches(code.upper(), [row.id for row in registered()], n=1)
    return f" (did you mean {near[0]}?)" if near else ""
