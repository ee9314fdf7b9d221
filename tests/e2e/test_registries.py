"""Our client against a real registry, and a real client against our simulator.

Needs SEKISHO_E2E=1 and on the PATH: ``registry`` (github.com/distribution/distribution/v3/cmd/registry), ``crane``
(github.com/google/go-containerregistry/cmd/crane).
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.diag import Deadline
from sekisho.oci.asking import Registries
from sekisho.oci.content import EMPTY, MANIFEST
from sekisho.oci.push import Remote
from sekisho.oci.reference import parse_reference
from sekisho.oci.source import image
from sekisho.oci.unpack import unpack
from tests.simulators.registry import registry

CRANE, REGISTRY = shutil.which("crane"), shutil.which("registry")

pytestmark = pytest.mark.skipif(not os.environ.get("SEKISHO_E2E"), reason="SEKISHO_E2E=1 runs these")

CONFIG = """\
version: 0.1
storage:
  inmemory: {}
http:
  addr: 127.0.0.1:%d
"""


@pytest.fixture
def real(tmp_path: Path) -> Iterator[str]:
    """A distribution registry on the loopback: its name."""
    if REGISTRY is None:
        pytest.skip("registry is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "config.yml"
    file.write_text(CONFIG % port)
    process = subprocess.Popen(
        [REGISTRY, "serve", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def test_we_push_to_and_pull_from_a_real_registry(real: str) -> None:
    async def main() -> None:
        end = Deadline.after(30)
        async with Registries() as registries:
            remote = Remote.of(registries, parse_reference(f"{real}/shop/cart:v1"))
            assert await remote.manifest("v1", deadline=end) is None
            assert await remote.tags(deadline=end) == ()
            config = await remote.put_blob(b"{}", EMPTY, deadline=end)
            layer = await remote.put_blob(b"layer" * 1000, "application/x", deadline=end)
            value = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": config.raw(),
                "layers": [layer.raw()],
            }
            put = await remote.put_manifest(json.dumps(value).encode(), MANIFEST, deadline=end, tag="v1")
            for which in ("v1", put.digest):
                assert await remote.manifest(which, deadline=end) == put
            assert await remote.blob(layer, deadline=end) == b"layer" * 1000
            assert await remote.tags(deadline=end) == ("v1",)
            assert await remote.referrers(put.digest, deadline=end) == ()
            signed = {**value, "artifactType": "application/sig", "subject": put.descriptor.raw()}
            sign = await remote.put_manifest(json.dumps(signed).encode(), MANIFEST, deadline=end)
            (found,) = await remote.referrers(put.digest, deadline=end, artifact_type="application/sig")
            assert found.digest == sign.digest

    asyncio.run(main())


@pytest.mark.skipif(CRANE is None, reason="crane is not installed")
@pytest.mark.parametrize("where", ["simulator", "real"])
def test_a_real_client_agrees(where: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if where == "real":
        agree(request.getfixturevalue("real"), tmp_path)
        return
    with registry() as there:
        agree(there.host, tmp_path)


def agree(host: str, folder: Path) -> None:
    """Push an image with crane, read it with ours, and ask crane about what we pushed."""

    def crane(*args: str) -> str:
        done = subprocess.run([str(CRANE), *args], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    layer = folder / "layer.tar"
    with tarfile.open(layer, "w") as archive:
        member = tarfile.TarInfo("etc/motd")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    name = f"{host}/shop/cart"
    crane("append", "-f", str(layer), "-t", f"{name}:v1")

    async def main() -> str:
        end = Deadline.after(30)
        async with Registries() as registries:
            remote = Remote.of(registries, parse_reference(f"{name}:v1"))
            content, manifest = await image(remote, "v1", None, deadline=end)
            await unpack(remote, manifest, folder / "root", deadline=end)
            return (
                await remote.put_manifest(content.body, content.media_type, deadline=end, tag="v2")
            ).digest

    digest = asyncio.run(main())
    assert (folder / "root" / "etc" / "motd").read_text() == "hello"
    assert crane("digest", f"{name}:v1") == crane("digest", f"{name}:v2") == digest
    assert sorted(crane("ls", name).split()) == ["v1", "v2"]
    crane("validate", "--remote", f"{name}:v2")
    crane("pull", "--format", "oci", f"{name}:v2", str(folder / "layout"))
    crane("pull", "--format", "tarball", f"{name}:v2", str(folder / "saved.tar"))

    async def local() -> None:
        from sekisho.oci.places import open_local

        for text in (f"oci:{folder}/layout", f"docker-archive:{folder}/saved.tar"):
            place = open_local(text)
            _, manifest = await image(place.source, place.which, None, deadline=Deadline.after(30))
            await unpack(place.source, manifest, folder / text[:6], deadline=Deadline.after(30))
            assert (folder / text[:6] / "etc" / "motd").read_text() == "hello"

    asyncio.run(local())
