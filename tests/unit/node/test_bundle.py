"""Containers as OCI configurations, and Pods that no sandbox runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sekisho.node import bundle
from sekisho.node.problems import ConfigProblem, Refusal
from sekisho.node.rootfs import Image
from sekisho.sandbox.oci_runtime import decode


def image(root: Path, **more: Any) -> Image:
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nweb:x:33:44::/:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nops:x:55:\n")
    return Image(identity="i", root=root, entrypoint=("/entry",), command=("serve",), **more)


def config(root: Path, container: dict[str, Any], spec: dict[str, Any] | None = None, **more: Any) -> Any:
    made = bundle.Made(
        image=image(root, **more),
        variables={"A": "1"},
        namespaces={
            kind: f"/proc/self/ns/{name}"
            for kind, name in (("network", "net"), ("ipc", "ipc"), ("uts", "uts"))
        },
        hostname="p",
        mounts=[("/host/v", "/v", True)],
    )
    return bundle.config({"name": "c", "image": "i", **container}, {"spec": spec or {}}, made)


@pytest.mark.parametrize(
    ("container", "wanted"),
    [
        ({}, ["/entry", "serve"]),
        ({"args": ["x", "$(A)"]}, ["/entry", "x", "1"]),
        ({"command": ["sh", "-c"]}, ["sh", "-c"]),
        ({"command": ["sh"], "args": ["$$(A)"]}, ["sh", "$(A)"]),
    ],
)
def test_arguments(tmp_path: Path, container: dict[str, Any], wanted: list[str]) -> None:
    assert config(tmp_path, container)["process"]["args"] == wanted


@pytest.mark.parametrize(
    ("user", "context", "wanted"),
    [
        ("", {}, (0, 0)),
        ("web", {}, (33, 44)),
        ("33", {}, (33, 44)),
        ("web:ops", {}, (33, 55)),
        ("77", {}, (77, 0)),
        ("web", {"runAsUser": 9}, (9, 0)),
        ("web", {"runAsUser": 9, "runAsGroup": 8}, (9, 8)),
    ],
)
def test_users(tmp_path: Path, user: str, context: dict[str, Any], wanted: tuple[int, int]) -> None:
    found = config(tmp_path, {"securityContext": context}, user=user)["process"]["user"]
    assert (found["uid"], found["gid"]) == wanted


@pytest.mark.parametrize(
    ("container", "user", "message"),
    [
        ({"securityContext": {"runAsNonRoot": True}}, "", "runAsNonRoot and image will run as root"),
        ({}, "nobody-here", "unable to find user nobody-here"),
        ({}, "web:none", "unable to find group none"),
        ({"securityContext": {"capabilities": {"add": ["ALL"]}}}, "", "ALL is given to no sandbox"),
    ],
)
def test_what_cannot_be_configured(
    tmp_path: Path, container: dict[str, Any], user: str, message: str
) -> None:
    with pytest.raises(ConfigProblem, match=message):
        config(tmp_path, container, user=user)


def test_the_image_cannot_lead_out_of_its_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (tmp_path / "passwd").write_text("evil:x:4242:4242::/:/bin/sh\n")
    made = image(root, user="evil")
    (root / "etc/passwd").unlink()
    (root / "etc/passwd").symlink_to(tmp_path / "passwd")
    with pytest.raises(ConfigProblem, match="unable to find user evil"):
        bundle._user({}, made)


def test_limits(tmp_path: Path) -> None:
    resources = {"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": "250m"}}
    found = config(tmp_path, {"resources": resources})["linux"]["resources"]
    assert found == {
        "pids": {"limit": 4096},
        "cpu": {"quota": 50_000, "period": 100_000, "shares": 256},
        "memory": {"limit": 64 * 1024 * 1024},
    }


def test_the_runtime_takes_the_configuration(tmp_path: Path) -> None:
    context = {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}, "readOnlyRootFilesystem": True}
    written = config(tmp_path, {"securityContext": context, "tty": True})
    spec = decode.decode(written, bundle=str(tmp_path), id="x").spec
    assert spec.root.readonly
    assert spec.process.terminal
    assert spec.process.capabilities == {"CAP_NET_BIND_SERVICE"}
    assert set(spec.namespaces.joined) == {"network", "ipc", "uts"}
    assert ("/v", "/host/v") in [(mount.destination, mount.source) for mount in spec.mounts]
    writable = decode.decode(config(tmp_path, {}), bundle=str(tmp_path), id="x").spec
    assert writable.root.writes == "memory"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"hostPID": True}, "hostPID"),
        ({"hostIPC": True}, "hostIPC"),
        ({"shareProcessNamespace": True}, "shareProcessNamespace"),
        ({"os": {"name": "windows"}}, "OS field doesn't match"),
        ({"containers": [{"name": "c", "securityContext": {"privileged": True}}]}, "c is privileged"),
        ({"initContainers": [{"name": "i", "securityContext": {"privileged": True}}]}, "i is privileged"),
        ({"containers": [{"name": "c", "ports": [{"containerPort": 1, "hostPort": 80}]}]}, "host's port 80"),
    ],
)
def test_pods_that_no_sandbox_runs(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        bundle.check_pod({"containers": [], **spec})
