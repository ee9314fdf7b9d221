"""Addresses and prefixes as Go's net/netip reads and writes them: strict, and with its messages."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, NoReturn

from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang.gotext import quote

_FIRST: Final = re.compile("[.:%]")
_GROUP: Final = re.compile("[0-9a-fA-F]*")
_MAPPED: Final = 0xFFFF
"""The upper 96 bits of an IPv4 address that is mapped into IPv6."""
_INT_MAX: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Addr:
    """An address: its width in bits (32 or 128), its number, and the zone of a scoped IPv6 address."""

    bits: int
    number: int
    zone: str = ""

    @property
    def is_mapped(self) -> bool:
        """Whether it is an IPv4 address in the form of an IPv6 address."""
        return self.bits == 128 and self.number >> 32 == _MAPPED

    @property
    def is_unspecified(self) -> bool:
        """``0.0.0.0`` or ``::``."""
        return self.number == 0 and not self.zone

    @property
    def is_loopback(self) -> bool:
        """127.0.0.0/8 or ``::1``."""
        return self.number >> 24 == 127 if self.bits == 32 else self.number == 1

    @property
    def is_multicast(self) -> bool:
        """224.0.0.0/4 or ff00::/8."""
        return self.number >> 28 == 0xE if self.bits == 32 else self.number >> 120 == 0xFF

    @property
    def is_link_local_multicast(self) -> bool:
        """224.0.0.0/24 or ffx2::/16."""
        if self.bits == 32:
            return self.number >> 8 == 0xE00000
        return self.number >> 112 & 0xFF0F == 0xFF02

    @property
    def is_link_local_unicast(self) -> bool:
        """169.254.0.0/16 or fe80::/10."""
        return self.number >> 16 == 0xA9FE if self.bits == 32 else self.number >> 118 == 0xFE80 >> 6

    @property
    def is_global_unicast(self) -> bool:
        """None of the above, nor 255.255.255.255: private addresses are global by this measure."""
        if self.is_unspecified or (self.bits == 32 and self.number == 0xFFFFFFFF):
            return False
        return not (self.is_loopback or self.is_multicast or self.is_link_local_unicast)

    def __str__(self) -> str:
        if self.bits == 32:
            return str(ipaddress.IPv4Address(self.number))
        if self.is_mapped:  # Python before 3.13 writes the last two groups in hexadecimal
            text = f"::ffff:{ipaddress.IPv4Address(self.number & 0xFFFFFFFF)}"
        else:
            text = str(ipaddress.IPv6Address(self.number))
        return f"{text}%{self.zone}" if self.zone else text


@dataclass(frozen=True, slots=True)
class Prefix:
    """A network: an address, which may have bits beyond the prefix, and the length of the prefix."""

    address: Addr
    length: int

    @property
    def masked(self) -> Prefix:
        """The same with the bits beyond the prefix cleared."""
        free = self.address.bits - self.length
        return Prefix(Addr(self.address.bits, self.address.number >> free << free), self.length)

    def contains(self, address: Addr) -> bool:
        """Whether an address lies in it. IPv4 networks hold no IPv6 addresses, nor the other way round."""
        if address.zone or address.bits != self.address.bits:
            return False
        free = address.bits - self.length
        return address.number >> free == self.address.number >> free

    def covers(self, other: Prefix) -> bool:
        """Whether all of another network lies in it."""
        return self.length <= other.length and self.contains(other.address)

    def __str__(self) -> str:
        return f"{self.address}/{self.length}"


def parse_addr(text: str) -> Addr:
    """The address that a text means. Raises BuiltinFault ``ParseAddr("…"): reason``."""
    found = _FIRST.search(text)
    if found is None:
        _refuse(text, "unable to parse IP")
    if found[0] == "%":
        _refuse(text, "missing IPv6 address")
    return Addr(32, _ipv4(text, text)) if found[0] == "." else _Ipv6(text).parse()


def parse_prefix(text: str) -> Prefix:
    """The network that ``address/length`` means. Raises BuiltinFault ``netip.ParsePrefix("…"): reason``."""
    head, slash, length = text.rpartition("/")
    if not slash:
        _refuse_prefix(text, "no '/'")
    try:
        address = parse_addr(head)
    except BuiltinFault as fault:
        _refuse_prefix(text, str(fault))
    if address.zone:
        _refuse_prefix(text, "IPv6 zones cannot be present in a prefix")
    if not length.isascii() or not length.isdigit() or (len(length) > 1 and length[0] == "0"):
        _refuse_prefix(text, f"bad bits after slash: {quote(length)}")
    if len(length) > 19 or int(length) > _INT_MAX:
        _refuse_prefix(text, f"bad bits after slash: {quote(length)}")
    if int(length) > address.bits:
        _refuse_prefix(text, "prefix length out of range")
    return Prefix(address, int(length))


def _refuse(text: str, reason: str, at: str = "") -> NoReturn:
    where = f" (at {quote(at)})" if at else ""
    raise BuiltinFault(f"ParseAddr({quote(text)}): {reason}{where}")


def _refuse_prefix(text: str, reason: str) -> NoReturn:
    raise BuiltinFault(f"netip.ParsePrefix({quote(text)}): {reason}")


def _ipv4(whole: str, text: str) -> int:
    """The number of an IPv4 address, which is all of a text or its end."""
    number = value = digits = fields = 0
    for at, char in enumerate(text):
        if char in "0123456789":
            if digits == 1 and value == 0:
                _refuse(whole, "IPv4 field has octet with leading zero")
            value = value * 10 + ord(char) - 48
            digits += 1
            if value > 255:
                _refuse(whole, "IPv4 field has value >255")
        elif char == ".":
            if at in {0, len(text) - 1} or text[at - 1] == ".":
                _refuse(whole, "IPv4 field must have at least one digit", text[at:])
            if fields == 3:
                _refuse(whole, "IPv4 address too long")
            number, value, digits, fields = number << 8 | value, 0, 0, fields + 1
        else:
            _refuse(whole, "unexpected character", text[at:])
    if fields < 3:
        _refuse(whole, "IPv4 address too short")
    return number << 8 | value


class _Ipv6:
    """The reading of one IPv6 address: groups of 16 bits from left to right."""

    def __init__(self, whole: str) -> None:
        self._whole = whole
        self._rest = whole
        self._groups: list[int] = []
        self._gap = -1
        """The number of the group at which ``::`` stands."""

    def parse(self) -> Addr:
        body, percent, zone = self._whole.partition("%")
        if percent and not zone:
            self._refuse("zone must be a non-empty string", at="")
        self._rest = body
        if body.startswith("::"):
            self._gap, self._rest = 0, body[2:]
            if not self._rest:
                return Addr(128, 0, zone)
        while len(self._groups) < 8 and self._group():
            pass
        if self._rest:
            self._refuse("trailing garbage after address")
        return Addr(128, self._number(), zone)

    def _group(self) -> bool:
        """Read a group and what follows it; false at the end."""
        rest = self._rest
        found = _GROUP.match(rest)
        digits = found[0] if found else ""
        if len(digits) > 4:
            self._refuse("each group must have 4 or less digits")
        if not digits:
            self._refuse("each colon-separated field must have at least one digit")
        after = rest[len(digits) :]
        if after.startswith("."):
            if self._gap < 0 and len(self._groups) != 6:
                self._refuse("embedded IPv4 address must replace the final 2 fields of the address")
            if len(self._groups) > 6:
                self._refuse("too many hex fields to fit an embedded IPv4 at the end of the address")
            number = _ipv4(self._whole, rest)
            self._groups += (number >> 16, number & 0xFFFF)
            self._rest = ""
            return False
        self._groups.append(int(digits, 16))
        self._rest = after
        if not after:
            return False
        if after[0] != ":":
            self._refuse("unexpected character, want colon")
        if len(after) == 1:
            self._refuse("colon must be followed by more characters")
        self._rest = after[1:]
        if self._rest.startswith(":"):
            if self._gap >= 0:
                self._refuse("multiple :: in address")
            self._gap = len(self._groups)
            self._rest = self._rest[1:]
        return bool(self._rest)

    def _number(self) -> int:
        missing = 8 - len(self._groups)
        if missing and self._gap < 0:
            self._refuse("address string too short", at="")
        if not missing and self._gap >= 0:
            self._refuse("the :: must expand to at least one field of zeros", at="")
        groups = self._groups
        if missing:
            groups = [*groups[: self._gap], *[0] * missing, *groups[self._gap :]]
        number = 0
        for group in groups:
            number = number << 16 | group
        return number

    def _refuse(self, reason: str, at: str | None = None) -> NoReturn:
        _refuse(self._whole, reason, self._rest if at is None else at)
