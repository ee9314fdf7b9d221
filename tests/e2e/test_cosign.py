"""cosign itself on both sides: what it signs verifies here, and what is signed here verifies there.

Opt-in (``make e2e``): cosign comes from ``tools/peers.sh``, the PATH, or the variable COSIGN.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.peers import program

from sekisho.cli.main import run
from sekisho.oci.content import MANIFEST, digest_of
from sekisho.oci.simulator import Registry

CONFIG = "application/vnd.oci.image.config.v1+json"

pytestmark = pytest.mark.skipif(os.environ.get("SEKISHO_E2E") != "1", reason="make e2e runs these")


@pytest.fixture
def registry() -> Iterator[Registry]:
    started, stop = threading.Event(), threading.Event()
    there: list[Registry] = []

    async def serve() -> None:
        async with Registry() as row:
            there.append(row)
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


@pytest.fixture
def place(registry: Registry) -> str:
    """An image, by its digest."""
    config = {"mediaType": CONFIG, "digest": digest_of(b"{}"), "size": 2}
    registry.put_blob("shop/cart", b"{}")
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
    return f"{registry.host}/shop/cart@{registry.put_manifest('shop/cart', value, tag='v1')}"


def cosign(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    found = program("cosign")
    if found is None:
        pytest.skip("cosign is not installed")
    environment = {**os.environ, "COSIGN_PASSWORD": "", "HOME": str(folder)}
    return subprocess.run(
        [found, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with cosign.key (encrypted as cosign does), cosign.pub, and a key of ours."""
    done = cosign(tmp_path, "generate-key-pair")
    assert done.returncode == 0, done.stderr
    for command in (
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "sec1.pem"],
        ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "sec1.pem", "-out", "ours.pem"],
        ["openssl", "ec", "-in", "sec1.pem", "-pubout", "-out", "ours.pub"],
    ):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def verify(keys: Path, place: str, key: str, *more: str) -> int:
    return run(["images", "verify", "--key", str(keys / key), *more, place])


def test_cosign_signs(keys: Path, place: str) -> None:
    assert verify(keys, place, "cosign.pub") == 1
    done = cosign(
        keys, "sign", "--key", "cosign.key", "--tlog-upload=false", "--allow-http-registry", "-y", place
    )
    assert done.returncode == 0, done.stderr
    assert verify(keys, place, "cosign.pub") == 0
    assert verify(keys, place, "ours.pub") == 1


def test_cosign_attests(keys: Path, place: str) -> None:
    (keys / "predicate.json").write_text(
        json.dumps({"builder": {"id": "ci"}, "buildType": "https://ci.example/v1"})
    )
    flags = ["--predicate", "predicate.json", "--type", "slsaprovenance", "--tlog-upload=false", "-y"]
    done = cosign(keys, "attest", "--key", "cosign.key", *flags, "--allow-http-registry", place)
    assert done.returncode == 0, done.stderr
    kind = "https://slsa.dev/provenance/v0.2"
    assert verify(keys, place, "cosign.pub", "--attestation", kind) == 0
    assert verify(keys, place, "ours.pub", "--attestation", kind) == 1
    assert verify(keys, place, "cosign.pub", "--attestation", "https://spdx.dev/Document") == 1


def test_cosign_signs_a_bundle_about_a_file(keys: Path) -> None:
    (keys / "artifact").write_bytes(b"an artifact\n")
    flags = ["--bundle", "b.json", "--new-bundle-format", "--tlog-upload=false", "-y"]
    done = cosign(keys, "sign-blob", "--key", "cosign.key", *flags, "artifact")
    assert done.returncode == 0, done.stderr
    words = ["images", "verify-bundle", "--bundle", str(keys / "b.json"), "--key"]
    assert run([*words, str(keys / "cosign.pub"), str(keys / "artifact")]) == 0
    assert run([*words, str(keys / "ours.pub"), str(keys / "artifact")]) == 1


@pytest.mark.parametrize("how", ["legacy", "bundle"])
def test_we_sign(keys: Path, place: str, how: str) -> None:
    flags = ["--key", "ours.pub", "--insecure-ignore-tlog=true", "--allow-http-registry"]
    if how == "bundle":
        # cosign 2 wants a root for bundles even where a key needs none.
        assert cosign(keys, "trusted-root", "create", "--out", "root.json").returncode == 0
        flags += ["--new-bundle-format", "--trusted-root", "root.json"]
    assert cosign(keys, "verify", *flags, place).returncode != 0
    assert run(["images", "sign", "--key", str(keys / "ours.pem"), f"--{how}", place]) == 0
    done = cosign(keys, "verify", *flags, place)
    assert done.returncode == 0, done.stderr
    other = ["cosign.pub" if word == "ours.pub" else word for word in flags]
    assert cosign(keys, "verify", *other, place).returncode != 0
