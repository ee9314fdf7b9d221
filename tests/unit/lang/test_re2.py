"""RE2 with Go's steps and messages."""

from __future__ import annotations

import pytest

from sekisho.lang import re2
from sekisho.lang.meter import Exhausted, Limits, Meter


def spans(pattern: str, text: str, limit: int = -1) -> list[tuple[int, int]]:
    found = re2.compile(pattern).find_all(re2.encode(text), Meter(Limits()), limit)
    return [groups[0] for groups in found]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("a", "banana", [(1, 2), (3, 4), (5, 6)]),
        ("a*", "baa", [(0, 0), (1, 3)]),
        ("", "é", [(0, 0), (2, 2)]),
        ("^", "ab", [(0, 0)]),
        (r"\b", "ab c", [(0, 0), (2, 2), (3, 3), (4, 4)]),
        ("b|", "abc", [(0, 0), (1, 2), (3, 3)]),
    ],
)
def test_matches_as_go_finds_them(pattern: str, text: str, found: list[tuple[int, int]]) -> None:
    assert spans(pattern, text) == found


def test_a_limit_stops_the_search() -> None:
    assert spans("a", "aaa", 2) == [(0, 1), (1, 2)]
    assert spans("a", "aaa", 0) == []


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        (r"\1", r"invalid escape sequence: `\1`"),
        (r"\C", r"invalid escape sequence: `\C`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("(", "missing closing ): `(`"),
        ("[", "missing closing ]: `[`"),
        (")", "unexpected ): `)`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("\\", "trailing backslash at end of expression: ``"),
    ],
)
def test_messages_are_go_s(pattern: str, message: str) -> None:
    with pytest.raises(re2.PatternError) as caught:
        re2.compile(pattern)
    assert str(caught.value) == f"error parsing regexp: {message}"


def test_groups_that_nest_too_deeply_are_refused() -> None:
    with pytest.raises(re2.PatternError, match="nests too deeply"):
        re2.compile("(" * 2000 + ")" * 2000)


def test_syntax_that_python_does_not_have() -> None:
    assert re2.compile(r"^\pL+\z").search("héß")
    assert re2.compile(r"(?P<n>a)(?<m>b)").names == {"n": 1, "m": 2}
    assert not re2.compile(r"a$").search("a\n")


def test_the_engine_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(re2.PatternError):
        re2.compile("(silent")
    assert capfd.readouterr() == ("", "")


def test_the_cache_keeps_and_forgets() -> None:
    first = re2.compile("kept")
    assert re2.compile("kept") is first
    for number in range(re2.CACHE):
        re2.compile(f"p{number}")
    assert re2.compile("kept") is not first


def test_a_match_that_could_not_be_stopped_is_refused() -> None:
    with pytest.raises(Exhausted):
        re2.compile("(a|b)*a(a|b){500}c").search("ab" * 1_000_000)


def test_matches_are_paid_for() -> None:
    with pytest.raises(Exhausted):
        list(re2.compile("a*?b|a").find_all(b"a" * 300_000, Meter(Limits(seconds=0.1))))


def test_a_long_pattern_is_refused() -> None:
    with pytest.raises(Exhausted):
        re2.compile("a" * 200_000)


def test_quoted_text_matches_itself() -> None:
    text = r"a.b*c+d?(e)[f]{g}^h$i|j\k-l"
    assert re2.compile(f"^{re2.quote_meta(text)}$").search(text)
