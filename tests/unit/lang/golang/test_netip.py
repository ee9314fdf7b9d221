"""Addresses and prefixes; the texts of errors were checked against Go's net/netip."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang.netip import Addr, Prefix, parse_addr, parse_prefix


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("192.168.0.1", "192.168.0.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
        ("::1", "::1"),
        ("1::", "1::"),
        ("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("::%a", "::%a"),
    ],
)
def test_an_address_is_written_in_one_way(text: str, shown: str) -> None:
    assert str(parse_addr(text)) == shown


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unable to parse IP"),
        ("abc", "unable to parse IP"),
        ("1%a", "missing IPv6 address"),
        ("1.2.3.04", "IPv4 field has octet with leading zero"),
        ("1.2.3.256", "IPv4 field has value >255"),
        ("1.2.3", "IPv4 address too short"),
        ("1.2.3.4.5", "IPv4 address too long"),
        (".1.2.3", 'IPv4 field must have at least one digit (at ".1.2.3")'),
        ("1..2.3", 'IPv4 field must have at least one digit (at ".2.3")'),
        ("1.2.3.", 'IPv4 field must have at least one digit (at ".")'),
        ("1.2.3.a", 'unexpected character (at "a")'),
        ("::1%", "zone must be a non-empty string"),
        ("1:2:3", "address string too short"),
        ("1::2::3", 'multiple :: in address (at ":3")'),
        ("12345::", 'each group must have 4 or less digits (at "12345::")'),
        ("g::", 'each colon-separated field must have at least one digit (at "g::")'),
        ("1:2:3:4:5:6:7:", 'colon must be followed by more characters (at ":")'),
        ("1:2:3:4:5:6:7:8:9", 'trailing garbage after address (at "9")'),
        ("1:2:3:4:5:6:7:8::", "the :: must expand to at least one field of zeros"),
        ("1::g", 'each colon-separated field must have at least one digit (at "g")'),
        ("1:2x", 'unexpected character, want colon (at "x")'),
        (
            "1:1.2.3.4",
            'embedded IPv4 address must replace the final 2 fields of the address (at "1.2.3.4")',
        ),
        (
            "1::2:3:4:5:6:7:1.2.3.4",
            'too many hex fields to fit an embedded IPv4 at the end of the address (at "1.2.3.4")',
        ),
        ("::1.2.3.400", "IPv4 field has value >255"),
    ],
)
def test_what_is_wrong_with_an_address(text: str, reason: str) -> None:
    with pytest.raises(BuiltinFault) as caught:
        parse_addr(text)
    assert str(caught.value) == f'ParseAddr("{text}"): {reason}'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.2.3.4", "no '/'"),
        ("1.2.3/8", 'ParseAddr("1.2.3"): IPv4 address too short'),
        ("fe80::1%a/10", "IPv6 zones cannot be present in a prefix"),
        ("1.2.3.4/", 'bad bits after slash: ""'),
        ("1.2.3.4/08", 'bad bits after slash: "08"'),
        ("1.2.3.4/-1", 'bad bits after slash: "-1"'),
        ("1.2.3.4/+1", 'bad bits after slash: "+1"'),
        ("1.2.3.4/99999999999999999999", 'bad bits after slash: "99999999999999999999"'),
        ("1.2.3.4/33", "prefix length out of range"),
        ("::/129", "prefix length out of range"),
    ],
)
def test_what_is_wrong_with_a_prefix(text: str, reason: str) -> None:
    with pytest.raises(BuiltinFault) as caught:
        parse_prefix(text)
    assert str(caught.value) == f'netip.ParsePrefix("{text}"): {reason}'


def test_a_prefix_holds_addresses_and_prefixes_of_its_family() -> None:
    net = parse_prefix("10.1.2.3/8")
    assert net.contains(parse_addr("10.255.0.1"))
    assert not net.contains(parse_addr("11.0.0.0"))
    assert not parse_prefix("0.0.0.0/0").contains(parse_addr("::1"))
    assert not parse_prefix("::/0").contains(parse_addr("::1%a"))
    assert net.covers(parse_prefix("10.9.0.0/16"))
    assert not net.covers(parse_prefix("0.0.0.0/0"))
    assert str(net.masked) == "10.0.0.0/8"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("0.0.0.0", {"unspecified"}),
        ("::", {"unspecified"}),
        ("127.1.2.3", {"loopback"}),
        ("::1", {"loopback"}),
        ("224.0.0.9", {"multicast", "link_local_multicast"}),
        ("ff12::1", {"multicast", "link_local_multicast"}),
        ("239.0.0.1", {"multicast"}),
        ("ff0e::1", {"multicast"}),
        ("169.254.9.9", {"link_local_unicast"}),
        ("febf::1", {"link_local_unicast"}),
        ("10.0.0.1", {"global_unicast"}),
        ("fc00::1", {"global_unicast"}),
        ("255.255.255.255", set()),
    ],
)
def test_kinds_of_addresses(text: str, kinds: set[str]) -> None:
    address = parse_addr(text)
    names = [
        "unspecified",
        "loopback",
        "multicast",
        "link_local_multicast",
        "link_local_unicast",
        "global_unicast",
    ]
    assert {name for name in names if getattr(address, f"is_{name}")} == kinds


@given(st.integers(0, 2**128 - 1))
def test_every_address_comes_back(number: int) -> None:
    address = Addr(128, number)
    assert parse_addr(str(address)) == address
    assert parse_addr(ipaddress.IPv6Address(number).exploded) == address
    assert parse_prefix(f"{address}/64") == Prefix(address, 64)
