"""The embedded server answers as a real kube-apiserver did, but for what is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.apiserver_diff.generate import generated
from tests.conformance.apiserver_diff.recording import DATA, Answer, differences, load, normal, scenarios
from tests.conformance.apiserver_diff.replay import expected, replay

RECORDINGS = sorted(DATA.glob("*.json.gz"))


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.name)
def test_a_recording(file: Path, tmp_path: Path) -> None:
    wrong = [
        (row.pair.label, row.reason, row.lines[:3])
        for row in replay(file, tmp_path)
        if bool(row.lines) is (row.reason is None)
    ]
    assert not wrong


def test_the_recording_is_of_the_scenarios() -> None:
    asked = {(name, step): ask for name, asks in scenarios() for step, ask in enumerate(asks, 1)}
    pairs = load(DATA / "recorded.json.gz")
    assert {(row.scenario, row.step): row.ask for row in pairs} == asked
    assert len(pairs) >= 150


def test_the_generated_sequences_can_be_made_again() -> None:
    pairs = load(DATA / "generated.json.gz")
    names = {row.scenario for row in pairs}
    made = {(name, step): ask for name, asks in generated(len(names)) for step, ask in enumerate(asks, 1)}
    assert {(row.scenario, row.step): row.ask for row in pairs} == made


def test_every_expected_difference_is_of_a_pair() -> None:
    known = {(row.scenario, row.step) for file in RECORDINGS for row in load(file)}
    assert expected().keys() <= known


def test_what_no_two_servers_share_is_no_difference() -> None:
    one = Answer(code=200, body={"metadata": {"uid": "a", "name": "x"}})
    other = Answer(code=200, body={"metadata": {"uid": "b", "name": "x"}})
    assert differences(normal(one), normal(other)) == []
    assert differences(normal(one), normal(Answer(code=200, body={"metadata": {"name": "x"}}))) == [
        ".body.metadata.uid: is not there"
    ]
