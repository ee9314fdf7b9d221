"""PEM blocks, found as Go finds them."""

import pytest

from sekisho.rego.builtins.x509 import pem

A = b"-----BEGIN A-----\nYQ==\n-----END A-----\n"


@pytest.mark.parametrize(
    ("text", "kind", "data", "rest"),
    [
        (A, "A", b"a", b""),
        (b"words\n\n" + A + b"\n", "A", b"a", b"\n"),
        (A.replace(b"\n", b"\r\n"), "A", b"a", b""),
        (A.strip(), "A", b"a", b""),
        (b"-----BEGIN A-----\nX-Y: z\n\nYQ==\n-----END A-----\n", "A", b"a", b""),
        (b"-----BEGIN A-----\n-----END A-----\n", "A", b"", b""),
        (b"-----BEGIN B-----\n!\n-----END B-----\n" + A, "A", b"a", b""),
        (b"-----BEGIN B-----\nYQ==\n-----END C-----\n" + A, "A", b"a", b""),
    ],
)
def test_decode(text, kind, data, rest):
    block, after = pem.decode(text)
    assert (block.type, block.data, after) == (kind, data, rest)


@pytest.mark.parametrize(
    "text", [b"", b"x", b"-----BEGIN A-----", b"x-----BEGIN A-----\nYQ==\n-----END A-----\n"]
)
def test_no_block(text):
    assert pem.decode(text) is None


def test_encode_is_the_inverse():
    text = pem.encode("A B", bytes(range(200)))
    assert pem.blocks(text.encode() * 2) == [pem.Block("A B", bytes(range(200)))] * 2


def test_many_beginnings_take_linear_time():
    assert pem.decode(b"-----BEGIN A-----\n" * 100_000) is None
