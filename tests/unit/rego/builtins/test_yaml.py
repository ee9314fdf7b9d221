"""yaml.*: sigs.k8s.io/yaml's reading and writing (outcomes checked against opa 1.19)."""

import pytest

from sekisho.rego.values import Number, Set, key

BAD = "eval_builtin_error: "


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing", None),
        ("a: 1\n---\nb: 2", {"a": 1}),
        ("[y, Y, yes, On, TRUE]", [True] * 5),
        ("[n, No, off, false]", [False] * 4),
        ("[~, null, NULL, ]", [None] * 3),
        ("[0x1F, 0o17, 017, 0b11, 1_000, +5, -5, 0]", [31, 15, 15, 3, 1000, 5, -5, 0]),
        ("[08, 0xG, 1-2, ., 1e400]", [8, "0xG", "1-2", ".", "1e400"]),
        ("[18446744073709551615, 18446744073709551616]", [2**64 - 1, 18446744073709552000]),
        ("22:22", "22:22"),
        ("2001-01-01", "2001-01-01"),
        ("- 'yes'\n- \"1\"", ["yes", "1"]),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3", {"a": {"b": 1, "c": 2}, "d": {"b": 3, "c": 2}}),
        ("a: &x {b: 1}\nd:\n  b: 3\n  <<: *x", {"a": {"b": 1}, "d": {"b": 1}}),  # as go-yaml does
        ("1: a\ntrue: b\n1.5: c", {"1": "a", "true": "b", "1.5": "c"}),
        ("a: 1\na: 2", {"a": 2}),
        ("a: |\n  x\n  y\nb: >\n  x\n  y\n", {"a": "x\ny\n", "b": "x y\n"}),
        ("- !!str 1\n- !!int '5'\n- !!binary aGk=\n- !foo x", ["1", 5, "hi", "x"]),
        ("a: << \nb: ~c", {"a": "<<", "b": "~c"}),
    ],
)
def test_unmarshal(call, text, value):
    assert call("yaml.unmarshal", text) == value
    assert call("yaml.is_valid", text) is True


@pytest.mark.parametrize(
    ("text", "spelling"), [("1.0", 1), ("1e3", 1000), ("1.50", "1.5"), ("1e21", "1e+21")]
)
def test_numbers_are_64_bit_floats(call, text, spelling):
    found = call("yaml.unmarshal", text)
    assert found == (Number(spelling) if type(spelling) is str else spelling)
    assert getattr(found, "text", found) == spelling


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "yaml: line 1: did not find expected ',' or ']'"),
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("a:\n\tb: 1", "yaml: line 2: found character that cannot start any token"),
        ("*x", "yaml: unknown anchor 'x' referenced"),
        ("&a [*a]", "yaml: anchor 'a' value contains itself"),
        ("d: {<<: 1}", "yaml: map merge requires map or sequence of maps as the value"),
        ("!!int x", "yaml: cannot decode !!str `x` as a !!int"),
        (".nan", "json: unsupported value: NaN"),
        ("-.inf", "json: unsupported value: -Inf"),
        ("%YAML 1.2\n---\na", "yaml: found incompatible YAML document"),
        ("[" * 100_000, "yaml: a YAML document is limited to"),
        ("x\x01", "yaml: control characters are not allowed"),
    ],
)
def test_what_is_not_yaml_is_named(call, text, message):
    assert call("yaml.unmarshal", text).startswith(BAD + message)
    assert call("yaml.is_valid", text) is False


def test_aliases_of_aliases_are_bounded(call):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]" for i in range(12)]
    assert call("yaml.unmarshal", "\n".join(lines)) == BAD + "yaml: document contains excessive aliasing"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null\n"),
        (Number("1.50"), "1.5\n"),
        (Number("1e3"), "1000\n"),
        (123456789.125, "1.23456789125e+08\n"),
        (10**25, "1e+25\n"),
        ("a", "a\n"),
        ("yes", '"yes"\n'),
        ("1.0", '"1.0"\n'),
        ("", '""\n'),
        ("2001-01-01", '"2001-01-01"\n'),
        ("22:22", '"22:22"\n'),
        ("a: b", "'a: b'\n"),
        ("x\ny", "|-\n  x\n  y\n"),
        (" x", "' x'\n"),
        ([], "[]\n"),
        ({"a": [1, {"b": {}}], "c": {"d": []}}, "a:\n- 1\n- b: {}\nc:\n  d: []\n"),
        ({"a10": 1, "a2": 2, "b": 3, "A": 4, "_": 5}, "_: 5\nA: 4\na2: 2\na10: 1\nb: 3\n"),
        (Set.of([3, 1]), "- 1\n- 3\n"),
        ({key([1]): 2}, "'[1]': 2\n"),
        ("a" * 60 + " " + "b" * 60 + " c", "a" * 60 + " " + "b" * 60 + "\n  c\n"),
    ],
)
def test_marshal(call, value, text):
    assert call("yaml.marshal", value) == text
