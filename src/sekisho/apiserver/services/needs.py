"""What a Service needs, by its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Raw = Mapping[str, Any]

HEADLESS: Final = "None"
EXTERNAL: Final = "ExternalName"


def needs_address(spec: Raw) -> bool:
    """All but names of something else have an address, or say that they want none."""
    return spec.get("type") != EXTERNAL


def is_headless(spec: Raw) -> bool:
    """Whether it wants no address."""
    return HEADLESS in (spec.get("clusterIP"), next(iter(spec.get("clusterIPs") or ()), None))


def needs_node_ports(spec: Raw) -> bool:
    """Whether every port has one on the nodes."""
    if spec.get("type") == "NodePort":
        return True
    return spec.get("type") == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False


def may_have_node_ports(spec: Raw) -> bool:
    """Whether ports may have one on the nodes."""
    return spec.get("type") in ("NodePort", "LoadBalancer")


def needs_health_port(spec: Raw) -> bool:
    """Whether a load balancer asks the nodes which of them have endpoints."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def addresses(spec: Raw) -> list[str]:
    """The addresses that it has."""
    found = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [row for row in found if isinstance(row, str) and row not in ("", HEADLESS)]


def node_ports(spec: Raw) -> set[tuple[int, str]]:
    """The ports of nodes that it has, each with its protocol: one may serve two protocols."""
    found = {
        (row["nodePort"], str(row.get("protocol") or "TCP"))
        for row in spec.get("ports") or ()
        if isinstance(row, Mapping) and isinstance(row.get("nodePort"), int) and row["nodePort"]
    }
    health = spec.get("healthCheckNodePort")
    return found | ({(health, "TCP")} if isinstance(health, int) and health else set())
