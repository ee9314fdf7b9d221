"""Whatever stands in a config.json, decoding it gives a specification or an error that names the field."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import decode
from sekisho.sandbox.oci_runtime.commands.spec import template

LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FULL: dict[str, Any] = json.loads(json.dumps(template()))
FULL["process"] |= {
    "capabilities": {"effective": ["CAP_CHOWN"]},
    "consoleSize": {"height": 1, "width": 2},
    "oomScoreAdj": 1,
    "apparmorProfile": "x",
}
FULL["hooks"] = {"prestart": [{"path": "/x", "args": ["x"], "env": ["A=b"], "timeout": 1}]}
FULL["annotations"] = {"sandbox.sekisho.dev/network": "none"}
FULL["linux"] |= {
    "resources": {
        "memory": {"limit": 1},
        "cpu": {"quota": 1, "cpus": "0"},
        "pids": {"limit": 1},
        "unified": {"pids.max": "1"},
    },
    "uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}],
    "devices": [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3}],
    "sysctl": {"net.ipv4.ip_forward": "1"},
    "cgroupsPath": "/a",
}
FULL["linux"]["namespaces"].append({"type": "user"})


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    found = [at] if at else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in steps:
        found += places(item, (*at, key))
    return found


PLACES = places(FULL)


def test_the_whole_document_is_fine(tmp_path: Path) -> None:
    (tmp_path / "rootfs").mkdir()
    assert decode.decode(FULL, bundle=str(tmp_path), id="web").has_process


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3))
def test_changed_documents(tmp_path: Path, changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    (tmp_path / "rootfs").mkdir(exist_ok=True)
    config = copy.deepcopy(FULL)
    for place, value in changes:
        at = config
        try:
            for step in place[:-1]:
                at = at[step]
            at[place[-1]] = value
        except (TypeError, KeyError, IndexError):
            continue
    try:
        container = decode.decode(config, bundle=str(tmp_path), id="web")
    except SandboxError as refused:
        code = refused.code
    else:
        code = container.spec.id
    assert code in ("web", "SBX121", "SBX122", "SBX127")


@given(VALUES)
def test_any_document(value: Any) -> None:
    with pytest.raises(SandboxError):
        decode.decode(value, bundle="/nowhere", id="web")
