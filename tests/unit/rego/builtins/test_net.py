"""net.*: networks as Go reads them (values checked against opa 1.19)."""

import pytest

from sekisho.diag import DiagnosticError
from sekisho.lang.meter import Exhausted
from sekisho.rego.values import Set


@pytest.mark.parametrize(
    ("outer", "inner", "result"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "::ffff:10.1.1.1", True),
        ("::ffff:10.0.0.0/104", "10.1.2.3", True),
        ("10.0.0.0/8", "10.0.0.0/7", False),
        ("10.0.0.0/08", "10.0.0.1/32", True),
        ("::/0", "10.1.2.3", False),
        ("2001:4860:4860::8888/32", "2001:4860:4860:1234::8888/40", True),
        ("x", "10.0.0.1", "eval_builtin_error: invalid CIDR address: x"),
        ("fe80::1%eth0/64", "fe80::1", "eval_builtin_error: invalid CIDR address: fe80::1%eth0/64"),
        (
            "10.0.0.0/8",
            "x",
            "eval_builtin_error: not a valid textual representation of an IP address or CIDR: x",
        ),
    ],
)
def test_contains(call, outer, inner, result):
    assert call("net.cidr_contains", outer, inner) == result
    assert call("net.cidr_overlap", outer, inner) == result


def test_intersects(call):
    assert call("net.cidr_intersects", "10.0.0.0/8", "10.1.0.0/16") is True
    assert call("net.cidr_intersects", "10.1.0.0/16", "10.0.0.0/8") is True
    assert call("net.cidr_intersects", "10.0.0.0/8", "11.0.0.0/8") is False


@pytest.mark.parametrize(("text", "valid"), [("1.2.3.4/32", True), ("1.2.3.4/33", False), (1, False)])
def test_is_valid(call, text, valid):
    assert call("net.cidr_is_valid", text) is valid


@pytest.mark.parametrize(
    ("networks", "merged"),
    [
        (["192.0.128.0/24", "192.0.129.0/24"], ["192.0.128.0/23"]),
        (["192.0.129.0/24", "192.0.130.0/24"], ["192.0.129.0/24", "192.0.130.0/24"]),
        (["10.0.0.1"], ["10.0.0.1/8"]),  # an address alone has the mask of its class, as in Go
        (["10.0.0.1", "10.0.0.1"], ["10.0.0.0/8"]),
        (["10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/9"], ["10.0.0.0/7", "12.0.0.0/9"]),
        (["::1/128", "::2/128"], ["::1/128", "::2/128"]),
        (["::/0", "::192.0.2.0/124", "ff00::101/128"], ["::/0"]),
        ([], []),
    ],
)
def test_merge(call, networks, merged):
    assert call("net.cidr_merge", networks) == Set.of(merged)
    assert call("net.cidr_merge", Set.of(networks)) == call("net.cidr_merge", sorted(set(networks)))


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        ("x", "operand must be an array"),
        ([1], "element must be string"),
        (["::1"], "IPv6 invalid: needs prefix length"),
        (["foo"], "invalid CIDR address: foo"),
    ],
)
def test_merge_refuses(call, networks, message):
    assert call("net.cidr_merge", networks) == f"eval_builtin_error: {message}"


def test_expand(call):
    assert call("net.cidr_expand", "1.2.3.5/31") == Set.of(["1.2.3.4", "1.2.3.5"])
    assert call("net.cidr_expand", "255.255.255.255/32") == Set.of(["255.255.255.255"])
    assert call("net.cidr_expand", "::1:0:0:1/127") == Set.of(["::1:0:0:0", "::1:0:0:1"])


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
def test_expanding_everything_exhausts_the_meter(call, network):
    with pytest.raises(Exhausted):
        call("net.cidr_expand", network)


def test_contains_matches(call):
    networks = [["1.1.2.0/24", 1], "1.1.1.0/24"]
    assert call("net.cidr_contains_matches", networks, ["1.1.1.1", "1.1.2.1"]) == Set.of([[0, 1], [1, 0]])
    named = {"k1": "1.1.1.1/24", "k2": ["1.1.1.2/24", 1]}
    found = Set.of([["k1", "1.1.1.9"], ["k2", "1.1.1.9"]])
    assert call("net.cidr_contains_matches", named, "1.1.1.9") == found
    refused = "eval_builtin_error: operand 2: element must be string or non-empty array"
    assert call("net.cidr_contains_matches", "1.1.1.0/24", [[]]) == refused


def test_an_address_needs_no_look_up(call):
    assert call("net.lookup_ip_addr", "::") == Set.of(["::"])


def test_look_up_is_off_and_the_refusal_names_the_setting(call):
    with pytest.raises(DiagnosticError, match=r"REG701.*resolver"):
        call("net.lookup_ip_addr", "localhost")


def test_look_up_is_asked_once_a_query(call, context):
    asked = []

    def resolve(name, seconds):
        asked.append((name, seconds > 0))
        return ["10.0.0.1"]

    query = context(resolver=resolve)
    for _ in range(2):
        assert call("net.lookup_ip_addr", "a.example", context=query) == Set.of(["10.0.0.1"])
    assert asked == [("a.example", True)]


def test_hosts_outside_allow_net_are_refused(call, context):
    query = context(resolver=lambda _name, _seconds: [], allow_net=frozenset({"b.example"}))
    refused = "eval_builtin_error: unallowed host: a.example"
    assert call("net.lookup_ip_addr", "a.example", context=query) == refused
