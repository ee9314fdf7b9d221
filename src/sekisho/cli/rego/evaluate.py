"""``sekisho rego eval``: evaluate a query."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import click

from sekisho.cli.network import network_option
from sekisho.cli.opa import Duration, OpaCommand, source_options

if TYPE_CHECKING:
    from sekisho.cli.rego.result import Outcome
    from sekisho.diag import Source
    from sekisho.rego.values import Value

FORMS: Final = ("json", "values", "bindings", "pretty", "raw", "discard")

SECONDS: Final = 60.0
"""How long an evaluation may take when ``--timeout`` does not say: nobody waits longer for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What an evaluation is asked for: the options of ``command``. No query: it is on stdin."""

    query: str | None
    paths: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    input: str | None = None
    stdin_input: bool = False
    imports: tuple[str, ...] = ()
    package: str = ""
    ignore: tuple[str, ...] = ()
    capabilities: str | None = None
    v0_compatible: bool = False
    strict: bool = False
    strict_builtin_errors: bool = False
    show_builtin_errors: bool = False
    explain: str = "off"
    metrics: bool = False
    count: int = 1
    timeout: float = SECONDS
    allow_network: tuple[str, ...] = ()


@click.command(
    cls=OpaCommand, epilog="Example: sekisho rego eval -d policy.rego -i input.json 'data.example.allow'"
)
@click.argument("query", required=False)
@click.option(
    "--data",
    "-d",
    "paths",
    multiple=True,
    metavar="PATH",
    help="Policies or data: file or directory; repeatable.",
)
@click.option(
    "--bundle",
    "-b",
    "bundles",
    multiple=True,
    metavar="DIRECTORY",
    help="A bundle: Rego, and data in data.json and data.yaml only; repeatable.",
)
@click.option("--input", "-i", metavar="FILE", help="The input document, JSON or YAML.")
@click.option("--stdin-input", "-I", is_flag=True, help="Read the input document from standard input.")
@click.option("--stdin", is_flag=True, help="Read the query from standard input.")
@click.option("--format", "-f", "form", type=click.Choice(FORMS), default="json", help="Form of the output.")
@click.option("--fail", is_flag=True, help="Exit with 1 if the result is undefined.")
@click.option("--fail-defined", is_flag=True, help="Exit with 1 if there is a result.")
@click.option(
    "--import", "imports", multiple=True, metavar="PATH", help="An import of the query; repeatable."
)
@click.option("--package", default="", metavar="PATH", help="The package of the query.")
@click.option("--strict", "-S", is_flag=True, help="Compile strictly: unused variables and such are errors.")
@click.option(
    "--strict-builtin-errors", is_flag=True, help="The first error of a built-in ends the evaluation."
)
@click.option("--show-builtin-errors", is_flag=True, help="Show the errors of built-ins beside the result.")
@click.option(
    "--explain", type=click.Choice(["off", "notes"]), default="off", help="Show the notes of trace()."
)
@click.option("--metrics", is_flag=True, help="Show how long the steps took.")
@click.option("--count", type=click.IntRange(1), default=1, help="How often to evaluate, for --metrics.")
@click.option(
    "--timeout", type=Duration(), default=SECONDS, metavar="DURATION", help="Stop after this time (1m)."
)
@network_option("A host (HOST or HOST:PORT, * for all) that http.send may ask; repeatable.")
@click.option("--pretty-limit", type=int, hidden=True, expose_value=False)
@source_options
def command(
    *, query: str | None, stdin: bool, form: str, fail: bool, fail_defined: bool, **options: Any
) -> int:
    """Evaluate QUERY and print the result.

    Exit status: 0; 1 with --fail or --fail-defined, or for wrong usage; 2 if anything failed.
    """
    strict_errors, show_errors = options["strict_builtin_errors"], options["show_builtin_errors"]
    _refuse(
        (
            (query is None) == (not stdin),
            "give the query as an argument or with --stdin, and only one of them",
        ),
        (stdin and options["stdin_input"], "--stdin and --stdin-input both read standard input"),
        (options["stdin_input"] and options["input"], "give --stdin-input or --input, not both"),
        (fail and fail_defined, "give --fail or --fail-defined, not both"),
        (strict_errors and show_errors, "--strict-builtin-errors leaves --show-builtin-errors none to show"),
    )
    from sekisho.cli.rego.result import write

    outcome = run(Job(query=query, **options))
    write(outcome, form, sys.stdout, sys.stderr)
    if outcome.errors:
        return 2
    return int(fail_defined if outcome.results else fail)


def _refuse(*rules: tuple[object, str]) -> None:
    for broken, message in rules:
        if broken:
            raise click.UsageError(message)


def run(job: Job) -> Outcome:
    """Load, compile and evaluate; whatever goes wrong is in the outcome."""
    from sekisho.cli.rego.result import Outcome
    from sekisho.diag import DiagnosticError

    outcome = Outcome()
    try:
        if job.query is None:
            job = replace(job, query=_stdin().text)
        given = _input(job, outcome)
        for _ in range(job.count):
            _once(job, given, outcome)
    except DiagnosticError as error:
        outcome.errors = list(error.diagnostics)
        outcome.results = []
    return outcome


def _stdin() -> Source:
    from sekisho import manifest

    return manifest.decode("<stdin>", sys.stdin.buffer.read())


def _input(job: Job, outcome: Outcome) -> Value:
    """The input document; undefined where none is given."""
    from sekisho import manifest
    from sekisho.cli.rego.files import clean_path, read_value
    from sekisho.rego.values import UNDEFINED

    if job.stdin_input:
        source = _stdin()
    elif job.input is not None:
        source = manifest.read_source(clean_path(job.input))
    else:
        return UNDEFINED
    return read_value(source, outcome.warnings)


def _once(job: Job, given: Value, outcome: Outcome) -> None:
    from sekisho import rego
    from sekisho.cli.network.transport import with_network
    from sekisho.cli.rego.files import load_files, read_capabilities
    from sekisho.cli.rego.result import Timers
    from sekisho.lang.meter import Limits

    assert job.query is not None
    dialect = rego.Dialect.V0 if job.v0_compatible else rego.Dialect.V1
    capabilities = with_network(read_capabilities(job.capabilities), job.allow_network)
    timers = Timers()
    with timers.time("load_files", show=bool(job.paths or job.bundles)):
        files = load_files(job.paths, dialect=dialect, ignore=job.ignore, bundles=job.bundles)
    outcome.warn(files.problems)
    files.raise_errors()
    with timers.time("module_compile", show=bool(job.paths or job.bundles)):
        program = rego.compile(
            files.modules,
            dialect=dialect,
            capabilities=capabilities,
            limits=Limits(seconds=job.timeout or SECONDS),
            strict=job.strict,
            exists=files.exists,
        )
    with timers.time("query_compile"):
        query = program.query(job.query, package=job.package, imports=job.imports)
    outcome.faults, outcome.notes = [], []
    with timers.time("query_eval"):
        outcome.results = query.run(
            given,
            files.data,
            options=rego.Options(
                strict=job.strict_builtin_errors,
                printed=lambda line: print(line, file=sys.stderr),
                notes=outcome.notes.append if job.explain == "notes" else None,
                faults=outcome.faults.append if job.show_builtin_errors else None,
            ),
        )
    if job.metrics:
        outcome.timers.append(timers)
