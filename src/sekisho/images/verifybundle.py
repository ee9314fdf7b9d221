"""Verifying a bundle about one artifact with a key:

1. the bundle is one that is meant for a key;
2. the key counts at this moment;
3. a message signature: the digest that it names, if any, is the artifact's, and the signature verifies over
   the artifact (or over its digest, where only that is known);
4. an envelope: its signature verifies over type and payload, the payload is an in-toto statement, and one of
   its subjects has the artifact's digest.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from sekisho.images.evidence.bundle import Bundle, MessageSignature
from sekisho.images.evidence.dsse import pae
from sekisho.images.evidence.intoto import PAYLOAD_TYPE, read_statement
from sekisho.images.evidence.model import Attestation
from sekisho.images.evidence.strictjson import BadEvidenceError
from sekisho.images.signing.keys import PublicKey
from sekisho.images.signing.verify import verifies, verifies_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What was signed: its bytes, or where they are not at hand its SHA-256 (``sha256:…``)."""

    digest: str
    content: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, content: bytes) -> Artifact:
        """An artifact whose bytes are at hand."""
        return cls(digest=f"sha256:{hashlib.sha256(content).hexdigest()}", content=content)


def verify_with_key(bundle: Bundle, artifact: Artifact, key: PublicKey, *, now: datetime) -> str:
    """Why a bundle does not verify; empty if it does. Pure."""
    if not bundle.key:
        return "the bundle has a certificate, and is not verified with a key"
    if problem := key.window.problem(now):
        return problem
    if isinstance(bundle.content, MessageSignature):
        return _message(bundle.content, artifact, key)
    return _envelope(bundle.content, artifact, key)


def _message(message: MessageSignature, artifact: Artifact, key: PublicKey) -> str:
    algorithm, _, value = message.digest.partition(":")
    if artifact.content is not None and value:
        if hashlib.new(algorithm, artifact.content).hexdigest() != value:
            return "the bundle is about another artifact: its digest differs"
    elif value and message.digest != artifact.digest:
        return "the bundle is about another artifact: its digest differs"
    good = (
        verifies(key, artifact.content, message.signature)
        if artifact.content is not None
        else verifies_digest(key, artifact.digest, message.signature)
    )
    return "" if good else "the signature does not verify with this key"


def _envelope(envelope: Attestation, artifact: Artifact, key: PublicKey) -> str:
    signed = pae(envelope.payload_type, envelope.payload)
    if not verifies(key, signed, envelope.signatures[0].value):
        return "the signature does not verify with this key"
    if envelope.payload_type != PAYLOAD_TYPE:
        return f"the envelope holds {envelope.payload_type}, not an in-toto statement"
    try:
        statement = read_statement(envelope.payload)
    except BadEvidenceError as error:
        return f"the statement cannot be read: {error}"
    return "" if artifact.digest in statement.digests else "the statement is not about this artifact"
