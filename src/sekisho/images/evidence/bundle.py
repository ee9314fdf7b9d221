"""Sigstore bundles v0.1 to v0.3: a signature or an envelope, and the material to verify it with.

Here bundles are read, and verified with a key that somebody configured. The hint in a bundle chooses nothing.
Certificates and transparency logs are verified by ``images.keyless``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.images.evidence.dsse import envelope_of, from_base64
from sekisho.images.evidence.model import Attestation
from sekisho.images.evidence.strictjson import BadEvidenceError, read_json, text_at

MEDIA_TYPES: Final = frozenset(
    (
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle.v0.1+json",
        "application/vnd.dev.sigstore.bundle.v0.2+json",
        "application/vnd.dev.sigstore.bundle.v0.3+json",
    )
)
_MATERIAL: Final = ("publicKey", "certificate", "x509CertificateChain")
_DIGESTS: Final = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSignature:
    """A signature over the artifact itself; ``digest`` is what the bundle says the artifact's is."""

    digest: str
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle. ``key`` is whether it is meant for a key and not a certificate; ``hint`` may name the key."""

    key: bool
    hint: str
    content: MessageSignature | Attestation


def read_bundle(data: bytes, where: str = "bundle") -> Bundle:
    """Read a bundle; raises BadEvidenceError."""
    value = read_json(data)
    media_type = text_at(value, "mediaType")
    if media_type not in MEDIA_TYPES:
        raise BadEvidenceError(f"{media_type} is not a bundle's media type, v0.1 to v0.3")
    material = value.get("verificationMaterial")
    given = [row for row in _MATERIAL if isinstance(material, dict) and row in material]
    if len(given) != 1:
        raise BadEvidenceError(f"verificationMaterial has {len(given)} of {', '.join(_MATERIAL)}, not one")
    hint = material["publicKey"].get("hint") if isinstance(material.get("publicKey"), dict) else None
    return Bundle(
        key=given == ["publicKey"],
        hint=hint if isinstance(hint, str) else "",
        content=_content(value, where),
    )


def _content(value: Any, where: str) -> MessageSignature | Attestation:
    message, envelope = value.get("messageSignature"), value.get("dsseEnvelope")
    if (message is None) == (envelope is None):
        raise BadEvidenceError("a bundle has either messageSignature or dsseEnvelope")
    if envelope is not None:
        attestation = envelope_of(envelope, where)
        if len(attestation.signatures) != 1:
            raise BadEvidenceError("the envelope of a bundle has exactly one signature")
        return attestation
    signature = from_base64(text_at(message, "signature"), "messageSignature.signature")
    if message.get("messageDigest") is None:
        return MessageSignature(digest="", signature=signature)
    algorithm = text_at(message, "messageDigest", "algorithm")
    if algorithm not in _DIGESTS:
        raise BadEvidenceError(f"{algorithm} is not a digest algorithm that is known here")
    digest = from_base64(text_at(message, "messageDigest", "digest"), "messageDigest.digest")
    return MessageSignature(digest=f"{_DIGESTS[algorithm]}:{digest.hex()}", signature=signature)
