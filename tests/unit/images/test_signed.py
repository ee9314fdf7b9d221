"""Signing images where they are and verifying them: registries and layouts, bundles and tags, and attacks."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sekisho.cli.main import run
from sekisho.diag import Deadline
from sekisho.images import cosignature
from sekisho.images.evidence.cosign import signature_tag
from sekisho.oci.content import MANIFEST, digest_of
from sekisho.oci.layout import WritableLayout
from sekisho.oci.simulator import Fault, Registry, Traits

CONFIG = "application/vnd.oci.image.config.v1+json"


@pytest.fixture
def keys(tmp_path: Path) -> list[str]:
    """Pairs of files, without their endings."""
    found = []
    for name in ("alice", "bob"):
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.pem").write_bytes(private)
        (tmp_path / f"{name}.pub").write_bytes(public)
        found.append(str(tmp_path / name))
    return found


def image(content: bytes = b"{}") -> tuple[bytes, bytes]:
    """A configuration and a manifest."""
    config = {"mediaType": CONFIG, "digest": digest_of(content), "size": len(content)}
    return content, json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
    ).encode()


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A layout with two images, v1 and v2."""
    folder = tmp_path / "layout"
    folder.mkdir()
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text('{"schemaVersion": 2, "manifests": []}')

    async def fill() -> None:
        place = WritableLayout(folder)
        for tag, content in (("v1", b"{}"), ("v2", b'{"two": 2}')):
            config, manifest = image(content)
            await place.put_blob(config, CONFIG, deadline=Deadline.after(10))
            await place.put_manifest(manifest, MANIFEST, deadline=Deadline.after(10), tag=tag)

    asyncio.run(fill())
    return folder


def sign(place: str, key: str, how: str) -> int:
    return run(["images", "sign", "--key", f"{key}.pem", f"--{how}", place])


def verify(place: str, *keys: str, threshold: int = 1, timeout: float = 10) -> int:
    words = [word for key in keys for word in ("--key", f"{key}.pub")]
    return run(["images", "verify", *words, "--threshold", str(threshold), "--timeout", str(timeout), place])


@pytest.mark.parametrize("how", ["bundle", "legacy"])
def test_a_layout(layout: Path, keys: list[str], how: str) -> None:
    alice, bob = keys
    v1, v2 = f"oci:{layout}:v1", f"oci:{layout}:v2"
    assert verify(v1, alice) == 1
    assert sign(v1, alice, how) == 0
    assert verify(v1, alice) == 0
    assert verify(v1, bob) == 1
    assert verify(v2, alice) == 1
    assert verify(v1, alice, bob, threshold=2) == 1
    assert sign(v1, bob, how) == 0
    assert verify(v1, alice, bob, threshold=2) == 0
    assert verify(v1, alice) == 0


@contextmanager
def serving(traits: Traits = Traits()) -> Iterator[Registry]:  # noqa: B008 - immutable
    """A registry in a thread, since commands have loops of their own."""
    started, stop = threading.Event(), threading.Event()
    there: list[Registry] = []

    async def serve() -> None:
        async with Registry(traits) as registry:
            there.append(registry)
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(10)
        yield there[0]
    finally:
        stop.set()
        thread.join(10)


def put(registry: Registry, content: bytes = b"{}", tag: str = "v1") -> str:
    config, manifest = image(content)
    registry.put_blob("shop/cart", config)
    return registry.put_manifest("shop/cart", json.loads(manifest), tag=tag)


@pytest.mark.parametrize("how", ["bundle", "legacy"])
@pytest.mark.parametrize("traits", [Traits(), Traits(referrers=False)])
def test_a_registry(keys: list[str], how: str, traits: Traits) -> None:
    alice, bob = keys
    with serving(traits) as registry:
        put(registry)
        place = f"{registry.host}/shop/cart:v1"
        assert verify(place, alice) == 1
        assert sign(place, alice, how) == 0
        assert verify(place, alice) == 0
        assert verify(place, bob) == 1
        put(registry, b'{"moved": true}')
        assert verify(place, alice) == 1  # the tag was moved after signing


