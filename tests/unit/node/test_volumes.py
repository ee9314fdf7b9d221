"""Volumes: what they hold, how they change, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.node.test_environment import FACTS

from sekisho.node import volumes
from sekisho.node.problems import ConfigProblem, Refusal
from sekisho.node.volumes import Sources, Volume

SOURCES = Sources(facts=FACTS, tokens={("", 3607): "jwt", ("vault", 700): "other"})


def files(**volume: Any) -> dict[str, bytes]:
    found = volumes.planned({"name": "v", **volume}, SOURCES)
    return {path: data for path, (data, _) in found.files.items()}


def test_objects_become_files() -> None:
    assert files(configMap={"name": "cm"}) == {"a": b"1", "b": b"2", "c": b"3"}
    assert files(configMap={"name": "cm", "items": [{"key": "a", "path": "deep/x"}]}) == {"deep/x": b"1"}
    assert files(secret={"secretName": "s"}) == {"token": b"abc"}
    assert files(secret={"secretName": "absent", "optional": True}) == {}


def test_modes() -> None:
    item = {"key": "a", "path": "a", "mode": 0o400}
    found = volumes.planned(
        {
            "name": "v",
            "configMap": {"name": "cm", "defaultMode": 0o640, "items": [item, {"key": "b", "path": "b"}]},
        },
        SOURCES,
    )
    assert {path: mode for path, (_, mode) in found.files.items()} == {"a": 0o400, "b": 0o640}


def test_projections_together() -> None:
    sources = [
        {"serviceAccountToken": {"path": "token"}},
        {"serviceAccountToken": {"path": "vault", "audience": "vault", "expirationSeconds": 700}},
        {"configMap": {"name": "cm", "items": [{"key": "a", "path": "ca"}]}},
        {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    volume = {"name": "v", "projected": {"sources": sources}}
    assert set(volumes.tokens({"volumes": [volume]})) == {("", 3607), ("vault", 700)}
    assert files(projected={"sources": sources}) == {
        "token": b"jwt",
        "vault": b"other",
        "ca": b"1",
        "ns": b"shop",
    }


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "absent"}}, 'configmap "absent" not found'),
        (
            {"configMap": {"name": "cm", "items": [{"key": "z", "path": "z"}]}},
            "non-existent configmap key: z",
        ),
        ({"configMap": {"name": "cm", "items": [{"key": "a", "path": "../a"}]}}, "is no place in a volume"),
    ],
)
def test_what_cannot_be_mounted_is_told(volume: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigProblem, match=message):
        files(**volume)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
            "hostPath: it reaches this machine's files",
        ),
        ({"volumes": [{"name": "v", "nfs": {}}]}, "nfs: nothing here provides it"),
        (
            {
                "volumes": [],
                "containers": [{"name": "c", "volumeMounts": [{"name": "v", "subPathExpr": "$(A)"}]}],
            },
            "subPathExpr is not evaluated",
        ),
    ],
)
def test_what_no_sandbox_is_given(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        volumes.check({"containers": [], **spec})


def test_a_new_state_takes_the_place_of_the_old_one_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    volumes.lay(folder, Volume(files={"a": (b"1", 0o600), "d/x": (b"2", 0o644)}), None)
    assert (folder / "a").read_bytes() == b"1"
    assert (folder / "a").stat().st_mode & 0o777 == 0o600
    assert (folder / "d/x").read_bytes() == b"2"
    held = (folder / "..data").readlink()
    volumes.lay(folder, Volume(files={"a": (b"new", 0o644)}), None)
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith("..")) == ["a"]
    assert (folder / "a").read_bytes() == b"new"
    assert (folder / "..data").readlink() != held
    assert not (folder / held).exists()


def test_a_part_of_a_volume_is_mounted_only_where_nobody_can_write(tmp_path: Path) -> None:
    volume = Volume(files={"a": (b"1", 0o644)})
    volumes.lay(tmp_path / "v", volume, None)
    found = volumes.mount_source(tmp_path / "v", {"name": "v", "subPath": "a"}, volume)
    assert found.read_bytes() == b"1"
    with pytest.raises(ConfigProblem, match="no part of a volume that can be written"):
        volumes.mount_source(tmp_path / "v", {"name": "v", "subPath": "a"}, Volume(writable=True))
    with pytest.raises(ConfigProblem, match="is no place in a volume"):
        volumes.mount_source(tmp_path / "v", {"name": "v", "subPath": "../../etc"}, volume)
