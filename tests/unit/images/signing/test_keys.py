"""Keys: what is read, what is refused, and when a key counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sekisho.images.signing.algorithms import BINARY_AUTHORIZATION
from sekisho.images.signing.keys import BadKeyError, Window, key_of, ni, public_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def pem(key: Any) -> str:
    text: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


P256 = pem(ec.generate_private_key(ec.SECP256R1()))
RSA = pem(rsa.generate_private_key(65_537, 2_048))


def test_binary_authorization_has_twelve_algorithms() -> None:
    assert len(BINARY_AUTHORIZATION) == 12


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [
        (P256, "ECDSA_P256_SHA256"),
        (P256, "EC_SIGN_P256_SHA256"),
        (RSA, "RSA_PSS_2048_SHA256"),
        (RSA, "RSA_SIGN_PSS_2048_SHA256"),
        (RSA, "RSA_SIGN_PKCS1_2048_SHA256"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "ED25519"),
        (pem(mldsa.MLDSA65PrivateKey.generate()), "ML_DSA_65"),
    ],
)
def test_declared(text: str, algorithm: str) -> None:
    (found,) = public_key(text, algorithm=algorithm).algorithms
    assert algorithm in (found.name, *found.aliases)


@pytest.mark.parametrize(
    ("text", "algorithm", "why"),
    [
        (P256, "ECDSA_P384_SHA384", "the key is a key on the curve secp256r1"),
        (P256, "RSA_PSS_2048_SHA256", "the key is a key on the curve secp256r1"),
        (RSA, "RSA_PSS_3072_SHA256", "the key is an RSA key of 2048 bits"),
        (RSA, "ED25519", "the key is an RSA key of 2048 bits"),
        (RSA, "RSA_PSS_2048_MD5", "is unknown"),
        (pem(mldsa.MLDSA44PrivateKey.generate()), "ML_DSA_65", "are not supported"),
        (pem(dsa.generate_private_key(2_048)), "", "are not supported"),
        (pem(ec.generate_private_key(ec.SECP256K1())), "", "cannot be used here"),
        (P256 + P256, "", "more than one PEM block"),
        (P256 + "trailing", "", "is not one PEM block"),
        ("# a key\n" + P256, "", "is not one PEM block"),
        (P256.replace("PUBLIC", "RSA PUBLIC"), "", "is not one PEM block"),
        ("", "", "is not one PEM block"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "", "does not hold a public key"),
        ("-----BEGIN PUBLIC KEY-----\nA\n-----END PUBLIC KEY-----\n", "", "is not base64"),
        ("A" * 20_000, "", "is limited to"),
    ],
)
def test_refused(text: str, algorithm: str, why: str) -> None:
    with pytest.raises(BadKeyError, match=why):
        public_key(text, algorithm=algorithm)


def test_bytes_after_the_der_are_refused() -> None:
    with pytest.raises(BadKeyError):
        key_of(public_key(P256).der + b"\0")


def test_small_rsa_is_refused() -> None:
    with pytest.raises(BadKeyError):
        public_key(pem(rsa.generate_private_key(65_537, 1_024)))


def test_a_key_without_a_name_is_named_after_its_bytes() -> None:
    key = public_key(P256)
    assert key.id == ni(key.der)
    assert key.id.startswith("ni:///sha-256;")
    assert not key.id.endswith("=")


def test_white_space_and_crlf_are_nothing() -> None:
    assert public_key("\n" + P256.replace("\n", "\r\n") + "\n").der == public_key(P256).der


@pytest.mark.parametrize(
    ("window", "problem"),
    [
        (Window(), ""),
        (Window(start=NOW, end=NOW + DAY), ""),
        (Window(start=NOW + DAY), "not valid before"),
        (Window(end=NOW), "expired at"),
        (Window(revoked=NOW), "was revoked at"),
        (Window(revoked=NOW + DAY), ""),
    ],
)
def test_window(window: Window, problem: str) -> None:
    found = window.problem(NOW)
    assert problem in found
    assert bool(problem) == bool(found)
