"""JSON text in and out, as Go's encoding/json has it (expected texts checked against opa 1.19)."""

import pytest

from sekisho.rego import jsontext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.values import Number, Set, key


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("<a&b>\u2028é", '"\\u003ca\\u0026b\\u003e\\u2028é"'),
        (Number("1.50"), "1.50"),
        (Number("1e400"), "1e400"),
        ({"b": 1, "a": []}, '{"a":[],"b":1}'),
        (Set.of([3, 1, "x"]), '[1,3,"x"]'),
        ({key([1]): {}}, '{"[1]":{}}'),
        ({key(True): 1, 2: 0}, '{"2":0,"true":1}'),
    ],
)
def test_marshal(value: object, text: str) -> None:
    assert jsontext.marshal(value) == text


def test_an_integer_longer_than_python_converts() -> None:
    assert jsontext.marshal(10**5000) == "1" + "0" * 5000


def test_numbers_keep_their_spelling() -> None:
    text = "[1.0,1e3,9007199254740993,0.10,-0]"
    assert jsontext.marshal(jsontext.unmarshal(text)) == text


def test_the_last_duplicate_wins() -> None:
    assert jsontext.unmarshal('{"a":1,"a":2}') == {"a": 2}


def test_nesting_is_bounded() -> None:
    assert jsontext.unmarshal("[" * 200 + "]" * 200)
    with pytest.raises(BuiltinFault, match=r"^exceeded max depth$"):
        jsontext.unmarshal("[" * 202 + "]" * 202)


def test_half_surrogates_are_replaced() -> None:
    assert jsontext.unmarshal('{"\\ud800":["\\udc00x"]}') == {"\ufffd": ["\ufffdx"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "EOF"),
        ("[1,2", "unexpected EOF"),
        ("{a", "invalid character 'a' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("tx", "invalid character 'x' in literal true (expecting 'r')"),
        ("é", "invalid character 'Ã' looking for beginning of value"),
        ("'", "invalid character '\\'' looking for beginning of value"),
        ('"\\q"', "invalid character 'q' in string escape code"),
        ('"\\u12G"', "invalid character 'G' in \\u hexadecimal character escape"),
        ('"\t"', "invalid character '\\t' in string literal"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("1ex", "invalid character 'x' in exponent of numeric literal"),
        ("NaN", "invalid character 'N' looking for beginning of value"),
        ("01", "error: invalid character '1' after top-level value"),
        ('{"a":1}}', "invalid character '}' looking for beginning of value"),
        pytest.param("[" * 200_000, "exceeded max depth", id="deep"),
    ],
)
def test_what_is_not_json_is_named(text: str, message: str) -> None:
    with pytest.raises(BuiltinFault) as caught:
        jsontext.unmarshal(text)
    assert str(caught.value) == message
    assert not jsontext.valid(text)
