"""config.json becomes a specification, or an error that names the field."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import decode
from sekisho.sandbox.oci_runtime.commands.spec import template
from sekisho.sandbox.oci_runtime.decode import Container
from sekisho.sandbox.spec import IdMap, Limits, Mount, Rlimit

BASE: dict[str, Any] = {
    "ociVersion": "1.0.2",
    "process": {"args": ["sh"], "cwd": "/"},
    "root": {"path": "rootfs"},
    "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "network"}, {"type": "uts"}]},
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "rootfs").mkdir()
    return tmp_path


def changed(place: str, value: object) -> dict[str, Any]:
    config = copy.deepcopy(BASE)
    at = config
    *folders, last = place.split(".")
    for name in folders:
        at = at.setdefault(name, {})
    at[last] = value
    return config


def read(bundle: Path, place: str = "hostname", value: object = "box") -> Container:
    return decode.decode(changed(place, value), bundle=str(bundle), id="web")


def test_the_least(bundle: Path) -> None:
    spec = decode.decode(BASE, bundle=str(bundle), id="web").spec
    assert (spec.process.argv, spec.process.cwd, spec.process.user.uid) == (("sh",), "/", 0)
    assert spec.root.path == str((bundle / "rootfs").resolve())
    assert spec.hostname == "web"
    assert spec.network.mode == "none"


def test_the_template(bundle: Path) -> None:
    container = decode.decode(json.loads(json.dumps(template())), bundle=str(bundle), id="web")
    assert container.spec.root.readonly
    assert container.warnings == ()


def test_without_a_process(bundle: Path) -> None:
    config = {name: value for name, value in BASE.items() if name != "process"}
    container = decode.decode(config, bundle=str(bundle), id="web")
    assert not container.has_process
    assert container.spec.process.argv == ()


def test_user_and_limits(bundle: Path) -> None:
    user = {"uid": 5, "gid": 6, "umask": 0o27, "additionalGids": [7, 8]}
    found = read(bundle, "process.user", user).spec.process.user
    assert (found.uid, found.gid, found.umask, found.groups) == (5, 6, 0o27, (7, 8))
    rows = [
        {"type": "RLIMIT_NOFILE", "soft": 10, "hard": 20},
        {"type": "RLIMIT_CPU", "soft": 5, "hard": 2**64 - 1},
    ]
    limits = read(bundle, "process.rlimits", rows).spec.process.rlimits
    assert limits == (
        Rlimit(name="RLIMIT_NOFILE", soft=10, hard=20),
        Rlimit(name="RLIMIT_CPU", soft=5, hard=-1),
    )


def test_mounts(bundle: Path) -> None:
    rows = [
        {"destination": "/data", "source": "data", "options": ["rbind", "ro"]},
        {"destination": "proc", "type": "proc"},
        {"destination": "//dev/", "type": "tmpfs", "source": "tmpfs"},
    ]
    mounts = read(bundle, "mounts", rows).spec.mounts
    assert mounts[0] == Mount(
        destination="/data", type="bind", source=str(bundle / "data"), options=("rbind", "ro")
    )
    assert [mount.destination for mount in mounts] == ["/data", "/proc", "/dev"]


def test_resources(bundle: Path) -> None:
    resources = {
        "memory": {"limit": 1 << 28, "swap": -1, "reservation": 0},
        "cpu": {"shares": 512, "quota": 50_000, "period": 100_000, "cpus": "0-1"},
        "pids": {"limit": 100},
    }
    assert read(bundle, "linux.resources", resources).spec.limits == Limits(
        memory=1 << 28,
        memory_swap=-1,
        cpu_shares=512,
        cpu_quota=50_000,
        cpu_period=100_000,
        cpuset_cpus="0-1",
        pids=100,
    )


def test_unified_resources(bundle: Path) -> None:
    unified = {"cpu.max": "20000 50000", "memory.max": "max", "pids.max": "7"}
    limits = read(bundle, "linux.resources", {"unified": unified}).spec.limits
    assert (limits.cpu_quota, limits.cpu_period, limits.memory, limits.pids) == (20_000, 50_000, -1, 7)


def test_namespaces_of_a_pod(bundle: Path) -> None:
    rows = [
        {"type": "pid"},
        {"type": "mount"},
        {"type": "network", "path": "/proc/self/ns/net"},
        {"type": "ipc", "path": "/proc/self/ns/ipc"},
    ]
    spec = read(bundle, "linux.namespaces", rows).spec
    assert spec.namespaces.joined == {"network": "/proc/self/ns/net", "ipc": "/proc/self/ns/ipc"}
    assert spec.network.mode == "host"
    assert spec.hostname == ""


def test_id_maps(bundle: Path) -> None:
    config = changed("linux.uidMappings", [{"containerID": 0, "hostID": 100_000, "size": 1000}])
    config["linux"]["namespaces"].append({"type": "user"})
    spec = decode.decode(config, bundle=str(bundle), id="web").spec
    assert spec.uid_maps == (IdMap(inside=0, outside=100_000, size=1000),)
    config["process"]["user"] = {"uid": 2000}
    with pytest.raises(SandboxError, match=r"process\.user\.uid must be inside"):
        decode.decode(config, bundle=str(bundle), id="web")


def test_unknown_fields_are_passed_over(bundle: Path) -> None:
    for place in ("frob", "process.frob", "linux.frob", "root.frob", "annotations.frob"):
        assert read(bundle, place, "x").spec.id == "web"


def test_null_is_absent(bundle: Path) -> None:
    for place in (
        "hooks",
        "process.rlimits",
        "process.env",
        "linux.resources",
        "linux.maskedPaths",
        "mounts",
    ):
        assert read(bundle, place, None).warnings == ()


WARNED = {
    "process.env": ["A"],
    "process.apparmorProfile": "docker-default",
    "linux.seccomp": {"defaultAction": "SCMP_ACT_ERRNO"},
    "linux.resources.devices": [{"allow": False}],
    "linux.resources.blockIO": {"weight": 10},
    "linux.resources.hugepageLimits": [{"pageSize": "2MB", "limit": 1}],
}


@pytest.mark.parametrize("place", WARNED)
def test_what_has_no_effect_is_said(bundle: Path, place: str) -> None:
    (warning,) = read(bundle, place, WARNED[place]).warnings
    assert place.rpartition(".")[0] in warning


MALFORMED = [
    ("ociVersion", "1"), ("ociVersion", 1), ("ociVersion", "2.0.0"), ("process", []), ("process.cwd", "here"),
    ("process.cwd", ""), ("process.args", "sh"), ("process.args", [1]), ("process.args", ["a\0b"]), ("process.terminal", "yes"),
    ("process.user", {"uid": -1}), ("process.user", {"uid": 2**32}), ("process.user", {"umask": 0o1000}),
    ("process.user", {"uid": 1.5}), ("process.user", {"uid": True}), ("process.consoleSize", {"height": -1, "width": 1}),
    ("process.oomScoreAdj", 1001), ("process.rlimits", [{"type": "NOFILE", "soft": 1, "hard": 1}]),
    ("process.rlimits", [{"type": "RLIMIT_NOFILE", "soft": 1}]), ("process.rlimits", [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1}] * 2),
    ("process.capabilities", {"effective": ["CAP_FROB"]}), ("root", {}), ("root", {"path": "nowhere"}),
    ("mounts", [{"destination": "/x", "options": ["bind"]}]), ("mounts", [{"type": "proc"}]), ("hooks", {"prestart": [{"path": "rel"}]}),
    ("hooks", {"poststop": [{"path": "/x", "timeout": 0}]}), ("linux.namespaces", [{"type": "frob"}]),
    ("linux.namespaces", [{"type": "pid"}, {"type": "pid"}]),
    ("linux.namespaces", [{"type": "pid"}, {"type": "mount"}, {"type": "network", "path": "/proc/self/ns/ipc"}]),
    ("linux.namespaces", [{"type": "pid"}, {"type": "mount"}, {"type": "network", "path": "/etc/passwd"}]),
    ("linux.namespaces", [{"type": "pid"}, {"type": "mount"}, {"type": "network", "path": "/nowhere"}]),
    ("linux.uidMappings", [{"containerID": 0, "hostID": 0, "size": 1}]), ("linux.maskedPaths", ["rel"]),
    ("linux.rootfsPropagation", "frob"), ("linux.resources", {"memory": {"limit": "1G"}}),
    ("linux.resources", {"unified": {"pids.max": "many"}}), ("linux.devices", [{"path": "rel", "type": "c"}]),
    ("linux.devices", [{"path": "/dev/x", "type": "z"}]), ("annotations", {"a": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value"), MALFORMED)
def test_malformed(bundle: Path, place: str, value: object) -> None:
    with pytest.raises(SandboxError) as caught:
        read(bundle, place, value)
    assert caught.value.code in ("SBX121", "SBX122")
    assert place.rpartition(".")[2] in caught.value.message


UNSUPPORTED = [
    ("process.selinuxLabel", "system_u:x"), ("linux.mountLabel", "system_u:x"),
    ("linux.namespaces", [{"type": "mount"}]), ("linux.namespaces", [{"type": "pid"}]),
    ("linux.namespaces", [{"type": "pid", "path": "/proc/self/ns/pid"}, {"type": "mount"}]),
    ("linux.namespaces", [{"type": "pid"}, {"type": "mount"}, {"type": "user", "path": "/proc/self/ns/user"}]),
    ("linux.devices", [{"path": "/dev/kvm", "type": "c", "major": 10, "minor": 232}]),
    ("linux.devices", [{"path": "/dev/vda", "type": "b", "major": 1, "minor": 3}]),
    ("linux.sysctl", {"kernel.core_pattern": "|/x"}), ("linux.sysctl", {"net..ipv4": "1"}),
    ("linux.sysctl", {"kernel.shmmax": "1"}), ("linux.resources", {"unified": {"io.max": "x"}}),
    ("mounts", [{"destination": "/x", "type": "ext4", "source": "/dev/vda"}]),
    ("mounts", [{"destination": "/x", "type": "tmpfs", "uidMappings": [{}]}]), ("linux.memoryPolicy", {"mode": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value"), UNSUPPORTED)
def test_unsupported(bundle: Path, place: str, value: object) -> None:
    with pytest.raises(SandboxError) as caught:
        read(bundle, place, value)
    assert caught.value.code == "SBX121"


def test_harmless_devices_and_settings(bundle: Path) -> None:
    rows = [
        {"path": "/dev/null2", "type": "c", "major": 1, "minor": 3, "fileMode": 0o4600},
        {"path": "/x", "type": "p"},
    ]
    devices = read(bundle, "linux.devices", rows).spec.devices
    assert [(item.type, item.mode) for item in devices] == [("c", 0o600), ("p", 0o666)]
    assert read(bundle, "linux.sysctl", {"net.ipv4.ip_forward": "1"}).spec.sysctl == {
        "net.ipv4.ip_forward": "1"
    }
