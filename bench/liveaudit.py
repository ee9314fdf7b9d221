"""The live audit of 20,000 objects on the embedded server, by the policy library; again after 1 % changed.

The server, its clients and the audit are processes of their own. What is told of the audit is all that its
process does: lists, packing, judging, writing statuses and reports, and hearing of the changes afterwards.
With ``--data FOLDER`` the cluster is kept, and filled only once.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.simulators.up import Up, resident
from tests.simulators.wire import Access, Wire, access_of

from sekisho import manifest
from sekisho.diag import Source
from sekisho.policy.library import bundle_objects, entry

ROOT = Path(__file__).parents[1]
OBJECTS = 20_000
NAMESPACES = 50
CONNECTIONS = 16
SETTLED_SECONDS = 60.0
MIX = (("pods", 14_000), ("configmaps", 4_500), ("services", 500), ("deployments", 1_000 - NAMESPACES))
CRDS = ("policy/crds/constrainttemplate.yaml", "audit/crds/policyreport.yaml")
GROUPS = {"deployments": "apis/apps/v1"}


BUNDLE = "pod-security-baseline"
CHOSEN: tuple[tuple[str, dict[str, Any] | None], ...] = (
    ("K8sRequiredLabels", {"labels": [{"key": "owner"}]}),
    ("K8sAllowedRepos", {"repos": ["registry.example/"]}),
    ("K8sContainerLimits", {"cpu": "2", "memory": "1Gi"}),
    ("K8sDisallowedTags", {"tags": ["latest"]}),
    ("K8sPSPAllowPrivilegeEscalationContainer", {}),
    ("K8sExternalIPs", {"allowedIPs": []}),
    ("K8sBlockNodePort", {}),
    ("K8sBlockWildcardIngress", {}),
    ("K8sHttpsOnly", {}),
    ("K8sUniqueServiceSelector", {}),
    ("K8sUniqueIngressHost", {}),
    ("K8sDisallowAnonymous", {}),
)
"""Policies as clusters have them, two of which look at other objects; one object in ten violates one."""


def policies() -> list[dict[str, Any]]:
    """The bundle, and the chosen ones about what their first samples are about."""
    rows = [dict(row.raw) for row in bundle_objects([BUNDLE], known=())]
    there = {row["metadata"]["name"] for row in rows}
    for name, parameters in CHOSEN:
        found = entry(name)
        if found.template.name not in there:
            rows.append(dict(found.template.raw))
        sample = json.loads(json.dumps(dict(found.sample(found.samples[0]).raw)))
        kinds = sample["spec"].get("match", {}).get("kinds")
        if name == "K8sRequiredLabels":
            kinds = [{"apiGroups": ["*"], "kinds": ["Pod", "Service", "ConfigMap", "Deployment"]}]
        sample["spec"] = {"match": {"kinds": kinds} if kinds else {}, "parameters": parameters}
        rows.append(sample)
    return rows


def body(what: str, number: int) -> dict[str, Any]:
    """One object; one in ten has no owner, one in twenty runs an image of anywhere."""
    space = f"team-{number % NAMESPACES}"
    labels = {"app": f"app-{number}", **({"owner": space} if number % 10 else {})}
    metadata = {"name": f"{what[:-1]}-{number}", "namespace": space, "labels": labels}
    registry = "registry.example" if number % 20 else "docker.io"
    container = {
        "name": "app",
        "image": f"{registry}/team/app:1.{number % 7}",
        "ports": [{"containerPort": 8080, "name": "http"}],
        "env": [{"name": f"SETTING_{at}", "value": f"value-{at}"} for at in range(6)],
        "resources": {
            "requests": {"cpu": "100m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "128Mi"},
        },
        "securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
    }
    pod = {"containers": [container]}
    match what:
        case "pods":
            return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}
        case "configmaps":
            data = {f"key-{at}": "value " * 10 for at in range(5)}
            return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        case "services":
            spec = {"selector": {"app": f"app-{number}"}, "ports": [{"port": 80, "targetPort": 8080}]}
            return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    selector = {"matchLabels": {"app": f"app-{number}"}}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 0, "selector": selector, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def path(what: str, value: dict[str, Any], *, named: bool = False) -> str:
    metadata = value["metadata"]
    name = f"/{metadata['name']}" if named else ""
    return f"/{GROUPS.get(what, 'api/v1')}/namespaces/{metadata['namespace']}/{what}{name}"


async def ask(access: Access, requests: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Send all of these, over several connections; a refusal raises AssertionError."""
    wires = [await Wire.open(access) for _ in range(CONNECTIONS)]
    rest = iter(requests)

    async def work(wire: Wire) -> None:
        for method, place, value in rest:
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            reply = await wire.ask(method, place, json.dumps(value).encode(), kind)
            assert reply.code in (200, 201), reply.body[:300]

    await asyncio.gather(*(work(wire) for wire in wires))
    for wire in wires:
        wire.close()


async def fill(access: Access) -> None:
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{at}"}}
        for at in range(NAMESPACES)
    ]
    await ask(access, [("POST", "/api/v1/namespaces", row) for row in spaces])
    rows = [(what, body(what, number)) for what, count in MIX for number in range(count)]
    await ask(access, [("POST", path(what, row), row) for what, row in rows])


