"""``policy test --image`` and its kin, against a registry on the loopback."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulators.registry import put_files, registry

from sekisho.cli.main import run as sekisho
from sekisho.oci.content import MANIFEST
from sekisho.oci.simulator import Fault, Registry, Traits

CASE = Path(__file__).parents[2] / "cases" / "policy" / "test"
POLICIES = {name: (CASE / name).read_bytes() for name in ("t.yaml", "c.yaml")}
FOUND = 'v1/Pod shop/web: ["thing"] Message: "no hostPID"'
NAME = "shop/policies"
GATOR = Path("/opt/oracle/bin/gator")


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with registry() as found:
        put_files(found, NAME, POLICIES)
        yield found


def run(*args: str) -> tuple[int, str, str]:
    """The status of ``sekisho policy``, its output and its errors."""
    with pytest.MonkeyPatch.context() as patch:
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
        status = sekisho(["policy", *args])
    texts: list[str] = []
    for stream in streams:
        stream.flush()
        buffer = stream.buffer
        assert isinstance(buffer, io.BytesIO)
        texts.append(buffer.getvalue().decode().strip())
    return status, texts[0], texts[1]


def test_policies_come_from_a_registry(there: Registry) -> None:
    digest = there.store(NAME).tags["v1"]
    pod = str(CASE / "pod.yaml")
    for text in (
        f"{there.host}/{NAME}:v1",
        f"{there.host}/{NAME}@{digest}",
        f"docker://{there.host}/{NAME}:v1",
    ):
        assert run("test", "-f", pod, "--image", text)[:2] == (1, FOUND)
    assert run("test", "-f", pod, "-i", f"{there.host}/{NAME}:v1", "-d", "/tmp")[:2] == (1, FOUND)


def test_without_a_tag_the_latest_is_meant(there: Registry) -> None:
    there.store(NAME).tags["latest"] = there.store(NAME).tags["v1"]
    assert run("test", "-f", str(CASE / "pod.yaml"), "-i", f"{there.host}/{NAME}")[0] == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(what="manifests", kind="absent"), "OCI002"),
        (Fault(what="manifests", kind="status", status=403), "OCI004"),
        (Fault(what="manifests", kind="huge"), "OCI007"),
        (Fault(what="blobs", kind="wrong"), "OCI005"),
        (Fault(what="blobs", kind="truncated"), "OCI005"),
    ],
    ids=lambda row: row if isinstance(row, str) else row.kind,
)
def test_troubles_are_told(there: Registry, fault: Fault, code: str) -> None:
    there.faults.append(fault)
    exit, out, err = run("test", "-f", str(CASE / "pod.yaml"), "-i", f"{there.host}/{NAME}:v1")
    assert (exit, out) == (1, "")
    assert f"error {code}: " in err


def test_credentials_of_docker_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with registry(Traits(tokens=True, anonymous=False, users={"ann": "pw"})) as there:
        put_files(there, NAME, POLICIES)
        text, pod = f"{there.host}/{NAME}:v1", str(CASE / "pod.yaml")
        exit, _, err = run("test", "-f", pod, "-i", text)
        assert exit == 1
        assert "error OCI004: " in err
        auth = base64.b64encode(b"ann:pw").decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {there.host: {"auth": auth}}}))
        assert run("test", "-f", pod, "-i", text)[:2] == (1, FOUND)


def layer(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(file.getvalue())


def test_images_that_were_built_are_read_layer_upon_layer(there: Registry) -> None:
    broken = {"policies/t.yaml": b"{", "policies/gone.yaml": b"{", "readme.md": b"{", ".git/x.yaml": b"{"}
    good = {"policies/.wh.gone.yaml": b"", **{f"policies/{name}": body for name, body in POLICIES.items()}}
    kind = "application/vnd.oci.image.layer.v1.tar+gzip"
    rows = [{"mediaType": kind, **there.put_blob("built", layer(files))} for files in (broken, good)]
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", **there.put_blob("built", b"{}")}
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": rows}
    there.put_manifest("built", value, tag="v1")
    assert run("test", "-f", str(CASE / "pod.yaml"), "-i", f"{there.host}/built:v1")[:2] == (1, FOUND)


def test_what_is_wrong_in_an_image_names_its_file(there: Registry) -> None:
    put_files(there, NAME, {"bad.yaml": b"a: [\n"}, tag="bad")
    text = f"{there.host}/{NAME}:bad"
    assert f"{text}/bad.yaml:1:4: error SRC" in run("test", "-i", text)[2]


def test_expand_and_bench_take_images_too(there: Registry) -> None:
    expand = CASE.parent / "expand"
    put_files(there, "expand", {"r.yaml": (expand / "resources.yaml").read_bytes()})
    exit, out, _ = run("expand", "-i", f"{there.host}/expand:v1")
    assert (exit, out) == (0, (expand / "expected.txt").read_text().strip())
    exit, out, err = run(
        "bench", "-i", f"{there.host}/{NAME}:v1", "-f", str(CASE / "pod.yaml"), "-n", "2", "-o", "json"
    )
    assert exit == 0, err


@pytest.mark.skipif(
    not os.environ.get("SEKISHO_E2E") or not GATOR.exists(), reason="needs gator; SEKISHO_E2E=1"
)
def test_gator_reads_the_same(there: Registry) -> None:
    args = ["test", "-f", str(CASE / "pod.yaml"), "--image", f"{there.host}/{NAME}:v1"]
    done = subprocess.run([str(GATOR), *args], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == run(*args)[:2]
