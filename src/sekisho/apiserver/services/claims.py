"""Giving out addresses and ports: nothing twice, also not to two writes at one time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sekisho.apiserver import status
from sekisho.apiserver.causes import invalid, invalid_list
from sekisho.apiserver.services import pools
from sekisho.apiserver.services.needs import (
    HEADLESS,
    Raw,
    addresses,
    is_headless,
    needs_address,
    needs_health_port,
    needs_node_ports,
    node_ports,
)
from sekisho.apiserver.store import Event, Op, Row, Store
from sekisho.apiserver.types import ResourceType

SERVICES: Final = ("", "services")

T = TypeVar("T")


class ServiceClaims:
    """What Services have, as it is stored, and what writes under way have taken."""

    def __init__(self, store: Store) -> None:
        self._addresses: Counter[str] = Counter()
        self._ports: Counter[tuple[int, str]] = Counter()
        for row in store.rows(SERVICES):
            self._count(row, 1)
        store.hub.listen(SERVICES, self._changed)

    def _changed(self, event: Event) -> None:
        if event.before is not None:
            self._count(event.before, -1)
        if event.op is not Op.DELETED:
            self._count(event.row, 1)

    def _count(self, row: Row, by: int) -> None:
        spec = row.load().get("spec") or {}
        _add(self._addresses, addresses(spec), by)
        _add(self._ports, node_ports(spec), by)

    @contextmanager
    def claim(self, type: ResourceType, new: dict[str, Any], old: Raw | None) -> Iterator[None]:
        """Fill a Service with what it is to have, in place, and hold that while its write is under way.

        Raises ApiError (422) for what cannot be had. Other objects are left alone.
        """
        if type.key != SERVICES or type.custom is not None:
            yield
            return
        before = (old or {}).get("spec") or {}
        had_addresses, had_ports = set(addresses(before)), node_ports(before)
        new["spec"] = spec = dict(new.get("spec") or {})
        name = new["metadata"].get("name", "")
        _families(type, name, spec)
        self._give_address(type, name, spec, had_addresses)
        self._give_ports(type, name, spec, had_ports)
        mine, ports = set(addresses(spec)) - had_addresses, node_ports(spec) - had_ports
        _add(self._addresses, mine, 1)
        _add(self._ports, ports, 1)
        try:
            yield
        finally:
            _add(self._addresses, mine, -1)
            _add(self._ports, ports, -1)

    def _give_address(self, type: ResourceType, name: str, spec: dict[str, Any], had: set[str]) -> None:
        if not needs_address(spec):
            return
        if is_headless(spec):
            spec["clusterIP"], spec["clusterIPs"] = HEADLESS, [HEADLESS]
            return
        wrong = [
            invalid(f"spec.clusterIPs[{index}]", text, pools.MALFORMED)
            for index, text in enumerate(addresses(spec))
            if not pools.is_address(text)
        ]
        if wrong:
            raise status.invalid(type.gvk, name, wrong)
        for text in addresses(spec):
            why = pools.refused_address(text, self._addresses) if text not in had else ""
            if why:
                detail = f"failed to allocate IP {text}: {why}"
                cause = invalid_list("spec.clusterIPs", addresses(spec), detail)
                raise status.invalid(type.gvk, name, [cause])
        if not addresses(spec):
            found = pools.free_address(self._addresses)
            if not found:
                raise status.internal("failed to allocate a serviceIP: range is full")
            spec["clusterIP"], spec["clusterIPs"] = found, [found]

    def _give_ports(
        self, type: ResourceType, name: str, spec: dict[str, Any], had: set[tuple[int, str]]
    ) -> None:
        rows = [dict(row) for row in spec.get("ports") or () if isinstance(row, Mapping)]
        taken = {port for port, _ in self._ports} | {port for port, _ in node_ports(spec)}
        for index, row in enumerate(rows):
            if not needs_node_ports(spec):
                break
            key = (row.get("nodePort") or 0, str(row.get("protocol") or "TCP"))
            if key[0]:
                busy = {port for port, protocol in self._ports if protocol == key[1]}
                why = pools.refused_port(key[0], busy) if key not in had else ""
                if why:
                    raise status.invalid(
                        type.gvk, name, [invalid(f"spec.ports[{index}].nodePort", key[0], why)]
                    )
            else:
                row["nodePort"] = _found(pools.free_port(taken))
                taken.add(row["nodePort"])
        if rows:
            spec["ports"] = rows
        if needs_health_port(spec):
            self._give_health_port(type, name, spec, taken, had)

    def _give_health_port(
        self,
        type: ResourceType,
        name: str,
        spec: dict[str, Any],
        taken: set[int],
        had: set[tuple[int, str]],
    ) -> None:
        asked = spec.get("healthCheckNodePort") or 0
        if not asked:
            spec["healthCheckNodePort"] = _found(pools.free_port(taken))
            return
        why = (
            pools.refused_port(asked, {port for port, _ in self._ports}) if (asked, "TCP") not in had else ""
        )
        if why:
            raise status.invalid(type.gvk, name, [invalid("spec.healthCheckNodePort", asked, why)])


def _found(port: int) -> int:
    if not port:
        raise status.internal("failed to allocate a nodePort: range is full")
    return port


def _families(type: ResourceType, name: str, spec: dict[str, Any]) -> None:
    """The families of its addresses, of which the cluster has one. Raises ApiError (422)."""
    if not needs_address(spec):
        return
    free = is_headless(spec) and not spec.get("selector")
    policy = spec.get("ipFamilyPolicy") or ("RequireDualStack" if free else "SingleStack")
    families = list(spec.get("ipFamilies") or ["IPv4"])
    if free and policy != "SingleStack" and len(families) == 1:
        families.append("IPv6" if families[0] == "IPv4" else "IPv4")
    elif not free:
        _check_families(type, name, policy, families)
    spec["ipFamilies"], spec["ipFamilyPolicy"] = families, policy


def _check_families(type: ResourceType, name: str, policy: str, families: list[str]) -> None:
    found = []
    if policy == "RequireDualStack":
        why = "this cluster is not configured for dual-stack services"
        found.append(invalid("spec.ipFamilyPolicy", policy, why))
    for index, family in enumerate(families):
        if family == "IPv6":
            at = f"spec.ipFamilies[{index}]"
            found.append(invalid(at, family, "not configured on this cluster"))
    if found:
        raise status.invalid(type.gvk, name, found)


def _add(counter: Counter[T], keys: Any, by: int) -> None:
    for key in keys:
        counter[key] += by
        if counter[key] <= 0:
            del counter[key]
