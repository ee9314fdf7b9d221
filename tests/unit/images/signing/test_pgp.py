"""OpenPGP messages: attached and detached, over exactly the stored payload."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from sekisho.images.signing.keys import BadKeyError
from sekisho.images.signing.pgp import PgpKey, is_named, pgp_key, pgp_verifies

pysequoia = pytest.importorskip("pysequoia", reason="the extra pgp is not installed")
PAYLOAD = b"what was stored\n"


def certificate(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return pysequoia.Cert.generate(f"{name} <{name}@shop.example>")


def signed(by: Any, payload: bytes = PAYLOAD, mode: str = "INLINE") -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        signer = by.secrets.signer()
    return bytes(pysequoia.sign(signer, payload, mode=getattr(pysequoia.SignatureMode, mode)))


SIGNER, STRANGER = certificate("qa"), certificate("stranger")


@pytest.fixture(scope="module")
def key() -> PgpKey:
    return pgp_key(str(SIGNER))


@pytest.mark.parametrize("mode", ["INLINE", "DETACHED"])
def test_verifies(key: PgpKey, mode: str) -> None:
    message = signed(SIGNER, mode=mode)
    assert pgp_verifies([key], PAYLOAD, message) is key
    assert pgp_verifies([key], PAYLOAD + b"x", message) is None
    assert pgp_verifies([key], PAYLOAD, signed(STRANGER, mode=mode)) is None


def test_what_is_attached_must_be_what_is_stored(key: PgpKey) -> None:
    assert pgp_verifies([key], PAYLOAD, signed(SIGNER, b"another")) is None


def test_cleartext_and_rubbish_are_refused(key: PgpKey) -> None:
    assert pgp_verifies([key], PAYLOAD, signed(SIGNER, mode="CLEAR")) is None
    assert pgp_verifies([key], PAYLOAD, b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n") is None


def test_names(key: PgpKey) -> None:
    assert key.id == key.id.upper()
    assert len(key.id) == 40
    assert is_named(key, "")
    assert is_named(key, key.id.lower())
    assert is_named(key, f"openpgp4fpr:{key.id}")
    assert not is_named(key, "ABCD")


def test_no_key() -> None:
    with pytest.raises(BadKeyError):
        pgp_key("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n")
