"""Messages of the domain name system: what is read, what is written, and what is no message."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.sandbox.network import dns


def name(text: str) -> bytes:
    return b"".join(bytes((len(part),)) + part.encode() for part in text.split(".")) + b"\0"


def answer(id: int, asked: str, *records: tuple[bytes, int, bytes], status: int = 0) -> bytes:
    made = (
        struct.pack(">6H", id, 0x8180 | status, 1, len(records), 0, 0)
        + name(asked)
        + struct.pack(">HH", 1, 1)
    )
    for owner, kind, data in records:
        made += owner + struct.pack(">HHIH", kind, 1, 300, len(data)) + data
    return made


def test_query() -> None:
    query = dns.read_query(dns.write_query(7, "www.example.com", dns.AAAA))
    assert (query.id, query.name, query.kind, query.recursion) == (7, "www.example.com", dns.AAAA, True)


def test_capital_letters_come_back() -> None:
    raw = dns.write_query(7, "wWw.Example.com", dns.A)
    query = dns.read_query(raw)
    assert query.name == "www.example.com"
    assert b"wWw\x07Example" in dns.write_answer(query, dns.OK, [(b"\1\2\3\4", 9)])


def test_addresses() -> None:
    raw = answer(7, "a.test", (b"\xc0\x0c", 1, b"\1\2\3\4"), (b"\xc0\x0c", 1, b"\1\2\3\5"))
    found = dns.read_answer(raw, 7, "a.test", dns.A)
    assert found.addresses == ((b"\1\2\3\4", 300), (b"\1\2\3\5", 300))


def test_aliases() -> None:
    raw = answer(7, "a.test", (b"\xc0\x0c", 5, name("b.test")), (name("b.test"), 1, b"\1\2\3\4"))
    assert dns.read_answer(raw, 7, "a.test", dns.A).addresses == ((b"\1\2\3\4", 300),)


def test_addresses_of_others_do_not_count() -> None:
    raw = answer(7, "a.test", (name("b.test"), 1, b"\1\2\3\4"))
    assert dns.read_answer(raw, 7, "a.test", dns.A).addresses == ()


def test_a_loop_of_aliases_ends() -> None:
    raw = answer(7, "a.test", (b"\xc0\x0c", 5, name("b.test")), (name("b.test"), 5, name("a.test")))
    assert dns.read_answer(raw, 7, "a.test", dns.A).addresses == ()


@pytest.mark.parametrize(
    ("id", "asked", "kind"), [(8, "a.test", dns.A), (7, "b.test", dns.A), (7, "a.test", dns.AAAA)]
)
def test_answers_to_somebody_else(id: int, asked: str, kind: int) -> None:
    with pytest.raises(dns.Malformed):
        dns.read_answer(answer(7, "a.test", (b"\xc0\x0c", 1, b"\1\2\3\4")), id, asked, kind)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 11,
        b"\0" * 12,
        struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + b"\xc0\x0c",  # a pointer to itself
        struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + b"\x40a",
        struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + b"\5ab",
        struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + (b"\x3f" + b"a" * 63) * 5 + b"\0\0\1\0\1",
        struct.pack(">6H", 7, 0x8100, 1, 0, 0, 0) + name("a") + b"\0\1\0\1",
        struct.pack(">6H", 7, 0x100, 2, 0, 0, 0) + name("a") + b"\0\1\0\1",
        struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + name("a") + b"\0\1\0\3",
        struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + b"\3a.b\0\0\1\0\1",
    ],
)
def test_what_is_no_query(raw: bytes) -> None:
    with pytest.raises(dns.Malformed):
        dns.read_query(raw)


@given(st.binary(max_size=600))
def test_anything_is_read_or_refused(raw: bytes) -> None:
    for read in (dns.read_query, lambda data: dns.read_answer(data, 7, "a.test", dns.A)):
        try:
            read(raw)
        except dns.Malformed:
            continue
    assert len(dns.cannot(raw)) in (0, 12)


@given(st.binary(max_size=200))
def test_an_answer_with_anything_behind_its_question(raw: bytes) -> None:
    head = struct.pack(">6H", 7, 0x8180, 1, 9, 0, 0) + name("a.test") + struct.pack(">HH", 1, 1)
    try:
        found = dns.read_answer(head + raw, 7, "a.test", dns.A)
    except dns.Malformed:
        return
    assert all(len(data) == 4 for data, _ in found.addresses)
