"""How the parts of a value are owned: what of it is one field, what is a map or a list of fields.

A ``Shape`` is a schema as structured-merge-diff sees it (kube-openapi ``schemaconv``): a value is a map, a
list or a scalar, or by its schema any of them; maps are granular or atomic, lists atomic, sets or map lists.
Where there is no schema, maps are granular and lists atomic (the "deduced" type).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from sekisho.apiserver.structs import default_of
from sekisho.kube.schema import Schema

MAP: Final = "map"
LIST: Final = "list"
SCALAR: Final = "scalar"
ANY: Final = "any"
"""The kind of a shape whose values say themselves what they are; of null it is not known."""


class Shape:
    """How values of one place are owned. Made by ``shape_of``; ``DEDUCED`` and ``UNTYPED`` are fixed ones.

    kind: ``MAP``, ``LIST``, ``SCALAR`` or ``ANY``. scalar: what a scalar has to be (``numeric``, ``string``,
    ``boolean``, or empty for any). atomic_map, atomic_list: owned as a whole. keys: the keys of a map list,
    empty for a set. closed: no fields but the named ones.
    """

    __slots__ = (
        "_children",
        "_element",
        "_kept",
        "_node",
        "atomic_list",
        "atomic_map",
        "closed",
        "items",
        "keys",
        "kind",
        "scalar",
    )

    def __init__(self, schema: Schema | None, kept: bool = False, *, atomic: bool = False) -> None:
        node = schema.resolved() if schema is not None else None
        self._node = node
        self._kept = kept or (node is not None and node.kept)
        self._children: dict[str, Shape] = {}
        self.kind, self.scalar = _kind(node)
        self.atomic_map = atomic
        self.atomic_list = True
        self.keys: tuple[str, ...] = ()
        self.closed = False
        self._element: Shape | None = self if atomic else None
        self.items: Shape | None = self if atomic else None
        if schema is None or node is None:
            return
        map_type = schema.merging.map_type or node.merging.map_type
        self.atomic_map = atomic or map_type == "atomic"
        self._list(schema, node)
        self.closed = bool(node.properties) and node.additional is None and not node.open and not self._kept

    def _list(self, schema: Schema, node: Schema) -> None:
        merging = node.merging if node.merging.list_type or node.merging.patch_strategy else schema.merging
        if merging.list_type:
            self.atomic_list = merging.list_type == "atomic"
            self.keys = merging.list_keys if merging.list_type == "map" else ()
        elif "merge" in merging.patch_strategy.split(","):
            self.atomic_list = False
            self.keys = (merging.patch_key,) if merging.patch_key else ()

    def named(self, field: str) -> bool:
        """Whether the schema has a field of this name."""
        return self._node is not None and field in self._node.properties

    def field(self, name: str) -> Shape:
        """The shape of a field of a map, named or not."""
        if self.atomic_map and self._element is self:
            return self
        found = self._children.get(name)
        if found is None:
            node = self._node.properties.get(name) if self._node is not None else None
            found = shape_of(node, self._kept) if node is not None else self.element
            self._children[name] = found
        return found

    @property
    def element(self) -> Shape:
        """The shape of what a map has under keys that the schema does not name."""
        if self._element is None:
            node = self._node.additional if self._node is not None else None
            self._element = shape_of(node, self._kept) if node is not None else DEDUCED
        return self._element

    @property
    def item(self) -> Shape:
        """The shape of a list's items."""
        if self.items is None:
            node = self._node.items if self._node is not None else None
            self.items = shape_of(node, self._kept) if node is not None else UNTYPED
        return self.items

    def default_of(self, name: str) -> Any:
        """The default of a field, None if it has none."""
        return default_of(self._node, name) if self._node is not None else None

    @property
    def may_be_map(self) -> bool:
        """Whether a value here may be a map."""
        return self.kind in (MAP, ANY)

    @property
    def may_be_list(self) -> bool:
        """Whether a value here may be a list."""
        return self.kind in (LIST, ANY)

    @property
    def deduced(self) -> bool:
        """Whether this is a map of which nothing is known."""
        return self._node is None or (not self._node.properties and self._node.additional is None)

    def of(self, value: Any) -> str:
        """The kind of a value here: for ``ANY`` what it is itself, ``ANY`` for null."""
        if self.kind != ANY:
            return self.kind
        if isinstance(value, Mapping):
            return MAP
        if isinstance(value, list):
            return LIST
        return ANY if value is None else SCALAR


_SCALARS: Final[Mapping[str, str]] = {"integer": "numeric", "number": "numeric", "boolean": "boolean"}


def _kind(node: Schema | None) -> tuple[str, str]:
    if node is None or (not node.type and not node.int_or_string and node.format != "quantity"):
        return ANY, ""
    if node.type == "object":
        return MAP, ""
    if node.type == "array":
        return LIST, ""
    if node.type == "string":
        return SCALAR, "string" if node.format in ("", "base64", "byte") else ""
    return SCALAR, _SCALARS.get(node.type, "")


DEDUCED: Final = Shape(None)
UNTYPED: Final = Shape(None, atomic=True)


@lru_cache(maxsize=8192)
def shape_of(schema: Schema | None, kept: bool = False) -> Shape:
    """The shape of a schema. ``kept``: unknown fields are kept from further up."""
    return DEDUCED if schema is None else Shape(schema, kept)
