from __future__ import annotations

import copy
from typing import Any

import pytest

from sekisho.diag import DiagnosticError
from sekisho.kube import patch


@pytest.mark.parametrize(
    ("value", "operations", "wanted"),
    [
        ({"a": 1}, [{"op": "add", "path": "/b", "value": 2}], {"a": 1, "b": 2}),
        ({"a": 1}, [{"op": "add", "path": "/a", "value": 2}], {"a": 2}),
        ({"a": 1}, [{"op": "add", "path": "", "value": [1]}], [1]),
        ([1, 3], [{"op": "add", "path": "/1", "value": 2}], [1, 2, 3]),
        ([1], [{"op": "add", "path": "/-", "value": 2}], [1, 2]),
        ([1], [{"op": "add", "path": "/1", "value": 2}], [1, 2]),
        ({"a": {"b": 1}}, [{"op": "remove", "path": "/a/b"}], {"a": {}}),
        ([1, 2], [{"op": "remove", "path": "/0"}], [2]),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": None}], {"a": None}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": 2}], 2),
        ({"a": {"b": 1}}, [{"op": "move", "from": "/a/b", "path": "/c"}], {"a": {}, "c": 1}),
        ({"a": 1}, [{"op": "move", "from": "/a", "path": "/a"}], {"a": 1}),
        ({"a": {"b": 1}}, [{"op": "move", "from": "/a/b", "path": "/a"}], {"a": 1}),
        ({"a": {"b": [1]}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": [1]}, "c": {"b": [1]}}),
        (
            {"a": {"b": 1}},
            [{"op": "copy", "from": "/a", "path": "/c"}, {"op": "replace", "path": "/c/b", "value": 2}],
            {"a": {"b": 1}, "c": {"b": 2}},
        ),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": 1.0}], {"a": 1}),
        ({"a": [{"b": 1}]}, [{"op": "test", "path": "/a", "value": [{"b": 1}]}], {"a": [{"b": 1}]}),
        ({"a/b": {"m~n": 1}}, [{"op": "replace", "path": "/a~1b/m~0n", "value": 2}], {"a/b": {"m~n": 2}}),
        ({"": {"": 1}}, [{"op": "remove", "path": "//"}], {"": {}}),
        ({"0": 1}, [{"op": "remove", "path": "/0"}], {}),
        ({}, [], {}),
    ],
)
def test_operations(value: Any, operations: list[dict[str, Any]], wanted: Any) -> None:
    before = copy.deepcopy((value, operations))
    assert patch.apply(value, operations) == wanted
    assert (value, operations) == before


