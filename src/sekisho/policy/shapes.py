"""Schemas of this package's own resources, read from ``crds/``, and places inside objects."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from importlib import resources
from typing import Any

from sekisho import manifest
from sekisho.diag import ObjectPath, Path, Source, path_text
from sekisho.kube.object import Object
from sekisho.kube.schema import Schema, parse_schema, resource_schema, with_embedded
from sekisho.kube.schema.validate import Locate


def _read(name: str) -> Any:
    text = resources.files("sekisho.policy").joinpath("crds", name).read_text(encoding="utf-8")
    (document,) = manifest.load(Source(f"crds/{name}", text))
    return document.value


@lru_cache(maxsize=1)
def template() -> Schema:
    """The schema of ConstraintTemplates; the three versions share it."""
    version = _read("constrainttemplate.yaml")["spec"]["versions"][0]
    return resource_schema(parse_schema(version["schema"]["openAPIV3Schema"]))


@lru_cache(maxsize=1)
def _mutators() -> dict[str, Any]:
    """The raw schema of each kind of mutator; its versions share it."""
    text = resources.files("sekisho.policy").joinpath("crds", "mutators.yaml").read_text(encoding="utf-8")
    documents = manifest.load(Source("crds/mutators.yaml", text))
    return {row.value["spec"]["names"]["kind"]: row.value["spec"] for row in documents}


@lru_cache(maxsize=1)
def mutator_versions() -> dict[str, tuple[str, ...]]:
    """The versions of each kind of mutator, the one that is stored first."""
    return {kind: tuple(row["name"] for row in spec["versions"]) for kind, spec in _mutators().items()}


@lru_cache(maxsize=8)
def mutator(kind: str) -> Schema:
    """The schema of a kind of mutator."""
    version = _mutators()[kind]["versions"][0]
    return resource_schema(parse_schema(version["schema"]["openAPIV3Schema"]))


@lru_cache(maxsize=1)
def expansion() -> Schema:
    """The schema of ExpansionTemplates; both versions share it."""
    version = _read("expansiontemplate.yaml")["spec"]["versions"][0]
    return resource_schema(parse_schema(version["schema"]["openAPIV3Schema"]))


@lru_cache(maxsize=1)
def provider() -> Schema:
    """The schema of Providers; both versions share it."""
    version = _read("provider.yaml")["spec"]["versions"][0]
    return resource_schema(parse_schema(version["schema"]["openAPIV3Schema"]))


@lru_cache(maxsize=2)
def config(kind: str) -> Schema:
    """The schema of Configs, or of SyncSets."""
    version = _read(f"{kind.lower()}.yaml")["spec"]["versions"][0]
    return resource_schema(parse_schema(version["schema"]["openAPIV3Schema"]))


@lru_cache(maxsize=1)
def _constraint() -> Schema:
    return resource_schema(parse_schema(_read("constraint.yaml")))


def constraint(parameters: Schema | None) -> Schema:
    """The schema of a template's constraints, as Gatekeeper generates it, with that of their parameters.

    All but the parameters is the same for all of them, nodes and what is compiled from these.
    """
    base = _constraint()
    spec = base.properties["spec"]
    properties = {name: schema for name, schema in spec.properties.items() if name != "parameters"}
    if parameters is not None:
        properties["parameters"] = with_embedded(parameters)
    return replace(base, properties={**base.properties, "spec": replace(spec, properties=properties)})


def locate(object: Object) -> Locate:
    """Places inside an object, by path."""

    def make(path: Path, key: bool) -> ObjectPath:
        return object.at(*path, key=key)

    return make


def below(object: Object, base: Path) -> Locate:
    """Places inside an object, by the path below ``base``."""

    def make(path: Path, key: bool) -> ObjectPath:
        return object.at(*base, *path, key=key)

    return make


def detached(object: Object, path: Path) -> Source:
    """The string at a path of an object that came from no file, named after the object."""
    return Source(f"{object.ref()} {path_text(path)}", str(object.get(*path)))
