"""Our JSON Schema engine says 'valid' where jsonschema-rs, an independent engine, does (draft 7)."""

from __future__ import annotations

import jsonschema_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.lang.meter import Limits, Meter
from sekisho.rego.builtins.jsonschema import check as schema_check
from sekisho.rego.builtins.jsonschema import compile as schema_compile

NAMES = st.sampled_from(["a", "b", "c"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "ab", "b1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SIMPLE = st.one_of(
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["array", "object", "string", "integer", "null"]),
            "enum": st.lists(DOCUMENTS, min_size=1, max_size=2, unique_by=repr),
            "const": DOCUMENTS,
            "minimum": st.integers(-2, 2),
            "exclusiveMaximum": st.integers(-2, 2),
            "multipleOf": st.integers(1, 3),
            "minLength": st.integers(0, 1),
            "pattern": st.sampled_from(["^a", "[0-9]$"]),
            "required": st.lists(NAMES, unique=True, max_size=2),
            "maxProperties": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "uniqueItems": st.booleans(),
            "dependencies": st.dictionaries(NAMES, st.lists(NAMES, unique=True, max_size=2), max_size=2),
        },
    ),
)


def larger(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b|c"]), inner, max_size=1),
            "additionalProperties": inner,
            "propertyNames": inner,
            "items": inner | st.lists(inner, min_size=1, max_size=2),
            "additionalItems": inner,
            "contains": inner,
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
        },
    )


@settings(max_examples=300, deadline=None)
@given(schema=st.recursive(SIMPLE, larger, max_leaves=5), document=DOCUMENTS)
def test_same_verdict(schema: object, document: object) -> None:
    draft = {"$schema": "http://json-schema.org/draft-07/schema#"}
    whole = {**draft, **schema} if isinstance(schema, dict) else schema
    meter = Meter(Limits())
    errors = schema_check.check(schema_compile.compile_schema(whole, meter), document, meter)
    assert (not errors) is jsonschema_rs.Draft7Validator(whole).is_valid(document)
