"""Each kind of broken YAML: code, place and words."""

from __future__ import annotations

import pytest

from sekisho.diag import DiagnosticError, Source
from sekisho.manifest import load

ROWS = [
    # tabs
    ("a:\n\tb: 1\n", "SRC011", (2, 1), "tab"),
    ("a:\n  b: 1\n\tc: 2\n", "SRC011", (3, 1), "tab"),
    ("a:\n  b: 1\n  \tc: 2\n", "SRC011", (3, 3), "tab"),
    ("a:\n-\tb\n", "SRC011", (2, 2), "tab"),
    ("\ta: 1\n", "SRC011", (1, 1), "tab"),
    ("a: |\n\tx\n", "SRC011", (2, 1), "tab"),
    ("a: 1\n---\nb:\n\tc: 1\n", "SRC011", (4, 1), "tab"),
    # indentation
    ("a: 1\n b: 2\n", "SRC001", (2, 2), "the line above has a value already"),
    ("a:\n    b: 1\n  c: 2\n", "SRC001", (3, 3), "a key should stand here"),
    ("a:\n  - b\n - c\n", "SRC001", (3, 2), "a key should stand here"),
    ("- a\nb: c\n", "SRC001", (2, 1), "a dash should stand here"),
    ("a: 1\n- b\n", "SRC001", (2, 1), "a key should stand here"),
    ("a: |\n  x\n y\n", "SRC001", (3, 2), "a key should stand here"),
    ("  a: 1\nb: 2\n", "SRC001", (2, 1), "does not belong to the document above"),
    # colons
    ("a: b: c\n", "SRC001", (1, 5), "one more key"),
    ("a: 1\nb\nc: 2\n", "SRC001", (2, 1), "neither a key with a colon"),
    ("a: 1\nb\n", "SRC001", (2, 1), "neither a key with a colon"),
    ("spec:\n  a:1\n  b: 2\n", "SRC001", (2, 4), "no space behind this colon"),
    ("a: b\n  c: d\n", "SRC001", (2, 3), "the line above has a value already"),
    ("{a:}\n", "SRC001", (1, 3), "a colon in brackets"),
    # quotes and brackets that stay open
    ('a: "b\nc: 1\n', "SRC001", (1, 4), "the quote that begins here is not closed"),
    ("a: 'b\nc: 1\n", "SRC001", (1, 4), "the quote that begins here is not closed"),
    ("a: [b\nc: 1\n", "SRC001", (1, 4), "the list in brackets is not closed"),
    ('a: "b', "SRC001", (1, 4), "the quote that begins here is not closed"),
    ("a: 'b\n---\nc: 1\n", "SRC001", (1, 4), "the quote that begins here is not closed"),
    ("a: {b: 1\nc: 1\n", "SRC001", (1, 4), "the mapping in braces is not closed"),
    ("a: [b c: d e: f]\n", "SRC001", (1, 13), "the list in brackets is not closed"),
    ("a: ]\n", "SRC001", (1, 4), "a value should stand here"),
    ("a: 'x' y\n", "SRC001", (1, 8), "behind the closing quote"),
    ('a: "b\nc: 1\nd: "e"\n', "SRC001", (3, 5), "behind the closing quote"),
    # characters
    ("a: @x\n", "SRC001", (1, 4), "cannot begin with this character"),
    ("a: `x`\n", "SRC001", (1, 4), "cannot begin with this character"),
    ("a: %x\n", "SRC001", (1, 4), "cannot begin with this character"),
    ("host: *.example.com\n", "SRC001", (1, 7), "begin an alias or an anchor"),
    ("a: & b\n", "SRC001", (1, 4), "begin an alias or an anchor"),
    ('a: "\\q"\n', "SRC001", (1, 5), "escapes nothing"),
    ('a: "\\xZZ"\n', "SRC001", (1, 7), "hexadecimal digits"),
    ('a: "\\ud83d"\n', "SRC001", (1, 7), "surrogate pair"),
    ("a: !e!x y\n", "SRC001", (1, 4), "no %TAG line defines"),
    ("a: - b\n", "SRC001", (1, 4), "a list item cannot stand here"),
    ("a: |x\n  y\n", "SRC001", (1, 5), "block of text"),
    ("%FOO\n---\na: 1\n", "SRC001", (1, 5), "no such directive"),
    ("a: b\x07\n", "SRC012", (1, 5), "U+0007"),
    ("a: b\n---\nc: \x1b[1m\n", "SRC012", (3, 4), "U+001B"),
    ("a: \ud800\n", "SRC012", (1, 4), "U+D800"),
    ("a" * 1100 + ": 1\n", "SRC001", (1, 1101), "at most 1,024 characters"),
    ("a: [\n\n", "SRC001", (1, 4), "a bracket is still open"),
    ("a: {b: [1,\n# c\n---\n", "SRC001", (2, 3), "a bracket is still open"),
]


@pytest.mark.parametrize(("text", "code", "place", "words"), ROWS, ids=[repr(row[0])[:40] for row in ROWS])
def test_broken_yaml(text: str, code: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        load(Source("x.yaml", text))
    problem = error.value.diagnostics[0]
    assert problem.at is not None
    assert (problem.code.id, tuple(problem.at.begins)) == (code, place)
    assert words in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "spec:\n  replicas: {{ .Values.replicas }}\n",
        "{{- if .Values.enabled }}\na: 1\n{{- end }}\n",
        'a: {{ include "x" . | indent 2 }}\nb: 2\n',
    ],
)
def test_templates_are_recognised(text: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        load(Source("x.yaml", text))
    assert "template" in error.value.diagnostics[0].help


def test_an_open_quote_is_shown_where_it_begins() -> None:
    with pytest.raises(DiagnosticError) as error:
        load(Source("x.yaml", "a: 'b\nc: 1\n---\nd: 'e'\n"))
    assert [problem.at.begins.line for problem in error.value.diagnostics if problem.at] == [1]
