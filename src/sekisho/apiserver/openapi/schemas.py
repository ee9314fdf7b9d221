"""Definitions of Kubernetes' own types as OpenAPI v3 writes them, with what they refer to."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

from sekisho.apiserver.release import MINOR
from sekisho.kube.schema.store import store

META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1"
PREFIX: Final = "#/components/schemas/"
GVKS: Final = "x-kubernetes-group-version-kind"
OPEN: Final = {"type": "object"}
"""What is published of a definition that nobody knows."""

_FILE: Final = Path(__file__).parent / "data" / "descriptions.json.gz"

Json = dict[str, Any]


@cache
def _descriptions() -> Mapping[str, tuple[str, Mapping[str, str]]]:
    found: Mapping[str, tuple[str, Mapping[str, str]]] = orjson.loads(gzip.decompress(_FILE.read_bytes()))
    return found


def reference(definition: str) -> Json:
    """A reference to a definition of the same document."""
    return {"$ref": PREFIX + definition}


def published(definition: str) -> Json:
    """A definition, described, its references those of a document."""
    raw = store().definition(definition, MINOR)
    if raw is None:
        return dict(OPEN)
    text, fields = _descriptions().get(definition, ("", {}))
    found = _node(raw)
    if text:
        found["description"] = text
    properties = found.get("properties", {})
    for name in properties.keys() & fields.keys():
        row = properties[name]
        # Beside a reference nothing counts (OpenAPI 3.0, Reference Object).
        properties[name] = {**({"allOf": [row]} if "$ref" in row else row), "description": fields[name]}
    return found


def _node(raw: Mapping[str, Any]) -> Json:
    found: Json = {}
    for key, value in raw.items():
        if key == "$ref":
            more = {name: row for name, row in raw.items() if name != "$ref"}
            target = reference(value)
            return {"allOf": [target], **more} if more else target
        if key == "properties":
            found[key] = {name: _node(row) for name, row in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, Mapping):
            found[key] = _node(value)
        else:
            found[key] = value
    return found


def with_what_they_need(definitions: Iterable[str]) -> dict[str, Json]:
    """These definitions and all that they refer to, by name."""
    found: dict[str, Json] = {}
    waiting = list(definitions)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = published(name)
            waiting += _references(found[name])
    return dict(sorted(found.items()))


def _references(node: Any) -> Iterable[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix(PREFIX)
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for row in node:
            yield from _references(row)


def list_of(definition: str, kind: str) -> Json:
    """The definition of a list of objects."""
    return {
        "description": f"{kind}List is a list of {kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": reference(f"{META}.ListMeta"),
            "items": {"type": "array", "items": reference(definition)},
        },
    }
