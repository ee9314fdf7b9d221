"""Documents held against a compiled JSON Schema; errors in gojsonschema's order, kinds and words.

``anyOf``, ``oneOf`` and ``contains`` tell the errors of the alternative that fits best: the one whose score
is highest. Every step is charged, so a schema that multiplies itself can be stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from sekisho.lang.golang import gofloat
from sekisho.lang.meter import Meter
from sekisho.rego.builtins.jsonschema import formats as schema_formats
from sekisho.rego.builtins.jsonschema.compile import Number, Schema, exact, plain_text
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.values import Value, is_number

Path = tuple[str, ...]
ROOT: Final[Path] = ("(Root)",)

Error = dict[str, Value]


class Result:
    """Errors, and how well a value fits."""

    __slots__ = ("errors", "score")

    def __init__(self) -> None:
        self.errors: list[Error] = []
        self.score = 0

    def add(self, path: Path, kind: str, description: str) -> None:
        """Note an error."""
        where = ".".join(path).removeprefix("(Root).")
        self.errors.append(
            {"type": kind, "field": where, "desc": description, "error": f"{where}: {description}"},
        )
        self.score -= 2

    def merge(self, other: Result) -> None:
        """Take over what another found."""
        self.errors += other.errors
        self.score += other.score


def check(schema: Schema, document: Value, meter: Meter) -> list[Error]:
    """The errors of a document; none if it is valid."""
    result = Result()
    try:
        _Check(meter).run(schema, document, result, ROOT)
    except RecursionError:
        raise BuiltinFault("the schema refers to itself without end, or the document is too deep") from None
    return result.errors


def _kind(value: Value) -> str:
    """A value's type in the words of JSON Schema."""
    if is_number(value):
        return "integer" if exact(value) % 1 == 0 else "number"
    names: dict[type, str] = {
        type(None): "null",
        bool: "boolean",
        str: "string",
        list: "array",
        dict: "object",
    }
    return names[type(value)]


