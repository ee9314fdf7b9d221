"""The verdict on addresses, and rules as text."""

from __future__ import annotations

import pytest

from sekisho.sandbox.network import addresses, wanted
from sekisho.sandbox.network.addresses import Place, host_of, net_of
from sekisho.sandbox.network.rules import PINS_MOST, Rules, matches, rule_text
from sekisho.sandbox.spec import Egress, Network, Published


def place(text: str, port: int = 443) -> Place:
    return Place(host=host_of(text), port=port)


def rules(*texts: str, domains: tuple[str, ...] = (), own: tuple[str, ...] = ()) -> Rules:
    egress = (*map(wanted.rule, texts), *(wanted.rule(text, domain=True) for text in domains))
    return Rules(Network(mode="rules", egress=egress), [host_of(text) for text in own])


@pytest.mark.parametrize(
    ("texts", "host", "port", "protocol", "allow"),
    [
        ((), "203.0.113.1", 443, "tcp", False),
        (("203.0.113.0/24",), "203.0.113.1", 443, "tcp", True),
        (("203.0.113.0/24:443",), "203.0.113.1", 80, "tcp", False),
        (("203.0.113.0/24:80,443",), "::ffff:203.0.113.1", 80, "tcp", True),
        (("203.0.113.0/24:1-1023/udp",), "203.0.113.1", 53, "udp", True),
        (("203.0.113.0/24:1-1023/udp",), "203.0.113.1", 53, "tcp", False),
        (("[2001:db8::/32]:443",), "2001:db8::1", 443, "tcp", True),
        (("2001:db8::/32",), "2001:db9::1", 443, "tcp", False),
        (("!203.0.113.1", "203.0.113.0/24"), "203.0.113.1", 443, "tcp", False),
        (("!203.0.113.1", "203.0.113.0/24"), "203.0.113.2", 443, "tcp", True),
        (("0.0.0.0/0", "::/0"), "127.0.0.1", 443, "tcp", False),
        (("127.0.0.0/8",), "127.0.0.1", 443, "tcp", False),
        (("0.0.0.0/0",), "0.0.0.0", 443, "tcp", False),
        (("::/0",), "::", 443, "tcp", False),
        (("0.0.0.0/0",), "169.254.169.254", 80, "tcp", False),
        (("168.0.0.0/6",), "169.254.169.254", 80, "tcp", False),
        (("169.254.0.0/16",), "169.254.169.254", 80, "tcp", True),
        (("169.254.169.254",), "169.254.169.254", 80, "tcp", True),
        (("0.0.0.0/0",), "100.100.100.200", 80, "tcp", False),
        (("100.64.0.0/10",), "100.100.100.200", 80, "tcp", False),
        (("100.100.100.200",), "100.100.100.200", 80, "tcp", True),
        (("0.0.0.0/0",), "168.63.129.16", 80, "tcp", False),
        (("::/0",), "fd00:ec2::254", 80, "tcp", False),
        (("::/0",), "fe80::1", 80, "tcp", False),
        (("::/0",), "64:ff9b::169.254.169.254", 80, "tcp", False),
        (("::/0",), "2002:a9fe:a9fe::", 80, "tcp", False),
        (("!10.0.0.0/8", "::/0"), "64:ff9b::10.0.0.1", 80, "tcp", False),
        (("0.0.0.0/0",), "192.0.2.9", 80, "tcp", False),
        (("192.0.2.9/31".replace("9/31", "8/31"),), "192.0.2.9", 80, "tcp", False),
        (("192.0.2.9",), "192.0.2.9", 80, "tcp", True),
    ],
)
def test_verdict(texts: tuple[str, ...], host: str, port: int, protocol: str, allow: bool) -> None:
    verdict = rules(*texts, own=("192.0.2.9",)).verdict(place(host, port), protocol, 0.0)
    assert verdict.allow is allow
    assert bool(verdict.why) is not allow


def test_pins_last_for_a_while() -> None:
    found = rules(domains=("example.com:443",))
    there = host_of("203.0.113.1")
    found.pin("example.com", there, ttl=5, now=100.0)
    assert found.verdict(place("203.0.113.1"), "tcp", 120.0).name == "example.com"
    assert not found.verdict(place("203.0.113.1", 80), "tcp", 120.0).allow
    assert not found.verdict(place("203.0.113.1"), "tcp", 161.0).allow
    found.pin("example.com", there, ttl=1e9, now=100.0)
    assert not found.verdict(place("203.0.113.1"), "tcp", 3701.0).allow


