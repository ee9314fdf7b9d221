from __future__ import annotations

from typing import Any

import pytest

from sekisho.diag import Source
from sekisho.manifest import dump, dump_all, load

OBJECT = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {}, "annotations": {"port": "80", "on": "yes"}},
    "spec": {
        "containers": [
            {"name": "web", "args": ["--port=80", "-x"], "env": []},
            {"name": "side", "command": ["sh", "-c", "a\nb\n"]},
        ],
        "hostNetwork": False,
        "priority": None,
        "weights": [[1, 2.5], []],
    },
}

TEXT = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {}
  annotations:
    port: "80"
    "on": "yes"
spec:
  containers:
  - name: web
    args:
    - --port=80
    - -x
    env: []
  - name: side
    command:
    - sh
    - -c
    - |
      a
      b
  hostNetwork: false
  priority: null
  weights:
  - - 1
    - 2.5
  - []
"""


def test_an_object_is_written_as_people_write_it() -> None:
    assert dump(OBJECT) == TEXT


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("web", "web"),
        ("nginx:1.25", "nginx:1.25"),
        ("500m", "500m"),
        ("a b", "a b"),
        ("it's", "it's"),
        ("é", "é"),
        ("", '""'),
        ("1", '"1"'),
        ("0x1F", '"0x1F"'),
        ("1e3", '"1e3"'),
        ("010", '"010"'),
        ("yes", '"yes"'),
        ("n", '"n"'),
        ("null", '"null"'),
        ("~", '"~"'),
        ("22:22", '"22:22"'),
        ("2001-01-01", '"2001-01-01"'),
        (".inf", '".inf"'),
        ("1.2", '"1.2"'),
        ("1.2.3", '"1.2.3"'),
        ("- a", "'- a'"),
        ("---", "'---'"),
        ("a: b", "'a: b'"),
        ("a:", "'a:'"),
        ("a #b", "'a #b'"),
        ("#a", "'#a'"),
        ("*a", "'*a'"),
        ("{a}", "'{a}'"),
        (" a", "' a'"),
        ("a ", "'a '"),
        ("'a'", "'''a'''"),
        ("a\tb", '"a\\tb"'),
        ("a\x07", '"a\\x07"'),
        ("\u2028", '"\\u2028"'),
        ("\n", '"\\n"'),
        ("a\r\nb", '"a\\r\\nb"'),
        ("a\nb", "|-\n  a\n  b"),
        ("a\nb\n", "|\n  a\n  b"),
        ("a\n\n\n", "|+\n  a\n\n"),
        (" a\nb", "|2-\n   a\n  b"),
        ("\na", "|-\n\n  a"),
    ],
)
def test_strings(text: str, written: str) -> None:
    assert dump({"k": text}) == f"k: {written}\n"


@pytest.mark.parametrize(
    "value",
    [
        {"a" * 2000: {"b": [1]}},
        {"a\nb": 1, "": 2, "1": 3, "- x": 4, "<<": {"a": 1}, "? ": 5},
        [["a\n b\n"], [[" x\ny"]], {"k": "\ta\n"}],
        [{"a": {"b": [{"c": []}, [], {}]}}],
        "a\nb",
        [],
        {},
        0.1,
        1e22,
        -(2**63),
        2**64 - 1,
    ],
)
def test_what_is_written_is_read_again(value: Any) -> None:
    (document,) = load(Source("x.yaml", dump(value)))
    assert document.value == value


def test_several_documents() -> None:
    text = dump_all([{"a": 1}, {"b": 2}])
    assert text == "a: 1\n---\nb: 2\n"
