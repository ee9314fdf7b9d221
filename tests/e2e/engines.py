"""Engines for tests, each with its state in a folder and in namespaces of its own, so that nothing stays behind."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

TIME = 60
SPACES = ("unshare", "--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
TOOLS = ("sh", "ls", "cat", "echo", "sleep", "ps", "id", "true", "hostname", "nc", "grep", "tty")


@contextlib.contextmanager
def daemon(folder: Path, socket: Path, *command: str, group: str) -> Iterator[None]:
    """A daemon in namespaces of its own, from when its socket is there until the end of the context.

    ``group`` is the control group that its containers are in, which it would keep for the next start.
    """
    made = f"mount -t tmpfs none /run && mkdir -p /run/netns && ip link set lo up && exec {' '.join(command)}"
    with (folder / "log").open("wb") as log:
        run = subprocess.Popen([*SPACES, "sh", "-c", made], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + TIME
        while not socket.exists():
            assert run.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < end, "it does not start"
            time.sleep(0.1)
        yield
    finally:
        run.send_signal(signal.SIGKILL)  # and with it everything in its process-id namespace
        run.wait()
        for top in Path("/sys/fs/cgroup").glob(f"*/{group}"):
            for at, _folders, _files in os.walk(top, topdown=False):
                Path(at).rmdir()


def busybox_root(folder: Path) -> Path | None:
    """A root with one static program under many names; None where it is not installed."""
    busybox = shutil.which("busybox")
    if busybox is None:
        return None
    root = folder / "rootfs"
    for name in ("bin", "etc", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy2(busybox, root / "bin" / "busybox")
    for name in TOOLS:
        (root / "bin" / name).symlink_to("busybox")
    (root / "etc" / "passwd").write_text(
        "root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n", encoding="utf-8"
    )
    return root


def archive(root: Path, image: Path, name: str) -> Path:
    """An archive of one image with one layer, as ``docker load`` and ``ctr images import`` take it."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(root, arcname=".")
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/bin/sleep", "100000"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    files = {
        "config.json": json.dumps(config).encode(),
        "layer.tar": layer.getvalue(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    with tarfile.open(image, "w") as tar:
        for file, data in files.items():
            info = tarfile.TarInfo(file)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return image


def run(*command: str, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    """A client's command."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIME * 2,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **env},
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done
