"""The service account that every namespace has (Kubernetes' serviceaccounts controller)."""

from __future__ import annotations

from typing import Any, Final

from sekisho.apiserver import names
from sekisho.apiserver.store import Event, Op, Place, Stale, Store

NAMESPACES: Final = ("", "namespaces")
ACCOUNTS: Final = ("", "serviceaccounts")
DEFAULT: Final = "default"


class Accounts:
    """Makes missing accounts. ``settle`` is called after namespaces or accounts were written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._todo = {row.place.name for row in store.rows(NAMESPACES)}
        store.hub.listen(NAMESPACES, self._namespace)
        store.hub.listen(ACCOUNTS, self._account)

    def _namespace(self, event: Event) -> None:
        if event.op is Op.ADDED:
            self._todo.add(event.row.place.name)

    def _account(self, event: Event) -> None:
        if event.op is Op.DELETED and event.row.place.name == DEFAULT:
            self._todo.add(event.row.place.namespace)

    async def settle(self) -> None:
        """Make the accounts that are missing in namespaces that are to stay."""
        while self._todo:
            namespace = self._todo.pop()
            place = Place(*ACCOUNTS, namespace, DEFAULT)
            if self._store.get(place) is None and self._stays(namespace):
                try:
                    await self._store.write(place, _account(namespace), base=None)
                except Stale:
                    continue  # somebody else has made it

    def _stays(self, namespace: str) -> bool:
        row = self._store.get(Place(*NAMESPACES, "", namespace))
        return row is not None and not row.load()["metadata"].get("deletionTimestamp")


def _account(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": DEFAULT,
            "namespace": namespace,
            "uid": names.new_uid(),
            "creationTimestamp": names.timestamp(),
        },
    }
