"""The verdict on one address."""

from __future__ import annotations

from sekisho.sandbox.network import addresses
from sekisho.sandbox.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final

    from sekisho.sandbox.network.addresses import Net, Place
    from sekisho.sandbox.spec import Egress, Network

PINS_MOST: Final = 4096
"""Addresses that are pinned at once; the oldest go first. A program that asks for more names than that loses
access to the first ones until it asks again.
"""
PIN_LEAST: Final = 60.0
"""Seconds for which an answer is good, whatever its time to live: a program asks, and then connects."""
PIN_LONGEST: Final = 3600.0
"""And at most this long: what had the address may be somebody else by then."""

METADATA_NAMES: Final = frozenset(
    (
        "metadata", "metadata.google.internal", "metadata.goog", "metadata.azure.com",
        "metadata.azure.internal", "instance-data", "instance-data.ec2.internal", "metadata.packet.net",
        "metadata.tencentyun.com",
    )
)  # fmt: skip
"""Names of metadata services: ``*.google.internal`` does not give them, the name itself does."""


@value
class Verdict:
    """A decision: ``rule`` is the rule that made it, as text, or empty; ``name`` the name that led to the
    address; ``why`` says why not.
    """

    allow: bool
    rule: str = ""
    name: str = ""
    why: str = ""


def matches(pattern: str, name: str) -> bool:
    """Whether a name is the domain, or below it where the pattern begins with ``*.``."""
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and len(name) > len(pattern) - 1
    return name == pattern


def rule_text(rule: Egress) -> str:
    """A rule as people write it."""
    ports = ",".join(str(low) if low == high else f"{low}-{high}" for low, high in rule.ports)
    target = f"[{rule.target}]" if ports and ":" in rule.target else rule.target
    text = f"{target}:{ports}" if ports else target
    text = text if rule.protocol == "any" else f"{text}/{rule.protocol}"
    return text if rule.allow else f"not {text}"


class Rules:
    """Rules on who may be talked to, and which addresses names have led to.

    ``own`` are the machine's own addresses, 16 bytes each. Nothing here looks at a clock or a socket.
    """

    __slots__ = ("_metadata", "_nets", "_own", "_pins", "_rules", "domains")

    def __init__(self, network: Network, own: Iterable[bytes] = ()) -> None:
        self._rules = network.egress
        self._metadata = network.allow_metadata
        self._own = frozenset(own)
        self._nets: dict[str, Net] = {}
        for rule in network.egress:
            if _is_address(rule.target):
                self._nets[rule.target] = addresses.net_of(rule.target)
        self.domains = tuple(rule for rule in network.egress if rule.target not in self._nets)
        self._pins: dict[bytes, dict[str, float]] = {}

    # names

    def allows_name(self, name: str) -> Egress | None:
        """The rule by which a name (lower case, no dot at its end) may be asked for."""
        for rule in self.domains:
            if matches(rule.target, name) and (rule.target == name or name not in METADATA_NAMES):
                return rule if rule.allow else None
        return None

    def leads_inside(self, host: bytes) -> bool:
        """Whether an answer leads where no name may: inside, to metadata, or to this machine."""
        return (
            addresses.is_in(addresses.INSIDE, host)
            or addresses.is_in(addresses.SERVICES, host)
            or host in self._own
        )

    def gives_inside(self, host: bytes) -> bool:
        """Whether a rule on addresses gives such an address; a name may lead there then, but adds nothing.

        A rule as wide as the internet does not mean the networks that it happens to hold.
        """
        return any(
            rule.allow
            and self._holds(rule, host)
            and self._names(rule, host)
            and (
                host in self._own
                or any(self._nets[rule.target].within(net) for net in addresses.INSIDE + addresses.SERVICES)
            )
            for rule in self._rules
        )

    def pin(self, name: str, host: bytes, ttl: float, now: float) -> None:
        """A name has led to an address: whoever the rules let talk to the name may talk to it for a while."""
        end = now + min(max(ttl, PIN_LEAST), PIN_LONGEST)
        names = self._pins.pop(host, {})
        names = {known: until for known, until in names.items() if until > now}
        names[name] = max(end, names.get(name, 0.0))
        self._pins[host] = names
        if len(self._pins) > PINS_MOST:
            self._pins.pop(next(iter(self._pins)))

    def pin_for_ever(self, name: str, host: bytes) -> None:
        """The same, for what the machine itself says of a name."""
        self._pins.setdefault(host, {})[name] = float("inf")

    def _named(self, host: bytes, now: float) -> Mapping[str, float]:
        return {name: end for name, end in self._pins.get(host, {}).items() if end > now}

    # addresses

    def verdict(self, place: Place, protocol: str, now: float) -> Verdict:
        """Whether an address may be talked to; ``protocol`` is tcp or udp.

        1. This host's loopback is not outside: whoever comes here with it wants somebody else's.
        2. The first rule that matches address, port and protocol decides. A domain matches an address that
           one of its names has led to.
        3. Metadata services and the machine's own addresses take more: a rule that names them.
        4. Without a rule the answer is no.
        """
        if addresses.is_local(place.host):
            return Verdict(allow=False, why="it is the machine's loopback")
        names = self._named(place.host, now)
        for rule in self._rules:
            if rule.protocol not in ("any", protocol) or not _has_port(rule, place.port):
                continue
            name = ""
            if rule.target in self._nets:
                if not self._holds(rule, place.host):
                    continue
            else:
                name = next((name for name in names if matches(rule.target, name)), "")
                if not name:
                    continue
            return self._judge(rule, place, name)
        why = "no rule allows it"
        if names:
            why = f"no rule allows {next(iter(names))} at this port"
        return Verdict(allow=False, name=next(iter(names), ""), why=why)

    def _judge(self, rule: Egress, place: Place, name: str) -> Verdict:
        text = rule_text(rule)
        if not rule.allow:
            return Verdict(allow=False, rule=text, name=name, why="a rule refuses it")
        if name:  # what leads inside was never pinned
            return Verdict(allow=True, rule=text, name=name)
        if not self._names(rule, place.host):
            why = "it is an address of this machine; a rule must name it"
            if addresses.is_in(addresses.SERVICES, place.host):
                why = "it is where clouds keep a machine's credentials; a rule must name it"
            return Verdict(allow=False, rule=text, why=why)
        return Verdict(allow=True, rule=text)

    def _holds(self, rule: Egress, host: bytes) -> bool:
        net = self._nets.get(rule.target)
        if net is None:
            return False
        inner = addresses.carried(host)
        return net.holds(host) or (not rule.allow and inner is not None and net.holds(inner))

    def _names(self, rule: Egress, host: bytes) -> bool:
        """Whether a rule that holds an address is narrow enough for it."""
        net = self._nets.get(rule.target)
        assert net is not None
        if host in self._own and net.bits < 128:
            return False
        inner = addresses.carried(host)
        for service in addresses.SERVICES:
            if service.holds(host) or (inner is not None and service.holds(inner)):
                return self._metadata or net.within(service)
        return True


def _has_port(rule: Egress, port: int) -> bool:
    return not rule.ports or any(low <= port <= high for low, high in rule.ports)


def _is_address(target: str) -> bool:
    try:
        addresses.net_of(target)
    except ValueError:
        return False
    return True
