"""What keeps a machine from being a node, and small decisions of a node's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver import calling

from sekisho.apiserver.status import Resource, forbidden
from sekisho.diag import DiagnosticError
from sekisho.node import Node, NodeSettings
from sekisho.node import node as nodes
from sekisho.node.node import lost_status
from sekisho.node.probes import Count


@pytest.mark.parametrize(
    ("doctor", "user", "wanted"),
    [("no user namespaces", 0, "no user namespaces"), ("", 1000, "start it with sudo")],
)
def test_a_machine_that_cannot_be_a_node_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doctor: str, user: int, wanted: str
) -> None:
    monkeypatch.setattr(nodes, "why_not", lambda checks: doctor)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with pytest.raises(DiagnosticError) as caught:
        Node.of(NodeSettings(folder=tmp_path))
    found = caught.value.diagnostics[0]
    assert found.code.id == "API020"
    assert wanted in found.message


def test_a_cluster_that_refuses_its_node_says_so(tmp_path: Path) -> None:
    def work(call: calling.Client) -> Any:
        node = Node(NodeSettings(folder=tmp_path / "node"))
        node.controllers(call.api)

        async def refuse(place: Any, value: Any) -> None:
            raise forbidden(Resource(plural=place.plural), place.name, "nobody may")

        node._hand.create = refuse  # type: ignore[method-assign]
        return node.start()

    with pytest.raises(DiagnosticError) as caught:
        calling.run(tmp_path / "data", work)
    found = caught.value.diagnostics[0]
    assert found.code.id == "API020"
    assert "the cluster refuses its node" in found.message
    assert "nobody may" in found.message


def status(**row: Any) -> dict[str, Any]:
    return {"phase": "Running", "containerStatuses": [{"name": "a", **row}]}


def test_a_pod_whose_containers_were_lost_fails_if_nothing_starts_them_again() -> None:
    lost = lost_status(
        {"spec": {"restartPolicy": "Never"}, "status": status(containerID="x", state={"running": {}})}
    )
    assert lost is not None
    assert lost["phase"] == "Failed"
    assert lost["containerStatuses"][0]["state"]["terminated"]["reason"] == "ContainerStatusUnknown"


@pytest.mark.parametrize(
    "pod",
    [
        {"spec": {"restartPolicy": "Never"}, "status": status()},
        {"spec": {"restartPolicy": "Always"}, "status": status(containerID="x")},
        {"spec": {"restartPolicy": "Never"}},
    ],
)
def test_other_pods_are_started(pod: dict[str, Any]) -> None:
    assert lost_status(pod) is None


def test_verdicts_take_so_many_answers_in_a_row() -> None:
    count = Count(row={"successThreshold": 2, "failureThreshold": 3}, verdict=False)
    answers = (True, False, True, True, False, False, True, False, False, False)
    assert [(count.add(good=good), count.verdict) for good in answers] == [
        (False, False),
        (False, False),
        (False, False),
        (True, True),
        (False, True),
        (False, True),
        (False, True),
        (False, True),
        (False, True),
        (True, False),
    ]
