"""JSON Schema (drafts 4, 6 and 7, or a mixture of them) compiled as gojsonschema does it.

A schema that names no draft gets the mixture. References stay inside the schema: nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NoReturn
from urllib.parse import unquote, urldefrag, urljoin

from sekisho.lang.golang import gofloat
from sekisho.lang.meter import Meter
from sekisho.rego import jsontext
from sekisho.rego.builtins.jsonschema import formats as schema_formats
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.values import Value, is_number

MIXED: Final = 99
TYPES: Final = ("array", "boolean", "integer", "number", "null", "object", "string")
_SORTED_TYPES: Final = "[array boolean integer number null object string]"
_DRAFTS: Final = {f"http://json-schema.org/draft-0{n}/schema": n for n in (4, 6, 7)}
_VALID: Final = "Valid Schema"

Number = int | Decimal


@dataclass(slots=True, eq=False)
class Schema:
    """One schema, compiled. What is None or empty demands nothing."""

    draft: int
    base: str
    verdict: bool | None = None
    reference: Schema | None = None
    types: list[str] = field(default_factory=list)
    properties: dict[str, Schema] = field(default_factory=dict)
    additional_properties: Schema | bool | None = None
    pattern_properties: list[tuple[Any, Schema]] = field(default_factory=list)
    property_names: Schema | None = None
    dependencies: dict[str, Schema | list[str]] = field(default_factory=dict)
    items: Schema | list[Schema] | None = None
    additional_items: Schema | bool | None = None
    contains: Schema | None = None
    bounds: dict[str, Number] = field(default_factory=dict)
    pattern: Any = None
    pattern_text: str = ""
    format: str = ""
    required: list[str] = field(default_factory=list)
    unique_items: bool = False
    const: str | None = None
    enum: list[str] = field(default_factory=list)
    any_of: list[Schema] = field(default_factory=list)
    one_of: list[Schema] = field(default_factory=list)
    all_of: list[Schema] = field(default_factory=list)
    negated: Schema | None = None
    condition: Schema | None = None
    then: Schema | None = None
    otherwise: Schema | None = None


def compile_schema(document: Value, meter: Meter) -> Schema:
    """Compile a schema. Raises BuiltinFault with the first error, in gojsonschema's words."""
    compiler = _Compiler(document, meter)
    try:
        return compiler.root()
    except RecursionError:
        raise BuiltinFault("the schema is nested too deeply") from None


def plain_text(value: Value) -> str:
    """A value as JSON text with its numbers as 64-bit floats: what ``const`` and ``enum`` compare."""
    return jsontext.marshal(_floats(value))


def _floats(value: Value) -> Value:
    kind = type(value)
    if kind is dict:
        return {name: _floats(item) for name, item in value.items()}
    if kind is list:
        return [_floats(item) for item in value]
    if is_number(value):
        try:
            return jsontext.unmarshal(gofloat.json(float(value)))
        except (OverflowError, AssertionError):
            return value
    return value


def exact(value: Value) -> Number:
    """A number without its spelling."""
    return value if type(value) is int else Decimal(value)


def _fail(message: str) -> NoReturn:
    raise BuiltinFault(message)


def _wrong_type(expected: str, given: str) -> NoReturn:
    _fail(f"Invalid type. Expected: {expected}, given: {given}")


