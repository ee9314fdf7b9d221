"""Base64 with Go's errors (byte numbers checked against opa 1.19)."""

import pytest

from sekisho.lang.golang import base64text
from sekisho.rego.faults import BuiltinFault


@pytest.mark.parametrize(("text", "data"), [("YQ==", b"a"), ("YW\nJj", b"abc"), ("YR==", b"a"), ("", b"")])
def test_decode(text: str, data: bytes) -> None:
    assert base64text.decode(text) == data


@pytest.mark.parametrize(
    ("text", "byte"),
    [
        ("a", 0),
        ("YQ=", 3),
        ("YQ==YQ==", 4),
        ("a*bc", 1),
        ("YW", 0),
        ("YWI=x", 4),
        ("=", 0),
        ("YWJjY", 4),
        ("é", 0),
    ],
)
def test_what_is_wrong_has_a_byte_number(text: str, byte: int) -> None:
    with pytest.raises(BuiltinFault, match=f"^illegal base64 data at input byte {byte}$"):
        base64text.decode(text)


def test_url_alphabet_needs_no_padding() -> None:
    assert base64text.decode_url("-_8") == b"\xfb\xff"
    assert base64text.encode_url(b"\xfb\xff") == "-_8"
    with pytest.raises(BuiltinFault, match=r"^illegal base64url string: a$"):
        base64text.decode_url("a")


@pytest.mark.parametrize("text", ["", "YQ", "YWI", "YWJj", "YW\nJj"])
def test_without_padding(text: str) -> None:
    assert base64text.decode_unpadded(text) == b"abc"[: len(text.replace("\n", "")) * 3 // 4]


@pytest.mark.parametrize(("text", "at"), [("Y", 0), ("YQ=", 2), ("Y$Q", 1), ("YWJjZ", 4)])
def test_where_unpadded_data_are_wrong(text: str, at: int) -> None:
    with pytest.raises(BuiltinFault, match=f"illegal base64 data at input byte {at}$"):
        base64text.decode_unpadded(text)
