"""``sekisho policy expand``: what objects will bring about, as gator expand shows it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sekisho.cli.bundled import image_options, read_images
from sekisho.cli.network import Chosen, ExternalData, provider_options
from sekisho.cli.opa import OpaCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.diag import Diagnostic


@click.command(
    cls=OpaCommand, epilog="Example: sekisho policy expand -n deployment.yaml -n expansion.yaml -f json"
)
@click.option(
    "-n",
    "--filename",
    "filenames",
    multiple=True,
    metavar="PATH",
    help="File or directory with Kubernetes resources, or - for standard input; repeatable.",
)
@image_options
@click.option(
    "-f", "--format", "form", type=click.Choice(["json", "yaml"]), default="yaml", help="Form of the output."
)
@click.option("-o", "--outputfile", metavar="FILE", help="File to write to; it is overwritten.")
@provider_options
def command(
    *,
    filenames: tuple[str, ...],
    images: tuple[str, ...],
    form: str,
    outputfile: str | None,
    external: Chosen,
) -> int:
    """Expand resources by the ExpansionTemplates among them, after their mutators have been applied.

    Exit status 1 if the input cannot be used, or a resource cannot be mutated or expanded; 0 otherwise.
    """
    from sekisho.cli.inputs import read_objects
    from sekisho.diag import DiagnosticError, Level
    from sekisho.policy.gatorexpand import expand_all

    paths = filenames or (() if sys.stdin.isatty() else ("-",))
    try:
        data = ExternalData.read(external)
        inputs = read_objects(paths, without=data.files, beside=read_images(images))
    except DiagnosticError as error:
        return _refuse(error.diagnostics)
    problems = [row for row in inputs.problems if row.level is Level.ERROR]
    if problems:
        return _refuse(problems)
    if not inputs.objects:
        click.echo("Error: no input data identified", err=True)
        return 1
    told: list[Diagnostic] = []
    try:
        providers = data.providers_of(inputs.objects)
        children = expand_all(inputs.objects, providers=providers, tell=told.append)
    except DiagnosticError as error:
        return _refuse(error.diagnostics)
    _refuse(told)
    text = _text([child.raw for child in children], form)
    if outputfile is None:
        click.echo(text)
        return 0
    click.echo(f"Writing output to file: {outputfile}")
    Path(outputfile).write_text(text, encoding="utf-8")
    return 0


def _text(rows: Sequence[Any], form: str) -> str:
    """The resources in gator's form, with ``---`` between them."""
    from sekisho.cli.gojson import indented, with_sorted_keys

    in_order = [with_sorted_keys(row) for row in rows]
    if form == "json":
        return "---\n".join(indented(row) for row in in_order)
    from sekisho import manifest

    return manifest.dump_all(in_order)


def _refuse(problems: Sequence[Diagnostic]) -> int:
    """Tell what is wrong, on standard error."""
    from sekisho.diag import Report
    from sekisho.diag.render.text import format_finding, use_colour

    for problem in Report.of(problems).findings:
        sys.stderr.write(format_finding(problem, colour=use_colour(sys.stderr)))
    return 1
