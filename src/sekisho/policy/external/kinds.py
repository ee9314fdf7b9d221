"""Which objects are Providers."""

from __future__ import annotations

from typing import Final

from sekisho.kube.object import Object

GROUP: Final = "externaldata.gatekeeper.sh"


def is_provider(object: Object) -> bool:
    """Whether an object is a Provider, of any version."""
    return object.gvk.group == GROUP and object.kind == "Provider"
