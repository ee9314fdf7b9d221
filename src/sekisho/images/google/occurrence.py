"""Writing attestations as Grafeas occurrences (v1), as gcloud's sign-and-create does."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sekisho.oci import Reference


def occurrence(
    note: str, image: Reference, payload: bytes, signature: bytes, key_id: str, *, now: datetime
) -> dict[str, Any]:
    """The occurrence of one attestation. Its name follows from what it says: twice written is once."""
    project = note.split("/")[1]
    identity = hashlib.sha256(b"\0".join((note.encode(), payload, signature))).hexdigest()[:32]
    stored = {"signature": base64.b64encode(signature).decode("ascii"), "publicKeyId": key_id}
    return {
        "name": f"projects/{project}/occurrences/{identity}",
        "resourceUri": f"https://{image}",
        "noteName": note,
        "kind": "ATTESTATION",
        "createTime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "attestation": {
            "serializedPayload": base64.b64encode(payload).decode("ascii"),
            "signatures": [stored],
        },
    }
