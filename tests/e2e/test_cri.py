"""A Pod of two containers by containerd's CRI, as a kubelet makes it, on the handler ``sekisho``.

Opt-in (``make e2e``), as root, where containerd, Go (for the client in ``cri/``, with its modules) and a static
busybox are installed. containerd runs in namespaces of its own; its Pods' network is a loopback interface.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conformance.runtime_tools.__main__ import our_runtime
from tests.e2e import engines
from tests.e2e.test_engines import pytestmark as opted

pytestmark = [
    *opted,
    pytest.mark.skipif(shutil.which("containerd") is None, reason="no containerd"),
    pytest.mark.skipif(shutil.which("go") is None, reason="no Go"),
    pytest.mark.skipif(shutil.which("busybox") is None, reason="no busybox"),
]
CLIENT = Path(__file__).parent / "cri"
IMAGE = "docker.io/library/box:1"

CONFIG = """version = 2
root = "{folder}/root"
state = "{folder}/state"
[grpc]
  address = "{folder}/socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{folder}/plugins"
    conf_dir = "{folder}/networks"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "sekisho"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.sekisho]
    runtime_type = "io.containerd.runc.v2"
    pod_annotations = ["sandbox.sekisho.dev/*"]
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.sekisho.options]
      BinaryName = "{runtime}"
"""

PLUGIN = """#!/bin/sh
# A Pod's network for tests: its loopback interface, and an address that nobody asks.
version='"cniVersion":"0.4.0"'
[ "$CNI_COMMAND" = VERSION ] && echo "{$version,\\"supportedVersions\\":[\\"0.4.0\\"]}" && exit
[ "$CNI_COMMAND" = ADD ] && nsenter --net="$CNI_NETNS" ip link set lo up
echo "{$version,\\"interfaces\\":[{\\"name\\":\\"$CNI_IFNAME\\",\\"sandbox\\":\\"$CNI_NETNS\\"}],"
echo '"ips":[{"version":"4","address":"10.9.0.2/24","interface":0}]}'
"""

SHOWN = """pod: SANDBOX_READY sekisho true
containers: 2
one network: 0 hello from web
processes of its own: 0 1
host name: 0 two
status of exec: 9
figures: true true
stopped: CONTAINER_EXITED 3
log: serving
log: beside
pods left: 0
"""


def client(folder: Path) -> str:
    """The client, built."""
    source = folder / "client"
    shutil.copytree(CLIENT, source)
    modules = ("k8s.io/cri-api@v0.36.2", "google.golang.org/grpc")
    for command in (
        ("go", "get", "-C", str(source), *modules),
        ("go", "build", "-C", str(source), "-o", "cri", "."),
    ):
        done = engines.run(*command, check=False)
        if done.returncode:
            pytest.skip(f"the client cannot be built here: {done.stderr[-300:]}")
    return str(source / "cri")


def test_a_pod_of_two_containers(tmp_path: Path) -> None:
    program = client(tmp_path)
    for name in ("plugins", "networks", "logs"):
        (tmp_path / name).mkdir()
    for name in ("loopback", "alone"):
        (tmp_path / "plugins" / name).write_text(PLUGIN, encoding="utf-8")
        (tmp_path / "plugins" / name).chmod(0o755)
    (tmp_path / "networks" / "10.conf").write_text('{"cniVersion":"0.4.0","name":"alone","type":"alone"}')
    root = engines.busybox_root(tmp_path)
    assert root is not None
    image = engines.archive(root, tmp_path / "image.tar", IMAGE)
    socket = tmp_path / "socket"
    with our_runtime() as runtime:
        config = CONFIG.format(folder=tmp_path, image=IMAGE, runtime=runtime)
        (tmp_path / "config.toml").write_text(config, encoding="utf-8")
        words = ("containerd", "--config", str(tmp_path / "config.toml"))
        with engines.daemon(tmp_path, socket, *words, group="sekisho-cri"):
            engines.run("ctr", "--address", str(socket), "-n", "k8s.io", "images", "import", str(image))
            done = engines.run(program, str(socket), "sekisho", IMAGE, str(tmp_path / "logs"), check=False)
            shown = "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
            assert shown == SHOWN, done.stderr
