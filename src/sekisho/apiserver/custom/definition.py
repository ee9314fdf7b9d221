"""A CustomResourceDefinition as the server reads it, once it is valid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sekisho.apiserver.types import Column, ScalePaths
from sekisho.diag import Path

GROUP: Final = "apiextensions.k8s.io"
KEY: Final = (GROUP, "customresourcedefinitions")
"""Under what the store keeps definitions."""

CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer that keeps a definition until its objects are gone."""

NAMES_ACCEPTED: Final = "NamesAccepted"
ESTABLISHED: Final = "Established"
TERMINATING: Final = "Terminating"

TOP: Final[Path] = ("spec", "validation", "openAPIV3Schema")
"""Where errors say that a schema stands which all versions have alike (the server's inner form of v1)."""

AGE: Final = Column(
    name="Age",
    type="date",
    description=(
        "CreationTimestamp is a timestamp representing the server time when this object was created. It is "
        "not guaranteed to be set in happens-before order across separate operations. Clients may not set "
        "this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. "
        "Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/"
        "api-conventions.md#metadata"
    ),
    path=".metadata.creationTimestamp",
)
"""The one column of definitions that name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a resource is called."""

    plural: str = ""
    singular: str = ""
    kind: str = ""
    list_kind: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Names:
        """From ``spec.names`` or ``status.acceptedNames``."""
        return cls(
            plural=raw.get("plural") or "",
            singular=raw.get("singular") or "",
            kind=raw.get("kind") or "",
            list_kind=raw.get("listKind") or "",
            short_names=tuple(raw.get("shortNames") or ()),
            categories=tuple(raw.get("categories") or ()),
        )

    def to_json(self) -> dict[str, Any]:
        """As the status writes them."""
        rows: dict[str, Any] = {
            "plural": self.plural,
            "singular": self.singular,
            "shortNames": list(self.short_names),
            "kind": self.kind,
            "listKind": self.list_kind,
            "categories": list(self.categories),
        }
        return {key: value for key, value in rows.items() if value or key in ("plural", "kind")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version. ``schema`` is its ``openAPIV3Schema`` as JSON, ``at`` where errors say that it stands."""

    name: str
    served: bool
    storage: bool
    schema: Mapping[str, Any]
    at: Path
    warning: str = ""
    status: bool = False
    scale: ScalePaths | None = None
    columns: tuple[Column, ...] = (AGE,)
    selectable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Who converts between versions: ``client`` is the ``clientConfig``, ``reviews`` the forms it knows."""

    client: Mapping[str, Any]
    reviews: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A definition: what it asks for, and in ``accepted`` and the conditions what it has got."""

    name: str
    group: str
    names: Names
    accepted: Names
    namespaced: bool
    versions: tuple[Version, ...]
    webhook: Webhook | None
    established: bool
    terminating: bool

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Definition:
        """From a stored object, which is valid."""
        spec, status = raw["spec"], raw.get("status") or {}
        conversion = spec.get("conversion") or {}
        hook = conversion.get("webhook") or {}
        by_webhook = conversion.get("strategy") == "Webhook"
        return cls(
            name=raw["metadata"]["name"],
            group=spec["group"],
            names=Names.of(spec["names"]),
            accepted=Names.of(status.get("acceptedNames") or {}),
            namespaced=spec.get("scope") == "Namespaced",
            versions=_versions(spec),
            webhook=Webhook(
                client=hook.get("clientConfig") or {},
                reviews=tuple(hook.get("conversionReviewVersions") or ()),
            )
            if by_webhook
            else None,
            established=condition(status, ESTABLISHED) == "True",
            terminating=condition(status, TERMINATING) == "True",
        )

    @property
    def stored(self) -> str:
        """The version in which objects are kept."""
        return next(row.name for row in self.versions if row.storage)


def condition(status: Mapping[str, Any], type: str) -> str:
    """The status of a condition, empty without it."""
    rows = status.get("conditions") or ()
    return next((row.get("status", "") for row in rows if row.get("type") == type), "")


def schema_paths(versions: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Where the schema of each version stands in errors: once for all if all have the same one."""
    schemas = [row.get("schema") for row in versions]
    if schemas and all(row == schemas[0] for row in schemas):
        return [TOP] * len(schemas)
    return [("spec", "versions", index, "schema", "openAPIV3Schema") for index in range(len(schemas))]


def _versions(spec: Mapping[str, Any]) -> tuple[Version, ...]:
    rows = spec["versions"]
    kind = f"{spec['group']}/{{}} {spec['names']['kind']} is deprecated"
    return tuple(
        _version(row, at, kind.format(row["name"])) for row, at in zip(rows, schema_paths(rows), strict=True)
    )


def _version(row: Mapping[str, Any], at: Path, deprecated: str) -> Version:
    subresources = row.get("subresources") or {}
    scale = subresources.get("scale")
    columns = row.get("additionalPrinterColumns")
    return Version(
        name=row["name"],
        served=row.get("served") is True,
        storage=row.get("storage") is True,
        schema=(row.get("schema") or {}).get("openAPIV3Schema") or {},
        at=at,
        warning=(row.get("deprecationWarning") or deprecated) if row.get("deprecated") else "",
        status=subresources.get("status") is not None,
        scale=ScalePaths.of(scale) if scale else None,
        columns=tuple(map(_column, columns)) if columns else (AGE,),
        selectable=tuple(field["jsonPath"].removeprefix(".") for field in row.get("selectableFields") or ()),
    )


def _column(raw: Mapping[str, Any]) -> Column:
    path = raw["jsonPath"]
    return Column(
        name=raw["name"],
        type=raw["type"],
        format=raw.get("format") or "",
        description=raw.get("description")
        or f"Custom resource definition column (in JSONPath format): {path}",
        priority=raw.get("priority") or 0,
        path=path,
    )
