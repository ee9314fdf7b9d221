from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.policy.mutation.location import (
    Field,
    Item,
    Location,
    LocationError,
    parse_location,
)

NAMES = [
    ("", []),
    ("web", ["web"]),
    ("web_front", ["web_front"]),
    ('"we\\"b"', ['we"b']),
    ("'we\\'b'", ["we'b"]),
    ("-9-_8_", ["-9-_8_"]),
    ("level42", ["level42"]),
    ('"0042"', ["0042"]),
    ('spec."7"', ["spec", "7"]),
    ("spec.apollo11.crew", ["spec", "apollo11", "crew"]),
    ('spec."two words"', ["spec", "two words"]),
    ('spec."two\nlines"', ["spec", "two\nlines"]),
    ('a."".b', ["a", "", "b"]),
    ("   a   .   b   ", ["a", "b"]),
    ('   a   .   "b"   ', ["a", "b"]),
    ("\ta\r\n.\nb", ["a", "b"]),
    ('"ends in a backslash\\\\"', ["ends in a backslash\\"]),
    ('"a backslash \\\\ inside"', ["a backslash \\ inside"]),
    ("'a[b: c]'", ["a[b: c]"]),
    ("'a[b:*]'", ["a[b:*]"]),
    ("'a..b'", ["a..b"]),
    ("'🎸'", ["🎸"]),
    ('"🦋bb\\🐥aa🦄"', ["🦋bb🐥aa🦄"]),
]

ITEMS = [
    ("ports[name: *].tls", ["ports", ("name", None), "tls"]),
    ('ports[name: "*"].tls', ["ports", ("name", "*"), "tls"]),
    ("ports[name: http].tls", ["ports", ("name", "http"), "tls"]),
    ("ports[name:http]", ["ports", ("name", "http")]),
    ('ports["a key": "a value"]', ["ports", ("a key", "a value")]),
    ('ports[name: ""].tls', ["ports", ("name", ""), "tls"]),
    ('ports["": http].tls', ["ports", ("", "http"), "tls"]),
    ("c[name: a].ports[port: 443].tls", ["c", ("name", "a"), "ports", ("port", 443), "tls"]),
    ("a[n: 9223372036854775807]", ["a", ("n", 9223372036854775807)]),
    ('a[n: "443"]', ["a", ("n", "443")]),
    ("a[n: 0777]", ["a", ("n", 777)]),
    ("a[n: 0]", ["a", ("n", 0)]),
    ("\n a\t[b\t\n:\n*]\n", ["a", ("b", None)]),
    (
        """a."b c"."d e"["f g": 'h\\'i'].'j k'""",
        ["a", "b c", "d e", ("f g", "h'i"), "j k"],
    ),
]

WRONG = [
    (".spec", 'unexpected token: expected field name or eof, got: SEPARATOR: "."', 0),
    ("spec.", "trailing separators are forbidden", 4),
    ("a..b", 'unexpected token: expected field name or eof, got: SEPARATOR: "."', 2),
    ("a b", "unexpected token: expected '.' or eof, got: IDENT: \"b\"", 2),
    ('"a"b', "unexpected token: expected '.' or eof, got: IDENT: \"b\"", 3),
    ("0042", 'unexpected token: expected field name or eof, got: INT: "0042"', 0),
    ("a.7.b", 'unexpected token: expected field name or eof, got: INT: "7"', 2),
    ("3.14", 'unexpected token: expected field name or eof, got: INT: "3"', 0),
    ("+a", 'unexpected token: expected field name or eof, got: ERROR: "+"', 0),
    ("a🐙", "unexpected token: expected '.' or eof, got: ERROR: \"🐙\"", 1),
    ("*", 'unexpected token: expected field name or eof, got: GLOB: "*"', 0),
    ("][", 'unexpected token: expected field name or eof, got: RBRACKET: "]"', 0),
    ("[", 'unexpected token: expected field name or eof, got: LBRACKET: "["', 0),
    (":", 'unexpected token: expected field name or eof, got: COLON: ":"', 0),
    ("[a: b]", 'unexpected token: expected field name or eof, got: LBRACKET: "["', 0),
    ("[a: b][c: *]", 'unexpected token: expected field name or eof, got: LBRACKET: "["', 0),
    ("a[b: c][d: *]", "unexpected token: expected '.' or eof, got: LBRACKET: \"[\"", 7),
    ("a.[b: c]", 'unexpected token: expected field name or eof, got: LBRACKET: "["', 2),
    ("a[", 'unexpected token: expected keyField in listSpec, got: EOF: ""', 2),
    ("a[]", 'unexpected token: expected keyField in listSpec, got: RBRACKET: "]"', 2),
    ("a[:]", 'unexpected token: expected keyField in listSpec, got: COLON: ":"', 2),
    ("a[:b]", 'unexpected token: expected keyField in listSpec, got: COLON: ":"', 2),
    ("a[*]", 'unexpected token: expected keyField in listSpec, got: GLOB: "*"', 2),
    ("a[7: b]", 'unexpected token: expected keyField in listSpec, got: INT: "7"', 2),
    ("a[b]", "unexpected token: expected ':' following keyField b, got: RBRACKET: \"]\"", 3),
    ("a[b c: d]", "unexpected token: expected ':' following keyField b, got: IDENT: \"c\"", 4),
    ("a[b: ]", 'unexpected token: expected key value or glob in listSpec, got: RBRACKET: "]"', 5),
    ("a[b: c d]", "unexpected token: expected ']' following listSpec, got: IDENT: \"d\"", 7),
    ("a[b: 0x1]", "unexpected token: expected ']' following listSpec, got: IDENT: \"x1\"", 6),
    ('"open', 'unexpected token: expected field name or eof, got: ERROR: "open"', 0),
    ('"open\\"', 'unexpected token: expected field name or eof, got: ERROR: "open\\""', 0),
    ("'open\\", 'unexpected token: expected field name or eof, got: ERROR: "open"', 0),
    (
        "a[b: 9223372036854775808]",
        "invalid integer: overflow in integer string: 9223372036854775808: parsing key value for key: b",
        5,
    ),
]


