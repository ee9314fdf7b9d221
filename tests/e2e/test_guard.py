"""``sekisho serve`` guards a real kube-apiserver: templates, constraints, denial, statuses, mutation, restart.

Opt-in (``make e2e``), with SEKISHO_KUBE_APISERVER naming what ``apiserver_oracle/build.sh`` built.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.apiserver_oracle.server import TOKEN, free_port
from tests.e2e.apiserver_oracle.server import start as start_apiserver
from tests.integration.guarded import KUBECTLS, pod
from tests.unit.policy.made import constraint, template

PROGRAM = Path(os.environ.get("SEKISHO_KUBE_APISERVER", ""))
SRC = str(Path(__file__).parents[2] / "src")
SECONDS = 60.0

pytestmark = [
    pytest.mark.skipif(os.environ.get("SEKISHO_E2E") != "1", reason="make e2e runs these"),
    pytest.mark.skipif(not PROGRAM.is_file(), reason="SEKISHO_KUBE_APISERVER names no kube-apiserver"),
    pytest.mark.skipif(not KUBECTLS, reason="there is no kubectl"),
]

DENIED = 'admission webhook "validation.gatekeeper.sh" denied the request: [thing] no hostPID'


class Cluster:
    """A kube-apiserver, and ``sekisho serve`` beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.apiserver, url = start_apiserver(PROGRAM, folder / "apiserver")
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump(kubeconfig(url, folder)), encoding="utf-8")
        self.port = free_port()
        self.serve: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the guard, and wait until it answers."""
        command = [
            *(sys.executable, "-m", "sekisho", "serve", "--kubeconfig", str(self.kubeconfig)),
            *("--host", "127.0.0.1", "--port", str(self.port), "--health-port", "0"),
            *("--prometheus-port", "0", "--workers", "1", "--cert-dir", str(self.folder / "certificates")),
            *("--webhook-url", f"https://127.0.0.1:{self.port}", "--webhook-failure-policy", "Fail"),
            *("--webhook-timeout", "10"),
        ]
        with (self.folder / "serve.log").open("a") as log:
            self.serve = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, "PYTHONPATH": SRC}
            )
        assert self.serve.stdout is not None
        said = self.serve.stdout.readline()
        assert "serving" in said, (self.folder / "serve.log").read_text()

    def stop(self) -> None:
        """Stop the guard."""
        if self.serve is not None:
            self.serve.send_signal(signal.SIGTERM)
            try:
                self.serve.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                self.serve.kill()
                self.serve.communicate()
            self.serve = None

    def end(self) -> None:
        """Stop everything."""
        self.stop()
        self.apiserver.terminate()
        self.apiserver.wait()

    def kubectl(self, *arguments: str, given: object = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(KUBECTLS[-1]), f"--cache-dir={self.folder / 'kube'}", *arguments],
            input=None if given is None else yaml.safe_dump(given),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
        )

    def apply(self, given: object) -> subprocess.CompletedProcess[str]:
        return self.kubectl("apply", "-f", "-", given=given)

    def get(self, *arguments: str) -> dict[str, Any]:
        done = self.kubectl("get", "-o", "json", *arguments)
        found = json.loads(done.stdout) if done.returncode == 0 else {}
        assert isinstance(found, dict)
        return found


def kubeconfig(url: str, folder: Path) -> dict[str, Any]:
    authority = str(folder / "apiserver" / "certificates" / "apiserver.crt")
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "real",
        "contexts": [{"name": "real", "context": {"cluster": "real", "user": "admin"}}],
        "clusters": [{"name": "real", "cluster": {"server": url, "certificate-authority": authority}}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
    }


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("real"))
    try:
        assert found.apply(pod("before", hostPID=True)).returncode == 0, "nothing guards yet"
        found.start()
        yield found
    finally:
        found.end()


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.2)


def by_pod(found: dict[str, Any]) -> dict[str, Any]:
    rows = (found.get("status") or {}).get("byPod") or [{}]
    assert isinstance(rows[0], dict)
    return rows[0]


def test_template_constraint_and_denial(cluster: Cluster) -> None:
    made = cluster.apply(dict(template().raw))
    assert made.returncode == 0, made.stderr
    until(lambda: cluster.apply(dict(constraint().raw)).returncode == 0, "the kind is not defined")
    tried = ("create", "--dry-run=server", "-f", "-")
    until(lambda: DENIED in cluster.kubectl(*tried, given=pod(hostPID=True)).stderr, "nothing is denied")
    assert DENIED in cluster.apply(pod(hostPID=True)).stderr
    assert cluster.apply(pod("good")).returncode == 0


def test_statuses(cluster: Cluster) -> None:
    until(lambda: cluster.get("constrainttemplate", "k8sthing")["status"].get("created") is True, "created")
    until(lambda: by_pod(cluster.get("k8sthing", "thing")).get("enforced") is True, "enforced")


def test_the_audit_finds_what_was_there_before(cluster: Cluster) -> None:
    def found() -> bool:
        status = cluster.get("k8sthing", "thing").get("status") or {}
        names = [row["name"] for row in status.get("violations") or ()]
        return status.get("totalViolations") == 1 and names == ["before"]

    until(found, "the audit finds nothing")


def test_mutation(cluster: Cluster) -> None:
    mutator = {
        "apiVersion": "mutations.gatekeeper.sh/v1",
        "kind": "AssignMetadata",
        "metadata": {"name": "team"},
        "spec": {
            "match": {"scope": "Namespaced", "kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]},
            "location": "metadata.labels.team",
            "parameters": {"assign": {"value": "shop"}},
        },
    }
    made = cluster.apply(mutator)
    assert made.returncode == 0, made.stderr

    def mutated() -> bool:
        cluster.kubectl("delete", "pod", "mutated", "--ignore-not-found", "--force", "--grace-period=0")
        cluster.apply(pod("mutated"))
        return cluster.get("pod", "mutated")["metadata"].get("labels") == {"team": "shop"}

    until(mutated, "nothing is mutated")


def test_a_bad_template_is_refused(cluster: Cluster) -> None:
    refused = cluster.apply(dict(template('violation contains {"msg": x} if true').raw))
    assert refused.returncode == 1
    assert "unsafe" in refused.stderr
    assert DENIED in cluster.apply(pod(hostPID=True)).stderr


def test_a_restart_goes_on_guarding(cluster: Cluster) -> None:
    cluster.stop()
    down = cluster.apply(pod("down", hostPID=True))
    assert "failed calling webhook" in down.stderr, "while nobody answers, the failure policy decides"
    cluster.start()
    refused = cluster.apply(pod("other", hostPID=True))
    assert DENIED in refused.stderr, refused.stderr
