"""The JSONPath of printer columns."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.apiserver.jsonpath import JsonPathError, find

VALUE: Any = {
    "spec": {"size": 3, "a.b": "dotted", "rows": [{"n": "x", "v": 1}, {"n": "y", "v": 2}, {"n": "z"}]},
    "metadata": {"labels": {"app.kubernetes.io/name": "web"}},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.size", [3]),
        ("{.spec.size}", [3]),
        ("$.spec.size", [3]),
        (".", [VALUE]),
        (".spec.none", []),
        (".spec.a\\.b", ["dotted"]),
        (".spec['a.b']", ["dotted"]),
        (".metadata.labels['app.kubernetes.io/name']", ["web"]),
        (".metadata.labels.app\\.kubernetes\\.io/name", ["web"]),
        (".spec.rows[0].n", ["x"]),
        (".spec.rows[-1].n", ["z"]),
        (".spec.rows[9].n", []),
        (".spec.rows[*].v", [1, 2]),
        (".spec.rows[0:2].n", ["x", "y"]),
        (".spec.rows[::2].n", ["x", "z"]),
        ('.spec.rows[?(@.n=="y")].v', [2]),
        (".spec.rows[?(@.v>1)].n", ["y"]),
        (".spec.rows[?(@.v!=1)].n", ["y"]),
        (".spec.rows[?(@.v)].n", ["x", "y"]),
        (".spec['size','none']", [3]),
        ("..v", [1, 2]),
    ],
)
def test_paths(path: str, found: list[Any]) -> None:
    assert find(path, VALUE) == found


@pytest.mark.parametrize(
    "path", ["spec", ".spec[", ".spec[abc]", ".a b", ".spec[?(@.a==b)]", "." + "a" * 5000]
)
def test_malformed_paths(path: str) -> None:
    with pytest.raises(JsonPathError):
        find(path, VALUE)
