"""Attesting with a key of one's own, and what comes of it: the whole loop, offline."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sekisho.cli.main import run

IMAGE = "gcr.io/shop/cart@sha256:" + "a" * 64
POLICY = """
defaultAdmissionRule:
  evaluationMode: REQUIRE_ATTESTATION
  enforcementMode: ENFORCED_BLOCK_AND_AUDIT_LOG
  requireAttestationsBy: [projects/shop/attestors/qa]
"""


class Desk:
    """A folder with a policy, an attestor and its private key."""

    def __init__(self, folder: Path, key: object, algorithm: str, password: bytes = b"") -> None:
        self.folder, self.store = folder, folder / "store"
        encryption = BestAvailableEncryption(password) if password else NoEncryption()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)  # type: ignore[attr-defined]
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
        pkix = {"signatureAlgorithm": algorithm, "publicKeyPem": public.decode()}
        note = {"noteReference": "projects/shop/notes/qa", "publicKeys": [{"pkixPublicKey": pkix}]}
        attestor = {"name": "projects/shop/attestors/qa", "userOwnedGrafeasNote": note}
        (folder / "qa.json").write_text(json.dumps(attestor))
        (folder / "policy.yaml").write_text(POLICY)
        (folder / "key.pem").write_bytes(private)

    def attest(self, *words: str) -> int:
        given = words or ("--key", str(self.folder / "key.pem"))
        return run(
            [
                "images",
                "attest",
                "--attestor",
                str(self.folder / "qa.json"),
                *given,
                "--store",
                str(self.store),
                IMAGE,
            ]
        )

    def authorize(self) -> int:
        files = ["--policy", str(self.folder / "policy.yaml"), "--attestor", str(self.folder / "qa.json")]
        evidence = ["--evidence", str(self.store)] if self.store.exists() else []
        return run(["images", "authorize", *files, *evidence, IMAGE])


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ECDSA_P256_SHA256"),
        (ec.generate_private_key(ec.SECP384R1()), "EC_SIGN_P384_SHA384"),
        (rsa.generate_private_key(65_537, 2_048), "RSA_PSS_2048_SHA256"),
        (rsa.generate_private_key(65_537, 2_048), "RSA_SIGN_PKCS1_2048_SHA256"),
        (ed25519.Ed25519PrivateKey.generate(), "ED25519"),
    ],
)
def test_attested_and_admitted(tmp_path: Path, key: object, algorithm: str) -> None:
    desk = Desk(tmp_path, key, algorithm)
    assert desk.authorize() == 4
    assert desk.attest() == 0
    assert desk.authorize() == 0


def test_a_key_that_is_not_the_attestor_s(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(tmp_path, ec.generate_private_key(ec.SECP256R1()), "ECDSA_P256_SHA256")
    other = tmp_path / "other"
    other.mkdir()
    Desk(other, ec.generate_private_key(ec.SECP256R1()), "ECDSA_P256_SHA256")
    assert desk.attest("--key", str(other / "key.pem")) == 2
    assert "none of the attestor's keys" in capsys.readouterr().err
    assert not desk.store.exists()


def test_an_encrypted_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(tmp_path, ec.generate_private_key(ec.SECP256R1()), "ECDSA_P256_SHA256", password=b"sesame")
    monkeypatch.delenv("SEKISHO_KEY_PASSWORD", raising=False)
    assert desk.attest() == 2
    monkeypatch.setenv("SEKISHO_KEY_PASSWORD", "wrong")
    assert desk.attest() == 2
    monkeypatch.setenv("SEKISHO_KEY_PASSWORD", "sesame")
    assert desk.attest() == 0
    said = capsys.readouterr()
    assert "sesame" not in said.out + said.err


def test_a_signing_program(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ec.generate_private_key(ec.SECP256R1()), "ECDSA_P256_SHA256")
    program = tmp_path / "sign.py"
    program.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        "from cryptography.hazmat.primitives import hashes\n"
        "from cryptography.hazmat.primitives.asymmetric import ec\n"
        "from cryptography.hazmat.primitives.serialization import load_pem_private_key\n"
        "assert os.environ['SEKISHO_ALGORITHM'] == 'ECDSA_P256_SHA256'\n"
        f"key = load_pem_private_key(open({str(tmp_path / 'key.pem')!r}, 'rb').read(), None)\n"
        "sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read(), ec.ECDSA(hashes.SHA256())))\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    assert desk.attest("--signer", str(program)) == 0
    assert desk.authorize() == 0
    assert desk.attest("--signer", "false") == 2
    assert desk.attest("--signer", str(tmp_path / "missing")) == 2


def test_one_or_the_other(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ec.generate_private_key(ec.SECP256R1()), "ECDSA_P256_SHA256")
    assert desk.attest("--key", str(tmp_path / "key.pem"), "--signer", "true") == 2
