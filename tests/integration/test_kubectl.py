"""The newest kubectl of this machine against a cluster of its own: a few rows of the conformance run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.kubectl.driver import Kubectl, cluster, installed, version_of
from tests.conformance.kubectl.rows import all_rows

ROWS = (
    "get",
    "create -f",
    "apply",
    "apply --server-side",
    "diff",
    "explain",
    "delete namespace",
    "wait --for=delete",
)
PROGRAMS = installed()


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.mark.skipif(not PROGRAMS, reason="no kubectl.1.NN on this machine")
@pytest.mark.parametrize("command", ROWS)
def test_a_row(kubeconfig: Path, tmp_path: Path, command: str) -> None:
    program = PROGRAMS[-1]
    [row] = [row for row in all_rows() if row.command == command]
    namespace = f"row-{ROWS.index(command)}"
    folder = tmp_path / "row"
    folder.mkdir()
    k = Kubectl(program, kubeconfig, folder, namespace, version_of(program)[1])
    k.ok(f"create ns {namespace}")
    row.work(k)
