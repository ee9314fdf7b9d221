"""Whatever registries, archives and files say, reading it gives a value or a diagnostic, and nothing outside."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.diag import DiagnosticError
from sekisho.oci.content import INDEX, MANIFEST, Content, Descriptor, parse
from sekisho.oci.credentials import Files
from sekisho.oci.dockerarchive import DockerArchive
from sekisho.oci.layers import entries, opened
from sekisho.oci.layout import Layout
from sekisho.oci.reference import parse_reference
from sekisho.oci.rootfs import Root
from sekisho.oci.tarfiles import Archive
from sekisho.oci.tokens import challenge_of
from sekisho.oci.unpack import Options, Unpacked, _Layer

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
)
ROW: dict[str, Any] = {
    "mediaType": "application/x",
    "digest": f"sha256:{'a' * 64}",
    "size": 3,
    "annotations": {"a": "b"},
    "platform": {"os": "linux", "architecture": "amd64", "variant": "v1"},
}
DOCUMENTS: list[dict[str, Any]] = [
    {"schemaVersion": 2, "mediaType": MANIFEST, "config": ROW, "layers": [ROW, ROW], "subject": ROW},
    {"schemaVersion": 2, "mediaType": INDEX, "manifests": [ROW, ROW], "artifactType": "x", "annotations": {}},
]
SLOW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def ours(error: DiagnosticError, prefix: str = "OCI") -> None:
    """Fail unless the failure is one that was expected."""
    assert all(row.code.id.startswith(prefix) for row in error.diagnostics)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at] if at else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in steps:
        found += places(item, (*at, key))
    return found


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_manifests(data: st.DataObject) -> None:
    value = json.loads(json.dumps(data.draw(st.sampled_from(DOCUMENTS))))
    for _ in range(data.draw(st.integers(0, 2))):
        *way, last = data.draw(st.sampled_from(places(value)))
        here = value
        for step in way:
            here = here[step]
        here[last] = data.draw(VALUES)
        if not isinstance(value, dict):
            break
    try:
        found = parse(
            Content.of(json.dumps(value).encode(), data.draw(st.sampled_from([MANIFEST, INDEX, ""])))
        )
    except DiagnosticError:
        return
    for row in getattr(found, "layers", ()) or getattr(found, "manifests", ()):
        assert isinstance(row, Descriptor)
        assert row.raw()["digest"] == row.digest


@given(st.binary(max_size=200))
@SLOW
def test_bytes_that_should_be_manifests(body: bytes) -> None:
    try:
        parse(Content.of(body, MANIFEST))
    except DiagnosticError:
        return


NAMES = st.text(alphabet="abzA09._-:/@[]%é\u0430 \n", max_size=40) | st.from_regex(
    r"([a-z0-9.]{1,10}(:[0-9]{1,5})?/)?[a-z0-9._/-]{1,20}(:[A-Za-z0-9_.-]{1,10})?(@sha256:[0-9a-f]{64})?",
    fullmatch=True,
)


@given(NAMES)
@settings(max_examples=150, deadline=None)
def test_a_reference_has_one_normal_form(text: str) -> None:
    try:
        found = parse_reference(text)
    except DiagnosticError as error:
        ours(error, "OCI001")
        return
    assert parse_reference(str(found)) == found
    assert str(found).isascii()
    assert ".." not in found.repository


@given(st.lists(st.text(max_size=60), max_size=3))
@SLOW
def test_challenges(headers: list[str]) -> None:
    challenge_of(tuple(headers))


@given(st.text(alphabet='Bearer realm=",\\ scv', max_size=60))
@SLOW
def test_challenges_that_are_nearly_right(text: str) -> None:
    challenge_of((f"Bearer {text}",))


@given(VALUES)
@SLOW
def test_files_with_credentials(value: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.json")
        for whole in (value, {"auths": value}, {"auths": {"gcr.io": value}}, {"credHelpers": value}):
            path.write_text(json.dumps(whole))
            try:
                Files([path])("gcr.io", "a/b")
            except DiagnosticError as error:
                ours(error, "OCI008")


def archive() -> bytes:
    """A small archive with an entry of each kind."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as made:
        for name, kind, target in (
            ("d", tarfile.DIRTYPE, ""),
            ("d/é", tarfile.REGTYPE, ""),
            ("manifest.json", tarfile.REGTYPE, ""),
            ("l", tarfile.SYMTYPE, "../../d"),
            ("d/.wh.x", tarfile.REGTYPE, ""),
            ("oci-layout", tarfile.REGTYPE, ""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            body = b'[{"Config": "d/x", "Layers": []}]' if kind == tarfile.REGTYPE else b""
            member.size = len(body)
            made.addfile(member, io.BytesIO(body))
    return file.getvalue()


SOUND = archive()
CHANGES = st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=6)


def changed(changes: list[tuple[int, int]]) -> bytes:
    body = bytearray(SOUND)
    for at, byte in changes:
        body[at] = byte
    # Checksums are made right again, else nearly all changes end there.
    for start in range(0, len(body), 512):
        block = bytes(body[start : start + 512])
        if block[257:262] == b"ustar":
            body[start + 148 : start + 156] = b"%06o\0 " % (sum(block[:148]) + 256 + sum(block[156:]))
    return bytes(body)


@given(CHANGES)
@SLOW
def test_archives(changes: list[tuple[int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.tar")
        path.write_bytes(changed(changes))
        for reader in (DockerArchive, Layout.opened):
            try:
                reader(Archive(path))
            except DiagnosticError as error:
                ours(error)


@given(CHANGES)
@SLOW
def test_layers_stay_in_their_folder(changes: list[tuple[int, int]]) -> None:
    body = changed(changes)
    layer = Descriptor(media_type="x", digest=f"sha256:{'a' * 64}", size=len(body))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "root")
        place.mkdir()
        (Path(folder) / "x").write_text("outside")
        with Root(place) as root:
            try:
                _Layer(root, layer, Options(), Unpacked(), {}).apply(io.BytesIO(gzip.compress(body)), "")
            except DiagnosticError as error:
                ours(error)
        assert sorted(path.name for path in Path(folder).iterdir()) == ["root", "x"]


@given(st.binary(max_size=2000))
@SLOW
def test_bytes_that_should_be_layers(body: bytes) -> None:
    layer = Descriptor(media_type="x", digest=f"sha256:{'a' * 64}", size=len(body))
    try:
        with opened(layer, io.BytesIO(body)) as found:
            list(entries(found, layer))
    except DiagnosticError as error:
        ours(error)


def test_the_sound_one_is_sound() -> None:
    layer = Descriptor(media_type="x", digest=f"sha256:{'a' * 64}", size=len(SOUND))
    with opened(layer, io.BytesIO(SOUND)) as found:
        assert len(list(entries(found, layer))) == 6
