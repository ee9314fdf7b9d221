"""Socket addresses as the kernel has them, networks, and which addresses are more than they seem."""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from sekisho.sandbox.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from sekisho.sandbox.spec import SandboxSpec

AF_UNSPEC: Final = 0
MAPPED: Final = bytes(10) + b"\xff\xff"
"""::ffff:0:0/96: IPv4 in the form of IPv6. All hosts are kept in that form, 16 bytes each."""

CARRIERS: Final = (
    (bytes(12), 12),
    (bytes.fromhex("0064ff9b") + bytes(8), 12),
    (bytes.fromhex("2002"), 2),
)
"""Prefixes of IPv6 that carry an IPv4 address, and where it begins: compatible, NAT64 and 6to4 addresses."""


@value
class Place:
    """An address and port of the internet. ``host`` has 16 bytes."""

    host: bytes
    port: int

    def text(self) -> str:
        """The address as people write it, without the port."""
        return host_text(self.host)


@value
class Net:
    """A network: the addresses whose first ``bits`` (of 128) are those of ``prefix``."""

    prefix: bytes
    bits: int

    def holds(self, host: bytes) -> bool:
        """Whether an address is in it."""
        rest = 128 - self.bits
        return int.from_bytes(host, "big") >> rest == int.from_bytes(self.prefix, "big") >> rest

    def within(self, other: Net) -> bool:
        """Whether it is a part of another network, or the same."""
        return self.bits >= other.bits and other.holds(self.prefix)


def host_of(text: str) -> bytes:
    """An address as 16 bytes. ValueError if it is none."""
    try:
        return inet_pton(AF_INET6, text) if ":" in text else MAPPED + inet_pton(AF_INET, text)
    except OSError:
        raise ValueError(f"{text!r} is no address") from None


def host_text(host: bytes) -> str:
    """16 bytes as an address."""
    if host.startswith(MAPPED):
        return inet_ntop(AF_INET, host[12:])
    return inet_ntop(AF_INET6, host)


def net_of(text: str) -> Net:
    """``ADDRESS`` or ``ADDRESS/BITS``. ValueError if it is neither, or has bits beyond its prefix."""
    address, slash, bits = text.partition("/")
    host = host_of(address)
    most = 128 if ":" in address else 32
    if not slash:
        return Net(prefix=host, bits=128)
    if not bits.isdigit() or int(bits) > most:
        raise ValueError(f"{bits!r} is no length of a prefix")
    length = int(bits) + 128 - most
    if int.from_bytes(host, "big") & ((1 << (128 - length)) - 1):
        raise ValueError(f"{text} has bits beyond its prefix")
    return Net(prefix=host, bits=length)


def place_of(address: bytes) -> Place | None:
    """The place that a socket address names; None for other families, or if it is too short."""
    family = int.from_bytes(address[:2], "little")
    port = int.from_bytes(address[2:4], "big")
    if family == AF_INET and len(address) >= 16:
        return Place(host=MAPPED + address[4:8], port=port)
    if family == AF_INET6 and len(address) >= 24:
        return Place(host=address[8:24], port=port)
    return None


def carried(host: bytes) -> bytes | None:
    """The IPv4 address that an address of IPv6 carries, as 16 bytes: whoever routes it may unpack it."""
    for prefix, at in CARRIERS:
        if host.startswith(prefix) and int.from_bytes(host, "big") > 0xFFFF:
            return MAPPED + host[at : at + 4]
    return None


def _nets(*texts: str) -> tuple[Net, ...]:
    return tuple(map(net_of, texts))


LOOPBACK: Final = _nets("127.0.0.0/8", "::1/128")
NOWHERE: Final = _nets("0.0.0.0/32", "::/128")
"""What connects to this host, by its oldest name."""
SERVICES: Final = _nets(
    "169.254.0.0/16",  # link-local: the metadata services of AWS, Google, Azure, DigitalOcean, OpenStack
    "fe80::/10",  # the same, of IPv6
    "fd00:ec2::254/128",  # AWS
    "fd20:ce::254/128",  # Google
    "100.100.100.200/32",  # Alibaba
    "192.0.0.192/32",  # Oracle
    "168.63.129.16/32",  # Azure's host
)
"""Where clouds keep a machine's metadata and its credentials: a rule must name a part of these."""
INSIDE: Final = _nets(
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24",
    "192.168.0.0/16", "224.0.0.0/3", "::/128", "::1/128", "fc00::/7", "fec0::/10", "ff00::/8",
)  # fmt: skip
"""What a public name has no business to lead to."""


def is_in(nets: tuple[Net, ...], host: bytes) -> bool:
    """Whether one of the networks holds the address, or the address that it carries."""
    inner = carried(host)
    return any(net.holds(host) or (inner is not None and net.holds(inner)) for net in nets)


RESOLVER: Final = "127.0.0.53"
"""Where a sandbox with a network of its own asks for names."""


def resolver_address(spec: SandboxSpec) -> str:
    """Where a sandbox asks for names. Containers of one Pod share a loopback: each has an address of it."""
    if "network" in spec.namespaces.new:
        return RESOLVER
    number = 0
    for letter in spec.id.encode():
        number = (number * 31 + letter) % 65_021
    return f"127.53.{number // 254 + 1 & 255}.{number % 254 + 1}"


def is_local(host: bytes) -> bool:
    """Whether it is this host, by loopback or by no address at all."""
    return is_in(LOOPBACK, host) or is_in(NOWHERE, host)
