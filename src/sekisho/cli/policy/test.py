"""``sekisho policy test``: gator test."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from sekisho.cli.bundled import image_options, read_images
from sekisho.cli.network import Chosen, ExternalData, provider_options

if TYPE_CHECKING:
    from sekisho.cli.inputs import Inputs
    from sekisho.diag import Diagnostic
    from sekisho.policy import Engine
    from sekisho.policy.gator import Result


@click.command(epilog="Example: kubectl get pods -o yaml | sekisho policy test -f policies/ -f -")
@click.option(
    "-f",
    "--filename",
    "filenames",
    multiple=True,
    metavar="PATH",
    help="File or directory with Kubernetes resources, or - for standard input; repeatable.",
)
@image_options
@click.option("-o", "--output", type=click.Choice(["json", "yaml"]), help="Form of the output.")
@click.option("-t", "--trace", "tracing", is_flag=True, help="Tell with each violation how it came about.")
@click.option("--stats", is_flag=True, help="Tell how long templates took; in JSON and YAML.")
@click.option("--deny-only", is_flag=True, help="Output only denied constraints.")
@click.option("-v", "--verbose", is_flag=True, help="Print what templates print.")
@provider_options
@click.option(
    "--engine",
    type=click.Choice(["cel", "rego"]),
    help="Judge by this code of templates; without it CEL wins where there are both.",
)
@click.option("--no-cache", is_flag=True, help="Compile policies anew.")
def command(
    *,
    filenames: tuple[str, ...],
    images: tuple[str, ...],
    output: str | None,
    external: Chosen,
    engine: str | None,
    **options: bool,
) -> int:
    """Judge resources by the ConstraintTemplates and constraints among them, as gator test does.

    Exit status 1 if a constraint that denies is violated, or the input cannot be used; 0 otherwise.
    """
    from sekisho.cli.inputs import read_objects
    from sekisho.diag import DiagnosticError
    from sekisho.policy.gator import judge_all
    from sekisho.policy.watch import Watch, entries

    paths = filenames or (() if sys.stdin.isatty() else ("-",))
    if not paths and not images:
        return _fail("no input data: must include data via either stdin or --filename")
    tracing = options["tracing"]
    printed: list[str] = []
    told: list[Diagnostic] = []
    watch = Watch(time.perf_counter_ns) if options["stats"] or tracing else None
    print_to = printed.append if options["verbose"] else None
    try:
        data = ExternalData.read(external)
        inputs = read_objects(paths, without=data.files, beside=read_images(images))
        policies = _engine(inputs, data, engine or "", cache=not options["no_cache"])
        if not inputs.objects:
            return _fail("no input data identified")
        results = judge_all(
            policies, inputs.objects, print_to=print_to, tell=told.append, watch=watch, tracing=tracing
        )
    except DiagnosticError as error:
        _tell(list(error.diagnostics))
        return 1
    _tell(told)
    shown = [result for result in results if result.enforced or not options["deny_only"]]
    stats = None
    if watch is not None and options["stats"]:
        stats = entries(watch, tracing=tracing, printing=options["verbose"])
    _write(shown, stats, output)
    if printed:
        click.echo("\n" + "\n".join(printed) + "\n")
    return int(any(result.enforced for result in results))


def _engine(inputs: Inputs, data: ExternalData, engine: str, *, cache: bool) -> Engine:
    """The engine of what was read, which asks providers; raises DiagnosticError with what cannot be used.

    ``engine`` is the one of templates that must judge. Warnings are told at once.
    """
    from sekisho.cli.programs import cached_choice, cached_compile
    from sekisho.diag import DiagnosticError, Level
    from sekisho.policy import Engine

    cache = cache and not os.environ.get("SEKISHO_NO_CACHE")
    policies = Engine.build(
        (*inputs.objects, *data.objects),
        inventory=inputs.objects,
        compile=cached_compile(enabled=cache),
        choice=cached_choice(enabled=cache, engine=engine),
        any_action=True,
        config=False,
    )
    problems = [*inputs.problems, *policies.problems]
    if any(row.level is Level.ERROR for row in problems):
        raise DiagnosticError(problems)
    _tell(problems)
    return replace(policies, providers=data.providers(policies.declared))


def _write(results: list[Result], stats: list[dict[str, Any]] | None, output: str | None) -> None:
    rows: Any
    if output == "json":
        from sekisho.cli.gojson import indented

        rows = [result.to_json() for result in results] or None
        click.echo(indented(rows if stats is None else {"results": rows, "stats": stats}), nl=False)
    elif output == "yaml":
        from sekisho.cli.goyaml import dump

        rows = [result.to_yaml() for result in results]
        lower = [{key.lower(): value for key, value in row.items()} for row in stats or ()]
        click.echo(dump(rows if stats is None else {"results": rows, "stats": lower}), nl=False)
    else:
        for result in results:
            click.echo(result.line().rstrip("\n"))


def _tell(problems: list[Diagnostic]) -> None:
    if not problems:
        return
    from sekisho.diag import Report
    from sekisho.diag.render.text import format_finding, use_colour

    for problem in Report.of(problems).findings:
        sys.stderr.write(format_finding(problem, colour=use_colour(sys.stderr)))


def _fail(message: str) -> int:
    click.echo(f"Error: {message}", err=True)
    return 1