def steps(rows: list[str | tuple[str, str | int | None]]) -> tuple[Field | Item, ...]:
    return tuple(Field(row) if isinstance(row, str) else Item(*row) for row in rows)


@pytest.mark.parametrize(("text", "rows"), NAMES + ITEMS)
def test_parses(text: str, rows: list[str]) -> None:
    assert parse_location(text).steps == steps(rows)


@pytest.mark.parametrize(("text", "rows"), NAMES + ITEMS)
def test_the_text_of_a_location_parses_to_the_same(text: str, rows: list[str]) -> None:
    location = parse_location(text)
    assert parse_location(str(location)) == location


@pytest.mark.parametrize(("text", "message", "position"), WRONG)
def test_says_what_is_wrong_and_where(text: str, message: str, position: int) -> None:
    with pytest.raises(LocationError) as found:
        parse_location(text)
    assert (str(found.value), found.value.position) == (message, position)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a.b[c:d].e", "a.b[c: d].e"),
        ("a[b:*]", "a[b: *]"),
        ("a[b:'7']", 'a[b: "7"]'),
        ("a[b:7]", "a[b: 7]"),
        ("metadata.labels.'a.b/c'", 'metadata.labels."a.b/c"'),
    ],
)
def test_is_shown_with_quotes_only_where_they_are_needed(text: str, shown: str) -> None:
    assert str(parse_location(text)) == shown


def test_a_number_is_not_its_text_nor_a_truth_value() -> None:
    assert Item("a", 1) != Item("a", "1")
    assert Item("a", 1) != Item("a", True)


PREFIXES = [
    ("a.b.c", "a.b.c.d", True),
    ("a.b.c", "a.b.c", True),
    ("a[name:b].c", "a[name:b].c", True),
    ('a[name:"b"]', "a[name:b].c", True),
    ("a[name:*]", "a[name:*].c", True),
    ("a.b.q", "a.b.c.d", False),
    ("a[name:b].c", "a[name:b]", False),
    ('a[name:"r"]', "a[name:b].c", False),
    ("a[id:b]", "a[name:b].c", False),
    ("a[name:*]", "a[name:b].c", False),
]


@pytest.mark.parametrize(("short", "long", "expected"), PREFIXES)
def test_prefixes(short: str, long: str, expected: bool) -> None:
    assert parse_location(long).starts_with(parse_location(short)) is expected


def test_too_many_steps_are_refused() -> None:
    with pytest.raises(LocationError, match="a location is limited to 100 steps"):
        parse_location(".".join(["a"] * 101))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '"' + "\\" * 100_001, "a[" * 50_000, "'" * 99_999, "9" * 100_000]
)
def test_absurd_texts_are_refused_at_once(text: str) -> None:
    with pytest.raises(LocationError):
        parse_location(text)


KEYS = st.text(max_size=6)
VALUES = st.one_of(st.none(), KEYS, st.integers(0, 2**63 - 1))


@given(st.lists(st.tuples(KEYS, st.none() | st.tuples(KEYS, VALUES)), min_size=1, max_size=6))
def test_any_location_survives_being_written(
    rows: list[tuple[str, tuple[str, str | int | None] | None]],
) -> None:
    made: list[Field | Item] = []
    for name, item in rows:
        made.append(Field(name))
        if item:
            made.append(Item(*item))
    location = Location(tuple(made))
    assert parse_location(str(location)) == location


@given(st.text(alphabet="ab.[]:*'\"\\ 09-", max_size=12))
def test_any_text_is_a_location_or_refused(text: str) -> None:
    try:
        location = parse_location(text)
    except LocationError as error:
        position = error.position
    else:
        assert parse_location(str(location)) == location
        position = 0
    assert 0 <= position <= len(text)
