"""net.*: addresses and networks, as Go's net package reads them.

An IPv4 address mapped into IPv6 (``::ffff:10.0.0.1``) is that IPv4 address, as in Go. No name is looked up
but through the resolver of the capability set.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sekisho.rego.builtins import gate, operands
from sekisho.rego.builtins.table import Support, row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import ANY, BOOLEAN, STRING, Array, Function, Object, SetOf, Union
from sekisho.rego.values import Set, Value, key, unkey

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MAPPED: Final = 0xFFFF << 32
"""::ffff:0:0, where the IPv4 addresses lie in the 128-bit space."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network: width in bits (32 or 128), the address as given (with host bits), length of the prefix."""

    bits: int
    address: int
    prefix: int

    @property
    def first(self) -> int:
        """The lowest address."""
        free = self.bits - self.prefix
        return self.address >> free << free

    @property
    def last(self) -> int:
        """The highest address."""
        return self.first | ((1 << (self.bits - self.prefix)) - 1)

    def holds(self, bits: int, address: int) -> bool:
        """Whether an address lies in it."""
        free = self.bits - self.prefix
        return bits == self.bits and address >> free == self.address >> free


def parse_ip(text: str) -> tuple[int, int] | None:
    """Width and number of an address, or None if it is none (an address with a zone is none)."""
    if "%" in text:
        return None
    try:
        found: Address = ipaddress.ip_address(text)
    except ValueError:
        return None
    number = int(found)
    if isinstance(found, ipaddress.IPv6Address):
        return (32, number & 0xFFFFFFFF) if number >> 32 == 0xFFFF else (128, number)
    return 32, number


def ip_text(bits: int, number: int) -> str:
    """An address as text."""
    return str(ipaddress.IPv4Address(number) if bits == 32 else ipaddress.IPv6Address(number))


def parse_cidr(text: str) -> Network:
    """The network of ``address/prefix``. Raises BuiltinFault with Go's message."""
    address, slash, length = text.partition("/")
    found = parse_ip(address)
    if slash and found and length.isascii() and length.isdigit() and len(length) < 8:
        width = 128 if ":" in address else 32
        prefix = int(length)
        if prefix <= width:
            if width == 128 and found[0] == 32:  # written as mapped IPv4
                if prefix >= 96:
                    return Network(32, found[1], prefix - 96)
                return Network(128, _MAPPED | found[1], prefix)
            return Network(*found, prefix)
    raise BuiltinFault(f"invalid CIDR address: {text}")


# --- the functions --------------------


def _contains(outer: Value, inner: Value) -> bool:
    network = parse_cidr(operands.string(outer, 1))
    return _holds(network, operands.string(inner, 1))


def _holds(network: Network, inner: str) -> bool:
    if address := parse_ip(inner):
        return network.holds(*address)
    try:
        other = parse_cidr(inner)
    except BuiltinFault:
        raise BuiltinFault(
            f"not a valid textual representation of an IP address or CIDR: {inner}",
        ) from None
    return network.holds(other.bits, other.first) and network.holds(other.bits, other.last)


def _intersects(left: Value, right: Value) -> bool:
    a = parse_cidr(operands.string(left, 1))
    b = parse_cidr(operands.string(right, 1))
    return a.holds(b.bits, b.first) or b.holds(a.bits, a.first)


def _is_valid(text: Value) -> bool:
    if type(text) is not str:
        return False
    try:
        parse_cidr(text)
    except BuiltinFault:
        return False
    return True


def _expand(context: EvalContext, text: Value) -> Set:
    network = parse_cidr(operands.string(text, 1))
    context.meter.build(network.last - network.first + 1)
    numbers = range(network.first, network.last + 1)
    return Set({ip_text(network.bits, number) for number in context.meter.watch(numbers)})


def _candidates(operand: int, value: Value) -> Iterator[tuple[Value, Value]]:
    """Pairs of a network or address and what names it in the result."""
    kind = type(value)
    if kind is str:
        yield value, value
    elif kind is list:
        yield from ((_first(operand, item), index) for index, item in enumerate(value))
    elif kind is Set:
        yield from ((_first(operand, item), item) for item in value)
    elif kind is dict:
        yield from ((_first(operand, item), unkey(name)) for name, item in value.items())


def _first(operand: int, item: Value) -> Value:
    if type(item) is list and item:
        return item[0]
    if type(item) is not str:
        raise BuiltinFault(f"operand {operand}: element must be string or non-empty array")
    return item


