"""The kubeconfig of an embedded cluster: one cluster, one user, one context."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sekisho.web.exchange import Identity

CONTEXT: Final = "sekisho"
"""What cluster, user and context are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach a server: its URL, its authority (PEM), and whom to be."""

    server: str
    authority: str
    identity: Identity


def kubeconfig(access: Access) -> str:
    """The text of the file. It holds a private key."""
    import yaml

    def coded(pem: str) -> str:
        return base64.b64encode(pem.encode()).decode()

    user = {
        "client-certificate-data": coded(access.identity.chain),
        "client-key-data": coded(access.identity.key.reveal()),
    }
    cluster = {"server": access.server, "certificate-authority-data": coded(access.authority)}
    value: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": user}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        "current-context": CONTEXT,
    }
    return yaml.safe_dump(value, sort_keys=False)
