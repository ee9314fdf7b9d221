"""Providers, templates and constraints for these tests."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from tests.simulators.certificates import Authority
from tests.simulators.server import Exchange, Handler, Server, server_context

from sekisho.kube.object import Object
from sekisho.policy import Engine
from sekisho.policy.external import Providers

CA = Authority()
PAIR = CA.server()
V1BETA1 = "externaldata.gatekeeper.sh/v1beta1"


def encoded(pem: str) -> str:
    return base64.b64encode(pem.encode()).decode()


def provider(url: Any, name: str = "p", *, timeout: Any = 5, ca: str | None = None, **more: Any) -> Object:
    spec = {"url": url, "timeout": timeout, "caBundle": encoded(CA.certificate) if ca is None else ca}
    return Object(
        {"apiVersion": V1BETA1, "kind": "Provider", "metadata": {"name": name}, "spec": spec | more}
    )


def response(*items: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    body = {"idempotent": True, "items": list(items), **more}
    return {"apiVersion": V1BETA1, "kind": "ProviderResponse", "response": body}


def serving(handler: Handler) -> Server:
    return Server(handler, server_context(PAIR))


def echo(exchange: Exchange) -> None:
    """Answer every key with itself in capitals; keys that begin with ``bad`` have an error."""
    keys = exchange.asked.json()["request"]["keys"]
    items = [
        {"key": key, "error": "it is bad"} if key.startswith("bad") else {"key": key, "value": key.upper()}
        for key in keys
    ]
    exchange.answer_json(response(*items))


REGO = """
package x
violation[{"msg": msg}] {
  answer := external_data({"provider": "p", "keys": [c.image | c := input.review.object.spec.containers[_]]})
  msg := json.marshal(answer)
}
"""


def template(rego: str = REGO, kind: str = "K8sAsks") -> Object:
    target = {"target": "admission.k8s.gatekeeper.sh", "rego": rego}
    names = {"spec": {"names": {"kind": kind}}}
    return Object(
        {
            "apiVersion": "templates.gatekeeper.sh/v1",
            "kind": "ConstraintTemplate",
            "metadata": {"name": kind.lower()},
            "spec": {"crd": names, "targets": [target]},
        }
    )


def constraint(kind: str = "K8sAsks", name: str = "asks") -> Object:
    raw = {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": name}}
    return Object(raw)


def pod(*images: str) -> Object:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    return Object(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": containers}}
    )


def engine(*policies: Object, providers: Providers | None = None) -> Engine:
    rows = policies or (template(), constraint())
    built = Engine.build(rows, providers=providers)
    assert not built.problems, built.problems
    return built
