"""in-toto Statements (v0.1 and v1): what is said (a predicate) about which artifacts (subjects)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.images.evidence.strictjson import BadEvidenceError, read_json, text_at

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
TYPES: Final = frozenset(("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"))
SUBJECTS: Final = Limit(
    "a statement", 10_000, "subjects", "a release with all its artifacts has some hundreds"
)

COSIGN_SIGN: Final = "https://sigstore.dev/cosign/sign/v1"
"""The predicate with which cosign 3 says no more than that the image is signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement. ``digests`` are those of its subjects, as ``sha256:…``; names of subjects say nothing."""

    digests: frozenset[str]
    predicate_type: str
    predicate: Mapping[str, Any] = field(default_factory=dict)


def read_statement(payload: bytes) -> Statement:
    """Read a payload whose signature has been verified; raises BadEvidenceError."""
    value = read_json(payload)
    kind = text_at(value, "_type")
    if kind not in TYPES:
        raise BadEvidenceError(f"{kind} is not a type of in-toto statement")
    subjects = value.get("subject")
    if not isinstance(subjects, list) or not subjects:
        raise BadEvidenceError("subject is not a list with at least one")
    if SUBJECTS.exceeded_by(len(subjects)):
        raise BadEvidenceError(str(SUBJECTS))
    predicate = value.get("predicate")
    return Statement(
        digests=frozenset(digest for row in subjects for digest in _digests(row)),
        predicate_type=text_at(value, "predicateType"),
        predicate=predicate if isinstance(predicate, dict) else {},
    )


def _digests(subject: Any) -> list[str]:
    rows = subject.get("digest") if isinstance(subject, dict) else None
    if not isinstance(rows, dict) or not rows:
        raise BadEvidenceError("a subject has no digest")
    if not all(isinstance(value, str) for value in rows.values()):
        raise BadEvidenceError("a subject's digest is not a string")
    return [f"{algorithm}:{value}" for algorithm, value in rows.items()]
