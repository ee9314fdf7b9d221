"""JSON that others signed or stored: one value, no repeated key, bounded."""

from __future__ import annotations

from typing import Any, Final

from sekisho.diag import Limit
from sekisho.manifest.jsontext import JsonError, parse_json

DOCUMENT: Final = Limit(
    "a JSON document of evidence", 16_777_216, "bytes", "an SBOM of a large image has 10 MB"
)


class BadEvidenceError(ValueError):
    """Evidence that cannot be used; the text says why."""


def read_json(data: bytes) -> Any:
    """The value of a document; raises BadEvidenceError.

    A key that is given twice is refused: readers disagree about which one counts, and an attacker chooses.
    """
    if DOCUMENT.exceeded_by(len(data)):
        raise BadEvidenceError(str(DOCUMENT))
    try:
        values = parse_json(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadEvidenceError("it is not UTF-8") from None
    except JsonError as error:
        raise BadEvidenceError(f"it is not JSON: {error.message}") from None
    if len(values) != 1:
        raise BadEvidenceError("it is not one JSON value")
    if values[0].odd:
        raise BadEvidenceError("a key is given twice")
    return values[0].value


def text_at(value: Any, *path: str) -> str:
    """The string at a path; raises BadEvidenceError that names it."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, str):
        raise BadEvidenceError(f"{'.'.join(path)} is not a string")
    return value
