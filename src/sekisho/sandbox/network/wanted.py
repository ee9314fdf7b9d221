"""Rules and ports as people write them, for the command line, Python and annotations."""

from __future__ import annotations

from sekisho.sandbox.network import addresses
from sekisho.sandbox.spec import Egress, Published

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

PROTOCOLS: Final = ("tcp", "udp")
LABEL_MOST: Final = 63
NAME_MOST: Final = 253
"""Bytes of a part of a domain, and of a domain (RFC 1035)."""


def _ports(text: str) -> tuple[tuple[int, int], ...]:
    found = []
    for part in text.split(","):
        low, dash, high = part.partition("-")
        if not low.isdigit() or (dash and not high.isdigit()):
            raise ValueError(f"{part!r} is no port")
        pair = (int(low), int(high) if dash else int(low))
        if not 0 < pair[0] <= pair[1] <= 65_535:
            raise ValueError(f"{part} is no port, nor a range of ports")
        found.append(pair)
    return tuple(found)


def rule(text: str, *, domain: bool = False) -> Egress:
    """``TARGET[:PORTS][/PROTOCOL]`` as a rule that allows, or, after ``!``, refuses.

    The target is a CIDR (an IPv6 one with ports stands in brackets) or, with ``domain``, a name. ValueError
    says what is wrong.
    """
    allow, rest = not text.startswith("!"), text.removeprefix("!").strip()
    protocol = "any"
    for known in PROTOCOLS:
        if rest.endswith(f"/{known}"):
            protocol, rest = known, rest.removesuffix(f"/{known}")
    if rest.startswith("["):
        target, bracket, ports = rest[1:].partition("]")
        if not bracket or (ports and not ports.startswith(":")):
            raise ValueError(f"{text!r} is not [ADDRESS]:PORTS")
        ports = ports[1:]
    elif rest.count(":") > 1:
        target, ports = rest, ""
    else:
        target, _, ports = rest.partition(":")
    if domain:
        target = _domain(target)
    else:
        addresses.net_of(target)
    return Egress(allow=allow, target=target, ports=_ports(ports) if ports else (), protocol=protocol)


def _domain(text: str) -> str:
    name = text.lower().rstrip(".")
    bare = name.removeprefix("*.")
    labels = bare.split(".")
    fine = all(
        0 < len(label) <= LABEL_MOST
        and label.isascii()
        and label.replace("-", "a").replace("_", "a").isalnum()
        for label in labels
    )
    if not fine or len(bare) > NAME_MOST:
        raise ValueError(f"{text!r} is no domain (international ones are written in their xn-- form)")
    if labels[-1].isdigit():
        raise ValueError(f"{text!r} is an address: it takes a rule on addresses")
    return name


def published(text: str) -> Published:
    """``[ADDRESS:][PORT:]INNER`` : a port of the sandbox that the machine listens for, by default on its
    loopback and with the same number. ValueError says what is wrong.
    """
    address = "127.0.0.1"
    rest = text.removesuffix("/tcp")
    if rest.startswith("["):
        address, bracket, rest = rest[1:].partition("]")
        if not bracket or not rest.startswith(":"):
            raise ValueError(f"{text!r} is not [ADDRESS]:PORT:INNER")
        rest = rest[1:]
    elif rest.count(":") == 2:
        address, _, rest = rest.partition(":")
    addresses.host_of(address)
    outer, colon, inner = rest.partition(":")
    numbers = _ports(outer), _ports(inner if colon else outer)
    for pairs in numbers:
        if len(pairs) != 1 or pairs[0][0] != pairs[0][1]:
            raise ValueError(f"{text!r} names more than one port")
    return Published(address=address, port=numbers[0][0][0], inner=numbers[1][0][0])


def nameserver(text: str) -> tuple[str, int]:
    """``ADDRESS`` or ``ADDRESS:PORT`` (IPv6 in brackets) of a name server."""
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is not [ADDRESS]:PORT")
        port = rest[1:]
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    else:
        address, port = text, ""
    addresses.host_of(address)
    return address, _ports(port)[0][0] if port else 53
