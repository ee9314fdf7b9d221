"""Which addresses and ports there are to give out."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Container
from typing import Any, Final

NETWORK: Final = ipaddress.IPv4Network("10.96.0.0/12")
"""kubeadm's own network of Services."""

FIRST_PORT: Final = 30_000
LAST_PORT: Final = 32_767
"""``--service-node-port-range``."""

TRIES: Final = 64
"""Random tries before the whole pool is looked through."""

KUBERNETES: Final = str(NETWORK.network_address + 1)
"""The address of the API itself."""


def free_address(taken: Container[str]) -> str:
    """An address that nobody has; empty if there is none."""
    size = NETWORK.num_addresses
    for _ in range(TRIES):
        found = str(NETWORK.network_address + secrets.randbelow(size - 2) + 1)
        if found not in taken:
            return found
    return next((text for host in NETWORK.hosts() if (text := str(host)) not in taken), "")


def free_port(taken: Container[int]) -> int:
    """A port that nobody has; 0 if there is none."""
    for _ in range(TRIES):
        found = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT + 1)
        if found not in taken:
            return found
    return next((port for port in range(FIRST_PORT, LAST_PORT + 1) if port not in taken), 0)


MALFORMED: Final = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def is_address(text: Any) -> bool:
    """Whether a value is an address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return isinstance(text, str)


def refused_address(text: str, taken: Container[str]) -> str:
    """Why an address cannot be had; empty if it can."""
    if ipaddress.ip_address(text) not in NETWORK:
        return "the provided network does not match the current range"
    return "provided IP is already allocated" if text in taken else ""


def refused_port(port: int, taken: Container[int]) -> str:
    """Why a port cannot be had; empty if it can."""
    if not FIRST_PORT <= port <= LAST_PORT:
        return (
            f"provided port is not in the valid range. The range of valid ports is {FIRST_PORT}-{LAST_PORT}"
        )
    return "provided port is already allocated" if port in taken else ""
