"""``policy audit`` and ``policy preview`` of a running cluster."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sekisho.apiserver.cluster import Cluster, Settings
from sekisho.cli.live import Live, read_cluster
from sekisho.cli.main import run as sekisho
from sekisho.cluster import kubeconfig
from sekisho.cluster.client import Client
from sekisho.kube.gvk import GVK

CASE = Path(__file__).parents[1] / "cases" / "check" / "waiver" / "policy.yaml"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Path]:
    """The kubeconfig of a cluster that has two ConfigMaps, in a loop of its own."""
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def main() -> None:
        cluster = await Cluster.start(Settings(folder=tmp_path / "data", port=0))
        async with Client(kubeconfig.load(str(cluster.kubeconfig))) as client:
            resource = await client.resource(GVK("", "v1", "ConfigMap"))
            for name, labels in (("a", {}), ("b", {"owner": "shop"})):
                metadata = {"name": name, "namespace": "default", "labels": labels}
                await client.create(resource, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
        ready.set()
        await stop.wait()
        await cluster.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    assert ready.wait(10)
    yield tmp_path / "data" / "kubeconfig"
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


def test_everything_that_may_be_listed_is_read(cluster: Path) -> None:
    inputs = read_cluster(Live(kubeconfig=str(cluster)))
    found = {(row.kind, row.name) for row in inputs.objects}
    assert {("ConfigMap", "a"), ("ConfigMap", "b"), ("Namespace", "default")} <= found
    assert not inputs.problems


def test_a_cluster_is_audited_and_previewed(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["-p", str(CASE), "--kubeconfig", str(cluster), "--no-cache", "-o", "json"]
    assert sekisho(["policy", "audit", "--summary", *command]) == 1
    counts = json.loads(capsys.readouterr().out)
    assert counts["policies"]["NeedsLabel/owner"]["deny"] >= 1
    assert sekisho(["policy", "preview", *command]) == 0
    preview = json.loads(capsys.readouterr().out)
    denied = {row["name"] for row in preview["today"]["denied"]}
    assert "a" in denied
    assert "b" not in denied


def test_a_cluster_is_audited_into_policy_reports(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["-p", str(CASE), "--kubeconfig", str(cluster), "--no-cache", "-o", "policyreport"]
    assert sekisho(["policy", "audit", *command]) == 1
    reports = list(yaml.safe_load_all(capsys.readouterr().out))
    (report,) = [row for row in reports if row["metadata"].get("namespace") == "default"]
    assert (report["apiVersion"], report["kind"]) == ("wgpolicyk8s.io/v1alpha2", "PolicyReport")
    names = {row["resources"][0]["name"]: row["result"] for row in report["results"]}
    assert names["a"] == "fail"
    assert "b" not in names


def test_a_cluster_that_is_not_there_is_an_error_of_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {
        "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x"}}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    assert sekisho(["policy", "audit", "--kubeconfig", str(tmp_path / "config")]) == 3
    assert "127.0.0.1:1" in capsys.readouterr().err
