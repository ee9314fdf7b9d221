"""An ``openAPIV3Schema`` as JSON: what the server refuses of its keywords, structure, defaults and rules.

The order is the server's: structure first, then defaults, then keyword by keyword; rules are compiled only
where all of that is sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sekisho.apiserver.causes import forbidden, invalid, not_supported, parted, required
from sekisho.apiserver.custom.schemas import read
from sekisho.apiserver.custom.validation.defaults import default_causes
from sekisho.apiserver.status import Cause
from sekisho.diag import Diagnostic, DiagnosticError, Path, path_text
from sekisho.kube.schema import parse_schema, structural_problems

Raw = Mapping[str, Any]

TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
META: Final = frozenset({"metadata", "kind", "apiVersion"})

ROOT_KEYWORDS: Final = frozenset(
    {
        *("description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum"),
        *("exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems"),
        *("multipleOf", "required", "items", "properties", "externalDocs", "example"),
        *("x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations"),
    }
)
"""What may stand at the root where there is a status subresource: the status is judged apart."""

_ROOT_NAMES: Final = (
    "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength "
    "Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example "
    "XPreserveUnknownFields XValidations]"
)

UNSUPPORTED: Final = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")

_PROPERTY: Final = re.compile(r"(^|(?<=\.))properties(?:\.([^.\[:\s]+)|\[\"([^\"]*)\"\])")


def schema_causes(raw: Raw, at: Path, *, status: bool) -> list[Cause]:
    """What is wrong with a schema that stands at ``at``; ``status``: there is a status subresource."""
    where = path_text(at)
    found = list(_root_causes(raw, where, status=status))
    try:
        parse_schema(raw)
    except DiagnosticError as error:
        malformed = error.diagnostics
    else:
        malformed = ()
        structural = [cause_of(row, where) for row in structural_problems(raw)]
        found += structural or default_causes(raw, at)
    walk = list(_Walk().node(raw, where, root=True))
    found += walk
    if not found and malformed:
        found += [cause_of(row, where) for row in malformed]
    if not found:
        found += [cause_of(row, "") for row in read(raw, at).rules().problems]
    return found


def cause_of(row: Diagnostic, under: str) -> Cause:
    """A finding of ``kube.schema`` or of rules as a cause. Its text begins with a path below ``under``."""
    cause = parted(row.message)
    path, text = (_PROPERTY.sub(r"properties[\2\3]", part) for part in (cause.field, cause.message))
    return replace(cause, message=text, field=".".join(part for part in (under, path) if part))


def _root_causes(raw: Raw, where: str, *, status: bool) -> Iterator[Cause]:
    if status:
        if raw.get("type") not in (None, "object"):
            detail = (
                'only "object" is allowed as the type at the root of the schema if the status subresource '
                "is enabled"
            )
            yield invalid(f"{where}.type", raw["type"], detail)
        elif any(
            value not in (None, False, "", [], {}) and key not in ROOT_KEYWORDS for key, value in raw.items()
        ):
            detail = (
                f"only {_ROOT_NAMES} fields are allowed at the root of the schema if the status subresource "
                "is enabled"
            )
            yield invalid(where, raw, detail)
    if raw.get("nullable"):
        yield forbidden(f"{where}.nullable", "nullable cannot be true at the root")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """What is known on the way down: whether this is metadata, and why defaults are forbidden here."""

    in_meta: bool = False
    no_defaults: str = ""

    def node(self, raw: Any, at: str, *, root: bool = False) -> Iterator[Cause]:
        """Causes of a node and of those below."""
        if not isinstance(raw, Mapping):
            return
        yield from self._standard(raw, at)
        if raw.get("uniqueItems"):
            detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
            yield forbidden(f"{at}.uniqueItems", detail)
        yield from self._children(raw, at, root=root)
        yield from _extension_causes(raw, at)

    def _standard(self, raw: Raw, at: str) -> Iterator[Cause]:
        type = raw.get("type") or ""
        if type and type not in TYPES:
            yield not_supported(f"{at}.type", type, TYPES)
        if raw.get("default") is not None and self.no_defaults:
            yield forbidden(f"{at}.default", f"must not be set {self.no_defaults}")
        for keyword in UNSUPPORTED:
            if raw.get(keyword) not in (None, "", {}):
                yield forbidden(f"{at}.{keyword}", f"{keyword} is not supported")
        if type == "null":
            yield forbidden(f"{at}.type", "type cannot be set to null, use nullable as an alternative")
        if isinstance(raw.get("items"), list):
            yield forbidden(f"{at}.items", "items must be a schema object and not an array")
        if self.in_meta and raw.get("x-kubernetes-embedded-resource"):
            detail = "must not be used inside of resource meta"
            yield forbidden(f"{at}.x-kubernetes-embedded-resource", detail)

    def _children(self, raw: Raw, at: str, *, root: bool) -> Iterator[Cause]:
        additional, properties = raw.get("additionalProperties"), raw.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        if additional is not None:
            if properties and additional is not True:
                detail = "additionalProperties and properties are mutual exclusive"
                yield forbidden(f"{at}.additionalProperties", detail)
            reason = "inside additionalProperties applying to object metadata"
            below = replace(self, no_defaults=reason) if self.in_meta else self
            yield from below.node(additional, f"{at}.additionalProperties")
        for name, child in properties.items():
            below = self
            if (root or raw.get("x-kubernetes-embedded-resource")) and name in META:
                below = replace(
                    self, in_meta=True, no_defaults=f"in top-level {name}" if root else self.no_defaults
                )
            yield from below.node(child, f"{at}.properties[{name}]")
        yield from self.node(raw.get("not"), f"{at}.not")
        for keyword in ("allOf", "oneOf", "anyOf"):
            for index, child in enumerate(raw.get(keyword) or ()):
                yield from self.node(child, f"{at}.{keyword}[{index}]")
        yield from self.node(raw.get("items"), f"{at}.items")


KEPT: Final = "x-kubernetes-preserve-unknown-fields"
MAP_TYPE: Final = "x-kubernetes-map-type"
LIST_TYPE: Final = "x-kubernetes-list-type"
LIST_KEYS: Final = "x-kubernetes-list-map-keys"


def _extension_causes(raw: Raw, at: str) -> Iterator[Cause]:
    if raw.get(KEPT) is False:
        yield invalid(f"{at}.{KEPT}", False, "must be true or undefined")
    map_type, list_type, type = raw.get(MAP_TYPE), raw.get(LIST_TYPE), raw.get("type") or ""
    if map_type is not None:
        if type != "object":
            yield _wrong_type(f"{at}.type", type, f"must be object if {MAP_TYPE} is specified")
        if map_type not in ("atomic", "granular"):
            yield not_supported(f"{at}.{MAP_TYPE}", map_type, ("atomic", "granular"))
    if list_type is not None and type != "array":
        yield _wrong_type(f"{at}.type", type, f"must be array if {LIST_TYPE} is specified")
    elif list_type == "set":
        yield from _set_causes(raw, at)
    if list_type not in (None, "atomic", "set", "map"):
        yield not_supported(f"{at}.{LIST_TYPE}", list_type, ("atomic", "set", "map"))
    if raw.get(LIST_KEYS) and list_type != "map":
        detail = f"must be map if {LIST_KEYS} is non-empty"
        yield _wrong_type(f"{at}.{LIST_TYPE}", list_type or "", detail)
    if list_type == "map":
        yield from _map_causes(raw, at)
    if list_type in ("set", "map") and isinstance(raw.get("items"), Mapping) and raw["items"].get("nullable"):
        yield forbidden(f"{at}.items.nullable", f"cannot be nullable when {LIST_TYPE} is {list_type}")


def _wrong_type(at: str, type: str, detail: str) -> Cause:
    return invalid(at, type, detail) if type else required(at, detail)


def _set_causes(raw: Raw, at: str) -> Iterator[Cause]:
    items = raw.get("items")
    if not isinstance(items, Mapping):
        return
    detail = f"must be atomic as item of a list with {LIST_TYPE}=set"
    if items.get("type") == "array" and items.get(LIST_TYPE) not in (None, "atomic"):
        yield invalid(f"{at}.items.{LIST_TYPE}", items[LIST_TYPE], detail)
    if items.get("type") == "object" and items.get(MAP_TYPE) != "atomic":
        yield invalid(f"{at}.items.{MAP_TYPE}", items.get(LIST_TYPE), detail)


def _map_causes(raw: Raw, at: str) -> Iterator[Cause]:
    keys, items = raw.get(LIST_KEYS) or [], raw.get("items")
    if not keys:
        yield required(f"{at}.{LIST_KEYS}", f"must not be empty if {LIST_TYPE} is map")
    if items is None:
        yield required(f"{at}.items", f"must have a schema if {LIST_TYPE} is map")
    if not isinstance(items, Mapping):
        return
    if items.get("type") != "object":
        detail = f"must be object if parent array's {LIST_TYPE} is map"
        yield invalid(f"{at}.items.type", items.get("type") or "", detail)
        return
    properties, needed = items.get("properties") or {}, items.get("required") or ()
    seen: set[str] = set()
    for key in keys:
        field, where = properties.get(key), f"{at}.items.properties[{key}]"
        if not isinstance(field, Mapping):
            yield invalid(f"{at}.{LIST_KEYS}", keys, "entries must all be names of item properties")
        elif field.get("type") in ("array", "object"):
            detail = f"must be a scalar type if parent array's {LIST_TYPE} is map"
            yield invalid(f"{where}.type", items["type"], detail)
        if key in seen:
            yield invalid(f"{at}.{LIST_KEYS}", keys, "must not contain duplicate entries")
        seen.add(key)
        if isinstance(field, Mapping):
            yield from _key_causes(field, where, needed=key in needed)


def _key_causes(field: Raw, where: str, *, needed: bool) -> Iterator[Cause]:
    in_keys = f"this property is in {LIST_KEYS}, so it"
    if not needed and field.get("default") is None:
        yield required(f"{where}.default", f"{in_keys} must have a default or be a required property")
    if field.get("nullable"):
        yield forbidden(f"{where}.nullable", f"{in_keys} cannot be nullable")
