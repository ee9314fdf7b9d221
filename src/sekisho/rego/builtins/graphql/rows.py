"""graphql.*: parse and check GraphQL documents.

Operands are texts, or trees as ``graphql.parse_query`` and ``graphql.parse_schema`` give them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sekisho.lang.meter import Meter
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.graphql import core as gql_core
from sekisho.rego.builtins.graphql import parser as gql_parser
from sekisho.rego.builtins.graphql import tree as gql_tree
from sekisho.rego.builtins.graphql.parser import Document
from sekisho.rego.builtins.graphql.schema import TypeSystem
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import ANY, BOOLEAN, STRING, Array, Function, Object, Union
from sekisho.rego.values import Value, key

_KEPT_SCHEMAS: Final = 10
"""Schemas kept in a query's cache: policies check many operations against one schema."""


def _read(context: EvalContext, value: Value, position: int, kind: str) -> Document:
    from_text, from_tree = _READERS[kind]
    if type(value) is str:
        context.meter.charge(4 * len(value))
        return from_text(value)
    if type(value) is not dict:
        operands.wrong_type(position, value, "string", "object")
    return from_tree(value)


_READERS: Final[dict[str, tuple[Callable[[str], Document], Callable[[Value], Document]]]] = {
    "query": (gql_parser.parse_query, gql_tree.read_query),
    "schema": (gql_parser.parse_schema, gql_tree.read_schema),
}


class _Checked:
    """A schema as a document, and once it is checked, what operations are validated against."""

    def __init__(self, document: Document, meter: Meter) -> None:
        self.document = document
        self._meter = meter
        self._built: Any = None

    def built(self) -> Any:
        """The checked schema."""
        if self._built is None:
            self._built = gql_core.build(TypeSystem(self.document), self._meter)
        return self._built


def _checked(context: EvalContext, value: Value, position: int) -> _Checked:
    cache: dict[Any, _Checked] = context.cache.setdefault("graphql schemas", {})
    place = key(value)
    if place not in cache:
        if len(cache) >= _KEPT_SCHEMAS:
            cache.clear()
        cache[place] = _Checked(_read(context, value, position, "schema"), context.meter)
    return cache[place]


def _parse(context: EvalContext, query: Value, schema: Value) -> Value:
    operations = _read(context, query, 0, "query")
    types = _checked(context, schema, 1)
    gql_core.validate(types.built(), operations, context.meter)
    return [operations.tree, types.document.tree]


def _parse_and_verify(context: EvalContext, query: Value, schema: Value) -> Value:
    try:
        return [True, *_parse(context, query, schema)]
    except BuiltinFault:
        return [False, {}, {}]


def _is_valid(context: EvalContext, query: Value, schema: Value) -> Value:
    return _parse_and_verify(context, query, schema)[0]


def _parse_query(context: EvalContext, text: Value) -> Value:
    return _read(context, operands.string(text, 1), 1, "query").tree


def _parse_schema(context: EvalContext, text: Value) -> Value:
    return _read(context, operands.string(text, 1), 1, "schema").tree


def _schema_is_valid(context: EvalContext, schema: Value) -> Value:
    try:
        _checked(context, schema, 1).built()
    except BuiltinFault:
        return False
    return True


_TREE = Object(dynamic=(ANY, ANY))
_EITHER = Union((STRING, _TREE))
row("graphql.is_valid", Function((_EITHER, _EITHER), BOOLEAN), _is_valid, context=True)
row("graphql.parse", Function((_EITHER, _EITHER), Array(static=(_TREE, _TREE))), _parse, context=True)
row(
    "graphql.parse_and_verify",
    Function((_EITHER, _EITHER), Array(static=(BOOLEAN, _TREE, _TREE))),
    _parse_and_verify,
    context=True,
)
row("graphql.parse_query", Function((STRING,), _TREE), _parse_query, context=True)
row("graphql.parse_schema", Function((STRING,), _TREE), _parse_schema, context=True)
row("graphql.schema_is_valid", Function((_EITHER,), BOOLEAN), _schema_is_valid, context=True)
