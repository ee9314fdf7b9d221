"""base64, base64url, hex and JSON as text (expectations are what opa 1.19 gives)."""

import pytest

from sekisho.lang.meter import Exhausted
from sekisho.rego.jsontext import marshal
from sekisho.rego.values import Number, Set, key

N = Number
NESTED = {"a": [1, {}], "b": Set.of([])}
OPTIONS = "eval_type_error: operand 2"


@pytest.mark.parametrize(
    ("name", "operands", "value"),
    [
        ("base64.encode", ["é?>"], "w6k/Pg=="),
        ("base64.decode", ["w6k/Pg=="], "é?>"),
        ("base64.decode", ["a"], "eval_builtin_error: illegal base64 data at input byte 0"),
        ("base64.is_valid", ["w6k/Pg=="], True),
        ("base64.is_valid", ["w6k_Pg"], False),
        ("base64.is_valid", [1], False),
        ("base64url.encode", ["é?>"], "w6k_Pg=="),
        ("base64url.encode_no_pad", ["é?>"], "w6k_Pg"),
        ("base64url.decode", ["w6k_Pg"], "é?>"),
        ("hex.encode", ["é"], "c3a9"),
        ("hex.decode", ["C3a9"], "é"),
        ("hex.decode", ["abc"], "eval_builtin_error: encoding/hex: odd length hex string"),
        ("hex.decode", ["zz"], "eval_builtin_error: encoding/hex: invalid byte: U+007A 'z'"),
        ("hex.decode", ["é"], "eval_builtin_error: encoding/hex: invalid byte: U+00C3 'Ã'"),
        (
            "json.marshal",
            [{"b": N("1.0"), "a": [N("1e3"), "<é>&\u2028"]}],
            '{"a":[1e3,"\\u003cé\\u003e\\u0026\\u2028"],"b":1.0}',
        ),
        ("json.marshal", [Set.of([2, 1])], "[1,2]"),
        ("json.marshal", [{key([1]): 1}], '{"[1]":1}'),
        ("json.unmarshal", ["["], "eval_builtin_error: unexpected EOF"),
        ("json.unmarshal", ["[" * 100_000], "eval_builtin_error: exceeded max depth"),
        ("json.is_valid", ["{}"], True),
        ("json.is_valid", ["{"], False),
        ("json.is_valid", [{}], False),
        ("json.marshal_with_options", [NESTED, {}], '{"a":[1,{}],"b":[]}'),
        (
            "json.marshal_with_options",
            [NESTED, {"indent": "  ", "prefix": "> "}],
            '> {\n>   "a": [\n>     1,\n>     {}\n>   ],\n>   "b": []\n> }',
        ),
        ("json.marshal_with_options", [[1], {"pretty": True}], "[\n\t1\n]"),
        ("json.marshal_with_options", [[1], {"pretty": False, "indent": " "}], "[1]"),
        ("json.marshal_with_options", [1, {"x": 1}], f'{OPTIONS} object contained unknown key "x"'),
        ("json.marshal_with_options", [1, {"pretty": 1}], f'{OPTIONS} key "pretty" failed cast to bool'),
    ],
)
def test_values(call, name, operands, value):
    assert call(name, *operands) == value


@pytest.mark.parametrize("text", ["1e3", "1.0", "-0", "123456789012345678901234567890", "0.10"])
def test_numbers_keep_their_spelling(call, text):
    assert call("json.marshal", call("json.unmarshal", text)) == text


def test_bytes_that_are_no_text_come_through(call):
    digest = call("base64.decode", "gIH/AA==")
    assert call("hex.encode", digest) == "8081ff00"
    assert call("base64.encode", digest) == "gIH/AA=="
    assert call("count", digest) == 4
    assert call("json.marshal", digest) == '"\\ufffd\\ufffd\\ufffd\\u0000"'
    assert call("sprintf", "%q", [digest]) == '"\\x80\\x81\\xff\\x00"'
    assert marshal([digest]) == '["\\ufffd\\ufffd\\ufffd\\u0000"]'


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("hex.encode", ["x" * 40_000_000]),
        ("json.unmarshal", ["[" + "1," * 5_000_000 + "1]"]),
        ("json.marshal_with_options", [[[1] * 1000], {"indent": " " * 100_000}]),
    ],
)
def test_what_would_fill_the_memory_is_stopped(call, name, operands):
    with pytest.raises(Exhausted):
        call(name, *operands)
