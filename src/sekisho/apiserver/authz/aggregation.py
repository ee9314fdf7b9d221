"""ClusterRoles that gather the rules of others: ``aggregationRule`` (Kubernetes' aggregation controller)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sekisho.apiserver.authz.roles import CLUSTER_ROLES
from sekisho.apiserver.store import Row, Stale, Store
from sekisho.diag import DiagnosticError
from sekisho.kube.selectors import Selector, label_selector


class Aggregation:
    """Keeps gathered rules. ``settle`` is called after ClusterRoles were written."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def settle(self) -> None:
        """Write the rules that aggregating roles should have, until all have them."""
        for _ in range(len(self._store.rows(CLUSTER_ROLES)) + 1):  # as long as the longest chain of roles
            changed = False
            rows = self._store.rows(CLUSTER_ROLES)
            raws = {row.place.name: row.load() for row in rows}
            for row in rows:
                changed |= await self._gather(row, raws)
            if not changed:
                return

    async def _gather(self, row: Row, raws: Mapping[str, dict[str, Any]]) -> bool:
        role = raws[row.place.name]
        selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
        if not selectors:
            return False
        rules: list[Any] = []
        for selector in filter(None, map(_selector, selectors)):
            for name in sorted(raws):
                other = raws[name]
                if name == row.place.name or not selector.matches(other["metadata"].get("labels") or {}):
                    continue
                rules += [rule for rule in other.get("rules") or () if rule not in rules]
        if rules == (role.get("rules") or []):
            return False
        role["rules"] = rules
        with suppress(Stale):  # the loop comes back to it
            await self._store.write(row.place, role, base=row)
        return True


def _selector(raw: Mapping[str, Any]) -> Selector | None:
    try:
        return label_selector(raw)
    except DiagnosticError:
        return None  # validation refuses those; nothing is gathered through one
