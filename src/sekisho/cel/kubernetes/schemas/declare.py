"""CEL types from OpenAPI schemas: what expressions may say of an object whose schema is known.

The same declarations serve the rules of CustomResourceDefinitions and the type checking of admission policies
(apiserver pkg/cel/common, SchemaDeclType). Objects are read in place: a field's declaration says under which
key it stands, and how what stands there becomes a CEL value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.cel.kubernetes.schemas import reading
from sekisho.cel.kubernetes.schemas.escape import escape
from sekisho.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    CelType,
    Field,
    Struct,
    list_of,
    map_of,
    struct,
)
from sekisho.diag import Limit
from sekisho.kube.schema import Schema

Read = Callable[[Any], Any]

TYPES: Final = Limit("the types of a schema", 20_000, "types", "a kind of Kubernetes has a few hundred")

META_FIELDS: Final = ("name", "generateName")
"""What rules may ask of ``metadata``, whatever the schema says of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A type, the struct types that it is made of, and how a JSON value becomes a value of it, if it must."""

    type: CelType
    structs: tuple[Struct, ...] = ()
    read: Read | None = None

    def value(self, raw: Any) -> Any:
        """The CEL value for a JSON value."""
        return raw if self.read is None else self.read(raw)


def declare(schema: Schema, name: str, *, resource: bool = False) -> Declared | None:
    """The type of a schema, called ``name`` where it has fields; None where expressions may not see it.

    ``resource``: this is the root of a custom resource, of whose ``metadata`` only the names are seen.
    """
    maker = _Maker()
    found = maker.node(schema, name, resource=resource)
    if found is None:
        return None
    type, read = found
    return Declared(type=type, structs=tuple(maker.structs.values()), read=read)


class _Maker:
    """Makes the types of one schema. A node that is met again, as in recursive schemas, is the same type."""

    def __init__(self) -> None:
        self.structs: dict[str, Struct] = {}
        self._known: dict[tuple[int, bool], tuple[CelType, Read | None]] = {}

    def node(
        self, schema: Schema, name: str, *, resource: bool = False
    ) -> tuple[CelType, Read | None] | None:
        node = schema.resolved()
        if node.int_or_string:
            return DYN, None
        make = _SCALARS.get((node.type, node.format)) or _SCALARS.get((node.type, ""))
        if make is not None:
            return make
        if node.type == "array":
            return self._array(node, name)
        if node.type == "object" or node.properties:
            return self._object(node, name, resource=resource or node.embedded)
        # Quantities have no type of their own here, since they may be written as numbers too.
        if node.format == "quantity":
            return STRING, None
        return (DYN, None) if node.kept and node.null_is_absent else None

    def _array(self, node: Schema, name: str) -> tuple[CelType, Read | None] | None:
        items = self.node(node.items, f"{name}.@idx") if node.items else None
        if items is None:
            return None
        type, read = items
        merging = node.merging
        if not merging.enforced:
            return list_of(type), reading.each(read) if read else None
        keys = merging.list_keys if merging.list_type == "map" else ()
        return list_of(type), reading.custom_list(keys, read)

    def _object(self, node: Schema, name: str, *, resource: bool) -> tuple[CelType, Read | None] | None:
        if node.additional is not None:
            values = self.node(node.additional, f"{name}.@elem")
            if values is None:
                return None
            type, read = values
            return map_of(STRING, type), reading.each_value(read) if read else None
        if node.kept and node.null_is_absent:
            return DYN, None
        known = self._known.get((id(node), resource))
        if known is not None:
            return known
        if len(self.structs) >= TYPES.value:
            return DYN, None
        own = struct(name)
        made = (own, reading.without_nulls)
        self._known[id(node), resource] = made
        self.structs[name] = Struct(name=name)  # holds the place: fields may refer to it
        self.structs[name] = Struct(name=name, fields=dict(self._fields(node, name, resource=resource)))
        return made

    def _fields(self, node: Schema, name: str, *, resource: bool) -> Iterable[tuple[str, Field]]:
        if resource:
            yield from (("apiVersion", Field(type=STRING)), ("kind", Field(type=STRING)))
            yield "metadata", self._metadata(f"{name}.metadata")
        for key, child in node.properties.items():
            escaped = escape(key)
            if escaped is None or (resource and key in ("apiVersion", "kind", "metadata")):
                continue
            found = self.node(child, f"{name}.{escaped}")
            if found is not None:
                type, read = found
                yield escaped, Field(type=type, key=key if key != escaped else "", read=read)

    def _metadata(self, name: str) -> Field:
        self.structs[name] = Struct(name=name, fields={field: Field(type=STRING) for field in META_FIELDS})
        return Field(type=struct(name), read=reading.without_nulls)


_SCALARS: Final[Mapping[tuple[str, str], tuple[CelType, Read | None]]] = {
    ("string", ""): (STRING, None),
    ("string", "byte"): (BYTES, reading.bytes_of),
    ("string", "base64"): (BYTES, reading.bytes_of),
    ("string", "date"): (TIMESTAMP, reading.date),
    ("string", "date-time"): (TIMESTAMP, reading.moment),
    ("string", "micro-time"): (TIMESTAMP, reading.moment),
    ("string", "duration"): (DURATION, reading.duration),
    ("boolean", ""): (BOOL, None),
    ("integer", ""): (INT, None),
    ("number", ""): (DOUBLE, reading.double),
}
"""By type and format."""
