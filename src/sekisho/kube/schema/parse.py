"""From the JSON of an ``openAPIV3Schema`` to a ``Schema``, and whether it is structural.

Structural is Kubernetes' word for schemas that say the type of every place once, outside of all
combinations, so that unknown fields, defaults and pruning mean something. The rules are those of
apiextensions ``ValidateStructural``; the messages are its texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from sekisho.diag import Code, Diagnostic, DiagnosticError, Limit, ObjectPath, Path, path_text
from sekisho.kube import fielderror
from sekisho.kube.schema import codes
from sekisho.kube.schema.formats import INTEGERS
from sekisho.kube.schema.model import (
    ABSENT,
    NO_BOUNDS,
    NO_JUNCTORS,
    NO_MERGING,
    NO_PROPERTIES,
    NO_SIZES,
    Bounds,
    Junctors,
    Merging,
    Schema,
    Sizes,
)

T = TypeVar("T")

At = Callable[[Path, bool], ObjectPath]
"""Makes a place in the object that holds a schema, from a path inside the schema; true points at the key."""

DEPTH: Final = Limit(
    "the depth of a schema", 100, "levels", "deeper ones describe nothing and would exhaust the stack"
)

TYPES: Final = frozenset({"object", "array", "string", "integer", "number", "boolean"})


class _Complaint(NamedTuple):
    code: Code
    message: str
    path: Path


class _Parser:
    """Reads one schema. ``nested`` nodes stand in a combination: they restrict and know no unknown fields."""

    def __init__(self) -> None:
        self.complaints: list[_Complaint] = []

    def node(self, raw: Any, path: Path, *, nested: bool = False) -> Schema:
        if len(path) > 2 * DEPTH.value:
            self.complain(path, f"{DEPTH}")
            return Schema(open=True)
        if not isinstance(raw, dict):
            self.complain(path, fielderror.wrong_type(path, raw, "object"))
            return Schema(open=True)
        reference = raw.get("$ref")
        if reference is not None:
            self.complain((*path, "$ref"), fielderror.forbidden((*path, "$ref"), "$ref is not supported"))
        kept = self.take(raw, "x-kubernetes-preserve-unknown-fields", bool, False, path)
        properties = {
            name: self.node(row, (*path, "properties", name), nested=nested)
            for name, row in self.take(raw, "properties", dict, {}, path).items()
        }
        additional, open_ = self.additional(raw, path, nested=nested)
        type_ = self.take(raw, "type", str, "", path)
        if type_ and type_ not in TYPES:
            message = fielderror.not_supported((*path, "type"), type_, sorted(TYPES))
            self.complain((*path, "type"), message)
            type_ = ""
        enum = raw.get("enum")
        either = self.take(raw, "x-kubernetes-int-or-string", bool, False, path)
        format = self.take(raw, "format", str, "", path)
        return Schema(
            type=type_,
            format="" if either and format in INTEGERS else format,  # the server drops it there
            nullable=self.take(raw, "nullable", bool, False, path),
            properties=properties or NO_PROPERTIES,
            additional=additional,
            open=open_ or kept or nested or type_ not in ("", "object"),
            required=tuple(map(str, self.take(raw, "required", list, [], path))),
            items=self.items(raw, path, nested=nested),
            enum=tuple(self.take(raw, "enum", list, [], path)) if enum is not None else None,
            pattern=self.take(raw, "pattern", str, "", path),
            bounds=self.bounds(raw, path),
            sizes=self.sizes(raw, path),
            junctors=self.junctors(raw, path),
            merging=self.merging(raw, path),
            int_or_string=either,
            kept=kept,
            embedded=self.take(raw, "x-kubernetes-embedded-resource", bool, False, path),
            rules=tuple(self.take(raw, "x-kubernetes-validations", list, [], path)),
            default=ABSENT if raw.get("default") is None else raw["default"],
        )

    def additional(self, raw: Mapping[str, Any], path: Path, *, nested: bool) -> tuple[Schema | None, bool]:
        """The schema of unlisted properties, and whether any are allowed."""
        value = raw.get("additionalProperties")
        if value is None or isinstance(value, bool):
            return None, value is True
        return self.node(value, (*path, "additionalProperties"), nested=nested), False

    def items(self, raw: Mapping[str, Any], path: Path, *, nested: bool) -> Schema | None:
        value = raw.get("items")
        if value is None:
            return None
        at = (*path, "items")
        if isinstance(value, list):
            self.complain(at, fielderror.forbidden(at, "items must be a schema object and not an array"))
            return None
        return self.node(value, at, nested=nested)

    def junctors(self, raw: Mapping[str, Any], path: Path) -> Junctors:
        if not raw.keys() & {"allOf", "anyOf", "oneOf", "not"}:
            return NO_JUNCTORS
        spelled = raw.get("x-kubernetes-int-or-string") is True and _spells_int_or_string(raw.get("anyOf"))
        if spelled and not raw.keys() & {"allOf", "oneOf", "not"}:
            return NO_JUNCTORS
        negated = raw.get("not")
        return Junctors(
            all_of=self.several(raw, "allOf", path),
            any_of=() if spelled else self.several(raw, "anyOf", path),
            one_of=self.several(raw, "oneOf", path),
            none_of=None if negated is None else self.node(negated, (*path, "not"), nested=True),
        )

    def several(self, raw: Mapping[str, Any], name: str, path: Path) -> tuple[Schema, ...]:
        return tuple(
            self.node(row, (*path, name, index), nested=True)
            for index, row in enumerate(self.take(raw, name, list, [], path))
        )

    def bounds(self, raw: Mapping[str, Any], path: Path) -> Bounds:
        if not raw.keys() & {"minimum", "maximum", "multipleOf"}:
            return NO_BOUNDS
        return Bounds(
            minimum=self.number(raw, "minimum", path),
            maximum=self.number(raw, "maximum", path),
            exclusive_minimum=self.take(raw, "exclusiveMinimum", bool, False, path),
            exclusive_maximum=self.take(raw, "exclusiveMaximum", bool, False, path),
            multiple_of=self.number(raw, "multipleOf", path),
        )

    def sizes(self, raw: Mapping[str, Any], path: Path) -> Sizes:
        found = {field: self.count(raw, keyword, path) for keyword, field in _SIZES.items() if keyword in raw}
        unique = self.take(raw, "uniqueItems", bool, False, path)
        return Sizes(**found, unique_items=unique) if found or unique else NO_SIZES

    def merging(self, raw: Mapping[str, Any], path: Path) -> Merging:
        list_type = self.take(raw, "x-kubernetes-list-type", str, "", path)
        map_type = self.take(raw, "x-kubernetes-map-type", str, "", path)
        if not list_type and not map_type:
            return NO_MERGING
        keys = self.take(raw, "x-kubernetes-list-map-keys", list, [], path)
        return Merging(
            list_type=list_type,
            list_keys=tuple(map(str, keys)),
            map_type=map_type,
            enforced=list_type in ("set", "map"),
        )

    def number(self, raw: Mapping[str, Any], name: str, path: Path) -> float | None:
        value = raw.get(name)
        if value is None:
            return None
        wrong = isinstance(value, bool) or not isinstance(value, int | float)
        if wrong or (name == "multipleOf" and value <= 0):
            at = (*path, name)
            message = (
                fielderror.wrong_type(at, value, "number")
                if wrong
                else fielderror.invalid(at, value, "must be greater than 0")
            )
            self.complain(at, message)
            return None
        number: float = value
        return number

    def count(self, raw: Mapping[str, Any], name: str, path: Path) -> int | None:
        value = self.number(raw, name, path)
        if value is None or value == int(value):
            return None if value is None else int(value)
        self.complain((*path, name), fielderror.wrong_type((*path, name), value, "integer"))
        return None

    def take(self, raw: Mapping[str, Any], name: str, kind: type[T], absent: T, path: Path) -> T:
        """The value of a keyword; one of the wrong type is complained of and read as absent."""
        value = raw.get(name)
        if value is None:
            return absent
        if not isinstance(value, kind):
            at = (*path, name)
            self.complain(at, fielderror.wrong_type(at, value, fielderror.type_name(absent)))
            return absent
        return value

    def complain(self, path: Path, message: str, code: Code = codes.BAD_SCHEMA) -> None:
        self.complaints.append(_Complaint(code, message, path))


_SIZES: Final[Mapping[str, str]] = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
    "minProperties": "min_properties",
    "maxProperties": "max_properties",
}


def parse_schema(raw: Any, at: At | None = None) -> Schema:
    """The schema that a JSON value describes; raises DiagnosticError (KUB120) if it is malformed.

    ``at`` says where a path inside the schema stands. Whether the schema is structural is another question:
    ``structural_problems``.
    """
    parser = _Parser()
    schema = parser.node(raw, ())
    if parser.complaints:
        raise DiagnosticError(_diagnostics(parser.complaints, at))
    return schema


def keep_unknown(raw: Any) -> Any:
    """The schema with unknown fields kept at every level that is an object or of no type.

    Gatekeeper does so with the parameters of templates that say ``legacySchema: true`` (frameworks
    ``AddPreserveUnknownFields``). The input is not changed; what is malformed stays for ``parse_schema``.
    """
    if not isinstance(raw, dict):
        return raw
    new = dict(raw)
    if not raw.get("type") or raw["type"] == "object":
        new["x-kubernetes-preserve-unknown-fields"] = True
    elif raw["type"] == "array" and raw.get("items") is None:
        new["items"] = {"x-kubernetes-preserve-unknown-fields": True}
    if isinstance(raw.get("properties"), dict):
        new["properties"] = {name: keep_unknown(row) for name, row in raw["properties"].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(raw.get(name), dict):
            new[name] = keep_unknown(raw[name])
    return new


def structural_problems(raw: Any, at: At | None = None) -> tuple[Diagnostic, ...]:
    """What keeps a well-formed schema from being structural (KUB121), as for the root of an object."""
    found: list[_Complaint] = []
    _Structure(found).node(raw, (), "root")
    return _diagnostics(found, at)


_JUNCTORS: Final = ("allOf", "anyOf", "oneOf")
_INT_OR_STRING: Final = ({"type": "integer"}, {"type": "string"})
_ONLY_OUTSIDE: Final[Mapping[str, str]] = {
    "type": "must be empty to be structural",
    "additionalProperties": "must be undefined to be structural",
    "default": "must be undefined to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "nullable": "must be false to be structural",
    "x-kubernetes-preserve-unknown-fields": "must be false to be structural",
    "x-kubernetes-embedded-resource": "must be false to be structural",
    "x-kubernetes-int-or-string": "must be false to be structural",
    "x-kubernetes-list-map-keys": "must be empty to be structural",
    "x-kubernetes-list-type": "must be undefined to be structural",
    "x-kubernetes-map-type": "must be undefined to be structural",
    "x-kubernetes-validations": "must be empty to be structural",
}
"""Keywords that may not stand in a combination."""
_PLACES: Final[Mapping[str, str]] = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}


class _Place(NamedTuple):
    """A node of the structural part of a schema, None if there is none at this path."""

    schema: Mapping[str, Any] | None
    path: Path

    def below(self, *steps: str) -> _Place:
        """The node for a property or for the items."""
        found: Any = self.schema or {}
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        return _Place(found if isinstance(found, dict) else None, (*self.path, *steps))


class _Structure:
    """Walks a schema and notes what is not structural."""

    def __init__(self, found: list[_Complaint]) -> None:
        self.found = found

    def node(self, raw: Mapping[str, Any], path: Path, place: str) -> None:
        kept = raw.get("x-kubernetes-preserve-unknown-fields") is True
        either = raw.get("x-kubernetes-int-or-string") is True
        embedded = raw.get("x-kubernetes-embedded-resource") is True
        type_ = raw.get("type") or ""
        if embedded and type_ != "object":
            text = "must be object if x-kubernetes-embedded-resource is true"
            at = (*path, "type")
            self.add(at, fielderror.invalid(at, type_, text) if type_ else fielderror.required(at, text))
        elif not type_ and not either and not kept:
            self.add((*path, "type"), fielderror.required((*path, "type"), _PLACES[place]))
        if place == "root" and type_ not in ("", "object"):
            self.add(
                (*path, "type"), fielderror.invalid((*path, "type"), type_, "must be object at the root")
            )
        if type_ == "array" and raw.get("items") is None:
            self.add((*path, "items"), fielderror.required((*path, "items"), "must be specified"))
        if either and kept:
            at = (*path, "x-kubernetes-preserve-unknown-fields")
            text = "must be false if x-kubernetes-int-or-string is true"
            self.add(at, fielderror.invalid(at, True, text))
        self.children(raw, path, place, embedded=embedded)
        # only at the root does Kubernetes ask that what a combination names is known outside of it
        known = _Place(raw, path) if place == "root" else None
        self.combinations(raw, known, path, skip=_skipped(raw))

    def children(self, raw: Mapping[str, Any], path: Path, place: str, *, embedded: bool) -> None:
        additional, properties = raw.get("additionalProperties"), raw.get("properties") or {}
        at = (*path, "additionalProperties")
        if additional is not None:
            if place == "root":
                self.add(at, fielderror.forbidden(at, "must not be used at the root"))
            if embedded:
                text = "must not be used if x-kubernetes-embedded-resource is set"
                self.add(at, fielderror.forbidden(at, text))
            if additional is not True and properties:
                text = "additionalProperties and properties are mutual exclusive"
                self.add(at, fielderror.forbidden(at, text))
        if isinstance(additional, dict):
            self.node(additional, at, "field")
        if isinstance(raw.get("items"), dict):
            self.node(raw["items"], (*path, "items"), "item")
        for name, row in properties.items():
            if not (place == "root" and name == "metadata"):
                self.node(row, (*path, "properties", name), "field")

    def combinations(
        self, raw: Mapping[str, Any], place: _Place | None, path: Path, *, skip: Path = ()
    ) -> None:
        """``place`` is the structural schema of the same value, which must know what is named here."""
        for name in _JUNCTORS:
            for index, row in enumerate(raw.get(name) or ()):
                if (name, index) == skip:
                    self.combinations(row, place, (*path, name, index), skip=("anyOf",))
                elif (name,) != skip:
                    self.nested(row, place, (*path, name, index))
        if raw.get("not") is not None:
            self.nested(raw["not"], place, (*path, "not"))

    def nested(self, raw: Mapping[str, Any], place: _Place | None, path: Path) -> None:
        if place is not None and place.schema is None:
            because = f"because it is defined in {path_text(path)}"
            self.add(path, fielderror.required(place.path, because))
            place = None  # one complaint is enough
        for name, text in _ONLY_OUTSIDE.items():
            if raw.get(name) not in (None, "", False, []):
                self.add((*path, name), fielderror.forbidden((*path, name), text))
        for name, row in (raw.get("properties") or {}).items():
            at = (*path, "properties", name)
            if name == "metadata":
                self.add(at, fielderror.forbidden(at, "must not be specified in a nested context"))
            self.nested(row, place.below("properties", name) if place else None, at)
        if isinstance(raw.get("items"), dict):
            self.nested(raw["items"], place.below("items") if place else None, (*path, "items"))
        self.combinations(raw, place, path)

    def add(self, path: Path, message: str) -> None:
        self.found.append(_Complaint(codes.NOT_STRUCTURAL, message, path))


def _skipped(raw: Mapping[str, Any]) -> Path:
    """The combination that spells out int-or-string, the one place where types may be named in one."""
    if raw.get("x-kubernetes-int-or-string") is not True:
        return ()
    if _spells_int_or_string(raw.get("anyOf")):
        return ("anyOf",)
    rows = raw.get("allOf") or [{}]
    return ("allOf", 0) if _spells_int_or_string(rows[0].get("anyOf")) else ()


def _spells_int_or_string(rows: Any) -> bool:
    return isinstance(rows, list) and tuple(rows) == _INT_OR_STRING


def _diagnostics(complaints: list[_Complaint], at: At | None) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(code=code, message=message, at=at(path, False) if at else None)
        for code, message, path in complaints
    )
