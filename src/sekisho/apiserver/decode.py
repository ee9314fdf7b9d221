"""From a request's body to an object of the resource: media types, strictness, unknown fields, types.

Steps, each of which refuses what it does not understand: the media type; the text; apiVersion and kind;
unknown and repeated fields by ``fieldValidation`` (Strict refuses, Warn warns, Ignore is silent; in any case
unknown fields of built-in kinds are dropped); what has a type that the kind does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from sekisho.apiserver import gojson
from sekisho.apiserver.release import VERSION
from sekisho.apiserver.route import Call
from sekisho.apiserver.status import ApiError, Cause, bad_request, unsupported_media_type
from sekisho.apiserver.types import ResourceType
from sekisho.diag import Diagnostic, DiagnosticError, ObjectPath, Path, Source, path_text
from sekisho.kube.gvk import GVK
from sekisho.kube.schema import Schema, prune, validate
from sekisho.kube.schema import codes as schema_codes
from sekisho.kube.schema.builtin import builtin

JSON: Final = "application/json"
YAML: Final = "application/yaml"
PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
ACCEPTED: Final = (JSON, YAML, PROTOBUF)

MAX_DEPTH: Final = 250
"""Levels of a body at most: ten times what kinds have, and far from where Python's own stack ends."""

REASONS: Final = {
    schema_codes.WRONG_TYPE: "FieldValueTypeInvalid",
    schema_codes.MISSING: "FieldValueRequired",
    schema_codes.UNSUPPORTED: "FieldValueNotSupported",
    schema_codes.DUPLICATE: "FieldValueDuplicate",
}
"""The reason of a cause, by the code of the finding; any other is FieldValueInvalid."""


@dataclass(slots=True, kw_only=True)
class Decoded:
    """A body, and what is to be said of it as warnings."""

    value: dict[str, Any]
    warnings: list[str] = field(default_factory=list)


def media_type(content_type: str) -> str:
    """The media type without its parameters; a client that names none sends JSON."""
    return content_type.partition(";")[0].strip().lower() or JSON


def read_value(body: bytes, content_type: str, wanted: str = "") -> tuple[Any, list[str]]:
    """The value in a body, and the fields that it repeats. Raises ApiError (400, 415).

    ``wanted`` is the kind that the body has to be of, for messages.
    """
    kind = media_type(content_type)
    if kind == PROTOBUF:
        from sekisho.apiserver.protobuf import read_object

        return read_object(body), []
    if kind in (YAML, "application/x-yaml", "text/yaml", "application/apply-patch+yaml"):
        return _read_yaml(body), []
    if kind not in (JSON, "text/json", "*/*"):
        raise unsupported_media_type(ACCEPTED)
    try:
        return shallow(orjson.loads(body), body), _repeated(body)
    except (orjson.JSONDecodeError, RecursionError):
        raise bad_request(
            f"the object provided is unrecognized (must be of type {wanted}): couldn't get version/kind; "
            f"json parse error: {gojson.syntax_text(body)} ({gojson.summary(body)})"
        ) from None


def shallow(value: Any, body: bytes) -> Any:
    """The value, if it is not nested too deeply. Raises ApiError (400).

    Few bodies have so many brackets that they could be; only those are looked through.
    """
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        level = [value]
        for _ in range(MAX_DEPTH):
            level = [
                item
                for row in level
                if isinstance(row, dict | list)
                for item in (row.values() if isinstance(row, dict) else row)
            ]
            if not level:
                return value
        raise bad_request(f"the body is nested more than {MAX_DEPTH} levels deep")
    return value


def _read_yaml(body: bytes) -> Any:
    from sekisho import manifest

    if body[:1] in (b"{", b"["):
        try:
            return shallow(orjson.loads(body), body)
        except orjson.JSONDecodeError:
            pass  # YAML has flow mappings that are no JSON
    try:
        documents = manifest.load(Source("body", body.decode("utf-8")))
    except (DiagnosticError, UnicodeDecodeError) as error:
        raise bad_request(f"error decoding YAML: {error}") from None
    if len(documents) != 1:
        raise bad_request("the body must hold one object")
    return documents[0].value


class _Map(dict[str, Any]):
    """A mapping that knows which keys it has twice."""

    repeated: tuple[str, ...] = ()