class _Compiler:
    """Compiles one document. Schemas that references lead to are compiled once each."""

    def __init__(self, document: Value, meter: Meter) -> None:
        self._document = document
        self._meter = meter
        self._documents: dict[str, Value] = {"": document}
        self._compiled: dict[str, Schema] = {}
        self._collect(document, "")

    def root(self) -> Schema:
        if type(self._document) is not dict and type(self._document) is not bool:
            _fail("schema is invalid")
        draft = MIXED
        if type(self._document) is dict and "$schema" in self._document:
            named = self._document["$schema"]
            if type(named) is not str:
                _fail("$schema must be of type string")
            draft = _DRAFTS.get(named.rstrip("#"), MIXED)
        made = Schema(draft, "")
        self._compiled["#"] = self._compiled[""] = made
        self._fill(made, self._document, is_root=True)
        return made

    # --- references ---

    def _collect(self, document: Value, base: str) -> None:
        """Note every schema that has an identifier of its own."""
        if type(document) is list:
            for item in document:
                self._collect(item, base)
        if type(document) is not dict:
            return
        self._meter.charge(len(document))
        own = document.get("id" if "id" in document else "$id")
        if type(own) is str:
            base = urljoin(base, own)
            if base in self._documents and base != "":
                _fail(f'Reference already exists: "{base}"')
            self._documents[base] = document
        for name, item in document.items():
            if name in {"properties", "dependencies", "patternProperties"} and type(item) is dict:
                for inner in item.values():
                    self._collect(inner, base)
            elif name not in {"const", "enum"}:
                self._collect(item, base)

    def _refer(self, reference: str, made: Schema) -> Schema:
        target = urljoin(made.base, reference)
        if target not in self._compiled:
            found = self._find(target)
            if type(found) is not dict and type(found) is not bool:
                _fail(f"{_VALID} must be of type object")
            schema = Schema(made.draft, urldefrag(target).url)
            self._compiled[target] = schema
            self._fill(schema, found)
        return self._compiled[target]

    def _find(self, target: str) -> Value:
        if target in self._documents:
            return self._documents[target]
        url, pointer = urldefrag(target)
        document = self._documents.get(url, self._documents.get(f"{url}#"))
        if document is None and url not in self._documents:
            if "://" not in url:
                _fail(f"Reference {target} must be canonical")
            _fail(f"remote reference loading disabled: {url}")
        for step in unquote(pointer).split("/")[1:]:
            document = _step(document, step.replace("~1", "/").replace("~0", "~"))
        return document

    # --- keywords ---

    def _sub(self, parent: Schema, document: Value) -> Schema:
        made = Schema(parent.draft, parent.base)
        self._fill(made, document)
        return made

    def _fill(self, made: Schema, document: Value, *, is_root: bool = False) -> None:
        self._meter.charge(50)
        if made.draft >= 6 and type(document) is bool:
            made.verdict = document
            return
        if type(document) is not dict:
            _fail(f"Expected: {_VALID}, given: Invalid JSON")
        old = made.draft == 4 or (made.draft == MIXED and "id" in document)
        own = _string(document, "id" if old else "$id")
        if own is not None:
            made.base = urldefrag(own if is_root else urljoin(made.base, own)).url
        self._definitions(made, document)
        _string(document, "title")
        _string(document, "description")
        reference = _string(document, "$ref")
        if reference is not None:
            made.reference = self._refer(reference, made)
            return
        _types(made, document)
        self._object_keywords(made, document)
        self._array_keywords(made, document)
        _number_keywords(made, document)
        _size_keywords(made, document)
        self._contents(made, document)
        self._combinations(made, document)

    def _definitions(self, made: Schema, document: Mapping[str, Value]) -> None:
        definitions = document.get("definitions", {})
        if type(definitions) is not dict:
            _wrong_type("Array Of Schemas", "definitions")
        for name in sorted(definitions):
            if type(definitions[name]) not in {bool, dict}:
                _wrong_type("Array Of Schemas", "definitions")
            self._sub(made, definitions[name])

    def _object_keywords(self, made: Schema, document: Mapping[str, Value]) -> None:
        properties = document.get("properties", {})
        if type(properties) is not dict:
            _fail("Properties must be of type object")
        made.properties = {name: self._sub(made, properties[name]) for name in sorted(properties)}
        if "additionalProperties" in document:
            made.additional_properties = self._switch(made, document, "additionalProperties")
        patterns = document.get("patternProperties", {})
        if type(patterns) is not dict:
            _wrong_type(_VALID, "patternProperties")
        for text in sorted(patterns):
            pattern = schema_formats.compiled(text)
            if pattern is None:
                _fail(f"Invalid regex pattern '{text}'")
            made.pattern_properties.append((pattern, self._sub(made, patterns[text])))
        if "propertyNames" in document and made.draft >= 6:
            if type(document["propertyNames"]) not in {bool, dict}:
                _wrong_type(_VALID, "patternProperties")
            made.property_names = self._sub(made, document["propertyNames"])
        self._dependencies(made, document.get("dependencies", {}))

    def _switch(self, made: Schema, document: Mapping[str, Value], name: str) -> Schema | bool:
        value = document[name]
        if type(value) is bool:
            return value
        if type(value) is not dict:
            _wrong_type(f"boolean/{_VALID}", name)
        return self._sub(made, value)

    def _dependencies(self, made: Schema, dependencies: Value) -> None:
        if type(dependencies) is not dict:
            _fail("dependencies must be of type object")
        for name in sorted(dependencies):
            value = dependencies[name]
            if type(value) is list:
                if not all(type(item) is str for item in value):
                    _fail("Dependency must be of type Schema Or Array Of Strings")
                made.dependencies[name] = value
            elif type(value) in {bool, dict}:
                made.dependencies[name] = self._sub(made, value)
            else:
                _fail("Dependency must be of type Schema Or Array Of Strings")

    def _array_keywords(self, made: Schema, document: Mapping[str, Value]) -> None:
        if "items" in document:
            items = document["items"]
            several = items if type(items) is list else [items]
            if not all(type(item) in {bool, dict} for item in several):
                _wrong_type(f"{_VALID}/Array Of Schemas", "items")
            schemas = [self._sub(made, item) for item in several]
            made.items = schemas if type(items) is list else schemas[0]
        if "additionalItems" in document:
            made.additional_items = self._switch(made, document, "additionalItems")

    def _contents(self, made: Schema, document: Mapping[str, Value]) -> None:
        """What stands between the sizes and the combinations, where gojsonschema looks for it."""
        if "contains" in document and made.draft >= 6:
            made.contains = self._sub(made, document["contains"])
        if "const" in document and made.draft >= 6:
            made.const = plain_text(document["const"])
        for value in _list(document, "enum"):
            text = plain_text(value)
            if text in made.enum:
                _fail("enum items must be unique")
            made.enum.append(text)

    def _combinations(self, made: Schema, document: Mapping[str, Value]) -> None:
        for name, into in (("oneOf", made.one_of), ("anyOf", made.any_of), ("allOf", made.all_of)):
            into.extend(self._sub(made, one) for one in _list(document, name))
        made.negated = self._single(made, document, "not")
        if made.draft >= 7:
            made.condition = self._single(made, document, "if")
            made.then = self._single(made, document, "then")
            made.otherwise = self._single(made, document, "else")

    def _single(self, made: Schema, document: Mapping[str, Value], name: str) -> Schema | None:
        if name not in document:
            return None
        if type(document[name]) not in {bool, dict}:
            _fail(f"{name} must be of an object")
        return self._sub(made, document[name])


