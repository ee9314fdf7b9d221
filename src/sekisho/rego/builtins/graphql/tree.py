"""GraphQL trees that come as objects: read by shape, so that nothing malformed goes further."""

from __future__ import annotations

from typing import Any, Final

from sekisho.rego.builtins.graphql.parser import Document
from sekisho.rego.builtins.graphql.tokens import Node
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.values import Value

SHAPES: Final[dict[str, dict[str, str | type | tuple[str | type]]]] = {
    "Query": {"Operations": ("Operation",), "Fragments": ("Fragment",)},
    "Operation": {
        "Operation": str,
        "Name": str,
        "VariableDefinitions": ("Variable",),
        "Directives": ("Directive",),
        "SelectionSet": ("Selection",),
    },
    "Fragment": {
        "Name": str,
        "VariableDefinition": ("Variable",),
        "TypeCondition": str,
        "Directives": ("Directive",),
        "SelectionSet": ("Selection",),
    },
    "Variable": {
        "Variable": str,
        "Type": "Type",
        "DefaultValue": "Value",
        "Directives": ("Directive",),
        "Used": bool,
    },
    "Selection": {
        "Alias": str,
        "Name": str,
        "TypeCondition": str,
        "Arguments": ("Pair",),
        "Directives": ("Directive",),
        "SelectionSet": ("Selection",),
    },
    "Pair": {"Name": str, "Value": "Value"},
    "Value": {"Raw": str, "Kind": int, "Children": ("Pair",), "ExpectedTypeHasDefault": bool},
    "Type": {"NamedType": str, "Elem": "Type", "NonNull": bool},
    "Directive": {"Name": str, "Arguments": ("Pair",), "Location": str},
    "Schema": {
        "Schema": ("Roots",),
        "SchemaExtension": ("Roots",),
        "Directives": ("DirectiveDefinition",),
        "Definitions": ("Definition",),
        "Extensions": ("Definition",),
    },
    "Roots": {"Description": str, "Directives": ("Directive",), "OperationTypes": ("Root",)},
    "Root": {"Operation": str, "Type": str},
    "Definition": {
        "Kind": str,
        "Description": str,
        "Name": str,
        "Directives": ("Directive",),
        "Interfaces": (str,),
        "Fields": ("Field",),
        "Types": (str,),
        "EnumValues": ("EnumValue",),
        "BuiltIn": bool,
    },
    "Field": {
        "Description": str,
        "Name": str,
        "Arguments": ("Field",),
        "DefaultValue": "Value",
        "Type": "Type",
        "Directives": ("Directive",),
    },
    "EnumValue": {"Description": str, "Name": str, "Directives": ("Directive",)},
    "DirectiveDefinition": {
        "Description": str,
        "Name": str,
        "Arguments": ("Field",),
        "Locations": (str,),
        "IsRepeatable": bool,
    },
}
"""For each kind of node its members: a plain type, the kind of a node, or a list of either."""


def read_query(value: Value) -> Document:
    """A document of operations. Raises BuiltinFault where the object is none."""
    return Document(_node(value, "Query"))


def read_schema(value: Value) -> Document:
    """A document of types."""
    return Document(_node(value, "Schema"))


def _node(value: Value, shape: str) -> Node:
    if type(value) is not dict:
        raise BuiltinFault(f"GraphQL parse error: {shape} must be an object")
    out: Node = {}
    for name, wanted in SHAPES[shape].items():
        member = value.get(name)
        if member is None:
            continue
        if isinstance(wanted, tuple):
            if type(member) is not list:
                raise BuiltinFault(f"GraphQL parse error: {shape}.{name} must be an array")
            if member:
                out[name] = [_member(item, wanted[0], f"{shape}.{name}") for item in member]
        else:
            out[name] = _member(member, wanted, f"{shape}.{name}")
    return out


def _member(value: Value, wanted: str | type, where: str) -> Any:
    if isinstance(wanted, str):
        return _node(value, wanted)
    if type(value) is not wanted:
        raise BuiltinFault(f"GraphQL parse error: {where} is of the wrong type")
    return value
