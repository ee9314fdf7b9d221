"""``sekisho policy sync``: gator's verb about data that policies refer to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from sekisho.cli.opa import OpaCommand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sekisho.diag import Diagnostic
    from sekisho.kube.object import Object
    from sekisho.policy.syncdata import Needs, Requirement, SyncReport

FORMS: Final = ("text", "json", "junit", "sarif", "github")


@click.group(epilog="Example: sekisho policy sync test -n policies/ -f")
def command() -> None:
    """Check what is synced into the inventory of policies."""


@command.command(cls=OpaCommand, epilog="Example: sekisho policy sync test -n templates/ -n syncset.yaml -f")
@click.option(
    "-n",
    "--filename",
    "filenames",
    multiple=True,
    metavar="PATH",
    help="File or directory with templates, SyncSets, a Config, a GVKManifest, or - for standard input; "
    "repeatable.",
)
@click.option(
    "-f",
    "--force-omit-gvk-manifest",
    "omit_manifest",
    is_flag=True,
    help="Do without a GVKManifest: take every kind for one that the cluster serves.",
)
@click.option("-o", "--output", type=click.Choice(FORMS), default="text", help="Form of the report.")
@click.option("-v", "--verbose", is_flag=True, help="Tell what each template requires and reads.")
@click.option("--no-cache", is_flag=True, help="Compile policies anew.")
def test(
    *, filenames: tuple[str, ...], omit_manifest: bool, output: str, verbose: bool, no_cache: bool
) -> int:
    """Test that SyncSets and the Config sync the kinds that templates require.

    What a template requires is in its annotation metadata.gatekeeper.sh/requires-sync-data. A warning tells
    where the annotation and what its code really reads differ.

    Exit status 0, or 1 if a requirement is not met or the input cannot be used.
    """
    from sekisho.cli.inputs import read_objects
    from sekisho.cli.programs import cached_compile
    from sekisho.diag import DiagnosticError, Level
    from sekisho.policy.syncdata import sync_test

    inputs = read_objects(filenames or (() if sys.stdin.isatty() else ("-",)))
    if errors := [row for row in inputs.problems if row.level is Level.ERROR]:
        return _fail("reading:", errors)
    if not inputs.objects:
        return _fail("no input data identified", [])
    cache = not (no_cache or os.environ.get("SEKISHO_NO_CACHE"))
    try:
        report = sync_test(inputs.objects, omit_manifest=omit_manifest, compile=cached_compile(enabled=cache))
    except DiagnosticError as error:
        return _fail(f"checking: {error.diagnostics[0].message}", error.diagnostics)
    if output == "text":
        manifest = any(_is_manifest(object) for object in inputs.objects)
        _text(report, omitted=omit_manifest and not manifest, verbose=verbose)
    else:
        _write(report, output)
    return int(bool(report.missing or report.errors))


def _is_manifest(object: Object) -> bool:
    from sekisho.policy.syncdata import MANIFEST

    return (object.gvk.group, object.kind) == MANIFEST


def _text(report: SyncReport, *, omitted: bool, verbose: bool) -> None:
    """The lines of gator, then the warnings."""
    from sekisho.policy.syncdata import requirement_text

    for object in report.skipped:
        print(
            f'skipping unstructured "{object.name}" because it is not a syncset, config, gvk manifest, '
            "or template"
        )
    if omitted and not report.errors:
        print(
            "ignoring absence of supported GVK manifest due to --force-omit-gvk-manifest flag; will assume "
            "all synced GVKs are supported by cluster"
        )
    if verbose:
        for needs in report.needs:
            if needs.requires or needs.reads:
                _needs(needs)
    if report.missing:
        rows = {
            name: "\n".join(f"- {requirement_text(row)}" for row in unmet)
            for name, unmet in report.missing.items()
        }
        _stderr("the following requirements were not met: ", rows)
    if report.errors:
        rows = {name: problem.message for name, problem in report.errors.items()}
        _stderr("encountered errors parsing the following templates: ", rows)
    _tell([*report.errors.values(), *report.warnings])


def _needs(needs: Needs) -> None:
    from sekisho.policy.syncdata import requirement_text

    print(f"{needs.object.name}:")
    for requirement in needs.requires:
        print(f"  requires {requirement_text(requirement)}")
    for read in needs.reads or ():
        print(f"  reads {read}")


def _stderr(head: str, rows: Mapping[str, str]) -> None:
    sys.stderr.write("\n".join([head, *(f"{name}:\n{text}" for name, text in rows.items()), "", ""]))


def _write(report: SyncReport, form: str) -> None:
    from sekisho.diag import Report
    from sekisho.diag.render import render

    findings = Report.of([*report.problems(), *report.warnings])
    if form != "json":
        render(findings, form, sys.stdout)
        return
    import json

    from sekisho.diag.render.data import report_data

    data = {**report_data(findings), "templates": [_data(needs, report) for needs in report.needs]}
    json.dump(data, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _data(needs: Needs, report: SyncReport) -> dict[str, Any]:
    def rows(requirements: Sequence[Requirement]) -> list[list[dict[str, str]]]:
        return [[gvk.to_json() for gvk in requirement] for requirement in requirements]

    reads = None
    if needs.reads is not None:
        reads = [
            {"scope": read.scope, "apiVersion": read.group_version, "kind": read.kind} for read in needs.reads
        ]
    name = needs.object.name
    return {
        "name": name,
        "requires": rows(needs.requires),
        "missing": rows(report.missing.get(name, ())),
        "reads": reads,
    }


def _fail(message: str, findings: Sequence[Diagnostic]) -> int:
    print(message, file=sys.stderr)
    _tell(findings)
    return 1


def _tell(findings: Sequence[Diagnostic]) -> None:
    from sekisho.cli.rego.text import tell

    tell(findings)
