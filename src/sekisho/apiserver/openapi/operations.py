"""The paths of a resource: one operation for every verb, with its parameters and bodies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sekisho.apiserver.openapi.schemas import META, reference
from sekisho.apiserver.types import ResourceType, Subresource
from sekisho.kube.gvk import GVK

Json = dict[str, Any]

ANSWERS: Final = ("application/json", "application/yaml")
BODIES: Final = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
PATCHES: Final = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)

_WRITE: Final = (
    ("dryRun", "string", "All: nothing is stored."),
    ("fieldManager", "string", "Who owns the fields that are written."),
    ("fieldValidation", "string", "What is done about unknown and repeated fields: Ignore, Warn or Strict."),
)
_FORCE: Final = (("force", "boolean", "Take fields over that others own (server-side apply)."),)
_LIST: Final = (
    ("allowWatchBookmarks", "boolean", "Send versions while nothing happens."),
    ("continue", "string", "Where the page before ended."),
    ("fieldSelector", "string", "Which objects, by their fields."),
    ("labelSelector", "string", "Which objects, by their labels."),
    ("limit", "integer", "Objects of a page."),
    ("resourceVersion", "string", "At or after which version."),
    ("resourceVersionMatch", "string", "How the version is meant: Exact or NotOlderThan."),
    ("sendInitialEvents", "boolean", "Begin with what is there, and say where that ends."),
    ("timeoutSeconds", "integer", "How long a watch lasts."),
    ("watch", "boolean", "Follow the changes."),
)
_DELETE: Final = (
    ("dryRun", "string", "All: nothing is stored."),
    ("gracePeriodSeconds", "integer", "How long the object may take to end."),
    ("orphanDependents", "boolean", "Deprecated: see propagationPolicy."),
    ("propagationPolicy", "string", "What becomes of the objects that this one owns."),
)
_PRETTY: Final = (("pretty", "string", "Ignored: answers are compact."),)

Parameters = tuple[tuple[str, str, str], ...]

VERBS: Final[Mapping[str, tuple[str, str, Parameters]]] = {
    "get": ("get", "get", ()),
    "list": ("get", "list", _LIST),
    "create": ("post", "post", _WRITE),
    "update": ("put", "put", _WRITE),
    "patch": ("patch", "patch", (*_WRITE, *_FORCE)),
    "delete": ("delete", "delete", _DELETE),
    "deletecollection": ("delete", "deletecollection", (*_DELETE, *_LIST)),
}
"""Verb → method, action, parameters of the query."""


def paths_of(type: ResourceType, definition: str) -> Iterable[tuple[str, Json]]:
    """The paths of a resource and of its subresources; ``definition`` is that of its objects."""
    root = f"/apis/{type.group}/{type.version}" if type.group else f"/api/{type.version}"
    inside = [("namespace", "object name and auth scope, such as for teams and projects")]
    where = inside if type.namespaced else []
    base = f"{root}/namespaces/{{namespace}}/{type.plural}" if type.namespaced else f"{root}/{type.plural}"
    collection = _operations(type, ("list", "create", "deletecollection"), definition)
    if collection:
        yield base, _item(collection, where)
    if type.namespaced and "list" in type.verbs:
        yield f"{root}/{type.plural}", _item(_operations(type, ("list",), definition), [])
    one = _operations(type, ("get", "update", "patch", "delete"), definition)
    named = [*where, ("name", f"name of the {type.kind}")]
    if one:
        yield f"{base}/{{name}}", _item(one, named)
    for row in sorted(type.subresources.values(), key=lambda row: row.name):
        yield f"{base}/{{name}}/{row.name}", _item(_of_subresource(type, row, definition), named)


def _operations(type: ResourceType, verbs: Iterable[str], definition: str) -> Json:
    return {
        VERBS[verb][0]: _operation(type, verb, definition, type.gvk)
        for verb in verbs
        if verb in type.verbs and verb in VERBS
    }


def _of_subresource(type: ResourceType, row: Subresource, definition: str) -> Json:
    kind = row.kind or type.gvk
    shape = definition if row.kind is None else ""
    return {VERBS[verb][0]: _operation(type, verb, shape, kind, row.name) for verb in row.verbs}


def _operation(type: ResourceType, verb: str, definition: str, kind: GVK, tail: str = "") -> Json:
    method, action, parameters = VERBS[verb]
    shown = f"{definition}List" if verb == "list" else definition
    scope = "Namespaced" if type.namespaced else ""
    found: Json = {
        "operationId": f"{verb}{_title(type.group)}{type.version.title()}{scope}{type.kind}{_title(tail)}",
        "tags": [f"{type.group.partition('.')[0] or 'core'}_{type.version}"],
        "responses": {"200": _answer(shown), "401": {"description": "Unauthorized"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": kind.to_json(),
    }
    if parameters:
        found["parameters"] = [_parameter(*row) for row in parameters]
    if method in ("post", "put"):
        found["requestBody"] = {"content": _content(BODIES, definition), "required": True}
    elif method == "patch":
        kinds = [row for row in PATCHES if not type.custom or "strategic" not in row]
        found["requestBody"] = {"content": _content(kinds, f"{META}.Patch"), "required": True}
    elif method == "delete":
        found["requestBody"] = {"content": _content(("*/*",), f"{META}.DeleteOptions")}
    return found


def _title(text: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in text.replace("-", ".").split("."))


def _answer(definition: str) -> Json:
    return {"description": "OK", "content": _content(ANSWERS, definition)}


def _content(kinds: Iterable[str], definition: str) -> Json:
    schema = reference(definition) if definition else {"type": "object"}
    return {kind: {"schema": schema} for kind in kinds}


def _parameter(name: str, type: str, description: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": {"type": type}}


def _item(operations: Json, where: Iterable[tuple[str, str]]) -> Json:
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in where
    ]
    return {**operations, "parameters": [*parameters, *(_parameter(*row) for row in _PRETTY)]}
