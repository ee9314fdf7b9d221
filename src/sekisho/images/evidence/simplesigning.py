"""Simple signing: the payload that names one image by repository and digest.

Who calls the format what: gcloud "Google cloud binauthz container signature" (newer documents with a capital
B), Kritis "atomic container signature", cosign "cosign container image signature".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from sekisho.images.evidence.strictjson import BadEvidenceError, read_json, text_at

GOOGLE_TYPE: Final = "Google cloud binauthz container signature"
ATOMIC_TYPE: Final = "atomic container signature"
COSIGN_TYPE: Final = "cosign container image signature"

BINARY_AUTHORIZATION_TYPES: Final = frozenset(row.lower() for row in (GOOGLE_TYPE, ATOMIC_TYPE))
"""Types that attestations of Binary Authorization and Kritis have, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleSigning:
    """``critical`` of a payload: repository as it was written, digest, type."""

    repository: str
    digest: str
    type: str


def read_payload(payload: bytes) -> SimpleSigning:
    """Read a payload whose signature has been verified; raises BadEvidenceError."""
    value = read_json(payload)
    return SimpleSigning(
        repository=text_at(value, "critical", "identity", "docker-reference"),
        digest=text_at(value, "critical", "image", "docker-manifest-digest"),
        type=text_at(value, "critical", "type"),
    )


def google_payload(repository: str, digest: str) -> bytes:
    """The bytes that ``gcloud container binauthz create-signature-payload`` prints.

    Keys are sorted, two spaces indent, a newline ends it. ``repository`` is without tag, digest and scheme.
    """
    critical = {
        "identity": {"docker-reference": repository},
        "image": {"docker-manifest-digest": digest},
        "type": GOOGLE_TYPE,
    }
    text = json.dumps({"critical": critical}, indent=2, separators=(",", ": "), sort_keys=True)
    return f"{text}\n".encode("ascii")


__all__ = [
    "BINARY_AUTHORIZATION_TYPES",
    "BadEvidenceError",
    "SimpleSigning",
    "google_payload",
    "read_payload",
]
