"""``sekisho cel eval``: evaluate an expression on objects."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from sekisho.cli.opa import Duration

if TYPE_CHECKING:
    from sekisho.cel import Bounds, Environment, Explanation, Program
    from sekisho.diag import Diagnostic
    from sekisho.manifest import Document

NAMES: Final = ("object", "self")
"""What a document is called in expressions: as in policies, and as in validation rules."""

COST: Final = 10_000_000
"""What Kubernetes lets one expression cost (PerCallLimit)."""

SECONDS: Final = 10.0
"""How long an evaluation may take when ``--timeout`` does not say."""

SHOWN: Final = 120
"""Characters of a value in an explanation."""


@click.command(epilog="Example: sekisho cel eval 'object.spec.replicas > 1' -i deployment.yaml --explain")
@click.argument("expression")
@click.option(
    "--input",
    "-i",
    "path",
    metavar="FILE",
    help="Documents, YAML or JSON, called object and self; - is stdin.",
)
@click.option(
    "--var",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="A variable: JSON, else a text; @FILE reads a file. Repeatable.",
)
@click.option(
    "--kubernetes", "version", default="", metavar="VERSION", help="Functions of this version (1.30)."
)
@click.option(
    "--cost-limit", type=click.IntRange(0), default=COST, help="Stop at this cost.", show_default=True
)
@click.option(
    "--timeout", type=Duration(), default=SECONDS, metavar="DURATION", help="Stop after this time (10s)."
)
@click.option(
    "--explain", is_flag=True, help="Show what the parts of the expression were, and what was read."
)
@click.option("--fail", is_flag=True, help="Exit with 1 unless every value is true.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def command(
    *, expression: str, path: str | None, output: str, explain: bool, fail: bool, **options: Any
) -> int:
    """Evaluate EXPRESSION, once for each document; print the value, its type and its cost.

    Without -i it is evaluated once, on no object. EXPRESSION may be @FILE.

    Exit status: 0; 1 with --fail; 2 if the expression is wrong or its evaluation fails.
    """
    from sekisho.diag import DiagnosticError
    from sekisho.diag.report import Report

    found: list[Result] = []
    errors: list[Diagnostic] = []
    try:
        for result in _evaluate(expression, path, options):
            found.append(result)
            if result.explanation.error is not None:
                errors.append(result.explanation.error)
    except DiagnosticError as error:
        errors = list(error.diagnostics)
    if output == "json":
        _write_json(found, errors if not found else [], explain=explain)
    else:
        _write_text(found, explain=explain)
        _tell(errors)
    if errors:
        return Report.of(errors).exit_status()
    return int(fail and any(result.explanation.value is not True for result in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One evaluation: of which program, on which document."""

    program: Program
    document: Document | None
    explanation: Explanation


def _evaluate(expression: str, path: str | None, options: Mapping[str, Any]) -> Iterator[Result]:
    from sekisho import cel, manifest
    from sekisho.diag import DiagnosticError, Level, Source
    from sekisho.lang.meter import Limits

    source = Source("<expression>", expression)
    if expression.startswith("@"):
        source = manifest.read_source(expression[1:])
        source = Source(source.name, source.text.rstrip("\n"))
    variables = dict(_variable(row) for row in options["variables"])
    names = dict.fromkeys((*variables, *(NAMES if path is not None else ())))
    program = cel.compile(source, _environment(options["version"], tuple(names)))
    bounds = cel.Bounds(cost=options["cost_limit"], limits=Limits(seconds=options["timeout"]))
    if path is None:
        yield _explained(program, None, variables, bounds)
        return
    for read in manifest.read_paths([path], stdin=sys.stdin.buffer):
        wrong = [problem for problem in read.problems if problem.level is Level.ERROR]
        if wrong:
            raise DiagnosticError(wrong)
        for document in read.documents:
            activation = {**dict.fromkeys(NAMES, document.value), **variables}
            yield _explained(program, document, activation, bounds)


def _explained(
    program: Program, document: Document | None, activation: Mapping[str, Any], bounds: Bounds
) -> Result:
    return Result(program=program, document=document, explanation=program.explain(activation, bounds=bounds))


