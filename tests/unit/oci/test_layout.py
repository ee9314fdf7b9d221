"""Images in folders and archives, sound ones and such as an attacker writes."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tarfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sekisho.diag import Deadline, DiagnosticError, Limit
from sekisho.oci.content import MANIFEST, Manifest, parse
from sekisho.oci.layout import Layout, WritableLayout
from sekisho.oci.places import is_local, open_local
from sekisho.oci.tarfiles import Archive

T = TypeVar("T")
SOON = Deadline.after(1000)


def do(work: Awaitable[T]) -> T:
    async def main() -> T:
        return await work

    return asyncio.run(main())


def code(work: Awaitable[Any]) -> str:
    with pytest.raises(DiagnosticError) as caught:
        do(work)
    return caught.value.diagnostics[0].code.id


def put(layout: WritableLayout, content: bytes = b"layer", tag: str = "", **more: Any) -> str:
    """An image in a layout: its digest."""

    async def work() -> str:
        config = await layout.put_blob(b"{}", "application/x", deadline=SOON)
        layer = await layout.put_blob(content, "application/y", deadline=SOON)
        value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config.raw(), "layers": [layer.raw()]}
        body = json.dumps({**value, **more}).encode()
        return (await layout.put_manifest(body, MANIFEST, deadline=SOON, tag=tag)).digest

    return do(work())


@pytest.fixture
def layout(tmp_path: Path) -> WritableLayout:
    return Layout.created(tmp_path / "layout")


def packed(folder: Path, name: str = "image.tar") -> Path:
    path = folder.parent / name
    with tarfile.open(path, "w") as archive:
        archive.add(folder, arcname=".")
    return path


def test_what_is_put_is_read_back_from_folder_and_archive(tmp_path: Path, layout: WritableLayout) -> None:
    digest = put(layout, tag="v1")
    archive = packed(tmp_path / "layout")
    for text in (
        f"oci:{tmp_path}/layout:v1",
        f"oci:{tmp_path}/layout",
        f"oci:{tmp_path}/layout@{digest}",
        f"oci-archive:{archive}:v1",
    ):
        assert is_local(text)
        place = open_local(text)
        content = do(place.source.manifest(place.which, deadline=SOON))
        assert content is not None
        assert content.digest == digest
        found = parse(content)
        assert isinstance(found, Manifest)
        assert do(place.source.blob(found.layers[0], deadline=SOON)) == b"layer"

        async def whole(place: Any = place, found: Manifest = found) -> bytes:
            async with place.source.open(found.layers[0], deadline=SOON) as pieces:
                return b"".join([piece async for piece in pieces])

        assert do(whole()) == b"layer"
    assert do(layout.manifest("v2", deadline=SOON)) is None


def test_a_tag_moves(layout: WritableLayout) -> None:
    first, second = put(layout, b"1", "v1"), put(layout, b"2", "v1")
    content = do(layout.manifest("v1", deadline=SOON))
    assert content is not None
    assert content.digest == second
    assert do(layout.manifest(first, deadline=SOON)) is not None
    put(layout, b"2", "v2")
    assert sorted(do(layout.tags(deadline=SOON))) == ["v1", "v2"]
    put(layout, b"2")
    assert sorted(do(layout.tags(deadline=SOON))) == ["v1", "v2"]


def test_several_images_and_no_tag_is_no_answer(layout: WritableLayout) -> None:
    put(layout, b"1")
    put(layout, b"2")
    assert code(layout.manifest("", deadline=SOON)) == "OCI009"


def test_referrers_are_found(layout: WritableLayout) -> None:
    digest = put(layout, tag="v1")
    subject = {"mediaType": MANIFEST, "digest": digest, "size": 1}
    sign = put(layout, b"s", subject=subject, artifactType="application/sig", annotations={"a": "b"})
    put(layout, b"t", subject=subject, artifactType="application/other")
    put(layout, b"u")
    found = do(layout.referrers(digest, deadline=SOON, artifact_type="application/sig"))
    assert [(row.digest, row.annotations) for row in found] == [(sign, {"a": "b"})]
    assert len(do(layout.referrers(digest, deadline=SOON))) == 2


def test_changed_bytes_are_noticed(tmp_path: Path, layout: WritableLayout) -> None:
    digest = put(layout, tag="v1")
    content = do(layout.manifest("v1", deadline=SOON))
    assert content is not None
    found = parse(content)
    assert isinstance(found, Manifest)
    layer = found.layers[0]
    (tmp_path / "layout" / "blobs" / "sha256" / layer.digest[7:]).write_bytes(b"LAYER")
    assert code(layout.blob(layer, deadline=SOON)) == "OCI005"
    (tmp_path / "layout" / "blobs" / "sha256" / digest[7:]).write_bytes(content.body + b" ")
    assert code(layout.manifest("v1", deadline=SOON)) == "OCI005"


def test_links_and_pipes_in_the_place_of_files_are_refused(tmp_path: Path, layout: WritableLayout) -> None:
    digest = put(layout, tag="v1")
    place = tmp_path / "layout" / "blobs" / "sha256" / digest[7:]
    place.unlink()
    place.symlink_to("/etc/passwd")
    assert code(layout.manifest("v1", deadline=SOON)) == "OCI009"
    place.unlink()
    os.mkfifo(place)
    assert code(layout.manifest("v1", deadline=SOON)) == "OCI009"


def test_too_large_is_refused_before_it_is_read(layout: WritableLayout) -> None:
    put(layout, bytes(100), "v1")
    content = do(layout.manifest("v1", deadline=SOON))
    assert content is not None
    found = parse(content)
    assert isinstance(found, Manifest)
    few = Limit("a blob", 10, "bytes", "of this test")
    assert code(layout.blob(found.layers[0], deadline=SOON, limit=few)) == "OCI007"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("oci-layout", None),
        ("oci-layout", "{}"),
        ("oci-layout", '{"imageLayoutVersion": "2.0.0"}'),
        ("oci-layout", "nothing"),
        ("index.json", None),
        ("index.json", "[]"),
        ("index.json", '{"schemaVersion": 2, "manifests": [{}]}'),
    ],
)
def test_a_folder_that_is_no_layout(
    tmp_path: Path, layout: WritableLayout, name: str, text: str | None
) -> None:
    put(layout, tag="v1")
    file = tmp_path / "layout" / name
    if text is None:
        file.unlink()
    else:
        file.write_text(text)

    async def read() -> None:
        place = open_local(f"oci:{tmp_path}/layout:v1")
        await place.source.manifest(place.which, deadline=SOON)

    assert code(read()) in ("OCI006", "OCI009")


def test_a_folder_with_other_files_does_not_become_a_layout(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(DiagnosticError) as caught:
        Layout.created(tmp_path)
    assert caught.value.diagnostics[0].code.id == "OCI009"


def entry(name: str, **fields: Any) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(found, key, value)
    return found


@pytest.mark.parametrize(
    "entries",
    [
        [entry("../oci-layout")],
        [entry("/oci-layout")],
        [entry("a/../../b")],
        [entry("oci-layout"), entry("./oci-layout")],
        [entry("dev", type=tarfile.CHRTYPE)],
        [entry("pipe", type=tarfile.FIFOTYPE)],
        [entry("hard", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
    ],
    ids=["up", "absolute", "up-inside", "twice", "device", "pipe", "hard-link"],
)
def test_archives_that_lead_out(tmp_path: Path, entries: list[tarfile.TarInfo]) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for row in entries:
            archive.addfile(row)
    with pytest.raises(DiagnosticError) as caught:
        Archive(path)
    assert caught.value.diagnostics[0].code.id == "OCI009"


@pytest.mark.parametrize("content", [b"", b"x" * 600, b"\x1f\x8b compressed"])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    with pytest.raises(DiagnosticError) as caught:
        Layout.opened(Archive(path))
    assert caught.value.diagnostics[0].code.id == "OCI009"


def saved(path: Path, listed: Any, *, link: bool = False) -> None:
    with tarfile.open(path, "w") as archive:
        files = {"manifest.json": json.dumps(listed).encode(), "c.json": b"{}", "l/layer.tar": b"layer"}
        for name, content in files.items():
            archive.addfile(entry(name, size=len(content)), io.BytesIO(content))
        if link:
            archive.addfile(entry("m/layer.tar", type=tarfile.SYMTYPE, linkname="../l/layer.tar"))
            archive.addfile(entry("out", type=tarfile.SYMTYPE, linkname="../../etc/passwd"))


def test_what_docker_saved_is_an_image(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    row = {"Config": "c.json", "RepoTags": ["cart:v1"], "Layers": ["l/layer.tar", "m/layer.tar"]}
    saved(path, [row], link=True)
    for which in ("", ":cart:v1", ":v1", ":docker.io/library/cart:v1"):
        place = open_local(f"docker-archive:{path}{which}")
        content = do(place.source.manifest(place.which, deadline=SOON))
        assert content is not None
        found = parse(content)
        assert isinstance(found, Manifest)
        assert [do(place.source.blob(layer, deadline=SOON)) for layer in found.layers] == [b"layer"] * 2
    assert do(place.source.tags(deadline=SOON)) == ("docker.io/library/cart:v1",)
    assert do(place.source.manifest("v2", deadline=SOON)) is None


@pytest.mark.parametrize(
    "listed",
    [
        {},
        [7],
        [{}],
        [{"Config": "c.json"}],
        [{"Config": "c.json", "Layers": [7]}],
        [{"Config": "missing", "Layers": []}],
        [{"Config": "out", "Layers": []}],
        [{"Config": "c.json", "Layers": [], "RepoTags": [7]}],
    ],
    ids=range(8),
)
def test_what_docker_did_not_save(tmp_path: Path, listed: Any) -> None:
    path = tmp_path / "a.tar"
    saved(path, listed, link=True)
    with pytest.raises(DiagnosticError) as caught:
        open_local(f"docker-archive:{path}")
    assert caught.value.diagnostics[0].code.id == "OCI009"
