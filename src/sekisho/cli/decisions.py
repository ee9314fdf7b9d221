"""``sekisho decisions``: whether a decision log is whole, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sekisho.diag import Source


@click.group(epilog="Example: sekisho decisions verify --head 41:9f2c… decisions-web-1-000000.jsonl")
def command() -> None:
    """Read the decision logs of the webhook."""


@command.command(epilog="Example: sekisho decisions verify decisions-web-1-*.jsonl")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--head",
    default="",
    metavar="NUMBER:HASH",
    help="The end that was published: an annotation decisions.sekisho.dev/… of the Lease.",
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def verify(*, paths: tuple[str, ...], head: str, output: str) -> int:
    """Check the log of one process, its files in their order: that no line was removed, changed or cut.

    Exit status 1 if one was.
    """
    import json
    import sys

    from sekisho.admission import codes
    from sekisho.admission.decisions import Head
    from sekisho.admission.decisions import verify as check
    from sekisho.diag import Diagnostic, DiagnosticError, Report
    from sekisho.diag.render.text import format_finding, use_colour

    try:
        published = Head.of(head) if head else None
    except ValueError as error:
        raise DiagnosticError(Diagnostic(code=codes.BAD_HEAD, message=str(error))) from None
    found = check(_sources(paths), published)
    if output == "json":
        rows = [{"code": row.code.id, "message": row.message} for row in found.problems]
        whole = {"lines": found.lines, "lost": found.lost, "head": str(found.head), "problems": rows}
        click.echo(json.dumps(whole, indent=2))
        return 1 if found.problems else 0
    for finding in Report.of(found.problems).findings:
        sys.stderr.write(format_finding(finding, colour=use_colour(sys.stderr)))
    lost = f", {found.lost} records could not be written" if found.lost else ""
    state = "not whole" if found.problems else "whole"
    click.echo(f"{found.lines} lines{lost}; the log is {state}; its end is {found.head}")
    return 1 if found.problems else 0


@command.command(name="list", epilog="Example: sekisho decisions list --outcome deny decisions-*.jsonl")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--outcome",
    type=click.Choice(["allow", "deny", "could-not-ask"]),
    help="Only answers of this outcome.",
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def list_(*, paths: tuple[str, ...], outcome: str | None, output: str) -> int:
    """Print what was answered, a line each."""
    import json

    from sekisho.admission.decisions.verify import records

    for row in records(_sources(paths)):
        if outcome is not None and row.get("outcome") != outcome:
            continue
        if output == "json":
            click.echo(json.dumps(row))
            continue
        click.echo(_line(row))
    return 0


def _line(row: Mapping[str, Any]) -> str:
    kind, name = str(row.get("kind")).rpartition("/")[2], row.get("name")
    where = f"{row.get('namespace')}/{name}" if row.get("namespace") else name
    findings = row.get("findings")
    told = [str(each.get("policy")) for each in findings] if isinstance(findings, list) else []
    why = f" ({', '.join(dict.fromkeys(told))})" if told else ""
    what = f"{row.get('outcome')} {row.get('operation')} {kind} {where}"
    return f"{row.get('at')} {what} by {row.get('user')}{why}"


def _sources(paths: tuple[str, ...]) -> list[Source]:
    from sekisho import manifest

    return [manifest.read_source(path) for path in paths]
