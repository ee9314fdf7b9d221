from __future__ import annotations

from typing import Any

import pytest

from sekisho.diag import Source
from sekisho.manifest import Document, load

TEXT = """\
# the shop
apiVersion: v1
kind: Pod
metadata:
  name: "web"
  labels: {app: web, 'team': shop}
  annotations:
spec:
  containers:
  - name: web
    image: nginx:1.25   # pinned
    args: [a, b]
  -
    name: side
  -
  volumes: []
"""


def one(text: str, index: int = 0, name: str = "x.yaml") -> Document:
    return load(Source(name, text))[index]


def shown(document: Document, path: Any, *, key: bool = False) -> tuple[int, int, str]:
    span = document.locate(path, key=key)
    return *span.begins, span.source.text[span.start : span.end]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        # values
        (("kind",), (3, 7, "Pod")),
        (("metadata", "name"), (5, 9, '"web"')),
        (("metadata", "labels", "app"), (6, 17, "web")),
        (("metadata", "labels", "team"), (6, 30, "shop")),
        (("spec", "containers", 0, "image"), (11, 12, "nginx:1.25")),
        (("spec", "containers", 0, "args", 1), (12, 15, "b")),
        (("spec", "containers", 1, "name"), (14, 11, "side")),
        # collections are shown by their key, or by their first line
        (("spec",), (8, 1, "spec")),
        (("spec", "containers"), (9, 3, "containers")),
        (("spec", "containers", 0), (10, 5, "name: web")),
        (("metadata", "labels"), (6, 3, "labels")),
        (("spec", "volumes"), (16, 3, "volumes")),
        ((), (2, 1, "apiVersion: v1")),
        # nothing is shown by its key, or by its dash
        (("metadata", "annotations"), (7, 3, "annotations")),
        (("spec", "containers", 2), (15, 3, "-")),
        # what is missing is shown by its deepest parent
        (("metadata", "namespace"), (4, 1, "metadata")),
        (("metadata", "annotations", "a", "b"), (7, 3, "annotations")),
        (("spec", "containers", 0, "resources", "limits"), (10, 5, "name: web")),
        (("spec", "containers", 7, "name"), (9, 3, "containers")),
        (("metadata", "name", "x"), (5, 3, "name")),
        (("status", "phase"), (2, 1, "apiVersion: v1")),
        (("metadata", 0), (4, 1, "metadata")),
        (("spec", "containers", "name"), (9, 3, "containers")),
        (("spec", "containers", -1), (9, 3, "containers")),
    ],
)
def test_where_things_stand(path: Any, expected: tuple[int, int, str]) -> None:
    assert shown(one(TEXT), path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("kind",), (3, 1, "kind")),
        (("metadata", "labels", "team"), (6, 22, "'team'")),
        (("spec", "containers"), (9, 3, "containers")),
        (("spec", "containers", 0, "image"), (11, 5, "image")),
        (("metadata", "labels", "nope"), (6, 3, "labels")),
        (("spec", "containers", 0, "args", 1), (12, 15, "b")),
    ],
)
def test_where_keys_stand(path: Any, expected: tuple[int, int, str]) -> None:
    assert shown(one(TEXT), path, key=True) == expected


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a: &x {b: 1}\nc: *x\n", ("c", "b"), (1, 11, "1")),
        ("a: &x 1\nc: *x\n", ("c",), (2, 4, "*x")),
        ("a: &x 1\nc: *x\n", ("a",), (1, 7, "1")),
        ("a: !!str 1\n", ("a",), (1, 10, "1")),
        ("a: &x\n  b: 1\n", ("a",), (1, 1, "a")),
        ("m: &m {k: 1}\nb:\n  <<: *m\n", ("b", "k"), (1, 11, "1")),
        ("m: &m {k: 1}\nb:\n  <<: *m\n  k: 2\n", ("b", "k"), (4, 6, "2")),
        ("m: &m {k: 1}\nb:\n  k: 2\n  <<: *m\n", ("b", "k"), (1, 11, "1")),
        ("a: 1\na: 2\n", ("a",), (2, 4, "2")),
        ("1: x\n", ("1",), (1, 4, "x")),
        ("yes: x\n", ("true",), (1, 6, "x")),
        ("? a\n: b\n", ("a",), (2, 3, "b")),
        ("a: |\n  x\n  y\n", ("a",), (1, 4, "|")),
        ("a: one\n  two\n", ("a",), (1, 4, "one")),
        ("é: ü\n", ("é",), (1, 4, "ü")),
        ("a: [\n  {b: 1},\n  {b: 2}]\n", ("a", 1, "b"), (3, 7, "2")),
        ("a: 1\r\nb:\r\n  c: 2\r\n", ("b", "c"), (3, 6, "2")),
        ("a: 1\rb: 2\r", ("b",), (1, 9, "2")),
    ],
)
def test_unusual_places(text: str, path: Any, expected: tuple[int, int, str]) -> None:
    assert shown(one(text), path) == expected


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\n---\nb: 2\n", (3, 4)),
        ("a: 1\n--- # c\n\nb: 2\n", (4, 4)),
        ("a: 1\n--- {b: 2}\n", (2, 9)),
        ("%YAML 1.1\n---\na: 1\n---\nb: 2\n", (5, 4)),
        ("a: 1\n...\n---\n  c: 1\n  b: 2\n", (5, 6)),
        ("a: 1\n---\nx: [1,\n 2]\nb: 2\n", (5, 4)),
    ],
)
def test_positions_in_later_documents_are_those_of_the_file(text: str, place: tuple[int, int]) -> None:
    assert one(text, 1).locate(("b",)).begins == place


