"""The roles and bindings that every cluster begins with: made where they are missing, completed where they
are not.

An object that says ``rbac.authorization.kubernetes.io/autoupdate: "false"`` is left as it is; of others
nothing is taken away, what a newer release adds is added (Kubernetes' RBAC bootstrap hook).
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

from sekisho.apiserver import names
from sekisho.apiserver.authz.roles import BINDINGS, CLUSTER_BINDINGS, CLUSTER_ROLES, ROLES
from sekisho.apiserver.authz.rules import compact, missing, rules_of
from sekisho.apiserver.store import Place, Stale, Store

DATA: Final = Path(__file__).parent / "data" / "bootstrap.json.gz"
AUTO_UPDATE: Final = "rbac.authorization.kubernetes.io/autoupdate"

_RESOURCES: Final = {
    "Role": ROLES,
    "ClusterRole": CLUSTER_ROLES,
    "RoleBinding": BINDINGS,
    "ClusterRoleBinding": CLUSTER_BINDINGS,
}


@cache
def _text() -> bytes:
    return gzip.decompress(DATA.read_bytes())


async def bootstrap_roles(store: Store) -> None:
    """Make and complete the objects, all at once."""
    await asyncio.gather(*(_reconcile(store, row) for row in orjson.loads(_text())))


async def _reconcile(store: Store, wanted: dict[str, Any]) -> None:
    metadata = wanted["metadata"]
    place = Place(*_RESOURCES[wanted["kind"]], metadata.get("namespace", ""), metadata["name"])
    row = store.get(place)
    try:
        if row is None:
            made = {**metadata, "uid": names.new_uid(), "creationTimestamp": names.timestamp()}
            await store.write(place, {**wanted, "metadata": made}, base=None)
            return
        old = row.load()
        if (old["metadata"].get("annotations") or {}).get(AUTO_UPDATE) == "false":
            return
        new = _completed(old, wanted)
        if new == old:
            return
        await store.write(place, new, base=row)
    except Stale:
        return  # somebody else writes it at this moment; the next start completes it


def _completed(old: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """An object with what it lacks of labels, annotations, rules and subjects."""
    metadata = dict(old["metadata"])
    for field in ("labels", "annotations"):
        rows = {**(wanted["metadata"].get(field) or {}), **(metadata.get(field) or {})}
        if rows:
            metadata[field] = rows
    new = {**old, "metadata": metadata}
    if "roleRef" in wanted:
        known = old.get("subjects") or []
        new["subjects"] = [*known, *(row for row in wanted.get("subjects") or () if row not in known)]
        new["roleRef"] = wanted["roleRef"]
    elif not wanted.get("aggregationRule"):
        added = compact(missing(rules_of(old), rules_of(wanted)))
        new["rules"] = [*(old.get("rules") or ()), *(rule.to_json() for rule in added)]
    else:
        new["aggregationRule"] = wanted["aggregationRule"]
    return new
