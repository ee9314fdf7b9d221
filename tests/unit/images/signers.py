"""Keys and signatures for tests."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sekisho.images.evidence.dsse import pae
from sekisho.images.signing.keys import ALWAYS, PublicKey, Window, key_of

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


class Signer:
    """A P-256 key that signs."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def public(self, window: Window = ALWAYS) -> PublicKey:
        return key_of(self.der, algorithm="ECDSA_P256_SHA256", window=window)

    @property
    def der(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def pem(self) -> str:
        text = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return text.decode("ascii")

    def sign(self, payload: bytes) -> bytes:
        return self._key.sign(payload, ec.ECDSA(hashes.SHA256()))

    def envelope(self, payload: bytes, type: str = "application/vnd.in-toto+json") -> dict[str, Any]:
        row = {"sig": b64(self.sign(pae(type, payload))), "keyid": ""}
        return {"payload": b64(payload), "payloadType": type, "signatures": [row]}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def statement(*digests: str, predicate: Any = None, type: str = "https://in-toto.io/Statement/v1") -> bytes:
    subjects = [{"name": "app", "digest": dict([digest.split(":", 1)])} for digest in digests]
    value = {
        "_type": type,
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": predicate or {},
    }
    return json.dumps(value).encode()


def bundle(**content: Any) -> bytes:
    material = content.pop("material", {"publicKey": {"hint": "anything"}})
    return json.dumps({"mediaType": BUNDLE, "verificationMaterial": material, **content}).encode()
