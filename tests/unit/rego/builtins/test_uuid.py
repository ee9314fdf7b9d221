"""uuid.* (values checked against opa 1.19)."""

import re

import pytest

from sekisho.rego.values import UNDEFINED


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{00000000-0000-4000-8000-000000000000}", {"version": 4, "variant": "RFC4122"}),
        ("6bea8ef2d3d33cd184e09bab06a52ece", {"version": 3, "variant": "RFC4122"}),
        (
            "urn:uuid:000003e8-48b9-21ee-b200-325096b39f47",
            {
                "clocksequence": 12800,
                "domain": "Person",
                "id": 1000,
                "macvariables": "local:unicast",
                "nodeid": "32-50-96-b3-9f-47",
                "time": 1693566990121469600,
                "variant": "RFC4122",
                "version": 2,
            },
        ),
        ("x", UNDEFINED),
        (123, "eval_type_error: operand 1 must be string but got number"),
    ],
)
def test_parse(call, text, value):
    assert call("uuid.parse", text) == value


def test_random_is_one_a_key_and_query(call, context):
    query = context()
    first = call("uuid.rfc4122", "k", context=query)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", first)
    assert call("uuid.rfc4122", "k", context=query) == first
    assert call("uuid.rfc4122", "other", context=query) != first
