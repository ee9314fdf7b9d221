"""Violations exported to disk through a Connection, beside a guarded cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.guarded import KUBECTLS, Up

pytestmark = pytest.mark.skipif(not KUBECTLS, reason="there is no kubectl on this machine")

SECONDS = 60.0


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path)
    try:
        yield running
    finally:
        running.stop()


def connection(folder: Path, driver: str = "disk") -> dict[str, Any]:
    return {
        "apiVersion": "connection.gatekeeper.sh/v1alpha1",
        "kind": "Connection",
        "metadata": {"name": "audit-connection", "namespace": "gatekeeper-system"},
        "spec": {"driver": driver, "config": {"path": str(folder), "maxAuditResults": 2}},
    }


def constraint() -> dict[str, Any]:
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "K8sRequiredLabels",
        "metadata": {"name": "owned", "annotations": {"team": "shop"}},
        "spec": {
            "enforcementAction": "dryrun",
            "match": {"kinds": [{"apiGroups": [""], "kinds": ["ConfigMap"]}], "namespaces": ["default"]},
            "parameters": {"labels": [{"key": "owner"}]},
        },
    }


def wait(found: Any) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (value := found()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.2)
    return value


def test_what_audits_find_is_in_files(up: Up, tmp_path: Path) -> None:
    up.start("--enable-violation-export", "--audit-interval", "1", "--no-page")
    out = tmp_path / "violations"
    bare = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bare", "labels": {"app": "x"}}}
    library = up.folder / "template.yaml"
    library.write_text(template())
    assert up.kubectl("apply", "-f", str(library)).returncode == 0
    done = up.apply(constraint(), bare, connection(out))
    assert done.returncode == 0, done.stderr

    def violations() -> list[dict[str, Any]]:
        files = sorted((out / "audit-channel").glob("*.log")) if (out / "audit-channel").exists() else []
        rows = [json.loads(line) for file in files[-1:] for line in file.read_text().splitlines()]
        return [row for row in rows if row.get("resourceName") == "bare"]

    (row,) = wait(violations)
    assert row["eventType"] == "violation_audited"
    assert (row["kind"], row["name"], row["enforcementAction"]) == ("K8sRequiredLabels", "owned", "dryrun")
    assert (row["resourceKind"], row["resourceNamespace"]) == ("ConfigMap", "default")
    assert row["resourceLabels"] == {"app": "x"}
    assert row["constraintAnnotations"]["team"] == "shop"

    def status() -> Any:
        read = up.get("connections.connection.gatekeeper.sh", "audit-connection", "-n", "gatekeeper-system")
        return (read.get("status") or {}).get("byPod")

    (own,) = wait(status)
    assert own["active"] is True
    assert not own.get("errors")
    assert up.apply(connection(out, driver="dapr")).returncode == 0
    wait(lambda: "driver dapr is not supported" in json.dumps(status()))


def template() -> str:
    from sekisho import manifest
    from sekisho.policy.library import entry

    return manifest.dump_all([dict(entry("K8sRequiredLabels").template.raw)])
