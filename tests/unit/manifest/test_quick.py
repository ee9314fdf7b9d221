"""The quick way gives the parser's value, or gives up. What gives up and what does not is fixed here."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sekisho.manifest.build import Builder
from sekisho.manifest.quick import GIVEN_UP, quick

SIMPLE = [
    "",
    "\n",
    "# c\n",
    "a: 1\n",
    "a: 1",
    "a:\n",
    "a: # c\n",
    "a: b # c\n",
    "a: b#c\n",
    "a:\n  b:\n    c: d\ne: f\n",
    "a:\n- b\n- c\nd: e\n",
    "a:\n  - b\n  - c\nd: e\n",
    "- a\n- b\n",
    "- a: 1\n  b: 2\n- c: 3\n",
    "-\n  a: 1\n",
    "- # c\n  a: 1\n",
    "-   a: 1\n    b: 2\n",
    "a:\n  - b: 1\n    c:\n    - d\n    - e: 2\n  - f\n",
    "a: \"x\"\nb: 'y'\nc: ''\nd: \"\"\n",
    "a: 'it''s'\nb: \"tab\\t, quote \\\", slash \\\\\"  # c\n",
    "'a': 1\n\"b c\": 2\n",
    "a: http://x:80/y?z\nb: nginx:1.25\nc: --flag=1\nd: -x\n",
    "a: []\nb: {}\nc: [a, 'b', \"c\", 1, true, [x, {}]]\nd: {a: b, 'c': [d], \"e\": 1}\n",
    "a: [a, b,] # c\n",
    "a: |\n  x\n   y\n\n  z\n\nb: 1\n",
    "a: |-\n    x\n  \n    # y\n\n",
    "a: |+\n  x\n\n\nb: 1\n",
    "a: |\nb: 1\n",
    "- |\n  x\n- a: |\n    x\n  b: 1\n",
    "a: |\n\n  x\n",
    "a: >\n  x\n",
    "a: >-\n  x\n  y\n\n  z\n\n\n  w\n\nb: 1\n",
    "a: >-\n    x, y: z\n    - # y \n    'z\nb: 1\n",
    "a: >  # c\n  x\n  y\n\n\nb:\n- >-\n  x\n  y\n- >\n- 1\n",
    "1: a\nyes: b\n1.5: c\n",
    "a: ü\nb: 日本\n",
    "a:\n\n  # c\n# d\n  b: 1\n",
    "a: 1\n  # odd comment\nb: 2\n",
    "metadata.name: x\n$ref: y\n_z: 1\n",
]

LEFT_TO_THE_PARSER = [
    "a: &x 1\n",
    "a: *x\n",
    "a: !!str 1\n",
    "<<: {a: 1}\n",
    "? a\n: b\n",
    "a: >\n  x\n    y\n  z\n",
    "a: >\n\n  x\n",
    "a: >+\n  x\n",
    "a: >2\n  x\n",
    "a: >\n  x",
    "a: >\n  x\n    \n",
    "a: |2\n  x\n",
    "a: |\n     \n  x\n",
    "a: |\n  x",
    "a: b\n  c\n",
    "a: 'b\n  c'\n",
    "a:\n  b\n",
    "a: b: c\n",
    "a: 1\na: 2\n",
    "a: {b: 1, b: 2}\n",
    "a: .inf\n",
    "~: a\n",
    "é: a\n",
    "a:\t1\n",
    "a: x\ty\n",
    "\ta: 1\n",
    "a: 1\r\n",
    "a: \x07\n",
    "a: \x85\n",
    "a: \u2028\n",
    "a: \ufeff\n",
    "a: [b\n  c]\n",
    "a: [b c: d]\n",
    "a: {b}\n",
    "a: [&x b]\n",
    "a: @b\n",
    "text\n",
    "a b: c\n",
    "- - a\n",
    "a: 1\n- b\n",
    "- a\nb: 1\n",
    "a:\n    b: 1\n  c: 2\n",
    "a: 1\n b: 2\n",
    "  a: 1\nb: 2\n",
    'a: "\\x41"\n',
    "a: 'b' c\n",
    "".join(" " * n + f"k{n}:\n" for n in range(300)),
    "a: " + "[" * 30 + "]" * 30 + "\n",
]


def thorough(text: str) -> object:
    builder = Builder(text)
    builder.run()
    assert not any(built.odd for built in builder.documents)
    return builder.documents[0].value if builder.documents else None


@pytest.mark.parametrize("text", SIMPLE)
def test_simple_text_is_read_as_the_parser_reads_it(text: str) -> None:
    assert repr(quick(text)) == repr(thorough(text))


@pytest.mark.parametrize("text", LEFT_TO_THE_PARSER)
def test_other_text_is_left_to_the_parser(text: str) -> None:
    assert quick(text) is GIVEN_UP


def test_values_in_brackets_are_not_shared() -> None:
    value = quick("a: [x]\nb: [x]\nc: {}\nd: {}\n")
    assert value["a"] is not value["b"]
    assert value["c"] is not value["d"]


def loaded_by(code: str) -> set[str]:
    script = f"import sys; before = set(sys.modules); {code}; print(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    ("text", "wanted"), [("a: [1]", set()), ('{"a": 1}', {"orjson"}), ("a: &x 1", {"yaml"})]
)
def test_no_more_is_imported_than_is_needed(text: str, wanted: set[str]) -> None:
    code = f"from sekisho import diag, manifest; manifest.load(diag.Source('x', {text!r}))"
    assert loaded_by(code) & {"yaml", "orjson"} == wanted
