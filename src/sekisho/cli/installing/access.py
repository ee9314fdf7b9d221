"""What the parts of the guard may do, as a table: who, where, on what, which verbs, and what for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

WEBHOOK: Final = "sekisho"
CONTROLLER: Final = "sekisho-controller"
"""The ServiceAccounts: of the webhook's replicas, and of the controller that writes and audits."""

RBAC: Final = "rbac.authorization.k8s.io"

POLICIES: Final = (
    "config.gatekeeper.sh",
    "constraints.gatekeeper.sh",
    "expansion.gatekeeper.sh",
    "externaldata.gatekeeper.sh",
    "mutations.gatekeeper.sh",
    "templates.gatekeeper.sh",
)
"""The groups of policies that have a status."""

CONFIGURATIONS: Final = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")


class Grant(NamedTuple):
    """One rule. ``names`` limit it to objects of these names; ``own`` to the guard's own Namespace."""

    account: str
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    why: str
    names: tuple[str, ...] = ()
    own: bool = False


def grants(namespace: str, configurations: tuple[str, ...], secret: str) -> tuple[Grant, ...]:
    """Everything that is granted, for the guard's Namespace, webhook configurations, and a certificate."""
    admission = ("admissionregistration.k8s.io",)
    both = tuple(
        row
        for account in (WEBHOOK, CONTROLLER)
        for row in (
            # Policies may be about any kind, and may look at objects of any kind: they say which ones.
            Grant(account, ("*",), ("*",), ("list", "watch"), "policies, and what they are about"),
            Grant(account, ("",), ("namespaces",), ("get",), "its own Namespace", (namespace,)),
            Grant(
                account,
                ("status.gatekeeper.sh",),
                ("*",),
                ("create", "delete", "update"),
                "how this Pod gets on with each policy",
                own=True,
            ),
        )
    )
    return (
        *both,
        Grant(WEBHOOK, admission, CONFIGURATIONS, ("get", "update"), "to keep them right", configurations),
        # Who creates has no name yet, so this cannot be limited to one.
        Grant(WEBHOOK, admission, CONFIGURATIONS, ("create",), "to put them back"),
        Grant(WEBHOOK, ("",), ("secrets",), ("get",), "the certificate", (secret,), own=True),
        Grant(WEBHOOK, ("",), ("secrets",), ("create",), "the first certificate", own=True),
        # Events about what has no Namespace are in "default", those about objects beside these.
        Grant(WEBHOOK, ("",), ("events",), ("create", "patch"), "what others changed, what was refused"),
        Grant(
            CONTROLLER,
            ("apiextensions.k8s.io",),
            ("customresourcedefinitions",),
            ("create", "update"),
            "the kinds of constraints",
        ),
        Grant(
            CONTROLLER,
            admission,
            ("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
            ("create", "delete", "patch"),
            "what templates and constraints amount to",
        ),
        Grant(CONTROLLER, POLICIES, ("*/status",), ("patch",), "what Pods say, and what the audit found"),
        Grant(
            CONTROLLER,
            ("wgpolicyk8s.io",),
            ("clusterpolicyreports", "policyreports"),
            ("create", "delete", "patch"),
            "all that the audit found",
        ),
        Grant(
            CONTROLLER,
            ("coordination.k8s.io",),
            ("leases",),
            ("create", "get", "update"),
            "who of several leads",
            own=True,
        ),
    )


def access(namespace: str, configurations: tuple[str, ...], secret: str) -> Iterator[dict[str, Any]]:
    """ServiceAccounts, roles and their bindings."""
    rows = grants(namespace, configurations, secret)
    for account in (WEBHOOK, CONTROLLER):
        yield {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": account, "namespace": namespace},
        }
    for account in (WEBHOOK, CONTROLLER):
        for own in (False, True):
            rules = [_rule(row) for row in rows if row.account == account and row.own is own]
            if rules:
                yield from _bound(account, namespace if own else "", rules, namespace)


def _rule(row: Grant) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "apiGroups": list(row.groups),
        "resources": list(row.resources),
        "verbs": list(row.verbs),
    }
    if row.names:
        rule["resourceNames"] = list(row.names)
    return rule


def _bound(account: str, where: str, rules: list[dict[str, Any]], namespace: str) -> Iterator[dict[str, Any]]:
    kind = "Role" if where else "ClusterRole"
    metadata = {"name": account, **({"namespace": where} if where else {})}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    yield {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": rules}
    yield {
        "apiVersion": f"{RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": account},
        "subjects": [subject],
    }
