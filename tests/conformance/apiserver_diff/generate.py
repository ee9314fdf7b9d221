"""Random sequences of creates, updates, patches and applies to one object by several managers.

A sequence is made from its number alone, so that a recording can be made again and made longer. What is written
is mostly valid; some of it is null, empty, zero or twice there, which is where servers differ.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from tests.conformance.apiserver_diff.recording import MEDIA, Ask

FILE: Final = "generated.json.gz"
"""The recording that needs ``DEFINITION``."""

Json = dict[str, Any]

_SPEC: Final[Json] = {
    "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    "list": {"type": "array", "items": {"type": "string"}},
    "map": {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k", "n"],
        "items": {
            "type": "object",
            "required": ["k"],
            "properties": {
                "k": {"type": "string"},
                "n": {"type": "integer", "default": 7},
                "v": {"type": "string"},
                "sub": {"type": "object", "properties": {"x": {"type": "string"}}},
            },
        },
    },
    "atom": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "x-kubernetes-map-type": "atomic",
    },
    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "port": {"x-kubernetes-int-or-string": True},
    "number": {"type": "integer"},
}

_DEFINED: Final[Json] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.generated.example.com"},
    "spec": {
        "group": "generated.example.com",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": version,
                "served": True,
                "storage": version == "v1",
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": _SPEC},
                            "status": {"type": "object", "properties": {"n": {"type": "integer"}}},
                        },
                    }
                },
            }
            for version in ("v1", "v2")
        ],
    },
}

DEFINITION: Final = Ask(
    method="POST",
    path="/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    kind=MEDIA[""],
    body=json.dumps(_DEFINED),
)
"""The request that defines the custom resource."""


class Maker:
    """Makes values. The same seed makes the same."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def chance(self, share: float) -> bool:
        """Whether something that happens in a share of cases happens now."""
        return self.random.random() < share

    def one(self, *choices: Any) -> Any:
        """One of several."""
        return self.random.choice(choices)

    def some(self, choices: Sequence[Any], least: int = 0) -> list[Any]:
        """Some of several, in any order."""
        return self.random.sample(list(choices), self.random.randint(least, len(choices)))

    def maybe(self, value: Json, share: float, name: str, make: Callable[[], Any]) -> None:
        """Set a field in a share of cases."""
        if self.chance(share):
            value[name] = make()

    def metadata(self) -> Json:
        """Metadata of an object x."""
        found: Json = {"name": "x"}
        self.maybe(found, 0.5, "labels", lambda: {key: self.one("1", "2") for key in self.some("abc")})
        self.maybe(found, 0.4, "annotations", lambda: {key: self.one("1", "2") for key in self.some("xy")})
        self.maybe(found, 0.1, "finalizers", lambda: self.some(["example.com/a", "example.com/b"]))
        return found

    def environment(self) -> list[Json]:
        """Variables of a container."""
        sources = [
            {"value": "1"},
            {"value": ""},
            {},
            {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ]
        return [{"name": name, **self.one(*sources)} for name in self.some("ABC")]

    def ports(self) -> list[Json]:
        """Ports of a container."""
        rows = []
        for port in self.some([80, 443]):
            row: Json = {"containerPort": port}
            self.maybe(row, 0.4, "protocol", lambda: self.one("TCP", "UDP"))
            self.maybe(row, 0.3, "hostPort", lambda: 0)
            rows.append(row)
        return rows

    def container(self, name: str) -> Json:
        """A container."""
        found: Json = {"name": name, "image": self.one("nginx", "nginx:1", "busybox:latest")}
        limits = [{}, {"limits": {"cpu": "1000m"}}, {"requests": {"memory": "1024Mi"}}]
        contexts = [{}, {"runAsNonRoot": True}, {"privileged": False, "runAsUser": 0}]
        self.maybe(found, 0.5, "env", self.environment)
        self.maybe(found, 0.5, "ports", self.ports)
        self.maybe(found, 0.3, "args", lambda: self.some("xyz"))
        self.maybe(found, 0.3, "resources", lambda: self.one(*limits))
        self.maybe(found, 0.2, "livenessProbe", lambda: {"httpGet": {"path": "/", "port": 80}})
        self.maybe(found, 0.2, "securityContext", lambda: self.one(*contexts))
        self.maybe(found, 0.2, "stdin", lambda: self.one(True, False))
        return found

    def pod(self) -> Json:
        """The spec of a Pod."""
        found: Json = {"containers": [self.container(name) for name in self.some(["a", "b", "c"], least=1)]}
        volume = [{"emptyDir": {}}, {"configMap": {"name": "m"}}, {"hostPath": {"path": "/x"}}]
        self.maybe(
            found, 0.3, "volumes", lambda: [{"name": name, **self.one(*volume)} for name in self.some("vw")]
        )
        self.maybe(found, 0.2, "nodeSelector", lambda: dict.fromkeys(self.some("ab"), "1"))
        self.maybe(found, 0.2, "tolerations", lambda: self.some([{"key": "k", "operator": "Exists"}]))
        self.maybe(found, 0.2, "terminationGracePeriodSeconds", lambda: self.one(0, 5))
        self.maybe(found, 0.2, "securityContext", lambda: self.one({}, {"fsGroup": 5}))
        self.maybe(found, 0.2, "imagePullSecrets", lambda: [{"name": name} for name in self.some("pq")])
        self.maybe(found, 0.2, "serviceAccountName", lambda: self.one("", "robot"))
        return found

    def deployment(self) -> Json:
        """A Deployment."""
        labels = {"matchLabels": {"app": "x"}}
        template = {"metadata": {"labels": {"app": "x"}}, "spec": self.pod()}
        spec: Json = {"selector": labels, "template": template}
        strategies = [{"type": "Recreate"}, {"rollingUpdate": {"maxSurge": 1}}, {}]
        self.maybe(spec, 0.4, "replicas", lambda: self.one(0, 1, 3))
        self.maybe(spec, 0.2, "strategy", lambda: self.one(*strategies))
        self.maybe(spec, 0.2, "paused", lambda: self.one(True, False))
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": self.metadata(), "spec": spec}

    def config_map(self) -> Json:
        """A ConfigMap."""
        found: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": self.metadata()}
        self.maybe(found, 0.8, "data", lambda: {key: self.one("1", "2", "") for key in self.some("abc")})
        self.maybe(found, 0.2, "binaryData", lambda: {"z": "aGk="})
        return found

    def secret(self) -> Json:
        """A Secret."""
        found: Json = {"apiVersion": "v1", "kind": "Secret", "metadata": self.metadata()}
        self.maybe(found, 0.6, "data", lambda: {key: self.one("MQ==", "Mg==") for key in self.some("ab")})
        self.maybe(found, 0.4, "stringData", lambda: {key: self.one("1", "2") for key in self.some("ac")})
        return found

    def widget(self) -> Json:
        """A custom resource."""
        spec: Json = {}
        keys = [("a", 1), ("b", 7), ("a", 2), ("c", 5)]
        free: list[Json] = [{}, {"p": 1, "q": [1]}, {"p": {"r": "s"}}, {"p": "x"}]
        self.maybe(spec, 0.5, "set", lambda: self.some("abc"))
        self.maybe(spec, 0.5, "list", lambda: self.some("ab"))
        self.maybe(spec, 0.6, "map", lambda: [self._item(*key) for key in self.some(keys)])
        self.maybe(spec, 0.4, "atom", lambda: {key: self.one("1", "2") for key in self.some("xy")})
        self.maybe(spec, 0.5, "free", lambda: self.one(*free))
        self.maybe(spec, 0.5, "labels", lambda: {key: self.one("1", "2") for key in self.some("xyz")})
        self.maybe(spec, 0.3, "port", lambda: self.one(80, "web"))
        self.maybe(spec, 0.3, "number", lambda: self.one(0, 1, 2))
        version = "generated.example.com/v1"
        return {"apiVersion": version, "kind": "Widget", "metadata": self.metadata(), "spec": spec}

    def _item(self, key: str, number: int) -> Json:
        found: Json = {"k": key} | ({} if number == 7 and self.chance(0.5) else {"n": number})
        self.maybe(found, 0.6, "v", lambda: self.one("1", "2"))
        self.maybe(found, 0.3, "sub", lambda: {"x": self.one("1", "2")})
        return found

    # Changes.

    def part(self, value: Any, depth: int = 0) -> Any:
        """A value of which some is left out."""
        if isinstance(value, dict):
            return {
                key: self.part(item, depth + 1)
                for key, item in value.items()
                if depth < 2 or key in KEYS or not self.chance(0.25)
            }
        return [self.part(item, depth + 1) for item in value] if isinstance(value, list) else value

    def with_nulls(self, value: Any) -> Any:
        """A value of which some is null."""
        if not isinstance(value, dict):
            return value
        return {
            key: item
            if key in ("apiVersion", "kind", "metadata", "name")
            else None
            if self.chance(0.15)
            else self.with_nulls(item)
            for key, item in value.items()
        }


KEYS: Final = frozenset({"name", "k", "n", "containerPort", "apiVersion", "kind"})
"""Fields that are never left out: what an item is known by."""

KINDS: Final[Sequence[tuple[str, Callable[[Maker], Json]]]] = (
    ("/apis/apps/v1/namespaces/{ns}/deployments", Maker.deployment),
    ("/api/v1/namespaces/{ns}/configmaps", Maker.config_map),
    ("/api/v1/namespaces/{ns}/secrets", Maker.secret),
    ("/apis/generated.example.com/v1/namespaces/{ns}/widgets", Maker.widget),
)


def generated(count: int) -> Iterator[tuple[str, list[Ask]]]:
    """Sequences by their numbers."""
    for number in range(count):
        name = f"generated-{number:04}"
        yield name, list(_sequence(Maker(number), f"d-{name}"))


def _sequence(maker: Maker, namespace: str) -> Iterator[Ask]:
    path, make = maker.one(*KINDS)
    base = path.replace("{ns}", namespace)
    strategic = "widgets" not in base
    for step in range(maker.random.randint(2, 6)):
        manager = f"fieldManager={maker.one('one', 'two', 'kubectl')}"
        changes = ["apply", "apply", "apply", "put", "merge", *(["strategic"] if strategic else [])]
        change = maker.one("create", "apply") if step == 0 else maker.one(*changes)
        value = make(maker)
        if change == "create":
            yield _ask("POST", f"{base}?{manager}", "", value)
        elif change == "put":
            yield _ask("PUT", f"{base}/x?{manager}", "", value)
        elif change == "apply":
            value = maker.part(value) if step and maker.chance(0.6) else value
            force = maker.one("true", "false")
            yield _ask("PATCH", f"{base}/x?{manager}&force={force}", "apply", value)
        else:
            yield _ask("PATCH", f"{base}/x?{manager}", change, maker.with_nulls(maker.part(value)))


def _ask(method: str, path: str, kind: str, value: Json) -> Ask:
    return Ask(method=method, path=path, kind=MEDIA[kind], body=json.dumps(value))
