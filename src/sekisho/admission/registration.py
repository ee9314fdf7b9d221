"""The webhook configurations: what they should be, what is wrong with them, and what mends it.

Pure; ``cli`` reads and writes. An API server does not ask webhooks about these objects, so whoever may write
them can switch the guard off: what keeps it on is that the guard puts them back and says so.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.admission.judge import HOOKS, IGNORE_LABEL

GROUP: Final = "admissionregistration.k8s.io"
VALIDATING: Final = "ValidatingWebhookConfiguration"
MUTATING: Final = "MutatingWebhookConfiguration"

SUBRESOURCES: Final = (
    "pods/ephemeralcontainers",
    "pods/exec",
    "pods/log",
    "pods/eviction",
    "pods/portforward",
    "pods/proxy",
    "pods/attach",
    "pods/binding",
    "pods/resize",
    "deployments/scale",
    "replicasets/scale",
    "statefulsets/scale",
    "replicationcontrollers/scale",
    "services/proxy",
    "nodes/proxy",
    "services/status",
)
"""The subresources that Gatekeeper's webhook is asked about."""

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """How the webhooks are registered; defaults are Gatekeeper's. ``namespace`` is the guard's own.

    With a ``url`` the API server asks there, and no Service: the guard of a cluster that runs outside of it.
    """

    validating: str = "gatekeeper-validating-webhook-configuration"
    mutating: str = "gatekeeper-mutating-webhook-configuration"
    namespace: str = "sekisho-system"
    service: str = "sekisho-webhook-service"
    port: int = 443
    failure: str = "Ignore"
    seconds: int = 3
    mutating_seconds: int = 1
    operations: tuple[str, ...] = ("CREATE", "UPDATE")
    url: str = ""

    def names(self) -> frozenset[str]:
        """The names of the configurations."""
        return frozenset((self.validating, self.mutating))

    def server_names(self) -> tuple[str, ...]:
        """The names under which the API server reaches the webhook."""
        host = f"{self.service}.{self.namespace}.svc"
        return host, f"{host}.cluster.local"


def configurations(registered: Registered) -> tuple[dict[str, Any], dict[str, Any]]:
    """The validating and the mutating configuration, without a bundle."""
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}
    judged = {**everything, "operations": list(registered.operations), "resources": ["*", *SUBRESOURCES]}
    changed = {**everything, "operations": ["CREATE", "UPDATE"]}
    labelled = {**changed, "apiGroups": [""], "resources": ["namespaces"]}
    admit = _webhook("/v1/admit", registered, judged, registered.failure, registered.seconds)
    label = _webhook("/v1/admitlabel", registered, labelled, "Fail", registered.seconds)
    label["namespaceSelector"] = {}
    mutate = _webhook("/v1/mutate", registered, changed, registered.failure, registered.mutating_seconds)
    return (
        _configuration(VALIDATING, registered.validating, [admit, label]),
        _configuration(MUTATING, registered.mutating, [{**mutate, "reinvocationPolicy": "Never"}]),
    )


def _configuration(kind: str, name: str, webhooks: list[dict[str, Any]]) -> dict[str, Any]:
    labels = {"gatekeeper.sh/system": "yes"}
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": labels},
        "webhooks": webhooks,
    }


def _webhook(
    path: str, registered: Registered, rule: dict[str, Any], failure: str, seconds: int
) -> dict[str, Any]:
    """One webhook, with every field that has a default written out, so that comparing is simple."""
    not_ignored = {"key": IGNORE_LABEL, "operator": "DoesNotExist"}
    own = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [registered.namespace]}
    service = {
        "name": registered.service,
        "namespace": registered.namespace,
        "path": path,
        "port": registered.port,
    }
    return {
        "name": HOOKS[path].webhook,
        "admissionReviewVersions": ["v1", "v1beta1"],
        "clientConfig": {"url": f"{registered.url}{path}"} if registered.url else {"service": service},
        "failurePolicy": failure,
        "matchPolicy": "Exact",
        "namespaceSelector": {"matchExpressions": [not_ignored, own]},
        "objectSelector": {},
        "rules": [{**rule, "scope": "*"}],
        "sideEffects": "None",
        "timeoutSeconds": seconds,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What a configuration is to be, and what was wrong with it; ``why`` is empty for a new bundle alone."""

    value: dict[str, Any]
    why: tuple[str, ...] = ()


def mended(wanted: Raw, actual: Raw | None, bundle: str) -> Mended | None:
    """What an actual configuration has to become; None where it is as it should be.

    The whole list of webhooks is the guard's: another one in it would be asked in its name. Labels and
    annotations of others are left alone.
    """
    encoded = base64.b64encode(bundle.encode()).decode()
    webhooks = [_with_bundle(row, encoded) for row in wanted["webhooks"]]
    if actual is None:
        return Mended(value={**wanted, "webhooks": webhooks}, why=("it was deleted",))
    if actual.get("webhooks") == webhooks:
        return None
    return Mended(value={**actual, "webhooks": webhooks}, why=tuple(_differences(webhooks, actual)))


def injected(actual: Raw, bundle: str) -> dict[str, Any] | None:
    """A configuration of somebody else's with the bundle in it; None where it is there."""
    encoded = base64.b64encode(bundle.encode()).decode()
    webhooks = [_with_bundle(row, encoded) for row in actual.get("webhooks") or ()]
    return None if webhooks == (actual.get("webhooks") or []) else {**actual, "webhooks": webhooks}


def bundle_of(actual: Raw | None) -> str:
    """The bundle that all webhooks of a configuration trust; empty where they trust different ones."""
    rows = (actual or {}).get("webhooks") or ()
    found = {str((row.get("clientConfig") or {}).get("caBundle") or "") for row in rows}
    if len(found) != 1:
        return ""
    try:
        return base64.b64decode(found.pop(), validate=True).decode()
    except ValueError:
        return ""


def _with_bundle(webhook: Raw, encoded: str) -> dict[str, Any]:
    return {**webhook, "clientConfig": {**(webhook.get("clientConfig") or {}), "caBundle": encoded}}


def _differences(webhooks: list[dict[str, Any]], actual: Raw) -> list[str]:
    """What others changed, in words; the bundle is nobody's change but the guard's."""
    found = {str(row.get("name")): row for row in actual.get("webhooks") or ()}
    told: list[str] = []
    for row in webhooks:
        name = row["name"]
        other = found.pop(name, None)
        if other is None:
            told.append(f"the webhook {name} was taken out")
            continue
        fields = sorted(
            field
            for field in row.keys() | other.keys()
            if _without_bundle(field, row.get(field)) != _without_bundle(field, other.get(field))
        )
        told += [f"{field} of the webhook {name} was changed" for field in fields]
    return [*told, *(f"the webhook {name} was added" for name in sorted(found))]


def _without_bundle(field: str, value: Any) -> Any:
    if field != "clientConfig" or not isinstance(value, Mapping):
        return value
    return {key: row for key, row in value.items() if key != "caBundle"}
