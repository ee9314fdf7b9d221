"""Policies of a few shapes (plain, by Namespace labels, referential) and clusters that they judge."""

from __future__ import annotations

from typing import Any

from sekisho import audit, policy
from sekisho.cli.rules import owners_among
from sekisho.cli.snapshot import snapshot_of
from sekisho.kube.object import Object
from sekisho.kube.review.rules import Loaded, load_rules

RULES = {
    "NeedsOwner": 'violation contains {"msg": "no owner"} if not input.review.object.metadata.labels.owner',
    "UniqueHost": """violation contains {"msg": sprintf("host %v is taken", [host])} if {
  host := input.review.object.data.host
  other := data.inventory.namespace[ns][_].ConfigMap[name]
  other.data.host == host
  [ns, name] != [input.review.object.metadata.namespace, input.review.object.metadata.name]
}""",
    "QuietZone": """violation contains {"msg": "the zone is quiet"} if {
  input.review.namespaceObject.metadata.annotations.zone == "quiet"
  input.review.object.data.loud
}""",
}


def template(kind: str) -> Object:
    return Object(
        {
            "apiVersion": "templates.gatekeeper.sh/v1",
            "kind": "ConstraintTemplate",
            "metadata": {"name": kind.lower()},
            "spec": {
                "crd": {"spec": {"names": {"kind": kind}}},
                "targets": [
                    {
                        "target": "admission.k8s.gatekeeper.sh",
                        "code": [
                            {
                                "engine": "Rego",
                                "source": {
                                    "version": "v1",
                                    "rego": f"package {kind.lower()}\n\n{RULES[kind]}\n",
                                },
                            }
                        ],
                    }
                ],
            },
        }
    )


def constraint(kind: str, action: str = "deny", **match: Any) -> Object:
    kinds = [{"apiGroups": [""], "kinds": ["ConfigMap"]}]
    return Object(
        {
            "apiVersion": "constraints.gatekeeper.sh/v1beta1",
            "kind": kind,
            "metadata": {"name": "all"},
            "spec": {"enforcementAction": action, "match": {"kinds": kinds, **match}},
        }
    )


TEMPLATES = [template(kind) for kind in RULES]


def config_map(name: str, namespace: str, owner: str = "", **data: str) -> Object:
    labels = {"labels": {"owner": owner}} if owner else {}
    metadata = {"name": name, "namespace": namespace, **labels}
    return Object({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def namespace(name: str, zone: str = "", **labels: str) -> Object:
    annotations = {"annotations": {"zone": zone}} if zone else {}
    return Object(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels, **annotations}}
    )


_COMPILED: dict[Any, Any] = {}


def compile_once(code: Any) -> Any:
    from sekisho.policy.compiler import compile_code

    key = code.main.text
    if key not in _COMPILED:
        _COMPILED[key] = compile_code(code)
    return _COMPILED[key]


def engine_of(constraints: list[Object], objects: list[Object]) -> policy.Engine:
    return policy.Engine.build([*TEMPLATES, *constraints], inventory=objects, compile=compile_once)


def rules_of(rules: list[Object], objects: list[Object]) -> Loaded:
    return load_rules(rules, lookup=owners_among(objects))


def snapshot(
    constraints: list[Object], objects: list[Object], rules: list[Object] | None = None
) -> audit.Snapshot:
    return snapshot_of(engine_of(constraints, objects), rules_of(rules or [], objects))


def waiver(
    name: str = "w", kind: str = "NeedsOwner", expires: str = "2026-07-01T00:00:00Z", **match: Any
) -> Object:
    return Object(
        {
            "apiVersion": "waivers.sekisho.dev/v1alpha1",
            "kind": "Waiver",
            "metadata": {"name": name},
            "spec": {
                "policies": [f"{kind}/*"],
                "match": match or {"namespaces": ["shop"]},
                "reason": "legacy",
                "owner": "shop",
                "expires": expires,
            },
        }
    )