class _Check:
    """One run, with its meter."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def run(self, schema: Schema, value: Value, result: Result, path: Path) -> None:
        self._meter.charge(10)
        if schema.verdict is not None:
            if not schema.verdict:
                result.add(path, "false", "False always fails validation")
            return
        if schema.reference is not None:
            self.run(schema.reference, value, result, path)
            return
        kind = _kind(value)
        allowed = kind in schema.types or (kind == "integer" and "number" in schema.types)
        if schema.types and not allowed:
            expected = schema.types[0] if len(schema.types) == 1 else f"[{','.join(schema.types)}]"
            result.add(path, "invalid_type", f"Invalid type. Expected: {expected}, given: {kind}")
            return
        self._combinations(schema, value, result, path)
        if kind == "array":
            self._array(schema, value, result, path)
        elif kind == "object":
            self._object(schema, value, result, path)
        elif kind in {"integer", "number"}:
            self._number(schema, value, result, path)
        self._common(schema, value, result, path)
        if kind == "string":
            self._string(schema, value, result, path)
        elif kind == "object":
            for name, inner in schema.properties.items():
                if name in value:
                    self.run(inner, value[name], result, (*path, name))
        result.score += 1

    def _sub(self, schema: Schema, value: Value, path: Path) -> Result:
        result = Result()
        self.run(schema, value, result, path)
        return result

    # --- combinations ---

    def _combinations(self, schema: Schema, value: Value, result: Result, path: Path) -> None:
        if schema.any_of:
            self._any_of(schema, value, result, path)
        if schema.one_of:
            self._one_of(schema, value, result, path)
        if schema.all_of:
            valid = True
            for one in schema.all_of:
                found = self._sub(one, value, path)
                valid = valid and not found.errors
                result.merge(found)
            if not valid:
                result.add(path, "number_all_of", "Must validate all the schemas (allOf)")
        if schema.negated is not None and not self._sub(schema.negated, value, path).errors:
            result.add(path, "number_not", "Must not validate the schema (not)")
        if schema.dependencies and type(value) is dict:
            self._dependencies(schema, value, result, path)
        if schema.condition is not None:
            self._condition(schema, value, result, path)
        result.score += 1

    def _any_of(self, schema: Schema, value: Value, result: Result, path: Path) -> None:
        best: Result | None = None
        for one in schema.any_of:
            found = self._sub(one, value, path)
            if not found.errors:
                return
            if best is None or found.score > best.score:
                best = found
        result.add(path, "number_any_of", "Must validate at least one schema (anyOf)")
        if best is not None:
            result.merge(best)

    def _one_of(self, schema: Schema, value: Value, result: Result, path: Path) -> None:
        best: Result | None = None
        valid = 0
        for one in schema.one_of:
            found = self._sub(one, value, path)
            if not found.errors:
                valid += 1
            elif valid == 0 and (best is None or found.score > best.score):
                best = found
        if valid != 1:
            result.add(path, "number_one_of", "Must validate one and only one schema (oneOf)")
            if valid == 0 and best is not None:
                result.merge(best)

    def _dependencies(self, schema: Schema, value: dict[str, Value], result: Result, path: Path) -> None:
        for name, needed in schema.dependencies.items():
            if name not in value:
                continue
            if isinstance(needed, Schema):
                self.run(needed, value, result, path)
                continue
            for other in needed:
                if other not in value:
                    result.add(path, "missing_dependency", f"Has a dependency on {other}")

    def _condition(self, schema: Schema, value: Value, result: Result, path: Path) -> None:
        assert schema.condition is not None
        held = not self._sub(schema.condition, value, path).errors
        branch, kind, text = (
            (schema.then, "condition_then", 'Must validate "then" as "if" was valid')
            if held
            else (schema.otherwise, "condition_else", 'Must validate "else" as "if" was not valid')
        )
        if branch is not None:
            found = self._sub(branch, value, path)
            if found.errors:
                result.add(path, kind, text)
                result.merge(found)

    # --- by kind ---

    def _common(self, schema: Schema, value: Value, result: Result, path: Path) -> None:
        where = ".".join(path).removeprefix("(Root).")
        if schema.const is not None and plain_text(value) != schema.const:
            result.add(path, "const", f"{where} does not match: {schema.const}")
        if schema.enum and plain_text(value) not in schema.enum:
            allowed = ", ".join(schema.enum)
            result.add(path, "enum", f"{where} must be one of the following: {allowed}")
        if schema.format and not schema_formats.fits(schema.format, value):
            result.add(path, "format", f"Does not match format '{schema.format}'")
        result.score += 1

    def _array(self, schema: Schema, value: list[Value], result: Result, path: Path) -> None:
        self._meter.charge(len(value))
        self._items(schema, value, result, path)
        low, high = schema.bounds.get("minItems"), schema.bounds.get("maxItems")
        if low is not None and len(value) < low:
            result.add(path, "array_min_items", f"Array must have at least {low} items")
        if high is not None and len(value) > high:
            result.add(path, "array_max_items", f"Array must have at most {high} items")
        if schema.unique_items:
            seen: dict[str, int] = {}
            for index, item in enumerate(value):
                text = plain_text(item)
                if text in seen:
                    result.add(path, "unique", f"array items[{seen[text]},{index}] must be unique")
                seen[text] = index
        if schema.contains is not None:
            self._contains(schema.contains, value, result, path)
        result.score += 1

    def _items(self, schema: Schema, value: list[Value], result: Result, path: Path) -> None:
        if isinstance(schema.items, Schema):
            for index, item in enumerate(value):
                result.merge(self._sub(schema.items, item, (*path, str(index))))
            return
        for index, (one, item) in enumerate(zip(schema.items or (), value, strict=False)):
            result.merge(self._sub(one, item, (*path, str(index))))
        if schema.items and len(schema.items) < len(value):
            if schema.additional_items is False:
                result.add(path, "array_no_additional_items", "No additional items allowed on array")
            elif isinstance(schema.additional_items, Schema):
                for index in range(len(schema.items), len(value)):
                    result.merge(self._sub(schema.additional_items, value[index], (*path, str(index))))

    def _contains(self, schema: Schema, value: list[Value], result: Result, path: Path) -> None:
        best: Result | None = None
        for index, item in enumerate(value):
            found = self._sub(schema, item, (*path, str(index)))
            if not found.errors:
                return
            if best is None or found.score > best.score:
                best = found
        result.add(path, "contains", "At least one of the items must match")
        if best is not None:
            result.merge(best)

    def _object(self, schema: Schema, value: dict[str, Value], result: Result, path: Path) -> None:
        self._meter.charge(len(value))
        low, high = schema.bounds.get("minProperties"), schema.bounds.get("maxProperties")
        if low is not None and len(value) < low:
            result.add(path, "array_min_properties", f"Must have at least {low} properties")
        if high is not None and len(value) > high:
            result.add(path, "array_max_properties", f"Must have at most {high} properties")
        for name in schema.required:
            if name in value:
                result.score += 1
            else:
                result.add(path, "required", f"{name} is required")
        for name in sorted(value):
            matched = self._patterns(schema, name, value[name], result, path)
            if name not in schema.properties and not matched:
                self._additional(schema, name, value[name], result, path)
        if schema.property_names is not None:
            for name in sorted(value):
                found = self._sub(schema.property_names, name, path)
                if found.errors:
                    result.add(path, "invalid_property_name", f'Property name of "{name}" does not match')
                    result.merge(found)
        result.score += 1

    def _patterns(self, schema: Schema, name: str, value: Value, result: Result, path: Path) -> bool:
        matched = False
        for pattern, one in schema.pattern_properties:
            if pattern.search(name):
                matched = True
                result.merge(self._sub(one, value, (*path, name)))
        result.score += matched
        return matched

    def _additional(self, schema: Schema, name: str, value: Value, result: Result, path: Path) -> None:
        if schema.additional_properties is False:
            text = f"Additional property {name} is not allowed"
            result.add(path, "additional_property_not_allowed", text)
        elif isinstance(schema.additional_properties, Schema):
            result.merge(self._sub(schema.additional_properties, value, (*path, name)))

    def _string(self, schema: Schema, value: str, result: Result, path: Path) -> None:
        low, high = schema.bounds.get("minLength"), schema.bounds.get("maxLength")
        if low is not None and len(value) < low:
            result.add(path, "string_gte", f"String length must be greater than or equal to {low}")
        if high is not None and len(value) > high:
            result.add(path, "string_lte", f"String length must be less than or equal to {high}")
        if schema.pattern is not None:
            self._meter.charge(len(value))
            if not schema.pattern.search(value):
                result.add(path, "pattern", f"Does not match pattern '{schema.pattern_text}'")
        result.score += 1

    def _number(self, schema: Schema, value: Value, result: Result, path: Path) -> None:
        number = exact(value)
        for name, (kind, text, broken) in _LIMITS.items():
            limit = schema.bounds.get(name)
            if limit is not None and broken(number, limit):
                result.add(path, kind, f"{text} {gofloat.shortest(float(limit))}")
        result.score += 1


def _not_multiple(number: Number, of: Number) -> bool:
    if type(number) is int and type(of) is int:
        return number % of != 0
    if max(abs(_exponent(number)), abs(_exponent(of))) > 10_000:
        raise BuiltinFault("a number is too large or too small to be divided")
    return (Fraction(number) / Fraction(of)).denominator != 1


def _exponent(number: Number) -> int:
    return number.adjusted() if isinstance(number, Decimal) else 0


_LIMITS: Final[dict[str, tuple[str, str, Callable[[Any, Any], bool]]]] = {
    "multipleOf": ("multiple_of", "Must be a multiple of", _not_multiple),
    "maximum": ("number_lte", "Must be less than or equal to", lambda number, limit: number > limit),
    "exclusiveMaximum": ("number_lt", "Must be less than", lambda number, limit: number >= limit),
    "minimum": ("number_gte", "Must be greater than or equal to", lambda number, limit: number < limit),
    "exclusiveMinimum": ("number_gt", "Must be greater than", lambda number, limit: number <= limit),
}
