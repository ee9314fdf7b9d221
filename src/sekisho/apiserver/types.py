"""What the server knows of a resource: one record, from which routes, discovery and OpenAPI follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from sekisho.apiserver.status import Cause, Resource
from sekisho.apiserver.store import Row
from sekisho.kube.gvk import GVK, GVR
from sekisho.kube.schema import Schema

Raw = Mapping[str, Any]

EVERY_VERB: Final = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
)
CREATE_ONLY: Final = ("create",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subresource:
    """A subresource: its name, its verbs, and the kind that goes over the wire (None: the parent's)."""

    name: str
    verbs: tuple[str, ...]
    kind: GVK | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A printer column of a Table: what it is called, its type, and where the cell comes from.

    ``priority`` 0 is always shown, 1 with ``-o wide``. ``path`` is a JSONPath (custom resources).
    """

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0
    path: str = ""


class Strategy(Protocol):
    """What is special about the objects of a resource. Pure: raw objects in, new ones out."""

    def decoded(self, new: dict[str, Any]) -> None:
        """Write, in place, what is written in two ways in the one in which it is kept."""

    def prepare_create(self, new: dict[str, Any]) -> None:
        """Set or drop what the server owns, in place, before a new object is validated."""

    def prepare_update(self, new: dict[str, Any], old: Raw) -> None:
        """The same for a new state of an object that exists."""

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:
        """The rules of the kind beyond its schema."""

    def fields(self, value: Raw) -> Mapping[str, str]:
        """What field selectors may ask for besides name and namespace."""


class Plain:
    """The strategy of kinds without anything special."""

    def decoded(self, new: dict[str, Any]) -> None:
        """Nothing is written in two ways."""

    def prepare_create(self, new: dict[str, Any]) -> None:
        """Nothing is set."""

    def prepare_update(self, new: dict[str, Any], old: Raw) -> None:
        """Nothing is set."""

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:  # noqa: ARG002 - the protocol's shape
        """Nothing but the schema."""
        return ()

    def fields(self, value: Raw) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's shape
        """None."""
        return {}


PLAIN: Final = Plain()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePaths:
    """Where the replicas of a resource with a scale stand. ``selector`` is a path or empty."""

    spec: tuple[str, ...]
    status: tuple[str, ...]
    selector: tuple[str, ...] = ()

    @classmethod
    def of(cls, raw: Raw) -> ScalePaths:
        """From the ``scale`` of a CustomResourceDefinition."""

        def steps(name: str) -> tuple[str, ...]:
            text = (raw.get(name) or "").removeprefix(".")
            return tuple(text.split(".")) if text else ()

        return cls(
            spec=steps("specReplicasPath"),
            status=steps("statusReplicasPath"),
            selector=steps("labelSelectorPath"),
        )


class Judged(NamedTuple):
    """What validation finds: causes that refuse the object, and warnings."""

    causes: list[Cause]
    warnings: list[str]


class Conversion(Protocol):
    """One version of a resource that has several."""

    async def shown(self, rows: Sequence[Row]) -> list[Row]:
        """Stored objects in this version, with its defaults. Raises ApiError."""

    async def kept(self, value: dict[str, Any]) -> dict[str, Any]:
        """An object of this version in the version in which it is stored. Raises ApiError."""

    async def converted(self, value: dict[str, Any]) -> dict[str, Any]:
        """An object of another version in this one. Raises ApiError."""


class BuiltIn(Conversion, Protocol):
    """One version of a built-in resource that has several."""

    def stored(self, value: dict[str, Any]) -> dict[str, Any]:
        """An object of this version in the version in which it is stored."""

    def settled(self, value: dict[str, Any]) -> dict[str, Any]:
        """An object of this version as it comes back from the one that is stored."""


class Custom(Conversion, Protocol):
    """One version of a custom resource: how its objects are read, judged and kept."""

    def shaped(self, value: dict[str, Any], *, keep_nulls: bool = False) -> dict[str, Any]:
        """An object without unknown fields and with the defaults.

        ``keep_nulls``: nulls where none may be stay, for validation.
        """

    def judge(self, new: Raw, old: Raw | None) -> Judged:
        """What is wrong with an object, or with a change of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """One resource in one version.

    ``stored`` is the version in which its objects are kept. ``generation``: changes outside of metadata and
    status count up ``metadata.generation``. ``schema`` gives the schema of its objects, None where any object
    is one. ``custom`` is set where it comes from a CustomResourceDefinition; ``published`` is its schema as
    OpenAPI has it then, without apiVersion, kind and metadata. None: Kubernetes' own definition. ``versions``
    converts the objects of a built-in one that is served in several; ``home`` is the group and the plural
    under which they are kept, where those are others.
    ``unconditional``: an update need not name the version that it was computed from. ``creates``: an update
    of what is not there makes it. ``warning`` is told with every answer. ``closing``: nothing new may be
    created.
    """

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    verbs: tuple[str, ...] = EVERY_VERB
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: Mapping[str, Subresource] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    schema: Callable[[], Schema | None] = lambda: None
    strategy: Strategy = PLAIN
    stored: str = ""
    generation: bool = False
    custom: Custom | None = None
    versions: BuiltIn | None = None
    home: tuple[str, str] | None = None
    selectable: tuple[str, ...] = ()
    published: Mapping[str, Any] | None = None
    scale: ScalePaths | None = None
    unconditional: bool = True
    creates: bool = False
    warning: str = ""
    closing: bool = False
    list_kind: str = ""

    @property
    def gvk(self) -> GVK:
        """Group, version and kind."""
        return GVK(self.group, self.version, self.kind)

    @property
    def gvr(self) -> GVR:
        """Group, version and resource."""
        return GVR(self.group, self.version, self.plural)

    @property
    def api_version(self) -> str:
        """``v1`` or ``apps/v1``."""
        return self.gvk.api_version

    @property
    def resource(self) -> Resource:
        """What errors call it."""
        return Resource(group=self.group, plural=self.plural)

    @property
    def key(self) -> tuple[str, str]:
        """Under what the store keeps its objects, whatever the version."""
        return self.home or (self.group, self.plural)

    @property
    def conversion(self) -> Conversion | None:
        """How stored objects become those of this version; None where they are."""
        return self.custom or self.versions

    @property
    def kind_of_list(self) -> str:
        """The kind of a list of its objects."""
        return self.list_kind or f"{self.kind}List"
