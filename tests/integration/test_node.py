"""Pods in sandboxes, driven by a real kubectl: what ``sekisho up --node`` is for.

Needs a machine that can run sandboxes as root, a kubectl, and a python3 of the system's.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.kubectl.driver import Kubectl, installed, version_of
from tests.conformance.kubectl.streaming import shout
from tests.simulators.up import ROOT, Up

from sekisho.diag import Deadline
from sekisho.node.images import this_platform
from sekisho.node.node import reason_against
from sekisho.oci.content import MANIFEST
from sekisho.oci.layout import Layout

SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MODULE = ("sekisho", "up", "--node", "--data", "{folder}", "--port", "{port}", "-o", "json")
MODULE_WITH_IMAGES = (*MODULE, "--host-image", "busybox:*", "--images", "{folder}-images")
PODS = ROOT / "src" / "sekisho" / "examples" / "sandbox" / "pods.yaml"


def _kubectl() -> Path | None:
    found = installed()
    if found:
        return found[-1]
    named = shutil.which("kubectl")
    return Path(named) if named else None


WHY = reason_against()
KUBECTL = None if WHY else _kubectl()
pytestmark = [
    pytest.mark.skipif(bool(WHY), reason=WHY or "-"),
    pytest.mark.skipif(not WHY and KUBECTL is None, reason="there is no kubectl on this machine"),
    pytest.mark.skipif(shutil.which("python3", path=SYSTEM) is None, reason="the system has no python3"),
]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("node")
    make_image(folder / "data-images" / "tiny", "1")
    with Up.start(folder / "data", module=MODULE_WITH_IMAGES) as running:
        yield running
    assert "Traceback" not in running.log
    assert leftovers(running.folder) == []


def make_image(folder: Path, tag: str) -> None:
    """An OCI layout whose image has a shell, what that needs, and nothing else."""
    found = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True).stdout
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", dereference=True) as archive:
        for path in ("/bin/sh", *re.findall(r"(/\S+) \(0x", found)):
            archive.add(path, path.lstrip("/"))
    layer = file.getvalue()
    config = {
        "os": this_platform().os,
        "architecture": this_platform().architecture,
        "config": {
            "Entrypoint": ["/bin/sh", "-c"],
            "Cmd": ["echo I am $WHO; exec sleep 1"],
            "Env": ["WHO=tiny"],
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }

    async def put() -> None:
        layout, soon = Layout.created(folder), Deadline.after(60)
        kinds = ("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar")
        rows = [
            await layout.put_blob(body, kind, deadline=soon)
            for body, kind in zip((json.dumps(config).encode(), layer), kinds, strict=True)
        ]
        value = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": rows[0].raw(),
            "layers": [rows[1].raw()],
        }
        await layout.put_manifest(json.dumps(value).encode(), MANIFEST, tag=tag, deadline=soon)

    asyncio.run(put())


def leftovers(folder: Path) -> list[str]:
    """Processes and cgroups that are there after the end, of Pods whose folders were in this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if str(folder / "node") in line:
                found.append(line)
    return found


def client(up: Up, folder: Path, namespace: str = "default") -> Kubectl:
    assert KUBECTL is not None
    return Kubectl(KUBECTL, up.kubeconfig, folder, namespace, version_of(KUBECTL)[1])


@pytest.fixture
def k(up: Up, tmp_path: Path, request: pytest.FixtureRequest) -> Kubectl:
    namespace = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60].strip("-")
    found = client(up, tmp_path, namespace)
    found.ok(f"create namespace {namespace}")
    return found


def pod(name: str, container: str, spec: str = "") -> str:
    return f"""\
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 1
  {spec}
  containers: [{{name: c, image: "busybox:1", {container}}}]
"""


