"""Writing, reading and positions of generated values: each against another way to the same answer."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.diag import Source, Span
from sekisho.manifest import Document, dump, dump_all, load
from sekisho.manifest.build import Builder
from sekisho.manifest.document import Chunk
from sekisho.manifest.quick import GIVEN_UP, quick

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

WORDS = [
    *(
        "yes",
        "no",
        "on",
        "y",
        "null",
        "~",
        "true",
        "1",
        "010",
        "0x1F",
        "1e3",
        "1.5",
        "-1",
        ".5",
        ".inf",
        "1_0",
    ),
    *(
        "22:22",
        "2001-01-01",
        "a: b",
        "a:",
        "a #b",
        "# c",
        "- a",
        "-",
        "---",
        "...",
        "<<",
        "=",
        "? a",
        "*a",
        "&a",
    ),
    *(
        "!a",
        "%a",
        "@a",
        "`a`",
        "|",
        ">",
        "[a]",
        "{a}",
        "'a'",
        '"a"',
        "it's",
        "a\\b",
        " a",
        "a ",
        "a\tb",
        "\ta",
    ),
    *(
        "a\nb",
        "a\n\nb\n",
        "\na",
        " a\n b\n",
        "a\n\n",
        "a\r\nb",
        "\x07",
        "\x85",
        "\u2028",
        "\ufeffa",
        "é",
        "😀",
    ),
    *("--port=80", "nginx:1.25", "app.kubernetes.io/name", "500m", "x" * 200),
]

texts = st.one_of(
    st.sampled_from(WORDS),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.from_regex(r"[a-z0-9.:_-]{0,8}"),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: not value.is_integer()),
    texts,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=20,
)


def read(text: str, name: str = "x.yaml") -> list[Document]:
    return load(Source(name, text), lists=False)


@SETTINGS
@given(values.filter(lambda value: value is not None))
def test_what_is_written_is_read_again(value: Any) -> None:
    (document,) = read(dump(value))
    assert repr(document.value) == repr(value)


@SETTINGS
@given(st.lists(values.filter(lambda value: value is not None), max_size=4))
def test_several_documents(wanted: list[Any]) -> None:
    assert repr([document.value for document in read(dump_all(wanted))]) == repr(wanted)


@SETTINGS
@given(values)
def test_the_quick_way_and_the_parser_agree(value: Any) -> None:
    text = dump(value)
    got = quick(text)
    if got is not GIVEN_UP:
        builder = Builder(text)
        builder.run()
        assert repr([got] if got is not None else []) == repr([built.value for built in builder.documents])


@SETTINGS
@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9./-]{0,8}", fullmatch=True), values, min_size=1, max_size=3)
)
def test_json_is_read_alike_by_both_readers(value: Any) -> None:
    text = json.dumps(value)
    (fast,) = read(text, "x.json")
    (_, streamed) = read(f"[] {text}", "x.json")
    assert repr(fast.value) == repr(streamed.value) == repr(value)


def paths(value: Any) -> list[tuple[tuple[str | int, ...], Any]]:
    found = []
    stack: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while stack:
        path, item = stack.pop()
        found.append((path, item))
        if isinstance(item, dict):
            stack += [((*path, key), below) for key, below in item.items()]
        elif isinstance(item, list):
            stack += [((*path, index), below) for index, below in enumerate(item)]
    return found


@SETTINGS
@given(values.map(lambda value: [value]), st.sampled_from(["dump", "json", "indented"]))
def test_a_place_shows_the_value_that_is_looked_for(value: Any, form: str) -> None:
    text = (
        "# c\n" + dump(value)
        if form == "dump"
        else json.dumps(value, indent=2 if form == "indented" else None)
    )
    (document,) = read(text, "x.yaml" if form == "dump" else "x.json")
    for path, item in paths(value):
        span = document.locate(path)
        shown = span.source.text[span.start : span.end]
        assert shown or item in ("", None)
        if isinstance(item, dict | list) or (isinstance(item, str) and "\n" in item and form == "dump"):
            continue
        (again,) = read(f"- {shown}") if form == "dump" else read(f"[{shown}]", "x.json")
        assert repr(again.value) == repr([item])


@SETTINGS
@given(values.filter(bool), st.integers(0, 5))
def test_places_in_plain_documents_are_those_of_the_parser(value: Any, seed: int) -> None:
    text = dump(value)
    if seed:  # comments and blank lines at random
        lines = text.split("\n")
        text = "\n".join(
            line for n, row in enumerate(lines) for line in ([row, "", "   # c"] if n % seed else [row])
        )
    document = Document(
        value=value, chunk=Chunk(source=Source("x.yaml", text), start=0, end=len(text), plain=True)
    )
    other = Document(value=value, chunk=Chunk(source=document.source, start=0, end=len(text)))
    if quick(text) is GIVEN_UP:
        return
    for path, _ in paths(quick(text)):
        for more in ((), ("x",), (0,), ("x", 1)):
            assert document.locate((*path, *more)) == other.locate((*path, *more))
            assert document.locate((*path, *more), key=True) == other.locate((*path, *more), key=True)
        left, right = document.embedded(path), other.embedded(path)
        assert (left and left.embedding) == (right and right.embedding)


@SETTINGS
@given(values.filter(bool))
def test_the_key_of_a_place_is_its_key(value: Any) -> None:
    text = dump(value)
    (document,) = read(text)
    for path, _ in paths(value):
        if path and isinstance(path[-1], str):
            span = document.locate(path, key=True)
            (again,) = read(f"? {text[span.start : span.end]}\n: 1\n")
            assert again.value == {path[-1]: 1}


@SETTINGS
@given(values.filter(bool), st.data())
def test_missing_paths_are_shown_by_an_existing_parent(value: Any, data: st.DataObject) -> None:
    (document,) = read(dump(value))
    path, item = data.draw(st.sampled_from(paths(value)))
    missing = "" if not isinstance(item, dict) else "x" * 300
    span = document.locate((*path, missing, 0, "y"))
    assert 0 <= span.start < span.end <= len(document.source.text)


@SETTINGS
@given(values.filter(bool))
def test_each_row_of_an_exact_source_stands_in_the_file(value: Any) -> None:
    (document,) = read(dump(value))
    for path, item in paths(value):
        source = document.embedded(path)
        assert (source is not None) == isinstance(item, str)
        if source is None or source.embedding is None or not source.embedding.exact:
            continue
        at = 0
        for row in source.text.split("\n"):
            if row:
                outer = Span(source, at, at + len(row)).outermost()
                assert outer.source.text[outer.start : outer.end] == row
            at += len(row) + 1
