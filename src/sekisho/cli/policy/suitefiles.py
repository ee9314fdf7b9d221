"""Suites on disk: which files a path means, the suites in them, and the files that they name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sekisho import manifest
from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube.object import Object
from sekisho.manifest import Document
from sekisho.policy import codes
from sekisho.policy.suite import GROUP, Suite, is_suite, load_suite

SUFFIXES: Final = (".yaml", ".yml")
RECURSIVE: Final = "/..."
"""What a path ends in that means everything below it, as Go's tools have it."""


@dataclass(slots=True)
class DiskFiles:
    """``policy.verify.Files`` over the file system; a file is read and parsed once."""

    _known: dict[tuple[str, bool], tuple[Document, ...]] = field(default_factory=dict)

    def documents(self, path: str, *, lists: bool) -> tuple[Document, ...]:
        """The documents of a file; raises DiagnosticError (SRC…)."""
        known = self._known.get((path, lists))
        if known is None:
            known = tuple(manifest.load(manifest.read_source(path), lists=lists))
            self._known[path, lists] = known
        return known


def find_suites(paths: tuple[str, ...]) -> list[Suite]:
    """The suites of files, of the files in directories, and of all below ``DIR/...``, by path.

    Files without a suite are skipped; what cannot be parsed and does not speak of suites is one. Raises
    DiagnosticError (SRC…, POL081, KUB041) for a path that leads nowhere and for a suite that is malformed.
    """
    files = sorted({name for path in paths for name in _files(path)})
    found: list[Suite] = []
    problems: list[Diagnostic] = []
    for file in files:
        try:
            found += _suites(file)
        except DiagnosticError as error:
            problems += error.diagnostics
    if problems:
        raise DiagnosticError(problems)
    return found


def _files(path: str) -> Iterator[str]:
    if path == RECURSIVE[1:] or path.endswith(RECURSIVE):
        folder = path.removesuffix(RECURSIVE[1:]) or "."
        if not Path(folder).exists():
            raise _problem(f"there is no directory {folder}")
        if not Path(folder).is_dir():
            raise _problem(f'can only recursively traverse directories, not a directory: "{folder}"')
        for base, folders, names in os.walk(folder):
            folders.sort()
            yield from (_join(base, name) for name in names if name.endswith(SUFFIXES))
    elif Path(path).is_dir():
        with os.scandir(path) as entries:
            names = [row.name for row in entries if row.name.endswith(SUFFIXES) and not row.is_dir()]
        yield from (_join(path, name) for name in names)
    elif path.endswith(SUFFIXES):
        yield path
    elif Path(path).exists():
        raise _problem(f'unsupported extension: "{Path(path).suffix}"')
    else:
        raise _problem(f"there is no file or directory {path}")


def _join(folder: str, name: str) -> str:
    return name if folder == "." else os.path.join(folder, name)  # noqa: PTH118 - keeps ./ and ../


def _suites(file: str) -> Iterator[Suite]:
    source = manifest.read_source(file)
    if GROUP not in source.text:  # most files of a tree; parsing them would take most of the time
        return
    for document in manifest.load(source, lists=False):
        if is_suite(document.value):
            yield load_suite(Object(document.value, document), file)


def _problem(message: str) -> DiagnosticError:
    return DiagnosticError(Diagnostic(code=codes.SUITE_FILE, message=message))
