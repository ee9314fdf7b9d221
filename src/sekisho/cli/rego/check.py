"""``sekisho rego check``: what is wrong with Rego sources."""

from __future__ import annotations

import sys
from typing import Any

import click

from sekisho.cli.opa import MAX_ERRORS, OpaCommand, bundle_option, source_options


@click.command(cls=OpaCommand, epilog="Example: sekisho rego check --strict policies/")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--strict", "-S", is_flag=True, help="Unused variables and imports and such are errors, too.")
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["pretty", "json"]),
    default="pretty",
    help="Form of the errors.",
)
@click.option(
    "--max-errors",
    "-m",
    type=click.IntRange(0),
    default=MAX_ERRORS,
    help="How many errors of compilation to show.",
)
@bundle_option
@source_options
def command(
    *,
    paths: tuple[str, ...],
    strict: bool,
    form: str,
    max_errors: int,
    bundle: bool,
    **options: Any,
) -> int:
    """Check the Rego sources at PATH: files, and directories with all .rego files below them.

    Says nothing where nothing is wrong. Exit status: 0; 1 if anything is wrong, usage included.
    """
    from sekisho import rego
    from sekisho.cli.rego.files import load_files, read_capabilities
    from sekisho.cli.rego.text import Fields, dumps, error_fields, tell
    from sekisho.diag import DiagnosticError
    from sekisho.rego.check import check

    dialect = rego.Dialect.V0 if options["v0_compatible"] else rego.Dialect.V1
    try:
        allowed = read_capabilities(options["capabilities"])
        files = load_files(
            () if bundle else paths,
            dialect=dialect,
            ignore=options["ignore"],
            only_rego=True,
            bundles=paths if bundle else (),
        )
        files.raise_errors()
        check(
            tuple(files.modules.values()),
            capabilities=allowed,
            strict=strict,
            exists=files.exists,
            max_errors=max_errors,
        )
    except DiagnosticError as error:
        if form == "json":
            errors = [error_fields(found) for found in error.diagnostics]
            sys.stderr.write(dumps(Fields(errors=errors)) + "\n")
        else:
            tell(error.diagnostics)
        return 1
    return 0
