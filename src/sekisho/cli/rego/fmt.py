"""``sekisho rego fmt``: Rego sources in the common form."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sekisho.cli.opa import OpaCommand

if TYPE_CHECKING:
    from sekisho.diag import Diagnostic, DiagnosticError, Source
    from sekisho.rego import Dialect

FAILED: Final = 2
"""The status if a file cannot be formatted, or if one would change with ``--fail``: opa's figure."""


@click.command(cls=OpaCommand, epilog="Example: sekisho rego fmt --list policies/")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--write", "-w", is_flag=True, help="Rewrite the files that are not in the common form.")
@click.option("--list", "-l", "only_list", is_flag=True, help="Only name the files that would change.")
@click.option("--diff", "-d", is_flag=True, help="Only show what would change.")
@click.option("--fail", is_flag=True, help="End with status 2 if a file would change.")
@click.option("--v0-compatible", is_flag=True, help="Sources are Rego v0, as before OPA 1.0.")
@click.option("--v1-compatible", is_flag=True, hidden=True, expose_value=False)
def command(
    *, paths: tuple[str, ...], write: bool, only_list: bool, diff: bool, fail: bool, v0_compatible: bool
) -> int:
    """Print the Rego sources at PATH in the common form: files, and directories with all .rego files below.

    Without PATH, standard input. Exit status: 0; 1 for wrong usage, missing files and unreadable input; 2
    if a file cannot be formatted, or would change with --fail.
    """
    from sekisho.diag import DiagnosticError
    from sekisho.rego import Dialect

    dialect = Dialect.V0 if v0_compatible else Dialect.V1
    if not paths:
        return _standard_input(dialect)
    status = 0
    for path in _files(paths):
        try:
            before, after = _formatted(path, dialect)
            changed = before != after
            if only_list:
                sys.stdout.write(f"{path}\n" * changed)
            elif diff:
                sys.stdout.write(difference(path, before, after))
            elif not write:
                sys.stdout.write(after)
            elif changed and not fail:
                rewrite(path, before, after)
        except DiagnosticError as error:
            _tell(error.diagnostics)
            missing = not Path(path).exists()
            status = max(status, 1 if missing else FAILED)
            continue
        if fail and changed:
            print(f"{path} would change", file=sys.stderr)
            status = FAILED
    return status


def _standard_input(dialect: Dialect) -> int:
    from sekisho.diag import DiagnosticError
    from sekisho.manifest import decode
    from sekisho.manifest.files import STDIN
    from sekisho.manifest.limits import FILE_SIZE
    from sekisho.rego.format import format_source

    try:
        source = decode(STDIN, sys.stdin.buffer.read(FILE_SIZE.value + 1))
        sys.stdout.write(format_source(source, dialect=dialect))
    except DiagnosticError as error:
        _tell(error.diagnostics)
        return 1
    return 0


def _files(paths: Sequence[str]) -> Iterator[str]:
    """The .rego files at these paths, in the order of names; a path that is missing is its own file."""
    from sekisho.cli.rego.files import REGO, clean_path

    for path in map(clean_path, paths):
        if not Path(path).is_dir():
            if path.endswith(REGO) or not Path(path).exists():
                yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (str(Path(folder, name)) for name in sorted(names) if name.endswith(REGO))


def _formatted(path: str, dialect: Dialect) -> tuple[str, str]:
    from sekisho.manifest import read_source
    from sekisho.rego.format import format_source

    source: Source = read_source(path)
    return source.text, format_source(source, dialect=dialect)


def difference(path: str, before: str, after: str) -> str:
    """What changes in a file, as a unified diff; empty if nothing does."""
    from difflib import unified_diff

    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), path, f"{path} (formatted)"
    )
    missing = "\n\\ No newline at end of file\n"
    return "".join(line if line.endswith("\n") else line + missing for line in lines)


def rewrite(path: str, before: str, after: str) -> None:
    """Replace a file's text at one stroke, keeping its mode; a link stays one.

    DiagnosticError (CLI108) if the text is no longer ``before``, or the system does not let us.
    """
    import tempfile

    from sekisho.manifest import read_source

    target = Path(path).resolve()
    temporary: Path | None = None
    try:
        mode = target.stat().st_mode & 0o7777
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".fmt")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(after.encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        if read_source(path).text != before:
            raise _refusal(path, "its text has changed meanwhile")
        temporary.replace(target)
        temporary = None
    except OSError as error:
        raise _refusal(path, error.strerror or str(error)) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def _refusal(path: str, why: str) -> DiagnosticError:
    from sekisho.cli.rego.codes import REWRITE
    from sekisho.diag import Diagnostic, DiagnosticError

    return DiagnosticError(Diagnostic(code=REWRITE, message=f"{path} cannot be rewritten: {why}"))


def _tell(diagnostics: Sequence[Diagnostic]) -> None:
    from sekisho.cli.rego.text import tell

    tell(diagnostics)
