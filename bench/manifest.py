"""Reading manifests, against PyYAML's loader on libyaml (CSafeLoader) and against gator where it is built.

    python -m bench.manifest

The text is 5,000 objects, about 7 MB: Deployments of one to three containers, ConfigMaps, Services. The plain
one is what people and tools write; in the other each document has an anchor, which sends all of them to the
parser. Times are the best of three runs.
"""

from __future__ import annotations

import gc
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from sekisho.diag import Source
from sekisho.manifest import dump_all, load

COUNT = 5_000
RUNS = 3
GATOR = shutil.which("gator") or "/opt/oracle/bin/gator"


def container(number: int, rng: random.Random) -> dict[str, Any]:
    port = 8000 + number
    return {
        "name": f"c{number}",
        "image": f"registry.example.com/shop/web:{rng.randint(1, 9)}.{rng.randint(0, 99)}",
        "args": ["--port", str(port)],
        "ports": [{"containerPort": port, "protocol": "TCP"}],
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        "resources": {
            "limits": {"cpu": "500m", "memory": "256Mi"},
            "requests": {"cpu": "100m", "memory": "128Mi"},
        },
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": port}, "initialDelaySeconds": 10},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def object_of(number: int, rng: random.Random) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": f"web-{number}", "namespace": f"ns-{number % 50}"}
    labels = {"app": f"web-{number}", "app.kubernetes.io/version": f"1.{number % 30}"}
    match number % 6:
        case 0:
            data = {"config.ini": f"[server]\nport = 80\n# {number}\n\n[log]\nlevel = info\n", "mode": "0644"}
            return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        case 1:
            spec: dict[str, Any] = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]}
            return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    containers = [container(index, rng) for index in range(rng.randint(1, 3))]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers, "volumes": []}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    metadata |= {"labels": labels, "annotations": {"description": f"The web server, number {number}"}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def best(function: Callable[[], Any]) -> float:
    times = []
    for _ in range(RUNS):
        gc.collect()
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def gator(text: str) -> float | None:
    """Seconds that ``gator test`` takes for the objects and one template, most of them for reading."""
    if not Path(GATOR).exists():
        return None
    policies = Path(__file__).parents[1] / "src" / "sekisho" / "examples" / "shop" / "policies"
    template = min(policies.glob("*.yaml"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "objects.yaml"
        file.write_text(text, encoding="utf-8")
        command = [GATOR, "test", "-f", str(file), "-f", str(template)]
        return best(lambda: subprocess.run(command, capture_output=True, check=False))


def same(text: str) -> bool:
    wanted = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    return [document.value for document in load(Source("objects.yaml", text))] == wanted


def main() -> int:
    rng = random.Random(1)
    text = dump_all(object_of(number, rng) for number in range(COUNT))
    anchored = text.replace("apiVersion:", "&root\napiVersion:")
    assert same(text), "both readers give the same"
    peer = best(lambda: list(yaml.load_all(text, Loader=yaml.CSafeLoader)))
    rows = [
        ("plain text, line by line", best(lambda: load(Source("objects.yaml", text)))),
        ("the same through libyaml's events", best(lambda: load(Source("objects.yaml", anchored)))),
    ]
    documents = load(Source("objects.yaml", text))
    path = ("spec", "template", "spec", "containers", 0, "image")
    start = time.perf_counter()
    for document in documents:
        document.locate(path)
    rows.append(("positions of every document", time.perf_counter() - start))
    print(f"{COUNT:,} objects, {len(text) / 1e6:.1f} MB; CSafeLoader: 1.00 ({peer:.2f} s)")
    for name, seconds in rows:
        print(f"{name + ':':36} {seconds / peer:.2f} ({peer / seconds:.1f} times as fast)")
    whole = gator(text)
    if whole is None:
        print("gator is not installed")
    else:
        times = whole / rows[0][1]
        print(f"{'gator test with one policy:':36} {whole / peer:.2f} ({times:.1f} times plain text)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