def _environment(version: str, names: tuple[str, ...]) -> Environment:
    from sekisho.cel.kubernetes.environment import kubernetes_environment
    from sekisho.cel.standard import BINDINGS
    from sekisho.cel.types import DYN

    variables = dict.fromkeys(names, DYN)
    if not version:
        from dataclasses import replace

        newest = kubernetes_environment(variables=variables)
        return replace(newest, libraries=(*newest.libraries, BINDINGS))
    try:
        return kubernetes_environment(version, variables=variables)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--kubernetes") from None


def _variable(row: str) -> tuple[str, Any]:
    """A variable of the command line and its value."""
    name, sign, text = row.partition("=")
    if not sign or not name.isidentifier():
        raise click.BadParameter(f"{row!r} is not NAME=VALUE", param_hint="--var")
    if text.startswith("@"):
        from sekisho import manifest

        documents = manifest.load(manifest.read_source(text[1:]), lists=False)
        return name, documents[0].value if documents else None
    try:
        return name, json.loads(text)
    except (ValueError, RecursionError):
        return name, text


# --- output -----------------------------------------------------------------------------------------------


def _write_text(results: list[Result], *, explain: bool) -> None:
    from sekisho.cel.show import literal, type_name

    for at, result in enumerate(results):
        found = result.explanation
        if len(results) > 1:
            print(f"{'---' if at == 0 else chr(10) + '---'} {_where(result)}")
        if found.error is None:
            print(literal(found.value))
            print(f"type: {type_name(found.value)}")
            print(f"cost: {found.cost}")
        if explain:
            _write_steps(result)
            _write_reads(result)


def _where(result: Result) -> str:
    document = result.document
    assert document is not None
    line = document.source.position(document.start).line
    return f"{document.source.name}:{line}"


def _write_steps(result: Result) -> None:
    """The parts of the expression and what they were, indented as they stand in each other."""
    from sekisho.cel.show import literal

    print("\nparts:")
    ends: list[int] = []
    for step in result.explanation.steps:
        while ends and ends[-1] <= step.span.start:
            ends.pop()
        text = " ".join(step.span.source.text[step.span.start : step.span.end].split())
        print(f"{'  ' * (len(ends) + 1)}{text} = {literal(step.value, SHOWN)}")
        ends.append(step.span.end)


def _write_reads(result: Result) -> None:
    """What was read on the way to the value, and where it stands."""
    from sekisho.diag import path_text

    print("\nread:")
    for read in result.explanation.reads:
        missing = " (missing)" if read.missing else ""
        print(f"  {path_text((read.variable, *read.path))}{missing}{_at(result, read.variable, read.path)}")


def _at(result: Result, variable: str, path: tuple[str | int, ...]) -> str:
    if result.document is None or variable not in NAMES:
        return ""
    span = result.document.locate(path).outermost()
    line, column = span.begins
    return f" at {span.source.name}:{line}:{column}"


def _tell(errors: list[Diagnostic]) -> None:
    from sekisho.diag.render.text import format_finding, use_colour

    for error in errors:
        sys.stderr.write(format_finding(error, colour=use_colour(sys.stderr)))


def _write_json(results: list[Result], errors: list[Diagnostic], *, explain: bool) -> None:
    document: dict[str, Any] = {"results": [_result(result, explain=explain) for result in results]}
    if errors:
        document["errors"] = [_error(error) for error in errors]
    print(json.dumps(document, indent=2, ensure_ascii=False))


def _result(result: Result, *, explain: bool) -> dict[str, Any]:
    from sekisho.cel.show import as_json, type_name
    from sekisho.diag import path_text

    found = result.explanation
    row: dict[str, Any] = {}
    if result.document is not None:
        row["file"] = result.document.source.name
        row["line"] = result.document.source.position(result.document.start).line
    if found.error is not None:
        row["error"] = _error(found.error)
    else:
        row |= {"value": as_json(found.value), "type": type_name(found.value), "cost": found.cost}
    row["staticType"] = str(result.program.type)
    if explain:
        row["parts"] = [
            {
                "text": step.span.source.text[step.span.start : step.span.end],
                "start": step.span.start,
                "value": as_json(step.value),
            }
            for step in found.steps
        ]
        row["reads"] = [
            {"path": path_text((read.variable, *read.path)), "missing": read.missing} for read in found.reads
        ]
    return row


def _error(error: Diagnostic) -> dict[str, Any]:
    from sekisho.diag.report import span_of

    row: dict[str, Any] = {"code": error.code.id, "message": error.message}
    span = span_of(error.at)
    if span is not None:
        row["line"], row["column"] = span.begins
    return row
