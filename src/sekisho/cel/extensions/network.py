"""The network library of cel-go: addresses and networks. Facts from cel-go's ``ext/network.go``.

Kubernetes has its own copy, which differs in messages and lacks ``isMask``: ``cel.kubernetes.net``. An
address is strict: no zones, no octets with a leading zero, no IPv4 in the form of IPv6.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from sekisho.cel.errors import CelError
from sekisho.cel.functions import Overload
from sekisho.cel.library import Library
from sekisho.cel.standard.rows import Row
from sekisho.cel.types import BOOL, INT, STRING, opaque
from sekisho.cel.values import OpaqueValue, Value
from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang import netip
from sekisho.lang.golang.gotext import quote

KEPT: Final = 512
"""Addresses, and networks, that are not read again: a policy compares with the same few. They are short."""

IP: Final = opaque("net.IP")
CIDR: Final = opaque("net.CIDR")


class Address(OpaqueValue):
    """An address."""

    __slots__ = ("addr",)
    cel_type = IP

    def __init__(self, addr: netip.Addr) -> None:
        self.addr = addr

    @property
    def size(self) -> int:
        """Bytes of the address, by which costs count."""
        return self.addr.bits // 8

    def equals(self, other: Value) -> bool:
        """Addresses are equal to addresses."""
        return isinstance(other, Address) and self.addr == other.addr

    def __str__(self) -> str:
        return str(self.addr)


class Network(OpaqueValue):
    """A network, with the address that it was written with."""

    __slots__ = ("prefix",)
    cel_type = CIDR

    def __init__(self, prefix: netip.Prefix) -> None:
        self.prefix = prefix

    @property
    def size(self) -> int:
        """Bytes of the prefix, by which costs count."""
        return -(-self.prefix.length // 8)

    def equals(self, other: Value) -> bool:
        """Networks are equal to networks, in address and length."""
        return isinstance(other, Network) and self.prefix == other.prefix

    def __str__(self) -> str:
        return str(self.prefix)


@lru_cache(maxsize=KEPT)
def parse_address(text: str) -> netip.Addr:
    """The address that a text means. Raises CelError."""
    try:
        addr = netip.parse_addr(text)
    except BuiltinFault as fault:
        what = f"IP Address {quote(text)}"
        raise CelError(f"{what} parse error during conversion from string: {fault}") from None
    if addr.zone:
        raise CelError(f"IP address {quote(text)} with zone value is not allowed")
    if addr.is_mapped:
        raise mapped(text)
    return addr


@lru_cache(maxsize=KEPT)
def parse_network(text: str) -> netip.Prefix:
    """The network that a text means. Raises CelError."""
    try:
        prefix = netip.parse_prefix(text)
    except BuiltinFault as fault:
        raise CelError(f"CIDR {quote(text)} parse error during conversion from string: {fault}") from None
    if prefix.address.is_mapped:
        raise mapped(text)
    return prefix


def mapped(text: str) -> CelError:
    """An IPv4 address is written as IPv6."""
    return CelError(f"IPv4-mapped IPv6 address {quote(text)} is not allowed")


def holds(check: Callable[[str], Any]) -> Callable[[str], bool]:
    """Whether a text passes a function that raises."""

    def run(text: str) -> bool:
        try:
            check(text)
        except CelError:
            return False
        return True

    return run


def _of_address(name: str) -> Callable[[Address], bool]:
    return lambda address: bool(getattr(address.addr, name))


def _is_mask(network: Network) -> bool:
    return network.prefix.address == network.prefix.masked.address


def _row(function: str, signature: Row, call: Callable[..., Any], note: str = "") -> Overload:
    id, params, result = signature
    return Overload(
        id=id,
        function=function,
        params=params,
        result=result,
        call=call,
        member=params[0] is not STRING and function != "string",
        note=note,
    )


QUESTIONS: Final = (
    ("isUnspecified", "ip_is_unspecified", "is_unspecified", "0.0.0.0 or ::"),
    ("isLoopback", "ip_is_loopback", "is_loopback", "127.0.0.0/8 or ::1"),
    (
        "isLinkLocalMulticast",
        "ip_is_link_local_multicast",
        "is_link_local_multicast",
        "224.0.0.0/24, ffx2::/16",
    ),
    ("isLinkLocalUnicast", "ip_is_link_local_unicast", "is_link_local_unicast", "169.254.0.0/16, fe80::/10"),
    ("isGlobalUnicast", "ip_is_global_unicast", "is_global_unicast", "none of these, and no multicast"),
)
"""Function, overload, attribute of the address, and what is meant."""


def address_rows(parse: Callable[[str], netip.Addr]) -> tuple[Overload, ...]:
    """The functions of addresses, with what reads them."""
    return (
        _row("ip", ("string_to_ip", (STRING,), IP), lambda text: Address(parse(text)), "an address"),
        _row("family", ("ip_family", (IP,), INT), lambda ip: 4 if ip.addr.bits == 32 else 6, "4 or 6"),
        _row(
            "ip.isCanonical",
            ("ip_is_canonical", (STRING,), BOOL),
            lambda text: str(parse(text)) == text,
            "whether this is the one spelling of the address",
        ),
        *(
            _row(function, (id, (IP,), BOOL), _of_address(attribute), note)
            for function, id, attribute, note in QUESTIONS
        ),
        _row("isIP", ("is_ip", (STRING,), BOOL), holds(parse), "whether ip() takes it"),
        _row("string", ("ip_to_string", (IP,), STRING), str, "the one spelling of the address"),
    )


def network_rows(
    parse: Callable[[str], netip.Prefix], address: Callable[[str], netip.Addr]
) -> tuple[Overload, ...]:
    """The functions of networks, with what reads them and the addresses in them."""
    return (
        _row("cidr", ("string_to_cidr", (STRING,), CIDR), lambda text: Network(parse(text)), "a network"),
        _row(
            "containsIP",
            ("cidr_contains_ip_string", (CIDR, STRING), BOOL),
            lambda network, text: network.prefix.contains(address(text)),
            "whether an address lies in it",
        ),
        _row(
            "containsIP",
            ("cidr_contains_ip_ip", (CIDR, IP), BOOL),
            lambda network, ip: network.prefix.contains(ip.addr),
            "whether an address lies in it",
        ),
        _row(
            "containsCIDR",
            ("cidr_contains_cidr_string", (CIDR, STRING), BOOL),
            lambda network, text: network.prefix.covers(parse(text)),
            "whether all of another lies in it",
        ),
        _row(
            "containsCIDR",
            ("cidr_contains_cidr", (CIDR, CIDR), BOOL),
            lambda network, other: network.prefix.covers(other.prefix),
            "whether all of another lies in it",
        ),
        _row("ip", ("cidr_ip", (CIDR,), IP), lambda network: Address(network.prefix.address), "its address"),
        _row("prefixLength", ("cidr_prefix_length", (CIDR,), INT), lambda network: network.prefix.length),
        _row(
            "masked",
            ("cidr_masked", (CIDR,), CIDR),
            lambda network: Network(network.prefix.masked),
            "with the bits behind the prefix cleared",
        ),
        _row("isCIDR", ("is_cidr", (STRING,), BOOL), holds(parse), "whether cidr() takes it"),
        _row("string", ("cidr_to_string", (CIDR,), STRING), str, "address and length"),
    )


NETWORK: Final = Library(
    name="cel.lib.ext.network",
    overloads=(
        *address_rows(parse_address),
        *network_rows(parse_network, parse_address),
        _row("isMask", ("cidr_is_mask", (CIDR,), BOOL), _is_mask, "whether no bits follow the prefix"),
    ),
    types=(IP, CIDR),
)
