"""crypto.*: digests and codes (values checked against opa 1.19 and coreutils)."""

import pytest


@pytest.mark.parametrize(
    ("name", "operands", "value"),
    [
        ("crypto.md5", ["lorem ipsum"], "80a751fde577028640c419000e33eba6"),
        ("crypto.sha1", ["é"], "bf15be717ac1b080b4f1c456692825891ff5073d"),
        ("crypto.sha256", [""], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("crypto.sha256", [1], "eval_type_error: operand 1 must be string but got number"),
        ("crypto.hmac.md5", ["foo", "bar"], "31b6db9e5eb4addb42f1a6ca07367adc"),
        ("crypto.hmac.sha256", ["foo", 1], "eval_type_error: operand 2 must be string but got number"),
        ("crypto.hmac.equal", ["a", "a"], True),
        ("crypto.hmac.equal", ["a", "é"], False),
    ],
)
def test_values(call, name, operands, value):
    assert call(name, *operands) == value