def _step(document: Value, step: str) -> Value:
    if type(document) is dict:
        if step not in document:
            _fail(f"Object has no key '{step}'")
        return document[step]
    if type(document) is list:
        if not (step.isascii() and step.isdigit()):
            _fail(f"Invalid array index '{step}'")
        if int(step) >= len(document):
            _fail(f"Out of bound array[0,{len(document)}] index '{step}'")
        return document[int(step)]
    _fail(f"Invalid token reference '{step}'")


def _string(document: Mapping[str, Value], name: str) -> str | None:
    value = document.get(name, "") if name in document else None
    if value is not None and type(value) is not str:
        _wrong_type("string", name)
    if name in document and value is None:
        _wrong_type("string", name)
    return value


def _list(document: Mapping[str, Value], name: str) -> list[Value]:
    value = document.get(name, [])
    if type(value) is not list:
        _fail(f"{name} must be of an array")
    return value


def _types(made: Schema, document: Mapping[str, Value]) -> None:
    if "type" not in document:
        return
    given = document["type"]
    for name in given if type(given) is list else [given]:
        if type(name) is not str:
            _wrong_type(*(("type", "string/Array Of Strings")))
        if name not in TYPES:
            _fail(
                f"has a primitive type that is NOT VALID -- given: /{name}/ "
                f"Expected valid values are:{_SORTED_TYPES}",
            )
        if name in made.types:
            _fail(f"{name} type is duplicated")
        made.types.append(name)


# --- numbers and sizes ----------------------------------------------------------------


def _number_keywords(made: Schema, document: Mapping[str, Value]) -> None:
    if "multipleOf" in document:
        if not is_number(document["multipleOf"]):
            _wrong_type("Number", "multipleOf")
        made.bounds["multipleOf"] = exact(document["multipleOf"])
        if made.bounds["multipleOf"] <= 0:
            _fail("multipleOf must be strictly greater than 0")
    for name, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if name in document:
            if not is_number(document[name]):
                _fail(f"{name} must be of a Number")
            made.bounds[name] = exact(document[name])
        if exclusive in document:
            _exclusive(made, document[exclusive], name, exclusive)


def _exclusive(made: Schema, value: Value, name: str, exclusive: str) -> None:
    """A boolean beside the limit in draft 4, a limit of its own later."""
    if type(value) is bool and made.draft in {4, MIXED}:
        if name not in made.bounds:
            _fail(f"{exclusive} cannot be used without {name}")
        if value:
            made.bounds[exclusive] = made.bounds.pop(name)
    elif is_number(value) and made.draft != 4:
        made.bounds[exclusive] = exact(value)
    else:
        _wrong_type({4: "boolean", MIXED: "boolean/number"}.get(made.draft, "number"), exclusive)


def _size_keywords(made: Schema, document: Mapping[str, Value]) -> None:
    _sizes(made, document, "minLength", "maxLength", "minLength cannot be greater than maxLength")
    pattern = _string(document, "pattern")
    if pattern is not None:
        made.pattern, made.pattern_text = schema_formats.compiled(pattern), pattern
        if made.pattern is None:
            _fail("pattern must be a valid regex")
    made.format = _string(document, "format") or ""
    _sizes(
        made, document, "minProperties", "maxProperties", "minProperties cannot be greater than maxProperties"
    )
    for name in _list(document, "required"):
        if type(name) is not str:
            _wrong_type("string", "required")
        if name in made.required:
            _fail("required items must be unique")
        made.required.append(name)
    _sizes(made, document, "minItems", "maxItems", "")
    if "uniqueItems" in document:
        if type(document["uniqueItems"]) is not bool:
            _fail("uniqueItems must be of a boolean")
        made.unique_items = document["uniqueItems"]


def _sizes(made: Schema, document: Mapping[str, Value], low: str, high: str, crossed: str) -> None:
    for name in (low, high):
        if name in document:
            if type(document[name]) is not int:
                _fail(f"{name} must be of an integer")
            if document[name] < 0:
                _fail(f"{name} must be greater than or equal to 0")
            made.bounds[name] = document[name]
    if crossed and low in made.bounds and high in made.bounds and made.bounds[low] > made.bounds[high]:
        _fail(crossed)
