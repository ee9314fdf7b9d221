"""A process of ``sekisho up``, and kubectl for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from tests.conformance.kubectl.driver import installed

SRC = str(Path(__file__).parents[2] / "src")
KUBECTLS = installed()


class Up:
    """A process of ``sekisho up`` over a folder, and kubectl for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None

    def start(self, *more: str) -> dict[str, Any]:
        """Start it; what it says when it is ready."""
        command = [sys.executable, "-m", "sekisho", "up", "--data", str(self.folder / "data"), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "-o", "json", *more],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": SRC,
                "NO_COLOR": "1",
                "XDG_CACHE_HOME": str(self.folder / "cache"),
            },
        )
        assert self.process.stdout is not None
        said = json.loads(self.process.stdout.readline())
        assert isinstance(said, dict)
        return said

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self.process = None

    def kubectl(
        self, *arguments: str, given: object = None, by: int = -1
    ) -> subprocess.CompletedProcess[str]:
        """Run a kubectl of this machine: the newest, or another by its number."""
        text = None
        if given is not None:
            rows = given if isinstance(given, list) else [given]
            text = "---\n".join(yaml.safe_dump(row) for row in rows)
        program = KUBECTLS[by % len(KUBECTLS)]
        return subprocess.run(
            [str(program), f"--cache-dir={self.folder / 'kube' / program.name}", *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "KUBECONFIG": str(self.folder / "data" / "kubeconfig")},
        )

    def apply(self, *objects: object) -> subprocess.CompletedProcess[str]:
        return self.kubectl("apply", "-f", "-", given=list(objects))

    def get(self, *arguments: str) -> dict[str, Any]:
        done = self.kubectl("get", "-o", "json", *arguments)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found


def pod(name: str = "web", **spec: object) -> dict[str, Any]:
    containers = [{"name": "web", "image": "registry.example.com/web:1"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": containers, **spec},
    }
