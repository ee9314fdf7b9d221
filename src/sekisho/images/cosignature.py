"""Writing cosign's signatures: a layer more under the image's tag, or a bundle that refers to the image."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from sekisho.images.evidence.cosign import SIGNATURE, SIMPLE_SIGNING
from sekisho.images.evidence.intoto import COSIGN_SIGN, PAYLOAD_TYPE
from sekisho.images.evidence.simplesigning import COSIGN_TYPE

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
BUNDLE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
EMPTY: Final = "application/vnd.oci.empty.v1+json"


def payload(repository: str, digest: str, annotations: Mapping[str, str]) -> bytes:
    """What cosign signs of an image: its simple-signing payload, on one line."""
    critical = {
        "identity": {"docker-reference": repository},
        "image": {"docker-manifest-digest": digest},
        "type": COSIGN_TYPE,
    }
    value = {"critical": critical, "optional": dict(annotations) or None}
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode("utf-8")


def layer(body: bytes, signature: bytes) -> dict[str, Any]:
    """The layer of a payload and its signature."""
    return {
        "mediaType": SIMPLE_SIGNING,
        "size": len(body),
        "digest": _digest(body),
        "annotations": {SIGNATURE: base64.b64encode(signature).decode("ascii")},
    }


def config(layers: list[dict[str, Any]]) -> bytes:
    """The configuration that cosign gives a manifest of signatures: an image without anything in it."""
    value = {
        "architecture": "",
        "config": {},
        "created": "0001-01-01T00:00:00Z",
        "history": [{"created": "0001-01-01T00:00:00Z"}] * len(layers),
        "os": "",
        "rootfs": {"type": "layers", "diff_ids": [row["digest"] for row in layers]},
    }
    return _json(value)


def manifest(layers: list[dict[str, Any]], about: bytes) -> bytes:
    """The manifest of signatures, with its configuration."""
    value = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "size": len(about), "digest": _digest(about)},
        "layers": layers,
    }
    return _json(value)


def statement(digest: str, predicate_type: str = COSIGN_SIGN, predicate: Any = None) -> bytes:
    """The in-toto statement about an image; by default that it is signed, as cosign 3 says it."""
    algorithm, _, value = digest.partition(":")
    body = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {algorithm: value}}],
        "predicateType": predicate_type,
        "predicate": predicate or {},
    }
    return _json(body)


def bundle(said: bytes, signature: bytes, key: bytes) -> bytes:
    """A bundle with an envelope around a statement, for a key (its SubjectPublicKeyInfo)."""
    hint = base64.b64encode(hashlib.sha256(key).digest()).decode("ascii")
    envelope = {
        "payload": base64.b64encode(said).decode("ascii"),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(signature).decode("ascii"), "keyid": ""}],
    }
    material = {"publicKey": {"hint": hint}, "tlogEntries": [], "timestampVerificationData": {}}
    return _json({"mediaType": BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope})


def referrer(body: bytes, image: Mapping[str, Any], predicate_type: str) -> bytes:
    """The manifest of an artifact that refers to an image (its descriptor) and holds a bundle."""
    empty = b"{}"
    value = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": BUNDLE,
        "config": {"mediaType": EMPTY, "size": len(empty), "digest": _digest(empty)},
        "layers": [{"mediaType": BUNDLE, "size": len(body), "digest": _digest(body)}],
        "subject": dict(image),
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": predicate_type,
        },
    }
    return _json(value)


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("utf-8")
