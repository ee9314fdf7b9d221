"""What policies that look at other objects need to have synced, as an object for a cluster."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sekisho.kube.object import Object
from sekisho.kube.schema import NEWEST, builtin
from sekisho.policy.config import SYNC_SET
from sekisho.policy.library.entry import Entry
from sekisho.policy.syncdata import requirements

NAME: Final = "sekisho-library"


def sync_set(entries: Iterable[Entry]) -> Object | None:
    """The SyncSet that these policies need; None if they look at nothing.

    Kinds that today's Kubernetes does not serve any more are left out: Gatekeeper could not watch them.
    """
    served = builtin(NEWEST)
    wanted = {
        gvk
        for entry in entries
        for requirement in requirements(entry.template)
        for gvk in requirement
        if served.lookup(*gvk) is not None
    }
    if not wanted:
        return None
    group, kind = SYNC_SET
    rows = [{"group": gvk.group, "version": gvk.version, "kind": gvk.kind} for gvk in sorted(wanted)]
    return Object(
        {"apiVersion": f"{group}/v1alpha1", "kind": kind, "metadata": {"name": NAME}, "spec": {"gvks": rows}}
    )