def _contains_matches(context: EvalContext, networks: Value, addresses: Value) -> Set:
    inner: list[tuple[Value, Value]] | None = None
    found = set()
    for text, name in _candidates(1, networks):
        if inner is None:
            inner = list(_candidates(2, addresses))
        context.meter.charge(8 * len(inner))
        network = parse_cidr(operands.string(text, 1)) if inner else None
        for other, label in context.meter.watch(inner):
            if network and _holds(network, operands.string(other, 1)):
                context.meter.build(1)
                found.add(key([name, label]))
    return Set(found)


def _merge(context: EvalContext, networks: Value) -> Set:
    if type(networks) not in {list, Set}:
        raise BuiltinFault("operand must be an array")
    context.meter.charge(20 * len(networks))
    given = [_network(item) for item in networks]
    ranges: list[tuple[int, int, Network | None]] = [(*_span(network), network) for network in given]
    ranges.sort(key=lambda item: (item[1], item[0]))
    merged: list[tuple[int, int, Network | None]] = []
    for low, high, network in reversed(ranges):
        if merged and _before(merged[-1][0]) <= high:
            merged[-1] = (min(low, merged[-1][0]), merged[-1][1], None)
        else:
            merged.append((low, high, network))
    out: set[str] = set()
    for low, high, only in merged:
        if only:
            out.add(f"{ip_text(only.bits, only.address)}/{only.prefix}")
        else:
            out.update(_summary(low, high))
    return Set(out)


def _network(item: Value) -> Network:
    if type(item) is not str:
        raise BuiltinFault("element must be string")
    address = parse_ip(item)
    if address is None:
        network = parse_cidr(item)
        return Network(network.bits, network.first, network.prefix)
    bits, number = address
    if bits == 128:
        raise BuiltinFault("IPv6 invalid: needs prefix length")
    top = number >> 24
    return Network(32, number, 8 if top < 128 else 16 if top < 192 else 24)


def _span(network: Network) -> tuple[int, int]:
    """First and last address in the 128-bit space, where IPv4 lies under ::ffff:0:0."""
    base = _MAPPED if network.bits == 32 else 0
    return base | network.first, base | network.last


def _before(number: int) -> int:
    return number if number in {0, _MAPPED} else number - 1


def _summary(low: int, high: int) -> Iterator[str]:
    first: Address
    last: Address
    if low >> 32 == 0xFFFF and high >> 32 == 0xFFFF:
        first, last = ipaddress.IPv4Address(low & 0xFFFFFFFF), ipaddress.IPv4Address(high & 0xFFFFFFFF)
    else:
        first, last = ipaddress.IPv6Address(low), ipaddress.IPv6Address(high)
    return map(str, ipaddress.summarize_address_range(first, last))


def _lookup(context: EvalContext, name: Value) -> Value:
    host = operands.string(name, 1)
    gate.check_host(context.capabilities, host)
    if address := parse_ip(host):  # nothing to look up
        return Set({ip_text(*address)})
    resolver = context.capabilities.resolver
    if resolver is None:
        gate.refuse("net.lookup_ip_addr", "resolver")
    return gate.once(
        context,
        "net.lookup_ip_addr",
        host,
        lambda: Set(set(resolver(host, context.meter.remaining()))),
    )


_ADDRESSES = Union((STRING, Array(dynamic=ANY)))
_MATCHES = Union((STRING, Array(dynamic=_ADDRESSES), Object(dynamic=(STRING, _ADDRESSES)), SetOf(_ADDRESSES)))
_TWO = Function((STRING, STRING), BOOLEAN)
row("net.cidr_contains", _TWO, _contains)
row(
    "net.cidr_contains_matches",
    Function((_MATCHES, _MATCHES), SetOf(Array(static=(ANY, ANY)))),
    _contains_matches,
    context=True,
)
row("net.cidr_expand", Function((STRING,), SetOf(STRING)), _expand, context=True)
row("net.cidr_intersects", _TWO, _intersects)
row("net.cidr_is_valid", Function((STRING,), BOOLEAN), _is_valid)
row(
    "net.cidr_merge",
    Function((Union((Array(dynamic=STRING), SetOf(STRING))),), SetOf(STRING)),
    _merge,
    context=True,
)
row("net.cidr_overlap", _TWO, _contains, deprecated=True)
row(
    "net.lookup_ip_addr",
    Function((STRING,), SetOf(STRING)),
    _lookup,
    context=True,
    deterministic=False,
    support=Support.GATED,
    note="needs Capabilities.resolver, but for addresses, which need no look-up",
)
