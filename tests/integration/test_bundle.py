"""From an image in a registry to a program in a sandbox."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.registry import registry

from sekisho.oci.content import MANIFEST
from sekisho.oci.simulator import Registry

BUSYBOX = shutil.which("busybox")
SRC = Path(__file__).parents[2] / "src"


def sekisho(*args: str, folder: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(SRC), "DOCKER_CONFIG": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "sekisho", "sandbox", *args],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done


def put_image(there: Registry, files: dict[str, bytes], **config: Any) -> None:
    """An image with one layer."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    body = file.getvalue()
    value = {
        "os": "linux",
        "architecture": "amd64",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(body).hexdigest()}"]},
    }
    kinds = ("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar")
    first, layer = (
        {"mediaType": kind, **there.put_blob("shop/cart", content)}
        for kind, content in zip(kinds, (json.dumps(value).encode(), body), strict=True)
    )
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": first, "layers": [layer]}
    there.put_manifest("shop/cart", manifest, tag="v1")


@pytest.mark.skipif(
    os.geteuid() != 0 or BUSYBOX is None or not sys.platform.startswith("linux"),
    reason="needs root, Linux and busybox",
)
def test_an_image_runs_in_a_sandbox(tmp_path: Path) -> None:
    assert BUSYBOX is not None
    if sekisho("doctor", folder=tmp_path, check=False).returncode != 0:
        pytest.skip("this machine runs no sandboxes")
    files = {"bin/sh": Path(BUSYBOX).read_bytes(), "etc/passwd": b"app:x:1000:1001::/:/bin/sh\n"}
    with registry() as there:
        put_image(
            there,
            files,
            Entrypoint=["/bin/sh", "-c"],
            Cmd=["echo $GREETING $UID"],
            Env=["GREETING=hi"],
            User="app",
        )
        sekisho(
            "bundle", f"{there.host}/shop/cart:v1", "bundle", "--platform", "linux/amd64", folder=tmp_path
        )
    done = sekisho("run", "-b", "bundle", f"bundle-{os.getpid()}", folder=tmp_path)
    assert done.stdout.strip().startswith("hi")


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "mine").write_text("x")
    done = sekisho("bundle", "oci:nothing", "bundle", folder=tmp_path, check=False)
    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with registry() as there:
        put_image(there, {"../evil": b"x"})
        done = sekisho(
            "bundle",
            f"{there.host}/shop/cart:v1",
            "bundle",
            "--platform",
            "linux/amd64",
            folder=tmp_path,
            check=False,
        )
    assert done.returncode == 2
    assert "OCI010" in done.stderr
    assert list(tmp_path.iterdir()) == []
