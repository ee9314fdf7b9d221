"""External data from a file, for commands that work offline."""

from __future__ import annotations

from typing import Any

from sekisho import manifest
from sekisho.diag import Diagnostic, DiagnosticError, ObjectPath, ObjectRef, Path
from sekisho.policy import codes
from sekisho.policy.providers import TableProviders


def read_providers(path: str) -> TableProviders:
    """Providers that answer from a YAML or JSON file: provider, then key, then value.

    Raises DiagnosticError: SRC… for a file that cannot be read, POL046 for one of another shape.
    """
    documents = manifest.load(manifest.read_source(path))
    table: dict[str, Any] = {}
    for document in documents:
        if not isinstance(document.value, dict):
            raise _problem(document, (), "it must be a mapping from providers to their answers")
        for name, rows in document.value.items():
            if not isinstance(rows, dict):
                raise _problem(
                    document, (name,), "the answers of a provider are a mapping from keys to values"
                )
            table[name] = rows
    return TableProviders(table)


def _problem(origin: Any, path: Path, message: str) -> DiagnosticError:
    at = ObjectPath(ref=ObjectRef(group_version="", kind="external data"), path=path, origin=origin)
    return DiagnosticError(Diagnostic(code=codes.BAD_PROVIDER_FILE, message=message, at=at))
