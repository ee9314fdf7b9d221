"""AdmissionReviews for tests, and a policy that is asked about them."""

from __future__ import annotations

from typing import Any

import orjson

TEMPLATE: dict[str, Any] = {
    "apiVersion": "templates.gatekeeper.sh/v1",
    "kind": "ConstraintTemplate",
    "metadata": {"name": "needsowner"},
    "spec": {
        "crd": {"spec": {"names": {"kind": "NeedsOwner"}}},
        "targets": [
            {
                "target": "admission.k8s.gatekeeper.sh",
                "rego": """package needsowner
violation[{"msg": msg}] {
  not input.review.object.metadata.labels.owner
  msg := "it needs an owner"
}
""",
            }
        ],
    },
}


def constraint(name: str = "owner", action: str = "deny", **match: Any) -> dict[str, Any]:
    """A constraint of the template."""
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "NeedsOwner",
        "metadata": {"name": name},
        "spec": {"enforcementAction": action, "match": match},
    }


def pod(name: str = "web", namespace: str = "shop", **labels: str) -> dict[str, Any]:
    """A Pod."""
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if labels:
        metadata["labels"] = labels
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [{"name": "web", "image": "web:1"}]},
    }


def review(value: dict[str, Any], *, version: str = "v1", **more: Any) -> dict[str, Any]:
    """The AdmissionReview of a CREATE."""
    group, _, api = value["apiVersion"].rpartition("/")
    metadata = value["metadata"]
    request = {
        "uid": "7f3",
        "kind": {"group": group, "version": api, "kind": value["kind"]},
        "resource": {"group": group, "version": api, "resource": f"{value['kind'].lower()}s"},
        "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
        "operation": "CREATE",
        "userInfo": {"username": "ann", "groups": ["system:authenticated"]},
        "object": value,
        "oldObject": None,
        "dryRun": False,
        "options": {},
        **more,
    }
    return {"apiVersion": f"admission.k8s.io/{version}", "kind": "AdmissionReview", "request": request}


def body(value: dict[str, Any], **more: Any) -> bytes:
    """The same as bytes."""
    return orjson.dumps(review(value, **more))
