"""Whatever the text or the bytes, reading ends in documents and diagnostics, each of which stands in the text.

A few seconds with the tests; SEKISHO_FUZZ_EXAMPLES=n for a longer run.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.diag import DiagnosticError, Source
from sekisho.manifest import decode, parse
from sekisho.manifest.build import Builder
from sekisho.manifest.document import Chunk, Document
from sekisho.manifest.quick import GIVEN_UP, quick

EXAMPLES = int(os.environ.get("SEKISHO_FUZZ_EXAMPLES", "200"))
SETTINGS = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

EXAMPLE = Path(__file__).parents[2] / "src" / "sekisho" / "examples"

SEEDS = [
    """apiVersion: v1
kind: ConfigMap
metadata:
  name: "web"   # the name
  labels: {app: web, 'tier': "front"}
data:
  config.ini: |
    [server]
      port = 80

  text: >-
    folded
    text
  "on": 'it''s'
list:
- a
- - b
  - c: &x [1, 0x1F, ~]
-
  d: *x
<<: {e: .5}
? f
: !!str 1
---
kind: List
items:
- kind: Pod
- {kind: Job, spec: {}}
...
%YAML 1.1
---
a: |+
  x

""",
    '{"a": [1, 2.5e3, "x\\n\\u0022", true, null], "b": {"c": {}, "d": []}}\n{"e": -0}',
    'a: 1\nb:\n  c: d\n  e:\n  - f: g\n    h: i\n  - j\nk: "l"\nm: |\n  n\n   o\np: []\nq: >-\n  r\n  s\nt: >\n  u\n',
    *(file.read_text(encoding="utf-8") for file in sorted(EXAMPLE.rglob("*.yaml"))[:4]),
]

PIECES = [
    *"[]{}(),:;-*&!|>'\"%@`?#~<=\\\n\t \r",
    *(
        ": ",
        " #",
        "- ",
        "\n- ",
        "\n  ",
        "\n    ",
        "\n\n",
        "|-",
        "|2",
        ">+",
        "''",
        '""',
        "<<: ",
        "? ",
        "!!int ",
    ),
    *(
        "&a ",
        "*a",
        "---\n",
        "\n---\n",
        "\n...\n",
        "%TAG ! x\n",
        "null",
        "yes",
        "0x",
        "1e999",
        ".inf",
        "{{ x }}",
    ),
    *(
        "\x00",
        "\x07",
        "\x85",
        "\u2028",
        "\ufeff",
        "\ud800",
        "é",
        "😀",
        "\\ud800",
        "\\x41",
        "[" * 300,
        "- " * 300,
    ),
]

loose = st.lists(st.sampled_from([*PIECES, "a", "b: c", "key: value\n", "  "]), max_size=30).map("".join)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A text with a few pieces cut, moved, doubled, or put in."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 12)))
        other = draw(st.integers(0, len(text)))
        new = draw(st.sampled_from(["", text[at:end] * 2, text[other : other + 20], *PIECES]))
        text = text[:at] + new + text[draw(st.sampled_from([at, end])) :]
    return text


def check(text: str, name: str) -> None:
    read = parse(Source(name, text))
    for problem in read.problems:
        assert problem.message
        assert problem.at is not None
        for place in (problem.at, *(note.at for note in problem.notes)):
            assert place is not None
            assert 0 <= place.start <= place.end <= len(text)
    for document in read.documents:
        steps = list(document.value)[:3] if isinstance(document.value, dict) else range(3)
        for step in steps:
            span = document.locate((step, 0, "x"))
            assert 0 <= span.start <= span.end <= len(text)
            assert document.locate((step,), key=True).source is read.source
            document.embedded((step,))


@SETTINGS
@given(mutated(), st.sampled_from(["x.yaml", "x.json"]))
def test_mutated_text(text: str, name: str) -> None:
    check(text, name)


@SETTINGS
@given(loose, st.sampled_from(["x.yaml", "x.json"]))
def test_pieces_in_any_order(text: str, name: str) -> None:
    check(text, name)


@SETTINGS
@given(st.text(max_size=60), st.sampled_from(["x.yaml", "x.json"]))
def test_any_text(text: str, name: str) -> None:
    check(text, name)


@SETTINGS
@given(st.one_of(st.binary(max_size=60), mutated().map(lambda text: text.encode("utf-16", "surrogatepass"))))
def test_any_bytes(data: bytes) -> None:
    with contextlib.suppress(DiagnosticError):
        check(decode("x.yaml", data).text, "x.yaml")


@SETTINGS
@given(st.one_of(mutated(), loose))
def test_the_quick_way_never_differs_from_the_parser(text: str) -> None:
    for part in text.split("\n---\n"):
        if part.startswith(("---", "...", "%")) or any(f"\n{mark}" in part for mark in ("---", "...", "%")):
            continue
        value = quick(part)
        if value is not GIVEN_UP:
            builder = Builder(part)
            builder.run()
            assert not any(built.odd for built in builder.documents)
            assert repr([] if value is None else [value]) == repr(
                [built.value for built in builder.documents]
            )
            check_places(part, value)


def check_places(text: str, value: Any) -> None:
    """Both ways to a place lead to the same."""
    source = Source("x.yaml", text)
    one, two = (
        Document(value=value, chunk=Chunk(source=source, start=0, end=len(text), plain=plain))
        for plain in (True, False)
    )
    stack: list[tuple[tuple[str | int, ...], Any]] = [((), value)] if value is not None else []
    while stack:
        path, item = stack.pop()
        rows = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
        stack += [((*path, step), below) for step, below in rows]
        for more in ((), ("x",), (7, "y")):
            for key in (False, True):
                assert one.locate((*path, *more), key=key) == two.locate((*path, *more), key=key)
        left, right = one.embedded(path), two.embedded(path)
        assert (left and left.embedding) == (right and right.embedding)
