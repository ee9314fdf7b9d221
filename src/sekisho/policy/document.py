"""``input.review``: what a template sees of a request (policy.md 1.3)."""

from __future__ import annotations

from typing import Any

from sekisho.kube.review import Operation, Request


def review_document(request: Request) -> dict[str, Any]:
    """The review of a request. The object is the request's own, not a copy.

    On DELETE ``object`` is the old one, as Gatekeeper has it. ``namespace`` is there only when it is not
    empty; ``namespaceObject`` is always there, empty when the Namespace is not known.
    """
    deleted = request.operation is Operation.DELETE
    object = request.old_object if deleted else request.object
    out: dict[str, Any] = {
        "uid": request.uid,
        "kind": request.kind.to_json(),
        "resource": request.resource.to_json(),
        "name": request.name,
        "operation": request.operation.value,
        "userInfo": request.user.to_json(),
        "object": object.raw if object else None,
        "oldObject": request.old_object.raw if request.old_object else None,
        "options": request.options,
        "namespaceObject": request.namespace_object.raw if request.namespace_object else {},
    }
    if request.namespace:
        out["namespace"] = request.namespace
    optional: dict[str, Any] = {
        "subResource": request.subresource,
        "requestKind": request.request_kind.to_json() if request.request_kind else None,
        "requestResource": request.request_resource.to_json() if request.request_resource else None,
        "requestSubResource": request.request_subresource,
        "dryRun": request.dry_run,
    }
    out.update((field, value) for field, value in optional.items() if value)
    return out
