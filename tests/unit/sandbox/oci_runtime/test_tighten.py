"""Annotations tighten, and never loosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime.tighten import PREFIX, apply
from sekisho.sandbox.spec import Limits, Mount, Namespaces, Network, Process, Root, SandboxSpec, replace

SPEC = SandboxSpec(
    id="web",
    namespaces=Namespaces(new=frozenset({"pid", "mount"}), joined={"network": "/proc/1/ns/net"}),
    process=Process(argv=("sh",)),
    root=Root(path="/r"),
    network=Network(mode="host"),
    limits=Limits(memory=1000),
)


def applied(name: str, value: str, spec: SandboxSpec = SPEC) -> SandboxSpec:
    return apply(replace(spec, annotations={f"{PREFIX}{name}": value, "other": "x"}))


def test_tighter() -> None:
    none = applied("network", "none")
    assert none.network.mode == "none"
    assert "network" in none.namespaces.new
    assert "network" not in none.namespaces.joined
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


def test_rules_on_the_network(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("search a.svc b.local\nnameserver 10.96.0.10\noptions ndots:5\n")
    spec = replace(SPEC, mounts=(Mount(destination="/etc/resolv.conf", type="bind", source=str(file)),))
    names = {
        f"{PREFIX}egress-domains": "example.com:443 *.example.org",
        f"{PREFIX}egress": "!10.0.0.1 10.0.0.0/8:80,443/tcp",
    }
    network = apply(replace(spec, annotations=names)).network
    assert network.mode == "rules"
    assert [rule.target for rule in network.egress] == [
        "10.0.0.1",
        "10.0.0.0/8",
        "example.com",
        "*.example.org",
    ]
    assert (network.nameservers, network.search) == (("10.96.0.10",), ("a.svc", "b.local"))


@pytest.mark.parametrize(("name", "value"), [("egress", "10.0.0.1/8"), ("egress-domains", "1.2.3.4")])
def test_rules_that_make_no_sense(name: str, value: str) -> None:
    with pytest.raises(SandboxError, match="SBX127"):
        applied(name, value)


def test_where_there_is_no_network_rules_would_loosen() -> None:
    alone = replace(SPEC, namespaces=Namespaces())
    with pytest.raises(SandboxError, match=r"SBX127.*would loosen"):
        applied("egress", "10.0.0.0/8", alone)


def test_a_readonly_root_stays_readonly() -> None:
    readonly = replace(SPEC, root=Root(path="/r", readonly=True))
    with pytest.raises(SandboxError, match="SBX127"):
        applied("root", "memory", readonly)