def test_pins_are_bounded() -> None:
    found = rules(domains=("*.example.com",))
    for number in range(PINS_MOST + 1):
        found.pin("a.example.com", (1 << 120 | number).to_bytes(16, "big"), 60, 0.0)
    assert not found.verdict(Place(host=(1 << 120).to_bytes(16, "big"), port=1), "tcp", 1.0).allow
    assert found.verdict(Place(host=(1 << 120 | 1).to_bytes(16, "big"), port=1), "tcp", 1.0).allow


@pytest.mark.parametrize(
    ("pattern", "name", "yes"),
    [
        ("example.com", "example.com", True),
        ("example.com", "www.example.com", False),
        ("*.example.com", "www.example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "badexample.com", False),
        ("*.example.com", ".example.com", False),
    ],
)
def test_matches(pattern: str, name: str, yes: bool) -> None:
    assert matches(pattern, name) is yes


def test_names_of_metadata_services_must_be_named() -> None:
    assert rules(domains=("*.google.internal",)).allows_name("metadata.google.internal") is None
    assert rules(domains=("metadata.google.internal",)).allows_name("metadata.google.internal") is not None
    assert rules(domains=("!bad.example.com", "*.example.com")).allows_name("bad.example.com") is None


def test_the_machines_table_of_hosts_pins_for_ever() -> None:
    found = rules(domains=("db.test",))
    found.pin_for_ever("db.test", host_of("203.0.113.1"))
    assert found.verdict(place("203.0.113.1"), "tcp", 1e9).allow


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("10.0.0.0/8", Egress(allow=True, target="10.0.0.0/8")),
        ("!10.0.0.0/8:1-9/tcp", Egress(allow=False, target="10.0.0.0/8", ports=((1, 9),), protocol="tcp")),
        ("[fd00::/8]:80", Egress(allow=True, target="fd00::/8", ports=((80, 80),))),
        ("fd00::1", Egress(allow=True, target="fd00::1")),
    ],
)
def test_rules_as_text(text: str, rule: Egress) -> None:
    assert wanted.rule(text) == rule
    assert rule_text(rule).removeprefix("not ") == text.removeprefix("!")


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/8:0", "10.0.0.0/8:70000", "10.0.0.0/8:9-1", "10.0.0.0/8:x", "host",
     "[fd00::1", "[fd00::1]80", "fd00::1/x"],
)  # fmt: skip
def test_rules_that_make_no_sense(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        wanted.rule(text)


@pytest.mark.parametrize("text", ["", "a..b", "*", "*.", "exa mple.com", "1.2.3.4", "ü.de", "x" * 64, "a/b"])
def test_domains_that_make_no_sense(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        wanted.rule(text, domain=True)


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("80", Published(address="127.0.0.1", port=80, inner=80)),
        ("8080:80", Published(address="127.0.0.1", port=8080, inner=80)),
        ("0.0.0.0:8080:80/tcp", Published(address="0.0.0.0", port=8080, inner=80)),
        ("[::1]:8080:80", Published(address="::1", port=8080, inner=80)),
    ],
)
def test_published(text: str, port: Published) -> None:
    assert wanted.published(text) == port


@pytest.mark.parametrize("text", ["", "x", "1-2", "80:x", "host:80:80", "[::1]80", "80/udp"])
def test_published_that_makes_no_sense(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        wanted.published(text)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("9.9.9.9", ("9.9.9.9", 53)),
        ("9.9.9.9:5353", ("9.9.9.9", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]:99", ("::1", 99)),
    ],
)
def test_nameserver(text: str, server: tuple[str, int]) -> None:
    assert wanted.nameserver(text) == server


def test_networks() -> None:
    assert net_of("10.0.0.0/8").holds(host_of("10.255.0.1"))
    assert not net_of("10.0.0.0/8").holds(host_of("11.0.0.1"))
    assert net_of("10.1.0.0/16").within(net_of("10.0.0.0/8"))
    assert not net_of("10.0.0.0/8").within(net_of("10.1.0.0/16"))
    assert addresses.place_of(b"\2\0\0\1") is None
    assert addresses.host_text(host_of("::ffff:1.2.3.4")) == "1.2.3.4"
