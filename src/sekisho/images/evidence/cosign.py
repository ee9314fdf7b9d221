"""cosign's signatures as it kept them before bundles: a manifest tagged ``sha256-….sig``, a layer each.

What code writes is read: the signature in ``dev.cosignproject.cosign/signature``, the payload in the layer's
blob. Attestations (``.att``) are DSSE envelopes in layers of their own media type.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.images.evidence.dsse import from_base64, read_envelope
from sekisho.images.evidence.model import Attestation, Signature
from sekisho.images.evidence.strictjson import BadEvidenceError, read_json, text_at

SIMPLE_SIGNING: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE: Final = "application/vnd.dsse.envelope.v1+json"
SIGNATURE: Final = "dev.cosignproject.cosign/signature"
LAYERS: Final = Limit(
    "a manifest of signatures", 256, "layers", "every signer adds one, and CI may sign each build"
)


def signature_tag(digest: str, suffix: str = "sig") -> str:
    """Under which tag signatures (``att``: attestations) of a digest are kept."""
    return f"{digest.replace(':', '-', 1)}.{suffix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer of a manifest of signatures: what must be fetched to read it."""

    digest: str
    size: int
    media_type: str
    annotations: Mapping[str, Any]


def read_layers(manifest: bytes) -> tuple[Layer, ...]:
    """The layers of a manifest that are signatures or attestations; raises BadEvidenceError."""
    value = read_json(manifest)
    rows = value.get("layers") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        raise BadEvidenceError("layers is not a list")
    if LAYERS.exceeded_by(len(rows)):
        raise BadEvidenceError(str(LAYERS))
    return tuple(_layers(rows))


def _layers(rows: list[Any]) -> Iterator[Layer]:
    for row in rows:
        media_type = text_at(row, "mediaType")
        size, annotations = row.get("size"), row.get("annotations")
        if media_type in (SIMPLE_SIGNING, ENVELOPE):
            if not isinstance(size, int) or isinstance(size, bool) or size < 0:
                raise BadEvidenceError("a layer's size is not a number")
            yield Layer(
                digest=text_at(row, "digest"),
                size=size,
                media_type=media_type,
                annotations=annotations if isinstance(annotations, dict) else {},
            )


def read_layer(layer: Layer, blob: bytes, where: str) -> Attestation:
    """The attestation in a layer's blob; raises BadEvidenceError, also if the blob is not the layer's."""
    if len(blob) != layer.size or f"sha256:{hashlib.sha256(blob).hexdigest()}" != layer.digest:
        raise BadEvidenceError("the blob is not the one that the manifest names")
    if layer.media_type == ENVELOPE:
        return read_envelope(blob, where)
    value = layer.annotations.get(SIGNATURE)
    if not isinstance(value, str):
        raise BadEvidenceError(f"the layer has no annotation {SIGNATURE}")
    signature = Signature(value=from_base64(value, "the signature"))
    return Attestation(where=where, payload=blob, signatures=(signature,))
