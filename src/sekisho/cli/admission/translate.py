"""``sekisho policy vap``: templates and constraints as ValidatingAdmissionPolicies and bindings."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sekisho.diag import Diagnostic


@click.command(epilog="Example: sekisho policy vap policies/ | kubectl apply -f -")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--output", "-o", type=click.Choice(["yaml", "json"]), default="yaml", help="Form of the output."
)
@click.option(
    "--exempt-namespace",
    "exempt",
    multiple=True,
    metavar="NAME",
    help="Namespaces that Gatekeeper's flags exempt, with * at either end; repeatable.",
)
@click.option("--no-cache", is_flag=True, help="Compile policies anew.")
def command(*, paths: tuple[str, ...], output: str, exempt: tuple[str, ...], no_cache: bool) -> int:
    """Print the ValidatingAdmissionPolicies and bindings that templates and constraints at PATH amount to.

    Templates with K8sNativeValidation become policies, their constraints bindings, under the names that
    Gatekeeper gives them. Gatekeeper's webhook configuration and Config among the input narrow what they are
    about. The constraints themselves are the params: they have to stay in the cluster.

    Exit status 1 if a template or a constraint cannot be used or translated.
    """
    from sekisho.cli.inputs import read_objects
    from sekisho.cli.programs import cached_choice, cached_compile
    from sekisho.diag import Level
    from sekisho.policy import Engine
    from sekisho.policy.code import CEL
    from sekisho.policy.vap.translate import translate

    inputs = read_objects(paths)
    cache = not (no_cache or os.environ.get("SEKISHO_NO_CACHE"))
    choice = replace(cached_choice(enabled=cache), first=CEL)
    engine = Engine.build(inputs.objects, compile=cached_compile(enabled=cache), choice=choice)
    made = translate(engine.templates, engine.constraints, inputs.objects, exempt=exempt)
    problems = [*inputs.problems, *engine.problems, *made.problems]
    _tell(problems)
    _write(made.objects, output)
    return int(any(problem.level is Level.ERROR for problem in problems))


def _write(objects: tuple[dict[str, Any], ...], output: str) -> None:
    if output == "json":
        from sekisho.cli.gojson import indented

        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        click.echo(indented(listed), nl=False)
    elif objects:
        from sekisho.manifest.write import dump_all

        click.echo(dump_all(objects), nl=False)


def _tell(problems: list[Diagnostic]) -> None:
    if problems:
        from sekisho.diag import Report
        from sekisho.diag.render.text import format_finding, use_colour

        for problem in Report.of(problems).findings:
            sys.stderr.write(format_finding(problem, colour=use_colour(sys.stderr)))
