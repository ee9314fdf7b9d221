"""One document for every group and version, and the index of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from sekisho.apiserver.openapi.operations import paths_of
from sekisho.apiserver.openapi.schemas import GVKS, META, list_of, reference, with_what_they_need
from sekisho.apiserver.registry import Registry
from sekisho.apiserver.release import MINOR
from sekisho.apiserver.types import ResourceType
from sekisho.kube.gvk import GVK
from sekisho.kube.schema.store import store

Json = dict[str, Any]

FORMAT: Final = 1
"""Counts up when documents are made in another way, so that clients read them anew."""

ALWAYS: Final = tuple(
    f"{META}.{name}" for name in ("DeleteOptions", "ListMeta", "ObjectMeta", "Patch", "Status")
)
"""Definitions that every document has."""


class Documents:
    """The documents of a registry; they are made when they are asked for."""

    __slots__ = ("_made", "_registry")

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._made: dict[str, bytes] = {}

    def index(self) -> Json:
        """``/openapi/v3``: path of a group and version → where its document is, with its hash."""
        return {
            "paths": {
                path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={self.hash(group, version)}"}
                for path, group, version in self._versions()
            }
        }

    def _versions(self) -> Iterable[tuple[str, str, str]]:
        for group, versions in sorted(self._registry.groups().items()):
            for version in versions:
                yield (f"apis/{group}/{version}" if group else f"api/{version}"), group, version

    def hash(self, group: str, version: str) -> str:
        """Of everything that a document is made from."""
        from sekisho import __version__

        found = hashlib.sha256(f"{FORMAT} {__version__} {MINOR} {group}/{version}".encode())
        for type in self._registry.of(group, version):
            row = [type.kind, type.plural, type.namespaced, type.verbs, sorted(type.subresources)]
            found.update(orjson.dumps([*row, type.published], option=orjson.OPT_SORT_KEYS))
        return found.hexdigest().upper()

    def document(self, path: str) -> bytes | None:
        """The document of ``api/v1`` or ``apis/GROUP/VERSION``; None if that is not served."""
        if path not in self._made:
            for known, group, version in self._versions():
                if known == path:
                    self._made[path] = orjson.dumps(self._make(group, version))
        return self._made.get(path)

    def _make(self, group: str, version: str) -> Json:
        schemas: dict[str, Json] = {}
        needed: list[str] = list(ALWAYS)
        paths: dict[str, Json] = {}
        for type in self._registry.of(group, version):
            name = definition_of(type)
            if type.published is None:
                needed.append(name)
            else:
                schemas[name] = {**_custom(type.published), GVKS: [type.gvk.to_json()]}
            if "list" in type.verbs:
                schemas[f"{name}List"] = {
                    **list_of(name, type.kind),
                    GVKS: [GVK(type.group, type.version, type.list_kind).to_json()],
                }
            paths.update(paths_of(type, name))
        schemas = {**with_what_they_need(needed), **schemas}
        for type in self._registry.of(group, version):
            schemas[definition_of(type)][GVKS] = [type.gvk.to_json()]
        return {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": f"v1.{MINOR}.0"},
            "paths": dict(sorted(paths.items())),
            "components": {"schemas": dict(sorted(schemas.items()))},
        }


def definition_of(type: ResourceType) -> str:
    """What the definition of a resource's objects is called."""
    facts = store().kind(type.group, type.version, type.kind, MINOR) if not type.custom else None
    if facts is not None:
        return facts.definition
    domain = ".".join(reversed(type.group.split(".")))
    return f"{domain}.{type.version}.{type.kind}"


def _custom(schema: Mapping[str, Any]) -> Json:
    """The published schema of a custom resource, with the fields that every object has."""
    properties = {
        **schema.get("properties", {}),
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {
            "allOf": [reference(f"{META}.ObjectMeta")],
            "description": "Standard object's metadata.",
        },
    }
    return {**schema, "type": "object", "properties": properties}
