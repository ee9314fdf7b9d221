"""One attestor's answer, and what attackers try: each is rejected for the reason that it deserves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sekisho.images.attest import Acceptance, AttestorAnswer, IdentityMatch, Outcome, Why, ask_attestor
from sekisho.images.evidence.dsse import pae
from sekisho.images.evidence.model import Attestation, Form, Signature, Unanswered
from sekisho.images.evidence.simplesigning import google_payload
from sekisho.images.google.attestor import Attestor
from sekisho.images.signing.keys import ALWAYS, PublicKey, Window, key_of
from sekisho.oci import parse_reference

NOW = datetime(2026, 1, 1, tzinfo=UTC)
D = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
IMAGE = parse_reference(f"gcr.io/shop/cart@{D}")
PAYLOAD = google_payload("gcr.io/shop/cart", D)
SIGNER = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())


def public(key: Any, window: Window = ALWAYS, id: str = "") -> PublicKey:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key_of(der, algorithm="ECDSA_P256_SHA256", id=id, window=window)


KEY = public(SIGNER)
ATTESTOR = Attestor(name="projects/shop/attestors/qa", note="projects/shop/notes/qa", keys=(KEY,))


def signed(payload: bytes = PAYLOAD, *, key: Any = SIGNER, key_id: str = KEY.id) -> Attestation:
    signature = Signature(value=key.sign(payload, ec.ECDSA(hashes.SHA256())), key_id=key_id)
    return Attestation(where="occurrence", payload=payload, signatures=(signature,))


def ask(
    *found: Attestation, attestor: Attestor = ATTESTOR, identity: IdentityMatch = IdentityMatch.DIGEST_ONLY
) -> AttestorAnswer:
    return ask_attestor(IMAGE, attestor, found, now=NOW, identity=identity)


def test_attested() -> None:
    answer = ask(signed())
    assert answer.outcome is Outcome.ALLOW
    assert answer.accepted == (Acceptance(where="occurrence", key_id=KEY.id),)


def test_the_first_good_one_suffices_and_the_others_are_told() -> None:
    answer = ask(signed(key=STRANGER), signed())
    assert answer.outcome is Outcome.ALLOW
    assert [row.why for row in answer.rejections] == [Why.BAD_SIGNATURE]


def test_any_key_suffices() -> None:
    other = replace(ATTESTOR, keys=(public(STRANGER), KEY))
    assert ask(signed(), attestor=other).outcome is Outcome.ALLOW
    assert ask(signed(key_id=""), attestor=other).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("attestation", "why"),
    [
        (signed(key=STRANGER), Why.BAD_SIGNATURE),
        (signed(key_id="ni:///sha-256;other"), Why.UNKNOWN_KEY),
        (replace(signed(), payload=PAYLOAD.replace(b"cart", b"card")), Why.BAD_SIGNATURE),
        (replace(signed(), payload=PAYLOAD.rstrip()), Why.BAD_SIGNATURE),
        (signed(google_payload("gcr.io/shop/cart", OTHER)), Why.WRONG_DIGEST),
        (signed(PAYLOAD.replace(b"Google cloud binauthz", b"cosign")), Why.WRONG_TYPE),
        (signed(b"{}"), Why.UNREADABLE),
        (signed(b"not JSON"), Why.UNREADABLE),
        (signed(PAYLOAD + PAYLOAD), Why.UNREADABLE),
        (signed(PAYLOAD.replace(b'"image":', b'"type": "x", "image":')), Why.UNREADABLE),
        (signed(b"\xff" + PAYLOAD), Why.UNREADABLE),
        (replace(signed(), form=Form.DSSE, payload_type="text/plain"), Why.BAD_SIGNATURE),
    ],
)
def test_rejected(attestation: Attestation, why: Why) -> None:
    answer = ask(attestation)
    assert answer.outcome is Outcome.DENY
    assert [row.why for row in answer.rejections] == [why]
    assert answer.message.startswith("No attestations found that were valid")


@pytest.mark.parametrize("type", ["Google Cloud BinAuthz container signature", "atomic container signature"])
def test_the_types_that_signers_write(type: str) -> None:
    payload = PAYLOAD.replace(b"Google cloud binauthz container signature", type.encode())
    assert ask(signed(payload)).outcome is Outcome.ALLOW


def test_an_image_from_elsewhere_by_digest_or_by_repository() -> None:
    elsewhere = signed(google_payload("gcr.io/other/cart", D))
    assert ask(elsewhere).outcome is Outcome.ALLOW
    answer = ask(elsewhere, identity=IdentityMatch.REPOSITORY)
    assert [row.why for row in answer.rejections] == [Why.WRONG_REPOSITORY]
    assert ask(signed(), identity=IdentityMatch.REPOSITORY).outcome is Outcome.ALLOW


def test_an_envelope_is_signed_with_its_type() -> None:
    signature = SIGNER.sign(pae("text/plain", PAYLOAD), ec.ECDSA(hashes.SHA256()))
    envelope = Attestation(
        where="envelope",
        payload=PAYLOAD,
        payload_type="text/plain",
        form=Form.DSSE,
        signatures=(Signature(value=signature, key_id=KEY.id),),
    )
    assert ask(envelope).outcome is Outcome.ALLOW
    assert ask(replace(envelope, payload_type="text/html")).outcome is Outcome.DENY


@pytest.mark.parametrize(
    "window", [Window(end=NOW), Window(revoked=NOW), Window(start=NOW + timedelta(days=1))]
)
def test_a_key_that_does_not_count_now(window: Window) -> None:
    answer = ask(signed(), attestor=replace(ATTESTOR, keys=(public(SIGNER, window),)))
    assert [row.why for row in answer.rejections] == [Why.KEY_NOT_IN_FORCE]


def test_no_keys_no_attestations() -> None:
    assert ask(signed(), attestor=replace(ATTESTOR, keys=())).outcome is Outcome.DENY
    assert ask().outcome is Outcome.DENY


def test_could_not_ask_is_neither_yes_nor_no() -> None:
    answer = ask_attestor(IMAGE, ATTESTOR, Unanswered(reason="the store is down"), now=NOW)
    assert (answer.outcome, answer.message) == (Outcome.COULD_NOT_ASK, "the store is down")


@pytest.mark.parametrize(
    "text", ["gcr.io/shop/cart", "gcr.io/shop/cart:v1", "gcr.io/shop/cart@sha512:" + "a" * 128]
)
def test_a_tag_is_never_evidence(text: str) -> None:
    answer = ask_attestor(parse_reference(text), ATTESTOR, (signed(),), now=NOW)
    assert answer.message == "Expected digest with sha256 scheme, but got tag or malformed digest"
