"""The strategy of Services: what an update keeps, what a change of type takes away, the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sekisho.apiserver.causes import duplicate, forbidden, invalid, invalid_list, not_supported, required
from sekisho.apiserver.services.needs import (
    EXTERNAL,
    HEADLESS,
    Raw,
    is_headless,
    may_have_node_ports,
    needs_address,
    needs_health_port,
)
from sekisho.apiserver.services.pools import MALFORMED, is_address
from sekisho.apiserver.status import Cause
from sekisho.apiserver.types import Plain
from sekisho.kube.names import dns_label, dns_subdomain

TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
AFFINITIES: Final = ("ClientIP", "None")


class Services(Plain):
    """Services."""

    def prepare_create(self, new: dict[str, Any]) -> None:
        """No load balancer yet; one address is the first of several."""
        new["status"] = {"loadBalancer": {}}
        spec = dict(new.get("spec") or {})
        if spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        new["spec"] = spec

    def prepare_update(self, new: dict[str, Any], old: Raw) -> None:
        """What was given stays where the client leaves it out; what the type has no use for goes."""
        before, spec = old.get("spec") or {}, dict(new.get("spec") or {})
        _keep(spec, before)
        _drop(spec, before)
        new["spec"] = spec

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:
        """The rules of a Service (``ValidateService``, ``ValidateServiceUpdate``)."""
        spec = new.get("spec") or {}
        yield from _address_causes(spec, (old or {}).get("spec") or {}, old is not None)
        yield from _port_causes(spec)
        yield from _type_causes(spec)
        for index, text in enumerate(spec.get("externalIPs") or ()):
            if not is_address(text):
                yield invalid(f"spec.externalIPs[{index}]", text, MALFORMED)


def _keep(spec: dict[str, Any], before: Raw) -> None:
    if needs_address(spec) and needs_address(before):
        first = next(iter(before.get("clusterIPs") or ()), None)
        if not spec.get("clusterIP"):
            spec["clusterIP"] = before.get("clusterIP")
        if not spec.get("clusterIPs") or (spec["clusterIPs"][:1] == [first] and spec["clusterIP"] != first):
            same = spec["clusterIP"] == before.get("clusterIP")
            spec["clusterIPs"] = before.get("clusterIPs") if same else [spec["clusterIP"]]
        for name in ("ipFamilies", "ipFamilyPolicy"):
            if not spec.get(name) and before.get(name):
                spec[name] = before[name]
    if may_have_node_ports(spec) and may_have_node_ports(before):
        known = {_key(row): row.get("nodePort") for row in before.get("ports") or ()}
        taken = {row.get("nodePort") for row in spec.get("ports") or ()}
        rows = [dict(row) for row in spec.get("ports") or ()]
        for row in rows:
            port = known.get(_key(row))
            if not row.get("nodePort") and port and port not in taken:
                row["nodePort"] = port
        spec["ports"] = rows
    if needs_health_port(spec) and needs_health_port(before) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = before.get("healthCheckNodePort")


def _key(row: Raw) -> tuple[str, Any]:
    return str(row.get("protocol") or "TCP"), row.get("port")


_OF_ADDRESS: Final = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def _drop(spec: dict[str, Any], before: Raw) -> None:
    """A field that the old type had use for and the new one has none for, if it has not been changed."""

    def unchanged(name: str) -> bool:
        return bool(spec.get(name) == before.get(name))

    if needs_address(before) and not needs_address(spec):
        for name in _OF_ADDRESS:
            if unchanged(name):
                spec.pop(name, None)
    if may_have_node_ports(before) and not may_have_node_ports(spec):
        old = {row.get("nodePort") for row in before.get("ports") or ()}
        if all(row.get("nodePort") in (None, 0, *old) for row in spec.get("ports") or ()):
            spec["ports"] = [_without(row, "nodePort") for row in spec.get("ports") or ()]
        if unchanged("externalTrafficPolicy"):
            spec.pop("externalTrafficPolicy", None)
    if needs_health_port(before) and not needs_health_port(spec) and unchanged("healthCheckNodePort"):
        spec.pop("healthCheckNodePort", None)
    was, now = before.get("type"), spec.get("type")
    if was == "LoadBalancer" and now != "LoadBalancer":
        for name in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if unchanged(name):
                spec.pop(name, None)
    if was == EXTERNAL and now != EXTERNAL and unchanged("externalName"):
        spec.pop("externalName", None)


def _without(row: Raw, name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def _address_causes(spec: Raw, before: Raw, updating: bool) -> Iterator[Cause]:
    rows = list(spec.get("clusterIPs") or ())
    if not needs_address(spec):
        if rows or spec.get("clusterIP"):
            yield forbidden("spec.clusterIPs", "may not be set when `type` is 'ExternalName'")
        return
    if updating and needs_address(before) and before.get("clusterIPs"):
        first = before["clusterIPs"][0]
        if rows[:1] != [first]:
            yield invalid_list("spec.clusterIPs[0]", rows, "may not change once set")


def _type_causes(spec: Raw) -> Iterator[Cause]:
    type, affinity = spec.get("type"), spec.get("sessionAffinity")
    if not spec.get("ports") and not is_headless(spec) and type != EXTERNAL:
        yield required("spec.ports")
    if not type:
        yield required("spec.type")
    elif type not in TYPES:
        yield not_supported("spec.type", type, TYPES)
    if not affinity:
        yield required("spec.sessionAffinity")
    elif affinity not in AFFINITIES:
        yield not_supported("spec.sessionAffinity", affinity, AFFINITIES)
    if type == EXTERNAL:
        name = str(spec.get("externalName") or "").removesuffix(".")
        if not name:
            yield required("spec.externalName")
        else:
            for text in dns_subdomain(name):
                yield invalid("spec.externalName", name, text)
    if type == "LoadBalancer" and is_headless(spec):
        yield invalid("spec.clusterIPs[0]", HEADLESS, "may not be set to 'None' for LoadBalancer services")
    if type == "NodePort" and is_headless(spec):
        yield invalid("spec.clusterIPs[0]", HEADLESS, "may not be set to 'None' for NodePort services")


def _port_causes(spec: Raw) -> Iterator[Cause]:
    rows = [row for row in spec.get("ports") or () if isinstance(row, Mapping)]
    names: set[str] = set()
    for index, row in enumerate(rows):
        at, name = f"spec.ports[{index}]", row.get("name") or ""
        if not name and len(rows) > 1:
            yield required(f"{at}.name")
        elif name:
            for text in dns_label(name):
                yield invalid(f"{at}.name", name, text)
            if name in names:
                yield duplicate(f"{at}.name", name)
            names.add(name)
        yield from _number_causes(f"{at}.port", row.get("port"))
        protocol = row.get("protocol")
        if not protocol:
            yield required(f"{at}.protocol")
        elif protocol not in PROTOCOLS:
            yield not_supported(f"{at}.protocol", protocol, PROTOCOLS)
        target = row.get("targetPort")
        if isinstance(target, int):
            yield from _number_causes(f"{at}.targetPort", target)
        if row.get("nodePort") and not may_have_node_ports(spec):
            yield forbidden(f"{at}.nodePort", f"may not be used when `type` is '{spec.get('type')}'")


def _number_causes(at: str, port: Any) -> Iterator[Cause]:
    if not isinstance(port, int) or not 0 < port < 65_536:
        yield invalid(at, port or 0, "must be between 1 and 65535, inclusive")
