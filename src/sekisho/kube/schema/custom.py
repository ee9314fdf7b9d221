"""CustomResourceDefinitions among the inputs: the schemas of the kinds that they define."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, NamedTuple

from sekisho.diag import Diagnostic, DiagnosticError, ObjectPath, Path
from sekisho.kube.object import Object
from sekisho.kube.schema.builtin import NEWEST, OBJECT_META, builtin, stability
from sekisho.kube.schema.model import Junctors, Schema
from sekisho.kube.schema.parse import At, parse_schema, structural_problems

Key = tuple[str, str, str]
"""Group, version, kind."""

_GROUP: Final = "apiextensions.k8s.io"
_KIND: Final = "CustomResourceDefinition"


class _Version(NamedTuple):
    """A version of a custom resource: its name, whether it is served, its schema and where that stands."""

    name: str
    served: bool
    schema: Any
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomKinds:
    """The kinds that CustomResourceDefinitions define, and what is wrong with those definitions.

    A kind whose schema is malformed is known, without a schema: its objects are not judged.
    """

    schemas: Mapping[Key, Schema | None] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()

    @classmethod
    def of(cls, objects: Iterable[Object]) -> CustomKinds:
        """The kinds that the CustomResourceDefinitions among these objects define."""
        schemas: dict[Key, Schema | None] = {}
        found: list[Diagnostic] = []
        for object in objects:
            if object.gvk.group == _GROUP and object.gvk.kind == _KIND:
                _read(object, schemas, found)
        return cls(schemas=schemas, diagnostics=tuple(found))

    def __contains__(self, key: Key) -> bool:
        return key in self.schemas

    def get(self, key: Key) -> Schema | None:
        """The schema of a kind; None if it is unknown or has none that can be used."""
        return self.schemas.get(key)

    def versions(self, group: str, kind: str) -> tuple[str, ...]:
        """The versions of a kind that are defined, most stable first."""
        found = {
            version for its_group, version, its_kind in self.schemas if (its_group, its_kind) == (group, kind)
        }
        return tuple(sorted(found, key=stability, reverse=True))


NO_CUSTOM_KINDS: Final = CustomKinds()


def resource_schema(schema: Schema, kubernetes_version: str = NEWEST) -> Schema:
    """A custom resource's schema as its objects are judged by it.

    ``apiVersion``, ``kind`` and ``metadata`` are every object's, whatever the schema says of them; what it
    says of ``metadata`` restricts besides. The same holds inside, for embedded resources.
    """
    return _embedded(with_embedded(schema, kubernetes_version), kubernetes_version)


def with_embedded(schema: Schema, version: str = NEWEST) -> Schema:
    """The schema with the fields of an object added wherever it says ``x-kubernetes-embedded-resource``."""
    properties = {name: with_embedded(child, version) for name, child in schema.properties.items()}
    additional = with_embedded(schema.additional, version) if schema.additional else None
    items = with_embedded(schema.items, version) if schema.items else None
    unchanged = (
        additional is schema.additional
        and items is schema.items
        and all(child is schema.properties[name] for name, child in properties.items())
    )
    if not unchanged:
        schema = _with(schema, properties=properties, additional=additional, items=items)
    return _embedded(schema, version) if schema.embedded else schema


def _embedded(schema: Schema, version: str) -> Schema:
    text = Schema(type="string")
    meta = Schema(target=partial(builtin(version).definition, OBJECT_META, lenient=True))
    own = schema.properties.get("metadata")
    if own is not None and own.properties:
        # the server checks what the schema says of name and generateName, on top of all else
        restriction = _with(own, open=True)
        meta = _with(meta.resolved(), junctors=Junctors(all_of=(restriction,)), nullable=False)
    fields = {"apiVersion": text, "kind": text, "metadata": meta}
    return _with(schema, properties={**schema.properties, **fields})


def _with(schema: Schema, **changes: Any) -> Schema:
    return replace(schema, **changes)


def _read(object: Object, schemas: dict[Key, Schema | None], found: list[Diagnostic]) -> None:
    spec = object.raw.get("spec")
    if not isinstance(spec, Mapping):
        return
    names = spec.get("names")
    kind = names.get("kind") if isinstance(names, Mapping) else None
    group = spec.get("group")
    if not isinstance(kind, str) or not isinstance(group, str):
        return  # the schema of CustomResourceDefinition itself says so
    for version in _versions(spec):
        schemas.setdefault((group, version.name, kind), None)
        if not version.served or version.schema is None:
            continue
        try:
            schema = parse_schema(version.schema, _at(object, version.path))
        except DiagnosticError as error:
            found.extend(error.diagnostics)
            continue
        problems = structural_problems(version.schema, _at(object, version.path))
        found.extend(problems)
        schemas[group, version.name, kind] = resource_schema(schema)


def _versions(spec: Mapping[str, Any]) -> Iterable[_Version]:
    """The versions that a definition lists; v1beta1 has one schema for all and one nameless version."""
    shared = spec.get("validation")
    shared_schema = shared.get("openAPIV3Schema") if isinstance(shared, Mapping) else None
    shared_path: Path = ("spec", "validation", "openAPIV3Schema")
    rows = spec.get("versions")
    if not isinstance(rows, list):
        name = spec.get("version")
        if isinstance(name, str):
            yield _Version(name, True, shared_schema, shared_path)
        return
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping) or not isinstance(row.get("name"), str):
            continue
        own = row.get("schema")
        schema = own.get("openAPIV3Schema") if isinstance(own, Mapping) else None
        path: Path = ("spec", "versions", index, "schema", "openAPIV3Schema")
        served = row.get("served") is not False
        if schema is None:
            schema, path = shared_schema, shared_path
        yield _Version(row["name"], served, schema, path)


def _at(object: Object, base: Path) -> At:
    def at(path: Path, key: bool) -> ObjectPath:
        return object.at(*base, *path, key=key)

    return at
