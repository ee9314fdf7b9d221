"""Occurrences of Grafeas and Container Analysis (v1): attestations, as answers and files have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.images.evidence.dsse import envelope_of, from_base64
from sekisho.images.evidence.model import Attestation, Form, Signature
from sekisho.images.evidence.strictjson import BadEvidenceError, text_at

OCCURRENCES: Final = Limit(
    "a list of occurrences", 10_000, "occurrences", "a note's of one image; 1,000 a page"
)
PGP_BEGIN: Final = b"-----BEGIN PGP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """An attestation that is attached to a note, about a resource (``https://host/name@sha256:…``)."""

    note: str
    resource: str
    attestation: Attestation


def read_occurrence(row: Any, where: str) -> Iterator[Occurrence]:
    """The attestations of an occurrence, none for other kinds; raises BadEvidenceError."""
    if text_at(row, "kind") != "ATTESTATION":
        return
    note, resource = text_at(row, "noteName"), text_at(row, "resourceUri")
    if isinstance(row.get("envelope"), dict):
        yield Occurrence(note=note, resource=resource, attestation=envelope_of(row["envelope"], where))
        return
    body = row.get("attestation")
    payload = from_base64(text_at(body, "serializedPayload"), "attestation.serializedPayload")
    signatures = body.get("signatures")
    if not isinstance(signatures, list) or not signatures:
        raise BadEvidenceError("attestation.signatures is not a list with at least one")
    # A signature that is an OpenPGP message is of another form than one that is not.
    read = [_signature(item) for item in signatures]
    for form in (Form.PLAIN, Form.PGP):
        these = tuple(
            item for item in read if item.value.lstrip().startswith(PGP_BEGIN) == (form is Form.PGP)
        )
        if these:
            attestation = Attestation(where=where, payload=payload, signatures=these, form=form)
            yield Occurrence(note=note, resource=resource, attestation=attestation)


def _signature(row: Any) -> Signature:
    key_id = row.get("publicKeyId") if isinstance(row, dict) else None
    return Signature(
        value=from_base64(text_at(row, "signature"), "signature"),
        key_id=key_id if isinstance(key_id, str) else "",
    )
