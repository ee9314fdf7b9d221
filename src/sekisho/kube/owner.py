"""Whose object this is: a label on it, else on its controller, else on its Namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sekisho.kube.object import Object, OwnerReference

OWNER_KEY: Final = "sekisho.dev/owner"
"""The label that names an owner, unless the project's settings name another."""

Lookup = Callable[[OwnerReference, str], Object | None]
"""Owner reference and namespace → the owning object, None if it is not at hand. No I/O: a snapshot."""

MAX_CONTROLLERS: Final = 10
"""Controllers followed upwards: CronJob → Job → Pod takes two; more than ten is a circle."""


def owner_of(
    object: Object,
    *,
    namespace: Object | None = None,
    lookup: Lookup | None = None,
    key: str = OWNER_KEY,
) -> str:
    """The owner of an object, empty if nobody is named. An empty label names nobody."""
    here: Object | None = object
    for _ in range(MAX_CONTROLLERS + 1):
        if here is None:
            break
        owner = here.labels.get(key)
        if owner:
            return owner
        controller = here.controller
        here = lookup(controller, here.namespace) if lookup and controller else None
    return (namespace.labels.get(key) or "") if namespace else ""
