"""Schema validation and defaulting of objects, against jsonschema-rs on the same definitions.

    python -m bench.schema

The objects are 5,000 valid Deployments, Pods, Services and ConfigMaps of different shapes. jsonschema-rs
gets the same definitions as one JSON schema with references; it is compiled before the clock starts, as ours
is. Times are the best of five runs in one process, but for the first object, which starts a new one.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from sekisho.kube.defaults import with_defaults
from sekisho.kube.object import Object
from sekisho.kube.schema import NEWEST, validate_object
from sekisho.kube.schema.store import store

COUNT = 5_000
RUNS = 5


def pod_spec(number: int) -> dict[str, Any]:
    containers = [
        {
            "name": f"c{index}",
            "image": f"registry.example.com/shop/web:{number}",
            "ports": [{"containerPort": 8080, "name": "http"}],
            "env": [{"name": f"V{variable}", "value": str(number)} for variable in range(number % 7)],
            "resources": {
                "limits": {"cpu": "500m", "memory": "256Mi"},
                "requests": {"cpu": "100m", "memory": "128Mi"},
            },
            "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}, "periodSeconds": 5},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
            "securityContext": {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
        for index in range(1 + number % 3)
    ]
    return {
        "serviceAccountName": "web",
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": containers,
        "volumes": [{"name": "data", "configMap": {"name": "web"}}],
    }


def object_of(number: int) -> dict[str, Any]:
    metadata = {"name": f"x{number}", "namespace": "shop", "labels": {"app": "web", "tier": str(number)}}
    match number % 4:
        case 0:
            template = {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec(number)}
            spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template}
            return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
        case 1:
            return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec(number)}
        case 2:
            spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}
            return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
        case _:
            data = {f"key{row}": "value" for row in range(20)}
            return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def json_schema(definition: str) -> dict[str, Any]:
    """A definition and all that it refers to, as one JSON schema for a library that knows no Kubernetes."""
    minor = int(NEWEST.partition(".")[2])
    found: dict[str, Any] = {}

    def convert(node: Any) -> Any:
        if isinstance(node, list):
            return [convert(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            name = node["$ref"]
            if name not in found:
                found[name] = {}
                found[name] = convert(store().definition(name, minor))
            return {"$ref": f"#/$defs/{name}"}
        out = {key: convert(value) for key, value in node.items()}
        if node.get("type") == "object" and "properties" in node:
            out["additionalProperties"] = False
        return out

    return {**convert(store().definition(definition, minor)), "$defs": found}


def peer(objects: list[dict[str, Any]]) -> Callable[[], object] | None:
    try:
        import jsonschema_rs
    except ImportError:
        return None
    validators = {
        ("apps/v1", "Deployment"): "io.k8s.api.apps.v1.Deployment",
        ("v1", "Pod"): "io.k8s.api.core.v1.Pod",
        ("v1", "Service"): "io.k8s.api.core.v1.Service",
        ("v1", "ConfigMap"): "io.k8s.api.core.v1.ConfigMap",
    }
    compiled = {kind: jsonschema_rs.validator_for(json_schema(name)) for kind, name in validators.items()}
    work = [(compiled[raw["apiVersion"], raw["kind"]], raw) for raw in objects]
    assert all(validator.is_valid(raw) for validator, raw in work)
    return lambda: [validator.is_valid(raw) for validator, raw in work]


FIRST = """
import time, sys
from sekisho.kube.object import Object
from sekisho.kube.schema import validate_object
from bench.schema import object_of
raw = object_of(1)
start = time.perf_counter()
assert validate_object(Object(raw)) == ()
print(time.perf_counter() - start)
"""


def first_object() -> float:
    """Seconds for the first Pod of a process: opening the data file, reading and compiling definitions."""
    times = [
        float(
            subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True).stdout
        )
        for _ in range(RUNS)
    ]
    return min(times)


def rows() -> list[tuple[str, str]]:
    """What was measured, and the figure."""
    raws = [object_of(number) for number in range(COUNT)]
    objects = [Object(raw) for raw in raws]
    assert all(validate_object(object) == () for object in objects)
    ours = best(lambda: [validate_object(object) for object in objects])
    pods = [raw for raw in raws if raw["kind"] == "Pod"]
    defaults = best(lambda: [with_defaults(raw) for raw in pods])
    table = [
        (f"schema: {COUNT:,} valid objects, each", f"{ours / COUNT * 1e6:.1f} µs"),
        ("schema: the first Pod of a process", f"{first_object() * 1e3:.1f} ms"),
        ("defaults: a Pod", f"{defaults / len(pods) * 1e6:.1f} µs"),
    ]
    other = peer(raws)
    if other is not None:
        table.append(("schema: ours to jsonschema-rs, time", f"{ours / best(other):.2f}"))
    return table


def main() -> None:
    for name, figure in rows():
        print(f"{name:45} {figure:>12}")


if __name__ == "__main__":
    main()
