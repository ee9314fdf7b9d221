"""Annotations tighten, and never loosen."""

from __future__ import annotations

import pytest

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime.tighten import PREFIX, apply
from sekisho.sandbox.spec import Limits, Network, Process, Root, SandboxSpec, replace

SPEC = SandboxSpec(
    id="web",
    process=Process(argv=("sh",)),
    root=Root(path="/r"),
    network=Network(mode="host"),
    limits=Limits(memory=1000),
)


def applied(name: str, value: str, spec: SandboxSpec = SPEC) -> SandboxSpec:
    return apply(replace(spec, annotations={f"{PREFIX}{name}": value, "other": "x"}))


def test_tighter() -> None:
    assert applied("network", "none").network.mode == "none"
    assert applied("root", "readonly").root.readonly
    assert applied("root", "memory").root.writes == "memory"
    assert applied("memory", "999").limits.memory == 999
    assert applied("pids", "5").limits.pids == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network", "host"), ("root", "host"), ("memory", "1001"), ("memory", "-1"),
        ("memory", "lots"), ("pids", "0"), ("frob", "1"),
    ],
)  # fmt: skip
def test_looser(name: str, value: str) -> None:
    with pytest.raises(SandboxError, match="SBX127"):
        applied(name, value)


def test_a_readonly_root_stays_readonly() -> None:
    readonly = replace(SPEC, root=Root(path="/r", readonly=True))
    with pytest.raises(SandboxError, match="SBX127"):
        applied("root", "memory", readonly)