def until(k: Kubectl, what: str, path: str, wanted: str) -> str:
    """Wait for a field's value."""
    end = time.monotonic() + 30
    while not re.fullmatch(wanted, found := k.value(f"get {what}", path)):
        assert time.monotonic() < end, f"{what} {path} is {found!r}, not {wanted!r}: {k.ok('get events')}"
        time.sleep(0.1)
    return found


def test_a_web_server_and_a_job(k: Kubectl) -> None:
    k.ok(f"apply -f {PODS}", "deployment.apps/web created", "job.batch/sum created")
    k.ok("rollout status deployment/web --timeout=45s", "successfully rolled out")
    k.ok("wait --for=condition=complete job/sum --timeout=30s")
    assert k.ok("logs job/sum") == "499500\n"
    name = k.value("get pod -l app=web", ".items[0].metadata.name")
    k.ok(f"logs {name} -c web", 'GET /index.html HTTP/1.1" 200')
    assert k.ok(f"exec {name} -c web -- cat /prepared/note") == f"prepared for {name}\n"
    assert k.ok(f"exec {name} -c web -- sh -c 'echo $TOKEN; hostname'") == f"not-very-secret\n{name}\n"
    k.fails(f"exec {name} -c web -- sh -c 'exit 3'", code=3)
    k.fails(f"exec {name} -c web -- no-such-program", "it is not there|executable file not found")
    text = "line\n" * 10_000
    assert k.ok(f"exec -i {name} -c web -- cat", stdin=text) == text
    with k.background(f"port-forward {name} :8080") as wait:
        found = re.search(r"127\.0\.0\.1:(\d+) -> 8080", wait(r"127\.0\.0\.1:\d+ -> 8080"))
        assert found is not None
        page = subprocess.run(
            ["curl", "-s", f"http://127.0.0.1:{found[1]}/"], capture_output=True, text=True, check=False
        )
        assert page.stdout == "hello from a sandbox\n"
    k.ok(f"describe pod {name}", "Started container web", r"Ready +True", "sekisho://")
    k.ok("delete deployment web --timeout=30s", "deleted")
    k.ok("wait --for=delete pod -l app=web --timeout=30s")


def test_an_image_of_a_layout_has_its_own_root_and_settings(k: Kubectl) -> None:
    k.ok("create -f -", stdin=pod("own", "", "restartPolicy: Never").replace("busybox:1", "tiny:1"))
    until(k, "pod own", ".status.phase", "Succeeded|Failed")
    k.ok("logs own", "^I am tiny$", "sleep: not found")
    k.ok("get events", "Successfully pulled image|already present on machine")
    text = "args: ['read x; echo $x > /kept; read y < /kept; echo $y'], stdin: true, stdinOnce: true"
    k.ok("create -f -", stdin=pod("typed", text, "restartPolicy: Never").replace("busybox:1", "tiny:1"))
    k.ok("wait --for=condition=Ready pod/typed --timeout=30s")
    assert k.ok("attach -i typed", stdin="hello\n") == "hello\n"


def test_files_are_copied_both_ways(k: Kubectl) -> None:
    k.ok("create -f -", stdin=pod("p", "command: [sleep, '600']"))
    k.ok("wait --for=condition=Ready pod/p --timeout=30s")
    (k.folder / "tree" / "deep").mkdir(parents=True)
    (k.folder / "tree" / "deep" / "file").write_bytes(os.urandom(300_000))
    k.ok("cp tree p:/tmp/tree")
    k.ok("cp p:/tmp/tree back")
    assert (k.folder / "back/deep/file").read_bytes() == (k.folder / "tree/deep/file").read_bytes()


def test_a_terminal_has_the_size_of_the_clients(k: Kubectl) -> None:
    k.ok("create -f -", stdin=pod("p", "command: [sleep, '600']"))
    k.ok("wait --for=condition=Ready pod/p --timeout=30s")
    with k.terminal("exec -it p -- sh", columns=91, rows=33) as shell:
        shell.expect(r"[$#] $")
        shell.type("until stty size | grep '33 91'; do sleep 0.1; done\r")
        shell.expect(r"33 91\r")
        shell.resize(columns=70, rows=20)
        shell.type("until stty size | grep '20 70'; do sleep 0.1; done\r")
        shell.expect(r"20 70\r")
        shell.type("exit 7\r")
        shell.expect("exit code 7")
    assert shell.code == 7