KINDS = ("status", "truncated", "hang", "garbage")


@pytest.mark.parametrize(
    ("what", "kind"),
    [("manifests", "wrong"), *((what, kind) for what in ("manifests", "referrers") for kind in KINDS)],
)
def test_a_registry_that_fails_says_neither_yes_nor_no(
    keys: list[str], what: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as registry:
        digest = put(registry)
        place = f"{registry.host}/shop/cart@{digest}"
        assert sign(place, keys[0], "bundle") == 0
        registry.faults.append(Fault(what=what, kind=kind))
        assert verify(place, keys[0], timeout=1) in (2, 3)
        assert "Traceback" not in capsys.readouterr().err


def store(registry: Registry) -> Any:
    return registry.store("shop/cart")


def test_a_signature_under_another_image_s_tag(keys: list[str]) -> None:
    with serving() as registry:
        signed, other = put(registry), put(registry, b'{"other": 1}', "v2")
        assert sign(f"{registry.host}/shop/cart@{signed}", keys[0], "legacy") == 0
        tags = store(registry).tags
        tags[signature_tag(other)] = tags[signature_tag(signed)]
        assert verify(f"{registry.host}/shop/cart@{other}", keys[0]) == 1


def test_a_bundle_that_refers_to_another_image(keys: list[str]) -> None:
    with serving() as registry:
        signed, other = put(registry), put(registry, b'{"other": 1}', "v2")
        assert sign(f"{registry.host}/shop/cart@{signed}", keys[0], "bundle") == 0
        held = store(registry)
        (referrer,) = [
            row for _, row in held.manifests.values() if b"bundle" in row and signed.encode() in row
        ]
        forged = json.loads(referrer)
        forged["subject"]["digest"] = other
        registry.put_manifest("shop/cart", forged)
        assert verify(f"{registry.host}/shop/cart@{other}", keys[0]) == 1


def test_an_attestation(keys: list[str], tmp_path: Path) -> None:
    from sekisho.images.evidence.dsse import pae
    from sekisho.images.evidence.intoto import PAYLOAD_TYPE
    from sekisho.images.signing.algorithms import BY_NAME
    from sekisho.images.signing.sign import private_key

    with serving() as registry:
        digest = put(registry)
        key = private_key(Path(f"{keys[0]}.pem").read_bytes())
        said = cosignature.statement(digest, "https://slsa.dev/provenance/v1")
        signature = key(pae(PAYLOAD_TYPE, said), BY_NAME["ECDSA_P256_SHA256"])
        body = cosignature.bundle(said, signature, key.public_der())
        blob = registry.put_blob("shop/cart", body)
        registry.put_blob("shop/cart", b"{}")
        subject = {"mediaType": MANIFEST, "digest": digest, "size": 1}
        manifest = json.loads(cosignature.referrer(body, subject, "https://slsa.dev/provenance/v1"))
        assert manifest["layers"][0]["digest"] == blob["digest"]
        registry.put_manifest("shop/cart", manifest)
        place = f"{registry.host}/shop/cart@{digest}"
        words = ["images", "verify", "--key", f"{keys[0]}.pub", "--attestation"]
        assert run([*words, "https://slsa.dev/provenance/v1", place]) == 0
        assert run([*words, "https://spdx.dev/Document", place]) == 1


def test_mistakes(layout: Path, keys: list[str], tmp_path: Path) -> None:
    assert verify(f"oci:{layout}:v9", keys[0]) == 2
    assert verify("gcr.io/Shop/cart", keys[0]) == 2
    assert verify(f"oci:{tmp_path / 'nowhere'}:v1", keys[0]) in (2, 3)
    assert sign(f"docker-archive:{layout}", keys[0], "bundle") == 2
    assert run(["images", "verify", "--key", f"{keys[0]}.pem", f"oci:{layout}:v1"]) == 2
    assert run(["images", "sign", "--signer", "true", f"oci:{layout}:v1"]) == 2