def test_a_document_knows_its_stretch() -> None:
    text = "a: 1\n---\nb: 2\n"
    assert [text[d.start : d.end] for d in load(Source("x.yaml", text))] == ["a: 1\n", "b: 2\n"]


# strings as sources


@pytest.mark.parametrize(
    ("text", "inner", "place"),
    [
        ("a: |\n  one\n  two\n", "two", (3, 3)),
        ("a: |\n\n    one\n      two\n", "two", (4, 7)),
        ("a: |-\n  one\n\n  two", "two", (4, 3)),
        ("a: |2\n    one\n  two\n", "two", (3, 3)),
        ("a: &x !!str |  # c\n  one\n  two\n", "two", (3, 3)),
        ("a: |\r\n  one\r\n  two\r\n", "two", (3, 3)),
        ("x: {}\n---\na: |\n  one\n  two\n", "two", (5, 3)),
        ("a:\n  b\nc: 1\n", "b", (2, 3)),
        ("a: one two\n", "two", (1, 8)),
        ("a: 'one two'\n", "two", (1, 9)),
        ('a: "one two"\n', "two", (1, 9)),
        ("a: >-\n  one two\n", "two", (2, 7)),
        ("x: &x |\n  one\n  two\na: *x\n", "two", (3, 3)),
    ],
)
def test_positions_inside_a_string(text: str, inner: str, place: tuple[int, int]) -> None:
    document = one(text, -1)
    source = document.embedded(("a",))
    assert source is not None
    assert source.text == document.value["a"]
    assert source.embedding is not None
    assert source.embedding.exact
    from sekisho.diag import Span

    at = source.text.index(inner)
    span = Span(source, at, at + len(inner)).outermost()
    assert span.source is document.source
    assert tuple(span.begins) == place
    assert span.source.text[span.start : span.end] == inner


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: >\n  one\n  two\n", (1, 4)),
        ("a: one\n  two\n", (1, 4)),
        ("a: 'it''s two'\n", (1, 4)),
        ('a: "one\\ttwo"\n', (1, 4)),
        ('a: "one\n  two"\n', (1, 4)),
        ('{"a": "one\\ntwo"}', (1, 7)),
    ],
)
def test_strings_that_do_not_map_are_shown_by_their_beginning(text: str, place: tuple[int, int]) -> None:
    from sekisho.diag import Span

    source = one(text).embedded(("a",))
    assert source is not None
    assert source.embedding is not None
    assert not source.embedding.exact
    at = source.text.index("two")
    assert tuple(Span(source, at, at + 3).outermost().begins) == place


@pytest.mark.parametrize("path", [("b",), ("n",), ("m",), ("l", 5), ("s", "x"), ()])
def test_what_is_no_string_is_no_source(path: Any) -> None:
    assert one("n: 1\nm: {}\nl: []\ns: x\n").embedded(path) is None


def test_a_string_of_a_list_item() -> None:
    document = one("kind: List\nitems:\n- a: 1\n- a: |\n    one\n    two\n", 1)
    source = document.embedded(("a",))
    assert source is not None
    assert source.embedding is not None
    assert (source.embedding.line, source.embedding.indent, source.embedding.exact) == (5, 4, True)


def test_places_in_a_large_list_are_found_by_going_through_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from sekisho.manifest import places

    text = "kind: List\nitems:\n" + "- kind: Pod\n  metadata:\n    name: x\n" * 5_000
    found = load(Source("x.yaml", text))
    found[0].locate(("kind",))
    monkeypatch.setattr(places, "_items", None)
    for number, document in enumerate(found):
        assert document.locate(("metadata", "name")).begins == (5 + 3 * number, 11)


def test_the_positions_of_few_documents_are_kept() -> None:
    from sekisho.manifest.document import _TREES

    found = load(Source("x.yaml", "---\n".join(f"a: &x {number}\n" for number in range(100))))
    for number, document in enumerate(found):
        assert document.locate(("a",)).begins == (2 * number + 1, 7)
    assert sum(document.chunk._root is not None for document in found) <= _TREES
    assert found[0].locate(("a",)).begins == (1, 7)