def test_a_container_is_attached_to_and_debugged(k: Kubectl) -> None:
    done = k.run(
        "run once -i --rm --restart=Never --image=busybox:1 --command -- sh -c 'read x; echo got $x; exit 5'",
        stdin="hello\n",
    )
    assert "got hello" in done.out
    assert done.code == 5, done
    k.ok("create -f -", stdin=pod("p", "command: [sleep, '600']"))
    k.ok("wait --for=condition=Ready pod/p --timeout=30s")
    k.ok("debug pod/p --image=busybox:1 --container=dbg --profile=general --attach=false -- sh -c 'hostname'")
    until(k, "pod p", ".status.ephemeralContainerStatuses[0].state.terminated.exitCode", "0")
    assert k.ok("logs p -c dbg") == "p\n"


PORTS = """
import socket
for family, address in ((socket.AF_INET, "0.0.0.0"),):
    server = socket.create_server((address, 80), family=family)
while True:
    connection, _ = server.accept()
    said = b""
    while data := connection.recv(65536):
        said += data
    connection.sendall(said.upper())
    connection.close()
"""


def test_connections_are_half_closed_and_privileged_ports_are_the_pods_own(k: Kubectl) -> None:
    k.file("serve.py", PORTS)
    k.ok("create configmap code --from-file=serve.py")
    volume = "volumes: [{name: code, configMap: {name: code}}]"
    mount = "volumeMounts: [{name: code, mountPath: /code}]"
    probe = "readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}"
    k.ok("create -f -", stdin=pod("p", f"command: [python3, /code/serve.py], {mount}, {probe}", volume))
    k.ok("wait --for=condition=Ready pod/p --timeout=30s")
    with k.background("port-forward pod/p :80") as wait:
        found = re.search(r"127\.0\.0\.1:(\d+) -> 80", wait(r"127\.0\.0\.1:\d+ -> 80"))
        assert found is not None
        answer = shout(int(found[1]), 1)
    assert answer.startswith(b"CONNECTION 1\n")
    assert len(answer) == 13 * 20_000


FAILING = (
    ("crash", "command: [sh, -c, 'echo dying; echo why > /dev/termination-log; exit 4']", "CrashLoopBackOff"),
    ("command", "command: [no-such-program]", "StartError|CrashLoopBackOff"),
    ("config", "envFrom: [{configMapRef: {name: absent}}]", "CreateContainerConfigError"),
)


def test_what_goes_wrong_is_told_as_a_kubelet_tells_it(k: Kubectl) -> None:
    for name, container, _ in FAILING:
        k.ok("create -f -", stdin=pod(name, container))
    k.ok("create -f -", stdin=pod("image", "").replace("busybox:1", "nginx:1"))
    memory = "command: [python3, -c, 'bytearray(300 << 20)'], resources: {limits: {memory: 64Mi}}"
    k.ok("create -f -", stdin=pod("memory", memory, "restartPolicy: Never"))
    state = ".status.containerStatuses[0].state"
    for name, _, reason in FAILING:
        until(k, f"pod {name}", f"{state}.*.reason", reason)
    until(k, "pod image", f"{state}.waiting.reason", "ErrImagePull|ImagePullBackOff")
    assert until(k, "pod memory", ".status.phase", "Failed")
    assert k.value("get pod memory", f"{state}.terminated.reason") == "OOMKilled"
    last = ".status.containerStatuses[0].lastState.terminated"
    assert until(k, "pod crash", f"{last}.exitCode", "4")
    assert k.value("get pod crash", f"{last}.message") == "why\n"
    assert k.ok("logs crash --previous") == "dying\n"
    k.ok("get events", "Back-off restarting failed container c", 'configmap "absent" not found')


