"""Kubernetes' ip and cidr libraries. Facts from k8s.io/apiserver ``pkg/cel/library/{ip,cidr}.go``.

They are older than cel-go's network library, and differ in words: what is wrong with a network is said
twice, and an address that cannot be read, where a network is asked for it, is no such overload.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Final

from sekisho.cel.errors import CelError, no_such_overload
from sekisho.cel.extensions import network
from sekisho.cel.extensions.costs import reading, size
from sekisho.cel.extensions.network import CIDR, IP
from sekisho.cel.functions import Cost, Overload
from sekisho.cel.kubernetes.costs import priced
from sekisho.cel.library import Library
from sekisho.cel.values import Value
from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang import netip

_WRONG: Final = "network address parse error during conversion from string: "


@lru_cache(maxsize=network.KEPT)
def parse_network(text: str) -> netip.Prefix:
    """The network that a text means. Raises CelError."""
    try:
        prefix = netip.parse_prefix(text)
    except BuiltinFault as fault:
        raise CelError(f"{_WRONG}{_WRONG}{fault}") from None
    if prefix.address.is_mapped:
        raise CelError(f"{_WRONG}{network.mapped(text)}")
    return prefix


def _address_in(text: str) -> netip.Addr:
    """The address that a network is asked for."""
    try:
        return network.parse_address(text)
    except CelError:
        raise no_such_overload() from None


# --- costs ------------------------------------------------------------------------------------------------


def _contains_ip(cidr: Value, _: Value, __: Value) -> int:
    return reading(2 * size(cidr))


def _contains_ip_text(cidr: Value, text: Value, _: Value) -> int:
    return reading(2 * size(cidr)) + reading(size(text))


def _contains_cidr(cidr: Value, _: Value, __: Value) -> int:
    return reading(2 * size(cidr)) + reading(size(cidr)) + 1


def _contains_cidr_text(cidr: Value, text: Value, result: Value) -> int:
    return _contains_cidr(cidr, text, result) + reading(size(text))


def _read(text: Value, _: Value) -> int:
    return reading(size(text))


_COSTS: Final[dict[str, Cost]] = {
    "string_to_ip": _read,
    "cidr_contains_ip_ip": _contains_ip,
    "cidr_contains_ip_string": _contains_ip_text,
    "cidr_contains_cidr": _contains_cidr,
    "cidr_contains_cidr_string": _contains_cidr_text,
}


def _rows(rows: Iterable[Overload]) -> tuple[Overload, ...]:
    return tuple(replace(row, cost=_COSTS.get(row.id, row.cost)) for row in priced(rows))


ADDRESSES: Final = Library(
    name="kubernetes.net.ip",
    overloads=_rows(network.address_rows(network.parse_address)),
    types=(IP,),
)

NETWORKS: Final = Library(
    name="kubernetes.net.cidr",
    overloads=_rows(network.network_rows(parse_network, _address_in)),
    types=(CIDR,),
)
