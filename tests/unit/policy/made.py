"""Objects for tests of the engine."""

from __future__ import annotations

from typing import Any

from sekisho.kube.object import Object
from sekisho.policy import Engine

HOST_PID = 'violation contains {"msg": "no hostPID"} if input.review.object.spec.hostPID'


def template(rego: str = HOST_PID, kind: str = "K8sThing", schema: Any = None, **target: Any) -> Object:
    """A template of this Rego (v1), whose package is added."""
    source = {"version": "v1", "rego": f"package t\n\n{rego}\n"}
    validation = {"validation": {"openAPIV3Schema": schema}} if schema else {}
    return Object(
        {
            "apiVersion": "templates.gatekeeper.sh/v1",
            "kind": "ConstraintTemplate",
            "metadata": {"name": kind.lower()},
            "spec": {
                "crd": {"spec": {"names": {"kind": kind}, **validation}},
                "targets": [
                    {
                        "target": "admission.k8s.gatekeeper.sh",
                        "code": [{"engine": "Rego", "source": source}],
                        **target,
                    }
                ],
            },
        }
    )


def constraint(name: str = "thing", kind: str = "K8sThing", **spec: Any) -> Object:
    """A constraint."""
    return Object(
        {
            "apiVersion": "constraints.gatekeeper.sh/v1beta1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": spec,
        }
    )


def pod(name: str = "web", namespace: str = "shop", **spec: Any) -> Object:
    """A Pod in breach of ``HOST_PID``, unless its spec says otherwise."""
    containers = [{"name": "web", "image": "registry.example.com/web:1"}]
    return Object(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"hostPID": True, "containers": containers, **spec},
        }
    )


def config(*match: dict[str, Any], name: str = "config", **spec: Any) -> Object:
    """A Config."""
    return Object(
        {
            "apiVersion": "config.gatekeeper.sh/v1alpha1",
            "kind": "Config",
            "metadata": {"name": name, "namespace": "gatekeeper-system"},
            "spec": {"match": list(match), **spec},
        }
    )


def sync_set(*gvks: tuple[str, str, str]) -> Object:
    """A SyncSet."""
    rows = [dict(zip(("group", "version", "kind"), gvk, strict=True)) for gvk in gvks]
    return Object(
        {
            "apiVersion": "syncset.gatekeeper.sh/v1alpha1",
            "kind": "SyncSet",
            "metadata": {"name": "s"},
            "spec": {"gvks": rows},
        }
    )


def engine(*objects: Object, inventory: tuple[Object, ...] = ()) -> Engine:
    """An engine of policies that must be sound."""
    made = Engine.build(objects, inventory=inventory)
    assert not [row for row in made.problems if row.level.name == "ERROR"], made.problems
    return made
