"""Unpacking images: layers upon layers, and every way to lead out of the folder."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sekisho.diag import Deadline, DiagnosticError, Limit
from sekisho.oci.content import MANIFEST, Descriptor, Manifest, parse
from sekisho.oci.layers import HEADER
from sekisho.oci.layout import Layout
from sekisho.oci.unpack import Options, Unpacked, unpack

SOON = Deadline.after(1000)


def entry(name: str, content: bytes | None = None, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    found = tarfile.TarInfo(name)
    found.mode, found.size = 0o644, len(content or b"")
    found.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
    if content is None:
        found.mode = 0o755
    for key, value in fields.items():
        setattr(found, key, value)
    return found, content or b""


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, b"", type=tarfile.SYMTYPE, linkname=target)


def hard(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, b"", type=tarfile.LNKTYPE, linkname=target)


def tar(*rows: tuple[tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member, content in rows:
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def image(
    folder: Path, *layers: bytes, diff_ids: list[str] | None = None, pack: bool = True
) -> tuple[Layout, Manifest]:
    """An image of tar archives in a layout."""
    layout = Layout.created(folder / "layout")
    ids = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]

    async def work() -> Manifest:
        config = json.dumps({"rootfs": {"type": "layers", "diff_ids": diff_ids or ids}}).encode()
        first = await layout.put_blob(config, "application/vnd.oci.image.config.v1+json", deadline=SOON)
        rows: list[Descriptor] = []
        for layer in layers:
            body = gzip.compress(layer) if pack else layer
            rows.append(await layout.put_blob(body, "application/x.layer.tar+gzip", deadline=SOON))
        value = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": first.raw(),
            "layers": [row.raw() for row in rows],
        }
        content = await layout.put_manifest(json.dumps(value).encode(), MANIFEST, deadline=SOON)
        found = parse(content)
        assert isinstance(found, Manifest)
        return found

    return layout, asyncio.run(work())


def unpacked(folder: Path, *layers: bytes, options: Options | None = None, **more: Any) -> Unpacked:
    source, manifest = image(folder, *layers, **more)
    return asyncio.run(unpack(source, manifest, folder / "root", deadline=SOON, options=options or Options()))


def code(folder: Path, *layers: bytes, options: Options | None = None, **more: Any) -> str:
    with pytest.raises(DiagnosticError) as caught:
        unpacked(folder, *layers, options=options, **more)
    return caught.value.diagnostics[0].code.id


def tree(folder: Path) -> dict[str, str]:
    root = folder / "root"
    return {
        str(path.relative_to(root)): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def test_a_layer_becomes_files(tmp_path: Path) -> None:
    layer = tar(
        entry("./"),
        entry("./etc/", mode=0o750),
        entry("./etc/motd", b"hello", mode=0o4755, mtime=1_000_000),
        link("./etc/link", "motd"),
        hard("./etc/hard", "./etc/motd"),
        entry("made/on/the/way", b"x"),
    )
    found = unpacked(tmp_path, layer)
    root = tmp_path / "root"
    assert tree(tmp_path) == {"etc/hard": "hello", "etc/motd": "hello", "made/on/the/way": "x"}
    assert (root / "etc" / "link").readlink() == Path("motd")
    assert stat.S_IMODE((root / "etc").stat().st_mode) == 0o750
    info = (root / "etc" / "motd").stat()
    assert (stat.S_IMODE(info.st_mode), info.st_nlink, info.st_mtime) == (0o755, 2, 1_000_000)
    assert (found.files, found.left_out) == (2, [])


def test_layers_replace_and_delete(tmp_path: Path) -> None:
    first = tar(
        entry("a/one", b"1"),
        entry("a/two", b"2"),
        entry("b/c/old", b"old"),
        entry("b/keep", b"old"),
        entry("file", b"f"),
        entry("folder/x", b"x"),
        link("l", "a"),
    )
    second = tar(
        entry("a/.wh.one", b""),
        entry("b/.wh..wh..opq", b""),
        entry("b/new", b"new"),
        entry("b/c/new", b"new"),
        entry("file/now-a-folder", b"f"),
        entry("folder", b"now a file"),
        entry("l/", None),
    )
    third = tar(entry(".wh.nothing", b""), entry("b/c/.wh.new", b""))
    with pytest.raises(DiagnosticError):
        # A file is in the way of a folder that the entry does not make.
        unpacked(tmp_path / "x", first, second)
    second = tar(
        entry("a/.wh.one", b""),
        entry("b/new", b"new"),
        entry("b/.wh..wh..opq", b""),
        entry("b/c/new", b"new"),
        entry("file/", None),
        entry("file/now-a-folder", b"f"),
        entry("folder", b"now a file"),
        entry("l/", None),
        entry("l/own", b"own"),
    )
    unpacked(tmp_path, first, second, third)
    assert tree(tmp_path) == {
        "a/two": "2",
        "b/new": "new",
        "file/now-a-folder": "f",
        "folder": "now a file",
        "l/own": "own",
    }


def test_a_mark_deletes_nothing_of_its_own_layer(tmp_path: Path) -> None:
    layer = tar(entry("a/x", b"1"), entry("a/.wh..wh..opq", b""), entry("y", b"1"), entry(".wh.y", b""))
    unpacked(tmp_path, layer)
    assert tree(tmp_path) == {"a/x": "1", "y": "1"}


def test_links_of_the_image_are_followed_within_it(tmp_path: Path) -> None:
    first = tar(
        entry("usr/bin/", None), link("bin", "usr/bin"), link("abs", "/usr"), link("up", "../../../usr")
    )
    second = tar(entry("bin/a", b"a"), entry("abs/bin/b", b"b"), entry("up/bin/c", b"c"))
    unpacked(tmp_path, first, second)
    assert tree(tmp_path) == {"usr/bin/a": "a", "usr/bin/b": "b", "usr/bin/c": "c"}
    assert (tmp_path / "root" / "bin").is_symlink()


ESCAPES: dict[str, list[tuple[tarfile.TarInfo, bytes]]] = {
    "up": [entry("../evil", b"x")],
    "up-inside": [entry("a/../../evil", b"x")],
    "up-hard": [hard("a", "../secret")],
    "up-mark": [entry("../.wh.secret", b"")],
    "mark-of-nothing": [entry(".wh.", b"")],
    "mark-of-dots": [entry(".wh...", b"")],
    "mark-of-dot": [entry(".wh..", b"")],
    "hard-to-a-link": [link("l", "/etc/passwd"), hard("a", "l")],
    "hard-to-a-folder": [entry("d/", None), hard("a", "d")],
    "hard-to-nothing": [hard("a", "nothing")],
    "circle": [link("a", "b"), link("b", "a"), entry("a/x", b"x")],
    "deep": [entry("d/" * 300 + "x", b"x")],
    "long": [entry("n" * 300, b"x")],
    "through-a-file": [entry("f", b"x"), entry("f/x", b"x")],
}


@pytest.mark.parametrize("rows", ESCAPES.values(), ids=ESCAPES)
def test_what_leads_out_is_refused(tmp_path: Path, rows: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    (tmp_path / "secret").write_text("secret")
    assert code(tmp_path, tar(*rows)) in ("OCI007", "OCI010")
    assert (tmp_path / "secret").read_text() == "secret"
    assert not (tmp_path / "evil").exists()


INSIDE: dict[str, list[tuple[tarfile.TarInfo, bytes]]] = {
    "link-then-file": [link("l", "{outside}"), entry("l/evil", b"x")],
    "link-up-then-file": [link("l", "../../../../../../../../tmp"), entry("l/evil", b"x")],
    "link-then-link": [link("l", "{outside}"), link("m", "l"), entry("m/evil", b"x")],
    "link-then-mark": [link("l", "{outside}"), entry("l/.wh.secret", b"")],
    "link-then-opaque": [link("l", "{outside}"), entry("l/.wh..wh..opq", b"")],
    "link-then-folder": [link("l", "{outside}"), entry("l/d/", None, mode=0o777)],
    "link-replaced": [entry("l/", None), link("l", "{outside}"), entry("l/evil", b"x")],
    "file-over-link": [link("l", "{outside}/secret"), entry("l", b"changed")],
    "absolute": [entry("/{outside}/evil", b"x")],
}


@pytest.mark.parametrize("rows", INSIDE.values(), ids=INSIDE)
def test_what_seems_to_lead_out_stays_inside(
    tmp_path: Path, rows: list[tuple[tarfile.TarInfo, bytes]]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    for member, _ in rows:
        member.name = member.name.format(outside=str(outside).lstrip("/"))
        member.linkname = member.linkname.format(outside=outside)
    with suppress(DiagnosticError):
        unpacked(tmp_path, tar(*rows))
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "secret"
    assert stat.S_IMODE(outside.stat().st_mode) != 0o777
    assert not Path("/tmp/evil").exists()


def test_devices_and_pipes_are_left_out(tmp_path: Path) -> None:
    layer = tar(
        entry("dev/null", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        entry("dev/sda", b"", type=tarfile.BLKTYPE),
        entry("pipe", b"", type=tarfile.FIFOTYPE),
    )
    found = unpacked(tmp_path, layer)
    assert found.left_out == ["dev/null", "dev/sda", "pipe"]
    assert tree(tmp_path) == {}


def test_bombs_are_stopped(tmp_path: Path) -> None:
    few = Options(limit=Limit("an unpacked layer", 1_000_000, "bytes", "of this test"))
    zeros = tar(entry("zeros", bytes(5_000_000)))
    assert code(tmp_path / "a", zeros, options=few) == "OCI007"
    sparse = entry("sparse", b"")
    sparse[0].pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "sparse",
        "GNU.sparse.realsize": "100000000000",
    }
    assert code(tmp_path / "b", tar(sparse)) in ("OCI007", "OCI010")


def test_large_headers_are_refused(tmp_path: Path) -> None:
    large = entry("x", b"")
    large[0].pax_headers = {"comment": "x" * (HEADER.value + 10)}
    assert code(tmp_path, tar(large)) == "OCI007"


@pytest.mark.parametrize(
    "layer",
    [b"no tar" * 200, gzip.compress(b"")[:-4], b"\x28\xb5\x2f\xfdzstd", tar(entry("a", b"x" * 5000))[:3000]],
    ids=["no-tar", "cut-gzip", "zstd", "cut-tar"],
)
def test_what_is_no_layer(tmp_path: Path, layer: bytes) -> None:
    assert code(tmp_path, layer, pack=False) in ("OCI010", "OCI005")


def test_what_was_announced_must_come_out(tmp_path: Path) -> None:
    layer = tar(entry("a", b"x"))
    assert code(tmp_path, layer, diff_ids=[f"sha256:{'0' * 64}"]) == "OCI005"
    assert code(tmp_path / "b", layer, diff_ids=["x", "y"]) == "OCI006"


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "mine").write_text("x")
    assert code(tmp_path, tar(entry("a", b"x"))) == "OCI010"
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["mine"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owners_are_set_where_that_is_wanted(tmp_path: Path) -> None:
    layer = tar(entry("a", b"x", uid=1234, gid=5678, mode=0o4755))
    unpacked(tmp_path, layer, options=Options(owners=True))
    info = (tmp_path / "root" / "a").stat()
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (1234, 5678, 0o4755)