def test_probes_start_a_container_again(k: Kubectl) -> None:
    probe = "livenessProbe: {exec: {command: [sh, -c, 'exit 1']}, periodSeconds: 1, failureThreshold: 1}"
    k.ok("create -f -", stdin=pod("p", f"command: [sleep, '600'], {probe}"))
    until(k, "pod p", ".status.containerStatuses[0].restartCount", "[1-9]")
    k.ok("get events", "Liveness probe failed", "Container c failed liveness probe, will be restarted")


REFUSED = (
    ("hostNetwork: true", "SandboxUnsupported"),
    ("volumes: [{name: v, hostPath: {path: /etc}}]", "VolumeUnsupported"),
    ("nodeName: NODE\n  runtimeClassName: other", "RuntimeClassUnsupported"),
)
CLASS = "{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: other}, handler: runc}"


def test_what_a_sandbox_is_not_given_is_refused(k: Kubectl) -> None:
    node = k.value("get nodes", ".items[0].metadata.name")
    k.ok("apply -f -", stdin=CLASS)
    for number, (spec, reason) in enumerate(REFUSED):
        k.ok("create -f -", stdin=pod(f"p{number}", "", spec.replace("NODE", node)))
        assert until(k, f"pod p{number}", ".status.reason", reason)
        assert k.value(f"get pod p{number}", ".status.phase") == "Failed"
    k.ok("create -f -", stdin=pod("waits", "", "runtimeClassName: other"))
    until(k, "pod waits", ".status.conditions[0].reason", "Unschedulable")
    k.ok("get events", 'run the runtime class "sekisho" only')
    labels = 'labels: {sandbox.sekisho.dev/untrusted: "true"}'
    untrusted = pod("untrusted", "").replace("{name: untrusted}", f"{{name: untrusted, {labels}}}")
    k.fails("create -f -", "need runtimeClassName: sekisho", stdin=untrusted)
    k.ok("create -f -", stdin=untrusted.replace("spec:\n", "spec:\n  runtimeClassName: sekisho\n"))


def test_no_container_sees_the_keys_of_the_cluster(k: Kubectl, up: Up) -> None:
    k.ok("create -f -", stdin=pod("p", "command: [sleep, '600']"))
    k.ok("wait --for=condition=Ready pod/p --timeout=30s")
    assert (up.folder / "token").exists()
    k.fails(f"exec p -- cat {up.folder}/token", "No such file|Permission denied|cannot")
    k.fails(f"exec p -- ls {up.folder}", "No such file")
    assert k.ok("exec p -- ls -A /root /home /var/lib") == "/home:\n\n/root:\n\n/var/lib:\n"
    assert k.ok("exec p -- cat /etc/shadow") == ""


def test_after_a_crash_pods_are_started_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (tmp_path / "data-images").mkdir()
    up = Up.start(folder, module=MODULE_WITH_IMAGES)
    try:
        k = client(up, tmp_path)
        k.ok("create -f -", stdin=pod("always", "command: [sh, -c, 'echo $$; sleep 600']"))
        k.ok("create -f -", stdin=pod("never", "command: [sleep, '600']", "restartPolicy: Never"))
        k.ok("wait --for=condition=Ready pod/always pod/never --timeout=30s")
        up.kill()
        time.sleep(0.5)
        assert leftovers(folder) == []
        up = Up.start(folder, module=MODULE_WITH_IMAGES)
        until(k, "pod never", ".status.phase", "Failed")
        k.ok("wait --for=condition=Ready pod/always --timeout=30s")
        state = ".status.containerStatuses[0].state.terminated.reason"
        assert k.value("get pod never", state) == "ContainerStatusUnknown"
        assert until(k, "pod always", ".status.containerStatuses[0].restartCount", "1")
    finally:
        up.stop()
