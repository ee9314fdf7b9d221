"""What a schema says: the keywords of Kubernetes' structural schemas, one node for each place in a value.

The nodes of built-in kinds and of CustomResourceDefinitions are the same; how each is made from JSON is
``parse`` and ``builtin``. What few nodes have is in named tuples beside the node: most share the empty one,
which is also how the compiler sees at a glance that there is nothing to check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

Number = int | float


class Absent(Enum):
    """The type of ``ABSENT``: no default, as opposed to a default of null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

NO_PROPERTIES: Final[Mapping[str, Schema]] = MappingProxyType({})


class Bounds(NamedTuple):
    """Limits on a number. ``exclusive`` ones are not reached themselves."""

    minimum: Number | None = None
    maximum: Number | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    multiple_of: Number | None = None


class Sizes(NamedTuple):
    """Limits on characters of a string, items of an array, properties of an object."""

    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    min_properties: int | None = None
    max_properties: int | None = None
    unique_items: bool = False


class Junctors(NamedTuple):
    """Schemas that a value must match besides: all, any, exactly one, or not. They restrict, never add."""

    all_of: tuple[Schema, ...] = ()
    any_of: tuple[Schema, ...] = ()
    one_of: tuple[Schema, ...] = ()
    none_of: Schema | None = None


class Merging(NamedTuple):
    """How lists and maps merge, for server-side apply and strategic merge patches.

    ``list_type`` is atomic, set or map (then ``list_keys`` name an item); ``map_type`` granular or atomic.
    ``enforced`` is true where the server refuses duplicate items of a set or a map (custom resources).
    """

    list_type: str = ""
    list_keys: tuple[str, ...] = ()
    map_type: str = ""
    patch_strategy: str = ""
    patch_key: str = ""
    enforced: bool = False


NO_BOUNDS: Final = Bounds()
NO_SIZES: Final = Sizes()
NO_JUNCTORS: Final = Junctors()
NO_MERGING: Final = Merging()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Schema:
    """A node. Equality is identity: what is compiled from a node is remembered by it.

    type: ``object``, ``array``, ``string``, ``integer``, ``number``, ``boolean``; empty means any.
    additional: the schema of properties that ``properties`` does not list, None if there is none.
    open: unlisted properties are allowed (preserved); else they are unknown fields.
    nullable: null is allowed.
    null_is_absent: null means that the field is not there, as Go's decoder reads it (all built-in kinds).
    default: what an absent value becomes; ``ABSENT`` if it stays absent.
    kept: ``x-kubernetes-preserve-unknown-fields``.
    embedded: ``x-kubernetes-embedded-resource``.
    rules: ``x-kubernetes-validations`` as written, for the expression language.
    name: the definition that this is (``io.k8s.api.core.v1.PodSpec``); empty where it has no name.
    target: gives the node that a reference stands for; all else of a reference is ignored but ``merging``,
    ``default`` and ``nullable``.
    """

    type: str = ""
    format: str = ""
    nullable: bool = False
    null_is_absent: bool = False
    properties: Mapping[str, Schema] = field(default_factory=lambda: NO_PROPERTIES)
    additional: Schema | None = None
    open: bool = False
    required: tuple[str, ...] = ()
    items: Schema | None = None
    enum: tuple[Any, ...] | None = None
    pattern: str = ""
    bounds: Bounds = NO_BOUNDS
    sizes: Sizes = NO_SIZES
    junctors: Junctors = NO_JUNCTORS
    merging: Merging = NO_MERGING
    int_or_string: bool = False
    kept: bool = False
    embedded: bool = False
    rules: tuple[Any, ...] = ()
    default: Any = ABSENT
    name: str = ""
    target: Callable[[], Schema] | None = field(default=None, repr=False)

    def resolved(self) -> Schema:
        """The node that this stands for: itself, unless it is a reference."""
        node = self
        while node.target is not None:
            node = node.target()
        return node

    def child(self, step: str | int) -> Schema | None:
        """The node for a key or an index below this one, None where the schema says nothing."""
        node = self.resolved()
        if isinstance(step, int):
            return node.items.resolved() if node.items else None
        found = node.properties.get(step, node.additional)
        return found.resolved() if found else None


def has_rules(schema: Schema) -> bool:
    """Whether there are rules of the expression language in a schema; definitions of Kubernetes have none."""
    if schema.target is not None:
        return False
    children = (*schema.properties.values(), schema.additional, schema.items, *schema.junctors.all_of)
    return bool(schema.rules) or any(child is not None and has_rules(child) for child in children)


ANYTHING: Final = Schema(open=True, nullable=True, null_is_absent=True, kept=True)
"""The schema of what is not looked into."""
