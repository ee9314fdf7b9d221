"""Sources: offsets, lines, columns, and sources inside sources."""

from __future__ import annotations

import pytest

from sekisho.diag import Embedding, Source, Span


@pytest.mark.parametrize(
    ("offset", "line", "column"),
    [(0, 1, 1), (2, 1, 3), (3, 2, 1), (6, 2, 4), (7, 3, 1), (99, 3, 1), (-5, 1, 1)],
)
def test_position(offset: int, line: int, column: int) -> None:
    assert Source("x", "ab\nc日d\n").position(offset) == (line, column)


def test_offset_is_the_inverse_of_position() -> None:
    source = Source("x", "ab\n\nc日d")
    for offset in range(len(source.text) + 1):
        assert source.offset(*source.position(offset)) == offset


def test_a_column_past_the_end_of_its_line_is_the_end_of_the_line() -> None:
    assert Source("x", "ab\ncd").offset(1, 99) == 2
    assert Source("x", "ab\ncd").offset(9, 1) == 5


def test_lines_lose_their_breaks() -> None:
    source = Source("x", "a\r\nb\n")
    assert [source.line(number) for number in (0, 1, 2, 3, 4)] == ["", "a", "b", "", ""]


def test_a_literal_block_maps_row_for_row() -> None:
    outer = Source("t.yaml", "rego: |\n    package a\n    p := q\n")
    inner = Source("rego", "package a\np := q\n", Embedding(parent=outer, line=2, column=5, indent=4))
    at = inner.text.index("q")
    span = Span(inner, at, at + 1).outermost()
    assert span.source is outer
    assert span.begins == (3, 10)
    assert outer.text[span.start : span.end] == "q"


def test_what_does_not_map_is_the_start_of_its_scalar() -> None:
    outer = Source("t.yaml", 'rego: "package a\\np := q"')
    inner = Source("rego", "package a\np := q", Embedding(parent=outer, line=1, column=7, exact=False))
    assert Span(inner, 12, 13).outermost().begins == (1, 7)