@pytest.mark.parametrize(
    ("value", "operation", "code", "message"),
    [
        ({}, {"op": "delete", "path": "/a"}, "KUB030", "operation 0 has the unknown op 'delete'"),
        ({}, {"path": "/a"}, "KUB030", "operation 0 has the unknown op None"),
        ({}, {"op": []}, "KUB030", "operation 0 has the unknown op []"),
        ({}, "x", "KUB030", "operation 0 has the unknown op None"),
        ({}, {"op": "add", "value": 1}, "KUB030", 'operation 0 (add): it needs a string "path"'),
        ({}, {"op": "add", "path": "/a"}, "KUB030", 'operation 0 (add): it needs a "value"'),
        ({}, {"op": "move", "path": "/a"}, "KUB030", 'operation 0 (move): it needs a string "from"'),
        (
            {},
            {"op": "remove", "path": "a"},
            "KUB030",
            'operation 0 (remove): the path "a" does not start with "/"',
        ),
        (
            {},
            {"op": "remove", "path": "/~2"},
            "KUB030",
            'operation 0 (remove): the path "/~2" has a "~" that is neither "~0" nor "~1"',
        ),
        ({}, {"op": "remove", "path": "/a"}, "KUB031", 'operation 0 (remove): the object has no "/a"'),
        (
            {},
            {"op": "remove", "path": ""},
            "KUB031",
            "operation 0 (remove): the whole document cannot be removed",
        ),
        (
            {},
            {"op": "replace", "path": "/a", "value": 1},
            "KUB031",
            'operation 0 (replace): the object has no "/a"',
        ),
        (
            {},
            {"op": "add", "path": "/a/b", "value": 1},
            "KUB031",
            'operation 0 (add): the object has no "/a"',
        ),
        (
            {"a": 1},
            {"op": "add", "path": "/a/b", "value": 1},
            "KUB031",
            'operation 0 (add): "/a" is neither an object nor an array',
        ),
        (
            {"a": 1},
            {"op": "test", "path": "/a/b", "value": 1},
            "KUB031",
            'operation 0 (test): the object has no "/a/b"',
        ),
        (
            3,
            {"op": "add", "path": "/a", "value": 1},
            "KUB031",
            'operation 0 (add): "" is neither an object nor an array',
        ),
        ([1], {"op": "add", "path": "/3", "value": 1}, "KUB031", 'operation 0 (add): the object has no "/3"'),
        ([1], {"op": "remove", "path": "/1"}, "KUB031", 'operation 0 (remove): the object has no "/1"'),
        (
            [1],
            {"op": "remove", "path": "/-"},
            "KUB031",
            'operation 0 (remove): "/-" needs an index into an array',
        ),
        (
            [1],
            {"op": "remove", "path": "/00"},
            "KUB031",
            'operation 0 (remove): "/00" needs an index into an array',
        ),
        (
            [1],
            {"op": "remove", "path": "/9999999999"},
            "KUB031",
            'operation 0 (remove): "/9999999999" needs an index',
        ),
        (
            {"a": {}},
            {"op": "move", "from": "/a", "path": "/a/b"},
            "KUB031",
            "operation 0 (move): a value cannot be moved into itself",
        ),
        (
            {"a": 1},
            {"op": "test", "path": "/a", "value": True},
            "KUB032",
            "operation 0 (test): testing value /a failed",
        ),
        (
            {"a": [1]},
            {"op": "test", "path": "/a", "value": [1, 2]},
            "KUB032",
            "operation 0 (test): testing value /a",
        ),
        (
            {"a": {}},
            {"op": "test", "path": "/a", "value": []},
            "KUB032",
            "operation 0 (test): testing value /a failed",
        ),
        (
            {"a": []},
            {"op": "test", "path": "/a", "value": 1},
            "KUB032",
            "operation 0 (test): testing value /a failed",
        ),
    ],
)
def test_what_cannot_be_applied(value: Any, operation: Any, code: str, message: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        patch.apply(value, [operation])
    problem = caught.value.diagnostics[0]
    assert problem.code.id == code
    assert problem.message.startswith(message)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "operations"),
    [
        ({}, [{"op": "remove", "path": "/a"}] * 10_001),
        (deep(5000), []),
        ({}, [{"op": "add", "path": "/a", "value": deep(5000)}]),
        # Each copy doubles the object.
        ({"a": [1] * 10}, [{"op": "copy", "from": "", "path": f"/b{n}"} for n in range(100)]),
        # Each copy doubles the depth.
        ({"a": {}}, [{"op": "copy", "from": "/a", "path": "/a" * n} for n in range(2, 1000)]),
        # Each addition goes one deeper.
        ({"a": {}}, [{"op": "add", "path": "/a" * n, "value": {}} for n in range(2, 1000)]),
    ],
)
def test_patches_are_bounded(value: Any, operations: list[dict[str, Any]]) -> None:
    with pytest.raises(DiagnosticError) as caught:
        patch.apply(value, operations)
    assert caught.value.diagnostics[0].code.id == "KUB030"
    assert "limited to" in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, [{"op": "replace", "path": "/a", "value": True}]),
        ({"a": 1}, {"a": 1.0}, [{"op": "replace", "path": "/a", "value": 1.0}]),
        (
            {"a": 1, "b": 2},
            {"b": 2, "c/d": 3},
            [{"op": "remove", "path": "/a"}, {"op": "add", "path": "/c~1d", "value": 3}],
        ),
        ([1, 2, 3], [1, 9, 3], [{"op": "replace", "path": "/1", "value": 9}]),
        ([1, 2, 3], [1, 3], [{"op": "remove", "path": "/1"}]),
        ([1, 3], [1, 2, 3], [{"op": "add", "path": "/1", "value": 2}]),
        ([], [1, 2], [{"op": "add", "path": "/0", "value": 1}, {"op": "add", "path": "/1", "value": 2}]),
        ([{"a": 1}], [{"a": 2}], [{"op": "replace", "path": "/0/a", "value": 2}]),
        ([1], {"a": 1}, [{"op": "replace", "path": "", "value": {"a": 1}}]),
    ],
)
def test_patches_are_small(old: Any, new: Any, wanted: list[dict[str, Any]]) -> None:
    assert patch.create(old, new) == wanted


@pytest.mark.parametrize(
    ("value", "change", "wanted"),
    [
        # The examples of RFC 7386, appendix A.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches(value: Any, change: Any, wanted: Any) -> None:
    before = copy.deepcopy(value)
    assert patch.merge(value, change) == wanted
    assert value == before


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"c": 1, "e": 3}}, {"a": None, "b": {"d": None, "e": 3}}),
        ({"a": 1}, {"a": 1}, {}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
        ([1], {"a": 1}, {"a": 1}),
    ],
)
def test_merge_patches_are_made(old: Any, new: Any, wanted: Any) -> None:
    assert patch.create_merge(old, new) == wanted
    assert patch.merge(old, wanted) == new


def test_what_is_too_deep_makes_no_merge_patch() -> None:
    for call in (patch.merge, patch.create_merge, patch.create):
        with pytest.raises(DiagnosticError):
            call(deep(5000), {})
