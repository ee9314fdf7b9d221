"""Signatures: by the key's algorithm, over exactly these bytes."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sekisho.images.signing.keys import PublicKey, key_of
from sekisho.images.signing.verify import raw_to_der, verifies

P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
P521 = ec.generate_private_key(ec.SECP521R1())
RSA = rsa.generate_private_key(65_537, 2_048)
ED = ed25519.Ed25519PrivateKey.generate()
ML = mldsa.MLDSA65PrivateKey.generate()
TEXT = b"what was stored"


def public(key: Any, algorithm: str = "") -> PublicKey:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key_of(der, algorithm=algorithm)


def pss(salt: int) -> bytes:
    return RSA.sign(TEXT, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        (public(P256, "ECDSA_P256_SHA256"), P256.sign(TEXT, ec.ECDSA(hashes.SHA256()))),
        (public(P384, "ECDSA_P384_SHA384"), P384.sign(TEXT, ec.ECDSA(hashes.SHA384()))),
        (public(P521, "ECDSA_P521_SHA512"), P521.sign(TEXT, ec.ECDSA(hashes.SHA512()))),
        (public(P384), P384.sign(TEXT, ec.ECDSA(hashes.SHA256()))),
        (public(P384), P384.sign(TEXT, ec.ECDSA(hashes.SHA384()))),
        (public(RSA, "RSA_PSS_2048_SHA256"), pss(32)),
        (public(RSA, "RSA_SIGN_PKCS1_2048_SHA256"), RSA.sign(TEXT, padding.PKCS1v15(), hashes.SHA256())),
        (public(RSA), RSA.sign(TEXT, padding.PKCS1v15(), hashes.SHA256())),
        (public(ED), ED.sign(TEXT)),
        (public(ML, "ML_DSA_65"), ML.sign(TEXT)),
    ],
)
def test_verifies_these_bytes_and_no_others(key: PublicKey, signature: bytes) -> None:
    assert verifies(key, TEXT, signature)
    assert not verifies(key, TEXT + b"\n", signature)
    assert not verifies(key, TEXT, signature[:-1])
    assert not verifies(key, TEXT, b"")


def test_the_signature_does_not_choose_the_algorithm() -> None:
    pkcs1 = RSA.sign(TEXT, padding.PKCS1v15(), hashes.SHA256())
    assert not verifies(public(RSA, "RSA_PSS_2048_SHA256"), TEXT, pkcs1)
    assert not verifies(public(RSA, "RSA_SIGN_PKCS1_2048_SHA256"), TEXT, pss(32))
    assert not verifies(public(P384, "ECDSA_P384_SHA384"), TEXT, P384.sign(TEXT, ec.ECDSA(hashes.SHA256())))


def test_the_salt_has_the_length_of_the_digest() -> None:
    key = public(RSA, "RSA_PSS_2048_SHA256")
    assert not verifies(key, TEXT, pss(20))
    assert verifies(key, TEXT, pss(20), any_salt=True)


def test_r_and_s_side_by_side() -> None:
    r, s = decode_dss_signature(P256.sign(TEXT, ec.ECDSA(hashes.SHA256())))
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    der = raw_to_der(raw, "secp256r1")
    assert der is not None
    assert verifies(public(P256), TEXT, der)
    assert raw_to_der(raw + b"\0", "secp256r1") is None
