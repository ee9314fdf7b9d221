"""Policies, bindings and requests for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Request, Verdict
from sekisho.policy.vap import Judge, Policies

ANYTHING: dict[str, Any] = {
    "resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]
}
DEFAULT = "p"


def policy(name: str = DEFAULT, *, version: str = "v1", **spec: Any) -> Object:
    spec.setdefault("matchConstraints", ANYTHING)
    raw = {
        "apiVersion": f"admissionregistration.k8s.io/{version}",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }
    return Object(raw)


def says(*validations: str | dict[str, Any], **spec: Any) -> Object:
    rows = [{"expression": row} if isinstance(row, str) else row for row in validations]
    return policy(validations=rows, **spec)


def binding(
    name: str = "b", *, policy: str = DEFAULT, actions: Sequence[str] = ("Deny",), **spec: Any
) -> Object:
    raw = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": policy, "validationActions": list(actions), **spec},
    }
    return Object(raw)


def thing(
    kind: str = "ConfigMap", name: str = "x", *, api: str = "v1", namespace: str = "shop", **rest: Any
) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **rest.pop("metadata", {})}
    return Object({"apiVersion": api, "kind": kind, "metadata": metadata, **rest})


def namespace(name: str = "shop", **labels: str) -> Object:
    return thing("Namespace", name, namespace="", metadata={"labels": labels})


def policies(*objects: Object, known: Sequence[Object] = ()) -> Policies:
    built = Policies.build(objects, inventory=known)
    assert not [row for row in built.problems if row.level.value == "error"], built.problems
    return built


def judged(
    *objects: Object,
    about: Object | Request | None = None,
    operation: Operation = Operation.CREATE,
    known: Sequence[Object] = (),
) -> Verdict:
    bound = objects if any(row.kind.endswith("Binding") for row in objects) else (*objects, binding())
    about = about or thing()
    request = about if isinstance(about, Request) else Request.of(about, operation=operation)
    return Judge(policies(*bound, known=known)).judge(request)


def messages(verdict: Verdict) -> list[str]:
    return [finding.diagnostic.message for finding in verdict.findings]
