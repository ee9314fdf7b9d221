"""Images of layouts and registries: how they are found, and what is kept of them."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sekisho.diag import Deadline
from sekisho.node.images import Layouts, Pulled, Unpacked, this_platform
from sekisho.node.problems import ImageProblem
from sekisho.node.rootfs import HOST_IMAGE, PATH, HostRoot, Image, find
from sekisho.oci.content import MANIFEST
from sekisho.oci.layout import Layout
from sekisho.oci.simulator import Registry

SOON = Deadline.after(1000)
CONFIG = {"Entrypoint": ["/bin/web"], "Cmd": ["serve"], "Env": ["A=1"], "WorkingDir": "/srv", "User": "33"}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="images keep their owners, which takes root")


def parts(text: str = "hello") -> tuple[bytes, bytes]:
    """A configuration and a layer with one file."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("srv/file")
        member.size, member.mode, member.uid = len(text), 0o640, 33
        archive.addfile(member, io.BytesIO(text.encode()))
    layer = file.getvalue()
    made = this_platform()
    body = {
        "os": made.os,
        "architecture": made.architecture,
        "config": CONFIG,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    return json.dumps(body).encode(), layer


CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


async def put(folder: Path, tag: str, text: str = "hello") -> str:
    layout = Layout.created(folder)
    config, layer = parts(text)
    rows = [
        await layout.put_blob(config, CONFIG_TYPE, deadline=SOON),
        await layout.put_blob(layer, LAYER_TYPE, deadline=SOON),
    ]
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": rows[0].raw(), "layers": [rows[1].raw()]}
    return (await layout.put_manifest(json.dumps(value).encode(), MANIFEST, tag=tag, deadline=SOON)).digest


def run(work: Any) -> Any:
    return asyncio.run(asyncio.wait_for(work, 30))


def test_an_image_is_unpacked_once_and_described(tmp_path: Path) -> None:
    async def main() -> None:
        await put(tmp_path / "layouts/web", "1.4")
        unpacked = Unpacked(tmp_path / "images")
        layouts = Layouts([tmp_path / "layouts"], unpacked)
        first, second = await asyncio.gather(*(layouts.find("web:1.4", "") for _ in range(2)))
        assert isinstance(first, Image)
        assert isinstance(second, Image)
        assert (first.entrypoint, first.command, first.workdir, first.user) == (
            ("/bin/web",),
            ("serve",),
            "/srv",
            "33",
        )
        assert first.env == (PATH, "A=1")
        file = first.root / "srv/file"
        assert file.read_text() == "hello"
        assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (33, 0o640)
        assert sorted((first.seconds > 0, second.seconds > 0)) == [False, True]
        assert len(list((tmp_path / "images").iterdir())) == 1
        again = await Layouts([tmp_path / "layouts"], Unpacked(tmp_path / "images")).find("web:1.4", "")
        assert again is not None
        assert again.seconds == 0

    run(main())


@pytest.mark.parametrize(
    ("tag", "reference", "found"),
    [
        ("1.4", "registry.example.com/shop/web:1.4", True),
        ("1.4", "web", False),
        ("latest", "web", True),
        ("1.4", "other:1.4", False),
        ("registry.example.com/shop/cart:2", "registry.example.com/shop/cart:2", True),
        ("registry.example.com/shop/cart:2", "registry.example.com/else/cart:2", False),
        ("docker.io/library/python:3", "python:3", True),
    ],
)
def test_how_images_of_layouts_are_named(tmp_path: Path, tag: str, reference: str, found: bool) -> None:
    async def main() -> None:
        digest = await put(tmp_path / "web", tag)
        layouts = Layouts([tmp_path / "web"], Unpacked(tmp_path / "images"))
        assert (await layouts.find(reference, "") is not None) is found
        assert await layouts.find(f"anything@{digest}", "") is not None

    run(main())


def test_images_are_pulled_from_registries_that_may_be_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with Registry() as registry:
            config, layer = parts()
            rows = [registry.put_blob("shop/web", body) for body in (config, layer)]
            value = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG_TYPE, **rows[0]},
                "layers": [{"mediaType": LAYER_TYPE, **rows[1]}],
            }
            registry.put_manifest("shop/web", value, "1")
            host = f"localhost:{registry.port}"
            unpacked = Unpacked(tmp_path / "images")
            pulled = Pulled([host], unpacked)
            try:
                image = await pulled.find(f"{host}/shop/web:1", "IfNotPresent")
                assert image is not None
                assert (image.root / "srv/file").read_text() == "hello"
                asked = len(registry.seen)
                assert await pulled.find(f"{host}/shop/web:1", "IfNotPresent") is not None
                assert len(registry.seen) == asked
                assert await pulled.find(f"{host}/shop/web:1", "Always") is not None
                assert len(registry.seen) > asked
                with pytest.raises(ImageProblem, match="has no 2"):
                    await pulled.find(f"{host}/shop/web:2", "")
                assert await pulled.find(f"{host}/shop/web:2", "Never") is None
                assert await Pulled(["elsewhere"], unpacked).find(f"{host}/shop/web:1", "") is None
            finally:
                await pulled.close()

    run(main())


@pytest.mark.parametrize(
    ("reference", "policy", "reason"),
    [
        ("nginx", "", "ErrImagePull"),
        ("nginx", "Never", "ErrImageNeverPull"),
        ("Not A Name", "", "InvalidImageName"),
    ],
)
def test_what_is_nowhere_is_told(tmp_path: Path, reference: str, policy: str, reason: str) -> None:
    places = (HostRoot((), tmp_path), Layouts([tmp_path], Unpacked(tmp_path / "images")))
    with pytest.raises(ImageProblem) as caught:
        run(find(places, reference, policy))
    assert caught.value.reason == reason


def test_a_broken_layout_is_told(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/oci-layout").write_text("{}")
    with pytest.raises(ImageProblem, match="its version is None"):
        run(Layouts([tmp_path], Unpacked(tmp_path / "images")).find("web:1", ""))


def test_the_hosts_root_stands_for_images_that_are_named(tmp_path: Path) -> None:
    host = HostRoot(("python:*",), tmp_path)
    found = run(host.find("python:3", ""))
    assert found is not None
    assert found.root == Path("/")
    assert {"/home", "/root", "/tmp", "/var/lib"} <= set(found.scratch)
    assert not any(path.startswith("/tmp/") for path in found.scratch)
    elsewhere = run(HostRoot((), Path("/usr/lib")).find(HOST_IMAGE, ""))
    assert elsewhere is not None
    assert "/usr/lib" in elsewhere.scratch
    assert "/etc/shadow" in found.masked
    assert run(host.find(HOST_IMAGE, "")) is not None
    assert run(host.find("perl:5", "")) is None
