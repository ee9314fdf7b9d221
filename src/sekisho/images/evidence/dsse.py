"""DSSE v1.0.2: a signed envelope around a payload of any type."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.images.evidence.model import Attestation, Form, Signature
from sekisho.images.evidence.strictjson import BadEvidenceError, read_json, text_at

SIGNATURES: Final = Limit("an envelope", 64, "signatures", "n-of-m schemes have fewer signers")


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding; lengths are of bytes, in decimal."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def read_envelope(data: bytes, where: str) -> Attestation:
    """An envelope as it was stored; unknown fields are ignored, as the specification says.

    Raises BadEvidenceError.
    """
    return envelope_of(read_json(data), where)


def envelope_of(value: Any, where: str) -> Attestation:
    """The same from parsed JSON. Raises BadEvidenceError."""
    rows = value.get("signatures") if isinstance(value, dict) else None
    if not isinstance(rows, list) or not rows:
        raise BadEvidenceError("signatures is not a list with at least one")
    if SIGNATURES.exceeded_by(len(rows)):
        raise BadEvidenceError(str(SIGNATURES))
    return Attestation(
        where=where,
        payload=from_base64(text_at(value, "payload"), "payload"),
        payload_type=text_at(value, "payloadType"),
        signatures=tuple(_signature(row) for row in rows),
        form=Form.DSSE,
    )


def _signature(row: Any) -> Signature:
    key_id = row.get("keyid") if isinstance(row, dict) else None
    return Signature(
        value=from_base64(text_at(row, "sig"), "sig"), key_id=key_id if isinstance(key_id, str) else ""
    )


def from_base64(text: str, what: str) -> bytes:
    """Base64 of either alphabet, padded or not, nothing else in it. Raises BadEvidenceError."""
    plain = text.translate(_PLAIN).rstrip("=")
    if len(text) - len(plain) > 2:
        raise BadEvidenceError(f"{what} is not base64")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadEvidenceError(f"{what} is not base64") from None


_PLAIN: Final = str.maketrans("-_", "+/")
