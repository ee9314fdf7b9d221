"""Reading manifests and indexes: strictly, and never for something else than they are."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from sekisho.diag import DiagnosticError
from sekisho.oci.content import (
    DOCKER_MANIFEST,
    INDEX,
    MANIFEST,
    MANIFEST_SIZE,
    Content,
    Index,
    Manifest,
    Platform,
    check,
    digest_of,
    images_of,
    parse,
)

DIGEST = f"sha256:{'a' * 64}"
ROW = {"mediaType": "application/x", "digest": DIGEST, "size": 3}


def content(value: Any, media_type: str = MANIFEST) -> Content:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Content.of(body, media_type)


def manifest(**parts: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": MANIFEST, "config": ROW, "layers": [ROW], **parts}


def index(**parts: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": [ROW], **parts}


def test_a_manifest_is_read() -> None:
    found = parse(content(manifest(subject=ROW, artifactType="application/y", annotations={"a": "b"})))
    assert isinstance(found, Manifest)
    assert (found.type, found.subject and found.subject.digest) == ("application/y", DIGEST)
    assert found.annotations == {"a": "b"}
    assert found.layers[0].raw() == ROW


def test_without_a_type_of_its_own_the_one_that_it_came_with_counts() -> None:
    value = manifest()
    del value["mediaType"]
    found = parse(content(value, DOCKER_MANIFEST))
    assert isinstance(found, Manifest)
    assert found.type == "application/x"


@pytest.mark.parametrize(
    ("value", "media_type"),
    [
        (b"", MANIFEST),
        (b"{", MANIFEST),
        (b"[]", MANIFEST),
        (b'{"a": 1} {}', MANIFEST),
        ("x" * 10, MANIFEST),
        (manifest(schemaVersion=1), MANIFEST),
        (manifest(), INDEX),
        (index(), MANIFEST),
        (manifest(manifests=[ROW]), MANIFEST),
        (index(layers=[]), INDEX),
        (index(config=ROW), INDEX),
        (manifest(mediaType="text/html"), "text/html"),
        (manifest(mediaType=7), MANIFEST),
        (manifest(layers={}), MANIFEST),
        (manifest(layers=[7]), MANIFEST),
        (manifest(layers=[{**ROW, "digest": "sha256:zz"}]), MANIFEST),
        (manifest(layers=[{**ROW, "digest": DIGEST.upper()}]), MANIFEST),
        (manifest(layers=[{**ROW, "digest": "md5:aa"}]), MANIFEST),
        (manifest(layers=[{**ROW, "size": -1}]), MANIFEST),
        (manifest(layers=[{**ROW, "size": True}]), MANIFEST),
        (manifest(layers=[{**ROW, "size": 2**63}]), MANIFEST),
        (manifest(layers=[{**ROW, "size": 1.0}]), MANIFEST),
        (manifest(layers=[{**ROW, "annotations": {"a": 1}}]), MANIFEST),
        (manifest(config=None), MANIFEST),
        (manifest(subject=[]), MANIFEST),
        (index(manifests=[{**ROW, "platform": "linux"}]), INDEX),
        (json.loads('{"a":' * 150 + "1" + "}" * 150), MANIFEST),
    ],
    ids=range(27),
)
def test_what_could_be_read_in_two_ways_is_refused(value: Any, media_type: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        parse(content(value, media_type))
    assert caught.value.diagnostics[0].code.id == "OCI006"


def test_too_much_is_refused() -> None:
    with pytest.raises(DiagnosticError) as caught:
        content(b" " * (MANIFEST_SIZE.value + 1))
    assert caught.value.diagnostics[0].code.id == "OCI007"
    with pytest.raises(DiagnosticError) as caught:
        parse(content(index(manifests=[ROW] * 10_001), INDEX))
    assert caught.value.diagnostics[0].code.id == "OCI007"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_digests_are_computed(algorithm: str) -> None:
    body = b"content"
    digest = digest_of(body, algorithm)
    assert digest == f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
    check(body, digest, len(body))
    for wrong, size in ((b"Content", None), (body, 3), (body + b"x", None)):
        with pytest.raises(DiagnosticError) as caught:
            check(wrong, digest, size)
        assert caught.value.diagnostics[0].code.id == "OCI005"


@pytest.mark.parametrize(
    ("here", "there", "runs"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/amd64", "linux/arm64", False),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm/v7", "linux/arm", True),
        ("linux/arm/v6", "linux/arm", False),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("windows/amd64", "linux/amd64", False),
    ],
)
def test_platforms(here: str, there: str, runs: bool) -> None:
    assert Platform.of(here).runs(Platform.of(there)) is runs


@pytest.mark.parametrize("text", ["", "linux", "linux/", "/amd64", "a/b/c/d"])
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(ValueError, match="is not OS/ARCHITECTURE"):
        Platform.of(text)


def test_attestations_among_images_are_left_out() -> None:
    rows = [
        {**ROW, "mediaType": MANIFEST, "platform": {"os": "unknown", "architecture": "unknown"}},
        {**ROW, "mediaType": MANIFEST, "platform": {"os": "linux", "architecture": "amd64"}},
        {**ROW, "mediaType": "application/x"},
    ]
    found = parse(content(index(manifests=rows), INDEX))
    assert isinstance(found, Index)
    assert [str(row.platform) for row in images_of(found)] == ["linux/amd64"]
