"""Bundles about one artifact, by a key: what verifies, and what attackers try."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.images.signers import Signer, b64, bundle, statement

from sekisho.cli.main import run
from sekisho.images.evidence.bundle import read_bundle
from sekisho.images.evidence.strictjson import BadEvidenceError
from sekisho.images.signing.keys import Window
from sekisho.images.verifybundle import Artifact, verify_with_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONTENT = b"an artifact\n"
ARTIFACT = Artifact.of(CONTENT)
OTHER = "sha256:" + "0" * 64
SIGNER, STRANGER = Signer(), Signer()


def message(content: bytes = CONTENT, *, by: Signer = SIGNER, digest: bytes | None = None) -> bytes:
    value = hashlib.sha256(content).digest() if digest is None else digest
    signature = {
        "messageDigest": {"algorithm": "SHA2_256", "digest": b64(value)},
        "signature": b64(by.sign(content)),
    }
    return bundle(messageSignature=signature)


def envelope(payload: bytes, *, by: Signer = SIGNER, **more: str) -> bytes:
    return bundle(dsseEnvelope=by.envelope(payload, **more))


def verify(data: bytes, artifact: Artifact = ARTIFACT, window: Window = Window()) -> str:  # noqa: B008 - immutable
    return verify_with_key(read_bundle(data), artifact, SIGNER.public(window), now=NOW)


@pytest.mark.parametrize("artifact", [ARTIFACT, Artifact(digest=ARTIFACT.digest)])
@pytest.mark.parametrize(
    "data",
    [
        message(),
        envelope(statement(ARTIFACT.digest)),
        envelope(statement(OTHER, ARTIFACT.digest)),
        envelope(statement(ARTIFACT.digest, type="https://in-toto.io/Statement/v0.1")),
    ],
)
def test_verifies(data: bytes, artifact: Artifact) -> None:
    assert verify(data, artifact) == ""


@pytest.mark.parametrize("artifact", [ARTIFACT, Artifact(digest=ARTIFACT.digest)])
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (message(by=STRANGER), "does not verify"),
        (message(b"another"), "about another artifact"),
        (message(b"another", digest=hashlib.sha256(CONTENT).digest()), "does not verify"),
        (envelope(statement(ARTIFACT.digest), by=STRANGER), "does not verify"),
        (envelope(statement(OTHER)), "not about this artifact"),
        (envelope(statement(ARTIFACT.digest), type="text/plain"), "not an in-toto statement"),
        (envelope(b"{}"), "cannot be read"),
        (
            bundle(dsseEnvelope=SIGNER.envelope(CONTENT), material={"certificate": {"rawBytes": ""}}),
            "has a certificate",
        ),
    ],
)
def test_does_not_verify(data: bytes, why: str, artifact: Artifact) -> None:
    assert why in verify(data, artifact)


def test_a_payload_that_was_swapped() -> None:
    value = SIGNER.envelope(statement(OTHER))
    value["payload"] = b64(statement(ARTIFACT.digest))
    assert "does not verify" in verify(bundle(dsseEnvelope=value))


def test_a_key_that_has_expired() -> None:
    assert "expired" in verify(message(), window=Window(end=NOW))


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(message()), **changes}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        changed(mediaType="application/vnd.dev.sigstore.bundle.v0.9+json"),
        changed(verificationMaterial={}),
        changed(verificationMaterial={"publicKey": {}, "certificate": {}}),
        changed(messageSignature=None),
        changed(dsseEnvelope=SIGNER.envelope(CONTENT)),
        changed(messageSignature={"signature": "!"}),
        changed(messageSignature={"signature": "", "messageDigest": {"algorithm": "MD5", "digest": ""}}),
        bundle(
            dsseEnvelope={
                **SIGNER.envelope(CONTENT),
                "signatures": SIGNER.envelope(CONTENT)["signatures"] * 2,
            }
        ),
        bundle(dsseEnvelope={**SIGNER.envelope(CONTENT), "signatures": []}),
        message()[:-1] + b', "mediaType": "x"}',
    ],
)
def test_malformed(data: bytes) -> None:
    with pytest.raises(BadEvidenceError):
        read_bundle(data)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"b.json": message(), "a": CONTENT, "k.pub": SIGNER.pem.encode(), "s.pub": STRANGER.pem.encode()}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    words = ["images", "verify-bundle", "--bundle", str(tmp_path / "b.json"), "--key"]
    assert run([*words, str(tmp_path / "k.pub"), str(tmp_path / "a")]) == 0
    assert run([*words, str(tmp_path / "k.pub"), ARTIFACT.digest]) == 0
    assert run([*words, str(tmp_path / "s.pub"), str(tmp_path / "a")]) == 1
    assert run([*words, str(tmp_path / "a"), str(tmp_path / "a")]) == 1
    assert run([*words, str(tmp_path / "k.pub"), str(tmp_path / "missing")]) == 2
    assert "the key cannot be used" in capsys.readouterr().err


def test_a_certificate_without_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sekisho.images.keyless.find_spec", lambda _: None)
    (tmp_path / "b.json").write_bytes(message())
    words = ["images", "verify-bundle", "--bundle", str(tmp_path / "b.json"), "--certificate-identity", "me"]
    assert run([*words, ARTIFACT.digest]) == 2
    assert run([*words, "--certificate-oidc-issuer", "https://issuer.example", ARTIFACT.digest]) == 3
    assert "IMG007" in capsys.readouterr().err