async def govern(access: Access) -> None:
    """The library: templates, the definitions of their constraints where nobody makes them, constraints."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    rows = [
        document.value
        for name in CRDS
        for document in manifest.load(Source(name, (ROOT / "src/sekisho" / name).read_text()))
    ]
    objects = policies()
    templates = [row for row in objects if row["kind"] == "ConstraintTemplate"]
    kinds = [row["spec"]["crd"]["spec"]["names"]["kind"] for row in templates]
    wire = await Wire.open(access)
    for row in rows:
        await wire.ask("POST", crds, json.dumps(row).encode())
    await settled(wire, "/apis/templates.gatekeeper.sh/v1/constrainttemplates")
    for row in templates:
        reply = await wire.ask(
            "POST", "/apis/templates.gatekeeper.sh/v1/constrainttemplates", json.dumps(row).encode()
        )
        assert reply.code == 201, reply.body[:300]
    for kind in kinds:
        await wire.ask("POST", crds, json.dumps(constraint_crd(kind)).encode())
    for row in (row for row in objects if row["kind"] in kinds):
        place = f"/apis/constraints.gatekeeper.sh/v1beta1/{row['kind'].lower()}"
        await settled(wire, place)
        reply = await wire.ask("POST", place, json.dumps(row).encode())
        assert reply.code == 201, reply.body[:300]
    wire.close()


async def settled(wire: Wire, place: str) -> None:
    """Wait until a kind is served."""
    until = time.monotonic() + SETTLED_SECONDS
    while (await wire.ask("GET", f"{place}?limit=1")).code != 200:
        assert time.monotonic() < until, f"{place} is not served"
        await asyncio.sleep(0.05)


def constraint_crd(kind: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1beta1", "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}.constraints.gatekeeper.sh"},
        "spec": {
            "group": "constraints.gatekeeper.sh",
            "names": {"kind": kind, "plural": kind.lower(), "singular": kind.lower()},
            "scope": "Cluster",
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }


async def audit(kubeconfig: str) -> None:
    """The process that is measured: a pass for each line that comes in, and a line of figures for each."""
    from sekisho.cli.auditing.compose import Auditing, compose
    from sekisho.cluster.client import Client
    from sekisho.cluster.kubeconfig import load

    async with Client(load(kubeconfig)) as client:
        composed = compose(client, Auditing(interval=0, share=1))
        used = 0.0
        while await asyncio.to_thread(sys.stdin.readline):
            found = await composed.audit.once()
            times = os.times()
            spent, used = times.user + times.system - used, times.user + times.system
            figures = {
                "cpu": spent,
                "seconds": found.seconds,
                "objects": len(found.ledger.entries),
                "judged": found.ledger.asked,
                "findings": sum(1 for entry in found.ledger.entries.values() for _ in entry.findings()),
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "memory": resident(os.getpid()),
                "problems": [row.message for row in found.problems],
            }
            print(json.dumps(figures), flush=True)
        await composed.audit.close()


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("pass\n")
    process.stdin.flush()
    return dict(json.loads(process.stdout.readline()))


def show(what: str, row: dict[str, Any]) -> None:
    print(
        f"{what}: {row['seconds']:.2f} s, {row['cpu']:.2f} s of CPU, {row['objects']:,} objects, "
        f"{row['judged']:,} verdicts made, {row['findings']:,} findings; "
        f"memory {row['memory']:.0f} MB, at most {row['peak']:.0f} MB",
        flush=True,
    )
    for problem in row["problems"]:
        print(f"  {problem}")


def changes(share: int, kinds: tuple[str, ...]) -> list[tuple[str, str, dict[str, Any]]]:
    """A hundredth of the objects, each with a label more."""
    rows = [
        (what, body(what, number))
        for what, count in MIX
        if what in kinds
        for number in range(0, count, share)
    ]
    touched = {"metadata": {"labels": {"touched": str(time.time_ns())}}}
    return [("PATCH", path(what, row, named=True), touched) for what, row in rows]


def main(folder: Path) -> None:
    filled = folder / "filled"
    with Up.start(folder / "data") as up:
        access = access_of(up.kubeconfig)
        if not filled.exists():
            began = time.perf_counter()
            asyncio.run(fill(access))
            asyncio.run(govern(access))
            filled.touch()
            print(f"made in {time.perf_counter() - began:.0f} s")
        print(f"{OBJECTS:,} objects, {len(policies())} policies")
        command = [sys.executable, "-m", "bench.liveaudit", "--audit", str(up.kubeconfig)]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        ) as process:
            first = told(process)
            show("first pass", first)
            show("settling", told(process))
            everything = tuple(what for what, _ in MIX)
            for what, kinds, share in (
                ("nothing", (), 1),
                ("1 % of all", everything, 100),
                ("1 %, none that a referential policy reads", ("pods", "configmaps"), 85),
            ):
                asyncio.run(ask(access, changes(share, kinds)))
                time.sleep(0.5)
                again = told(process)
                show(f"after {what} changed", again)
                print(f"  {again['cpu'] / first['cpu']:.1%} of the first pass's CPU")
            print(f"the server: {resident(up.process.pid):.0f} MB")
            assert process.stdin is not None
            process.stdin.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--audit"]:
        asyncio.run(audit(sys.argv[2]))
    elif sys.argv[1:2] == ["--data"]:
        Path(sys.argv[2]).mkdir(exist_ok=True)
        main(Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as name:
            main(Path(name))
