"""cosign's manifests of signatures: what is read, and what must agree first."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.images.signers import Signer, b64

from sekisho.images.attest import Authority, IdentityMatch, Outcome, ask, simple_signing
from sekisho.images.evidence.cosign import SIGNATURE, read_layer, read_layers, signature_tag
from sekisho.images.evidence.simplesigning import COSIGN_TYPE, google_payload
from sekisho.images.evidence.strictjson import BadEvidenceError
from sekisho.oci import parse_reference

DIGEST = "sha256:" + "a" * 64
IMAGE = parse_reference(f"gcr.io/shop/cart@{DIGEST}")
PAYLOAD = google_payload("anything", DIGEST).replace(
    b"Google cloud binauthz container signature", COSIGN_TYPE.encode()
)
SIGNERS = (Signer(), Signer(), Signer())
KEYS = tuple(signer.public() for signer in SIGNERS)


def layer(signer: Signer, payload: bytes = PAYLOAD, **changes: Any) -> dict[str, Any]:
    row = {
        "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
        "digest": f"sha256:{hashlib.sha256(payload).hexdigest()}",
        "size": len(payload),
        "annotations": {SIGNATURE: b64(signer.sign(payload))},
    }
    return {**row, **changes}


def found(*rows: dict[str, Any], blob: bytes = PAYLOAD) -> Any:
    layers = read_layers(json.dumps({"layers": rows}).encode())
    return tuple(read_layer(row, blob, f"layer {index}") for index, row in enumerate(layers))


def answer(attestations: Any, **more: Any) -> Outcome:
    authority = Authority(
        name="cosign",
        keys=KEYS,
        check=simple_signing(frozenset((COSIGN_TYPE,)), IdentityMatch.DIGEST_ONLY),
        **more,
    )
    return ask(IMAGE, authority, attestations, now=datetime(2026, 1, 1, tzinfo=UTC)).outcome


def test_the_tag() -> None:
    assert signature_tag(DIGEST) == "sha256-" + "a" * 64 + ".sig"


def test_one_signature() -> None:
    assert answer(found(layer(SIGNERS[0]))) is Outcome.ALLOW
    assert answer(found(layer(Signer()))) is Outcome.DENY


def test_a_threshold_counts_different_keys() -> None:
    twice = found(layer(SIGNERS[0]), layer(SIGNERS[0]))
    both = found(layer(SIGNERS[0]), layer(SIGNERS[1]))
    assert answer(twice, threshold=2) is Outcome.DENY
    assert answer(both, threshold=2) is Outcome.ALLOW
    assert answer(both, threshold=2, required=(KEYS[1].id,)) is Outcome.ALLOW
    assert answer(both, threshold=2, required=(KEYS[2].id,)) is Outcome.DENY


def test_other_layers_are_passed_over() -> None:
    other = {"mediaType": "application/octet-stream", "digest": DIGEST, "size": 1}
    assert len(found(other, layer(SIGNERS[0]))) == 1


@pytest.mark.parametrize(
    "row",
    [
        layer(SIGNERS[0], digest=DIGEST),
        layer(SIGNERS[0], size=1),
        layer(SIGNERS[0], size="1"),
        layer(SIGNERS[0], annotations={}),
        layer(SIGNERS[0], annotations={SIGNATURE: "not base64!"}),
        layer(SIGNERS[0], annotations={"dev.sigstore.cosign/signature": b64(b"x")}),
    ],
)
def test_malformed(row: dict[str, Any]) -> None:
    with pytest.raises(BadEvidenceError):
        found(row)
