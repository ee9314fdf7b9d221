"""``sekisho up`` guards: policies are applied by kubectl, and kubectl is told what they refuse."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.conformance.kubectl.driver import installed
from tests.unit.policy.made import constraint, template

from sekisho.policy.library import entry

SRC = str(Path(__file__).parents[2] / "src")
KUBECTLS = installed()

pytestmark = pytest.mark.skipif(not KUBECTLS, reason="there is no kubectl")


class Up:
    """A process of ``sekisho up`` over a folder, and kubectl for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None

    def start(self, *more: str) -> dict[str, object]:
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

    def kubectl(self, *arguments: str, given: object = None) -> subprocess.CompletedProcess[str]:
        text = None
        if given is not None:
            rows = given if isinstance(given, list) else [given]
            text = "---\n".join(yaml.safe_dump(row) for row in rows)
        return subprocess.run(
            [str(KUBECTLS[-1]), f"--cache-dir={self.folder / 'kube'}", *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "KUBECONFIG": str(self.folder / "data" / "kubeconfig")},
        )

    def apply(self, *objects: object) -> subprocess.CompletedProcess[str]:
        return self.kubectl("apply", "-f", "-", given=list(objects))

    def get(self, *arguments: str) -> dict[str, object]:
        done = self.kubectl("get", "-o", "json", *arguments)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    found = Up(tmp_path)
    yield found
    found.stop()


def pod(name: str = "web", **spec: object) -> dict[str, object]:
    containers = [{"name": "web", "image": "registry.example.com/web:1"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": containers, **spec},
    }


DENIED = 'admission webhook "validation.gatekeeper.sh" denied the request: [thing] no hostPID'


def test_what_a_policy_refuses_is_refused_and_a_restart_goes_on_refusing(up: Up) -> None:
    up.start()
    for policy in (template(), constraint()):
        made = up.apply(dict(policy.raw))
        assert made.returncode == 0, made.stderr
    refused = up.apply(pod(hostPID=True))
    assert refused.returncode == 1
    assert DENIED in refused.stderr
    assert up.apply(pod()).returncode == 0
    up.stop()
    up.start()
    refused = up.apply(pod("other", hostPID=True))
    assert DENIED in refused.stderr


def test_template_and_constraint_of_the_library_come_in_any_order(up: Up) -> None:
    up.start()
    found = entry("k8srequiredlabels")
    sample = found.sample("namespaces-have-an-owner")
    done = up.apply(dict(sample.raw), dict(found.template.raw))
    assert done.returncode == 0, done.stderr
    refused = up.kubectl("create", "namespace", "shop")
    assert "[namespaces-have-an-owner] every namespace needs a label owner" in refused.stderr
