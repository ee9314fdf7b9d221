"""json.filter, json.remove, json.patch (values checked against opa 1.19)."""

import copy

import pytest

from sekisho.diag import Limit
from sekisho.lang.meter import Exhausted, Limits
from sekisho.rego.values import UNDEFINED, Number, Set, key

BAD = "eval_builtin_error: "
DOC = {"a": {"b": 1, "c": 2}, "d": [1, 2, {"e": 3}]}


@pytest.mark.parametrize(
    ("document", "paths", "value"),
    [
        (DOC, ["a/b", "d/2"], {"a": {"b": 1}, "d": [{"e": 3}]}),
        (DOC, ["a/b", "a"], {"a": {"b": 1, "c": 2}}),
        (DOC, Set.of(["/a/b", "/d/0"]), {"a": {"b": 1}, "d": [1]}),
        (DOC, [["d", 0]], {"d": []}),  # arrays are indexed by digits in a string
        (DOC, [], {}),
        ({"a~b": {"c/d": 1}}, ["a~0b/c~1d"], {"a~b": {"c/d": 1}}),
        ({"a": Set.of(["x", "y"])}, [["a", "x"]], {"a": Set.of(["x"])}),
        ({key(1): 2, "x": 3}, [[1]], {key(1): 2}),
        (DOC, "a", "eval_type_error: operand 2 must be one of {set, array} but got string"),
        (
            DOC,
            [1],
            "eval_type_error: operand 2 must be one of {set, array} containing string paths or array of path segments but got number",
        ),
    ],
)
def test_filter(call, document, paths, value):
    assert call("json.filter", document, paths) == value


@pytest.mark.parametrize(
    ("document", "paths", "value"),
    [
        (DOC, ["a/b", "d/2/e", "d/0"], {"a": {"c": 2}, "d": [2, {}]}),
        (DOC, ["a/b/x", "x"], DOC),
        (DOC, ["a/b", "a"], {"d": [1, 2, {"e": 3}]}),
        ({"a": Set.of(["x", 1])}, [["a", "x"]], {"a": Set.of([1])}),
        ([], ["a"], "eval_type_error: operand 1 must be object but got array"),
    ],
)
def test_remove(call, document, paths, value):
    assert call("json.remove", document, paths) == value


def op(name, path, **more):
    return {"op": name, "path": path, **more}


@pytest.mark.parametrize(
    ("document", "operations", "value"),
    [
        ({"a": [1]}, [op("add", "a/-", value=2), op("add", "b", value={})], {"a": [1, 2], "b": {}}),
        ({"a": [1, 2]}, [op("add", "a/+1", value=9)], {"a": [1, 9, 2]}),
        ({"a": [1, 2, 3]}, [op("remove", "a/0"), op("replace", "a/0", value=9)], {"a": [9, 3]}),
        ({"a": {"b": 1}}, [op("move", "c", **{"from": "a/b"})], {"a": {}, "c": 1}),
        (
            {"a": {"b": 1}},
            [op("copy", "c", **{"from": "a"}), op("replace", "c/b", value=2)],
            {"a": {"b": 1}, "c": {"b": 2}},
        ),
        (
            {"a": Set.of([1, 2])},
            [op("add", ["a", 3], value=3), op("remove", ["a", 1])],
            {"a": Set.of([2, 3])},
        ),
        ({"a": Set.of([1, [2]])}, [op("add", ["a", [2], 0], value=3)], {"a": Set.of([1, [3, 2]])}),
        (3, [op("add", "", value=[])], []),
        # where opa 1.19 reads the array as it was before, RFC 6902 holds
        (
            [{"a": 1}, {"b": 2}],
            [op("add", "0", value=9), op("replace", "1/a", value=5)],
            [9, {"a": 5}, {"b": 2}],
        ),
        ({}, [op("remove", "")], UNDEFINED),
        ({}, [op("replace", "", value=[1]), op("add", "0", value=2)], [2, 1]),
        ({"a": [1, 3]}, [op("test", "a", value=[1, 3])], {"a": [1, 3]}),
    ],
)
def test_patch(call, document, operations, value):
    before = copy.deepcopy(operations)
    assert call("json.patch", document, operations) == value
    assert operations == before


def test_patch_leaves_its_operands_alone(call):
    document = {"a": {"b": [1]}}
    added = {"x": []}
    operations = [op("add", "a/c", value=added), op("add", "a/c/x/0", value=1), op("add", "a/b/0", value=2)]
    assert call("json.patch", document, operations) == {"a": {"b": [2, 1], "c": {"x": [1]}}}
    assert document == {"a": {"b": [1]}}
    assert added == {"x": []}


@pytest.mark.parametrize(
    ("document", "operation", "message"),
    [
        ({}, 1, "must be an array of JSON-Patch objects, but at least one element is not an object"),
        ({}, {"op": "x"}, "missing required attribute 'path'"),
        ({}, {"path": "x"}, "missing required attribute 'op'"),
        ({}, op(1, ""), "attribute 'op' must be a string but found: number"),
        ({}, op("x", ""), "unrecognized op: 'x'"),
        ({}, op("add", "x"), "missing required attribute 'value'"),
        ({}, op("move", "x"), "missing required attribute 'from'"),
        ({"a": 1}, op("remove", "b"), 'cannot delete child key "b" that does not exist'),
        (
            {"a": {"c": 2}},
            op("add", "b/b", value=1),
            'path "b" does not exist in object term {"a": {"c": 2}}',
        ),
        ({"a": [1]}, op("remove", "a/5/c"), "path 5 does not exist in array term [1]"),
        ({"a": [1]}, op("remove", "a/-"), "index for array delete out of bounds"),
        ({"a": [1]}, op("add", "a/9", value=1), "index for array insertion out of bounds"),
        ({"a": [1]}, op("add", "a/01", value=1), "leading zeros are not allowed in JSON paths"),
        ({"a": [1]}, op("add", "a/1e0", value=1), "invalid string for indexing"),
        ({"a": [1]}, op("add", ["a", Number("1.0")], value=1), "invalid number type for indexing"),
        ({"a": [1]}, op("add", ["a", True], value=1), "invalid type for indexing"),
        ({"a": 1}, op("add", "a/b", value=1), "expected composite type, found value: 1 (type: ast.Number)"),
        (
            {"a": "s"},
            op("add", "a/b/c", value=1),
            'expected composite type for path "b", found value: "s" (type: ast.String)',
        ),
        ({"a": Set.of([1])}, op("add", ["a", 3], value=4), "set key 3 does not equal value to be inserted 4"),
        (
            {"a": [1]},
            op("test", "a", value=Set.of([9])),
            "value from EditTree != patch value.\n\nExpected: {9}\n\nFound: [1]",
        ),
    ],
)
def test_patch_refuses(call, document, operation, message):
    assert call("json.patch", document, [operation]) == BAD + message


def test_a_patch_that_doubles_its_document_exhausts_the_meter(call, context):
    small = context(limits=Limits(items=Limit("built collections", 1_000, "items", "a test")))
    operations = []
    for _ in range(64):
        operations += [op("copy", "b", **{"from": ""}), op("add", "c", value={})]
        operations += [op("copy", f"c/{i}", **{"from": "b"}) for i in range(20)]
    with pytest.raises(Exhausted):
        call("json.patch", {"a": 1}, operations, context=small)