def _pairs(rows: list[tuple[str, Any]]) -> _Map:
    found = _Map(rows)
    if len(found) < len(rows):
        seen: set[str] = set()
        twice = [key for key, _ in rows if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
        found.repeated = tuple(dict.fromkeys(twice))
    return found


def _repeated(body: bytes) -> list[str]:
    """The paths of keys that one mapping has twice. Few bodies have any: the first look is a quick one."""
    twice = False

    def quick(rows: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or len({key for key, _ in rows}) < len(rows)

    json.loads(body, object_pairs_hook=quick)
    return list(_twice(json.loads(body, object_pairs_hook=_pairs), ())) if twice else []


def _twice(value: Any, path: Path) -> Iterator[str]:
    if isinstance(value, _Map):
        yield from (path_text((*path, key)) for key in value.repeated)
        for key, item in value.items():
            yield from _twice(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _twice(item, (*path, at))


class Mismatch(ApiError):
    """A value that does not go into its field. ``restored``: what is said where no JSON is read."""

    def __init__(self, error: ApiError, restored: str) -> None:
        super().__init__(error.code, error.reason, error.message, error.details)
        self.restored = restored


def decode(call: Call, type: ResourceType) -> Decoded:
    """The object in a request's body, pruned. Raises ApiError (400, 415, 422)."""
    value, repeated = read_value(call.body, call.content_type, type.kind)
    if not isinstance(value, dict):
        why = f"json: cannot unmarshal {gojson.kind_of(value)} into Go value of type struct"
        raise bad_request(
            f"the object provided is unrecognized (must be of type {type.kind}): couldn't get version/kind; "
            f"json parse error: {why} ({gojson.summary(call.body)})"
        )
    return shaped(value, type, call, repeated)


def shaped(value: dict[str, Any], type: ResourceType, call: Call, repeated: list[str]) -> Decoded:
    """A value as an object of the resource: the kind checked, unknown fields dropped and told."""
    _check_kind(value, type)
    if not isinstance(value.get("metadata", {}), dict):
        what = gojson.kind_of(value["metadata"])
        why = f"json: cannot unmarshal {what} into Go struct field {type.kind}.metadata of type v1.ObjectMeta"
        kind = gojson.go_kind(value["metadata"])
        raise Mismatch(bad_request(f"{_title(value, type)}{why}"), f"cannot restore struct from: {kind}")
    value.setdefault("metadata", {})
    told = [f'duplicate field "{name}"' for name in repeated]
    schema = type.schema()
    if schema is not None:
        problems = validate(value, schema)
        unknown = [row for row in problems if row.code is schema_codes.UNKNOWN_FIELD]
        told = [f'unknown field "{_path(row)}"' for row in unknown] + told
        if unknown:
            value = prune(value, schema)
            value.setdefault("metadata", {})
        if type.custom is None:
            _check_types(value, problems, type)
    mode = call.query.get("fieldValidation") or "Warn"
    if told and mode == "Strict":
        raise bad_request(f"{_title(value, type)}strict decoding error: {', '.join(told)}")
    return Decoded(value=value, warnings=told if mode == "Warn" else [])


def _check_kind(value: dict[str, Any], type: ResourceType) -> None:
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not kind and not api_version and type.custom is None:
        value["apiVersion"], value["kind"] = type.api_version, type.kind
        return
    if not kind:
        raise bad_request("Object 'Kind' is missing in the request body")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        raise bad_request("apiVersion and kind must be strings")
    if (api_version, kind) != (type.api_version, type.kind):
        raise bad_request(_wrong_kind(value, type, GVK.of(api_version, kind)))


def _wrong_kind(value: dict[str, Any], type: ResourceType, given: GVK) -> str:
    """Why an object of one kind is none of another: it is unknown, or nothing leads from one to the other."""
    known = builtin(VERSION).lookup(*given) is not None
    if given.kind == type.kind and given.group == type.group and (known or type.custom is not None):
        return (
            f"the API version in the data ({given.api_version}) does not match the expected API version "
            f"({type.api_version})"
        )
    if known:
        internal = type.group.partition(".")[0] or "core"
        why = f"converting ({given.version}.{given.kind}) to ({internal}.{type.kind}): unknown conversion"
    else:
        scheme = '"pkg/runtime/scheme.go:110"'
        why = f'no kind "{given.kind}" is registered for version "{given.api_version}" in scheme {scheme}'
    return _title(value, type) + why


def _title(value: dict[str, Any], type: ResourceType) -> str:
    """What messages about an object that is not of its kind begin with."""
    version = str(value.get("apiVersion") or type.api_version).rpartition("/")[2]
    return f'{value.get("kind") or type.kind} in version "{version}" cannot be handled as a {type.kind}: '


def _check_types(value: dict[str, Any], problems: tuple[Diagnostic, ...], type: ResourceType) -> None:
    """What Go's decoder cannot put into a field is no object of the kind: 400, not 422."""
    schema = type.schema()
    assert schema is not None, "problems come from it"
    for row in problems:
        path = row.at.path if isinstance(row.at, ObjectPath) else ()
        if row.code is schema_codes.WRONG_TYPE:
            error = bad_request(_title(value, type) + gojson.mismatch_text(value, path, schema))
            raise Mismatch(error, gojson.restore_text(value, path, schema))
        why = gojson.format_text(value, path, _format(path, schema))
        if row.code is schema_codes.BAD_VALUE and why:
            raise bad_request(_title(value, type) + why)


def _format(path: Path, schema: Schema) -> str:
    """The format that the schema has at a path."""
    node: Schema | None = schema.resolved()
    for step in path:
        node = node.child(step) if node is not None else None
    return node.format if node is not None else ""


def schema_causes(value: dict[str, Any], type: ResourceType) -> list[Cause]:
    """What the schema of the kind forbids."""
    schema = type.schema()
    if schema is None:
        return []
    problems = [row for row in validate(value, schema) if row.code is not schema_codes.UNKNOWN_FIELD]
    return [*causes_of(problems)]


def causes_of(problems: list[Diagnostic]) -> Iterator[Cause]:
    """Findings as causes of a Status: the field apart from the text."""
    for row in problems:
        path = _path(row)
        reason = REASONS.get(row.code, "FieldValueInvalid")
        message = row.message.removeprefix(f"{path}: ")
        yield Cause(reason=reason, message=message, field=path or "<nil>")


def _path(row: Diagnostic) -> str:
    return path_text(row.at.path) if isinstance(row.at, ObjectPath) else ""
