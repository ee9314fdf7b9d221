"""``sekisho policy verify``: run suites of tests for constraints, as gator verify does."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from sekisho.cli.network import Chosen, ExternalData, provider_options
from sekisho.cli.opa import OpaCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.diag import Diagnostic
    from sekisho.policy.suite import Suite

FORMS: Final = ("text", "json", "junit", "sarif", "github")


@click.command(
    cls=OpaCommand, epilog="Example: sekisho policy verify tests/... --run '^forbid-labels$//nginx'"
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--run", "-r", "pattern", metavar="REGEX", default="", help="Only tests and cases with such names."
)
@click.option("--verbose", "-v", is_flag=True, help="Show every case, and what templates print.")
@click.option("--trace", "-t", "tracing", is_flag=True, help="Show which expressions held for each case.")
@click.option("--output", "-o", type=click.Choice(FORMS), default="text", help="Form of the report.")
@provider_options
@click.option(
    "--engine",
    type=click.Choice(["cel", "rego"]),
    help="Judge by this code of templates; without it CEL wins where there are both.",
)
@click.option("--no-cache", is_flag=True, help="Compile policies anew.")
def command(
    *,
    paths: tuple[str, ...],
    pattern: str,
    output: str,
    external: Chosen,
    engine: str | None,
    **options: bool,
) -> int:
    """Run the suites at PATH: a file, a directory, or DIR/... for everything below it.

    A suite (kind Suite, test.gatekeeper.sh) names a template, a constraint, and objects with what is to be
    found in them. --run takes an RE2 expression that names of cases or of their tests have to match, or
    two, TEST//CASE, that both have to match. Other files are skipped.

    Exit status 0, or 1 if anything failed or cannot be used.
    """
    from sekisho.cli.policy.suitefiles import DiskFiles, find_suites
    from sekisho.cli.programs import cached_choice, cached_compile
    from sekisho.diag import DiagnosticError
    from sekisho.policy.suite import Filter
    from sekisho.policy.verify import Runner

    try:
        suites = find_suites(paths)
        filter = Filter.parse(pattern)
        providers = ExternalData.read(external).providers_of(())
    except DiagnosticError as error:
        _tell(error.diagnostics)
        return 1
    cache = not (options["no_cache"] or os.environ.get("SEKISHO_NO_CACHE"))
    told: list[Diagnostic] = []
    runner = Runner(
        DiskFiles(),
        compile=cached_compile(enabled=cache),
        choice=cached_choice(enabled=cache, engine=engine or ""),
        providers=providers,
        tell=told.append,
    )
    verbose, tracing = options["verbose"], options["tracing"]
    results = [runner.run(suite, filter, verbose=verbose, tracing=tracing) for suite in suites]
    from sekisho.cli.policy import suitereport

    problems = [problem for result in results for problem in result.problems()]
    remarks = [*_remarks(suites, paths), *told, *problems]
    if output == "text":
        suitereport.go_test(results, sys.stdout, verbose=verbose)
        _tell(remarks)
    else:
        suitereport.write(results, remarks, output, sys.stdout)
    return int(bool(problems))


def _remarks(suites: Sequence[Suite], paths: Sequence[str]) -> list[Diagnostic]:
    """Warnings: fields that do nothing, and a run that tests nothing."""
    from sekisho.diag import Diagnostic, Level
    from sekisho.policy import codes

    if suites:
        return [warning for suite in suites for warning in suite.warnings]
    message = f"there is no suite at {', '.join(paths)}, so nothing is tested"
    help = "DIR/... looks below DIR too" if not any(path.endswith("...") for path in paths) else ""
    return [Diagnostic(code=codes.NO_SUITE, level=Level.WARNING, message=message, help=help)]


def _tell(findings: Sequence[Diagnostic]) -> None:
    from sekisho.diag.render.text import format_finding, use_colour

    colour = use_colour(sys.stderr)
    for finding in findings:
        sys.stderr.write(format_finding(finding, colour=colour))
