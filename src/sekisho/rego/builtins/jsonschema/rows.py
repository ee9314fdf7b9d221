"""json.verify_schema and json.match_schema: JSON Schema, drafts 4, 6 and 7, as OPA's gojsonschema has it.

The engine is our own (docs/adr): its work is charged, so that a schema that grows exponentially can be
stopped; numbers are exact, patterns are RE2's, and the errors are those that policies match on.
"""

from __future__ import annotations

from sekisho.rego import jsontext
from sekisho.rego.builtins.jsonschema import check as schema_check
from sekisho.rego.builtins.jsonschema import compile as schema_compile
from sekisho.rego.builtins.jsonschema.compile import Schema
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import ANY, BOOLEAN, NULL, STRING, Array, Function, Object, Union
from sekisho.rego.values import Value, key


def _document(value: Value) -> Value:
    """A document or schema: a value, or JSON text of one."""
    kind = type(value)
    if kind is str:
        if not jsontext.valid(value):
            raise BuiltinFault("invalid JSON string")
        return jsontext.unmarshal(value)
    if kind is dict or kind is list:
        return jsontext.plain(value)
    raise BuiltinFault("wrong type, expected string or object")


def _compiled(context: EvalContext, value: Value) -> Schema:
    """A schema, compiled once a query."""
    cache = context.cache.setdefault("json schemas", {})
    place = key(value)
    if place not in cache:
        cache[place] = schema_compile.compile_schema(_document(value), context.meter)
    found: Schema = cache[place]
    return found


def _verify(context: EvalContext, schema: Value) -> Value:
    try:
        _compiled(context, schema)
    except BuiltinFault as fault:
        return [False, f"jsonschema: {fault}"]
    return [True, None]


def _match(context: EvalContext, document: Value, schema: Value) -> Value:
    found = _document(document)
    errors = schema_check.check(_compiled(context, schema), found, context.meter)
    return [not errors, errors]


_EITHER = Union((STRING, Object(dynamic=(ANY, ANY))))
_ERROR = Object(static=(("desc", STRING), ("error", STRING), ("field", STRING), ("type", STRING)))
row(
    "json.verify_schema",
    Function((_EITHER,), Array(static=(BOOLEAN, Union((NULL, STRING))))),
    _verify,
    context=True,
)
row(
    "json.match_schema",
    Function((_EITHER, _EITHER), Array(static=(BOOLEAN, Array(dynamic=_ERROR)))),
    _match,
    context=True,
)
