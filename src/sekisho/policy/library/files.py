"""The files of the library, which are package data: nothing else is read, and nothing written."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from sekisho import manifest
from sekisho.diag import Code, Diagnostic, DiagnosticError, Source
from sekisho.kube.object import Object

ROOT: Final = Path(__file__).parents[2] / "library"
LABEL: Final = "library:"
"""What the names of these files begin with in findings: where the package lies is of no use to anybody."""


@cache
def names_in(folder: str) -> tuple[str, ...]:
    """The names of what is in a folder, without their suffixes, in order."""
    return tuple(sorted(Path(row.name).stem for row in (ROOT / folder).iterdir()))


def load(path: str) -> Object:
    """The one object of a file."""
    document = _document(path)
    return Object(document.value, document)


def value(path: str) -> Any:
    """The value of a file that is no object of Kubernetes."""
    return _document(path).value


def text(path: str) -> str:
    """The text of a file."""
    return (ROOT / path).read_text(encoding="utf-8")


def _document(path: str) -> manifest.Document:
    (document,) = manifest.load(Source(f"{LABEL}{path}", text(path)))
    return document


def unknown(code: Code, what: str, name: str, known: tuple[str, ...]) -> DiagnosticError:
    """That there is nothing of this name, and what may have been meant."""
    from difflib import get_close_matches

    close = get_close_matches(name.lower(), known, n=1)
    help = f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(known)}"
    return DiagnosticError(Diagnostic(code=code, message=f'there is no {what} "{name}"', help=help))
