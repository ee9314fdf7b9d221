"""YAML as go-yaml v3 prints it; the texts are its own."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.cli.goyaml import dump


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "[]\n"),
        ({"a": {}, "b": [], "c": None}, "a: {}\nb: []\nc: null\n"),
        ({"a": {"b": {"c": 1}}}, "a:\n    b:\n        c: 1\n"),
        ([{"a": {"b": 1}, "c": [1]}], "- a:\n    b: 1\n  c:\n    - 1\n"),
        ({"a": [{"b": [{"c": 1}], "d": 2}]}, "a:\n    - b:\n        - c: 1\n      d: 2\n"),
        (
            {"a": ["yes", "1", "", "x: y", "x"]},
            'a:\n    - "yes"\n    - "1"\n    - ""\n    - \'x: y\'\n    - x\n',
        ),
        ({"a": "one\ntwo\n"}, "a: |\n    one\n    two\n"),
        ({"a": 1.5, "b": True}, "a: 1.5\nb: true\n"),
        ({"a": "word " * 60}, "a: '" + "word " * 60 + "'\n"),
    ],
)
def test_dump(value: Any, text: str) -> None:
    assert dump(value) == text
