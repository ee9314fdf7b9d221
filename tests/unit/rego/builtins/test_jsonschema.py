"""json.verify_schema and json.match_schema (outcomes and texts checked against opa 1.19)."""

import pytest

from sekisho.lang.meter import Exhausted, Limits
from sekisho.rego.builtins.table import TABLE
from sekisho.rego.values import Number, Set

BAD = "eval_builtin_error: "
TYPES = "Expected valid values are:[array boolean integer number null object string]"


def error(kind, field, description):
    return {"type": kind, "field": field, "desc": description, "error": f"{field}: {description}"}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        '{"type": "string"}',
        "true",
        {"enum": []},
        {"$ref": "#"},
        {"items": {"$ref": "#/definitions/a~1b"}, "definitions": {"a/b": {}}},
        {"$id": "http://a/b", "properties": {"x": {"$ref": "d"}}, "definitions": {"c": {"$id": "d"}}},
        {"minimum": 1, "exclusiveMinimum": True},
        {"minLength": 1, "maxLength": 1},
    ],
)
def test_schemas(call, schema):
    assert call("json.verify_schema", schema) == [True, None]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{", "invalid JSON string"),
        (5, "wrong type, expected string or object"),
        ([], "schema is invalid"),
        ({"type": "x"}, f"has a primitive type that is NOT VALID -- given: /x/ {TYPES}"),
        ({"type": ["string", "string"]}, "string type is duplicated"),
        ({"properties": 1}, "Properties must be of type object"),
        ({"properties": {"a": 1}}, "Expected: Valid Schema, given: Invalid JSON"),
        ({"patternProperties": {"(": {}}}, "Invalid regex pattern '('"),
        ({"dependencies": {"a": [1]}}, "Dependency must be of type Schema Or Array Of Strings"),
        ({"items": 1}, "Invalid type. Expected: Valid Schema/Array Of Schemas, given: items"),
        ({"multipleOf": 0}, "multipleOf must be strictly greater than 0"),
        ({"exclusiveMaximum": True}, "exclusiveMaximum cannot be used without maximum"),
        ({"minLength": Number("1.0")}, "minLength must be of an integer"),
        ({"minItems": -1}, "minItems must be greater than or equal to 0"),
        ({"minProperties": 2, "maxProperties": 1}, "minProperties cannot be greater than maxProperties"),
        ({"pattern": "(?=a)"}, "pattern must be a valid regex"),
        ({"required": ["a", "a"]}, "required items must be unique"),
        ({"enum": [1, Number("1.0")]}, "enum items must be unique"),
        ({"uniqueItems": 1}, "uniqueItems must be of a boolean"),
        ({"not": 1}, "not must be of an object"),
        ({"$ref": "#/x"}, "Object has no key 'x'"),
        ({"$ref": "#/items/5", "items": []}, "Out of bound array[0,0] index '5'"),
        ({"$ref": "foo.json"}, "Reference foo.json must be canonical"),
        ({"$ref": "http://a.example/s"}, "remote reference loading disabled: http://a.example/s"),
        (
            {"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": 1},
            "Invalid type. Expected: boolean, given: exclusiveMinimum",
        ),
    ],
)
def test_what_is_no_schema(call, schema, message):
    assert call("json.verify_schema", schema) == [False, f"jsonschema: {message}"]
    if type(schema) is dict:
        assert call("json.match_schema", {}, schema) == BAD + message


@pytest.mark.parametrize(
    ("document", "schema", "errors"),
    [
        ({"id": 5}, {"properties": {"id": {"type": "integer"}}, "required": ["id"]}, []),
        ('{"id": 5}', '{"properties": {"id": {"type": "integer"}}}', []),
        ({"a": Number("1.0")}, {"properties": {"a": {"type": "integer"}}}, []),
        (Set.of([1]).sorted(), {"type": "array"}, []),
        (
            {"id": "x"},
            {"properties": {"id": {"type": "integer"}}, "required": ["b"]},
            [
                error("required", "(Root)", "b is required"),
                error("invalid_type", "id", "Invalid type. Expected: integer, given: string"),
            ],
        ),
        (
            {"a": {"b": [1, "x"]}},
            {"properties": {"a": {"properties": {"b": {"items": {"type": ["string", "null"]}}}}}},
            [error("invalid_type", "a.b.0", "Invalid type. Expected: [string,null], given: integer")],
        ),
        (
            [1, 1, 2],
            {"uniqueItems": True, "maxItems": 2},
            [
                error("array_max_items", "(Root)", "Array must have at most 2 items"),
                error("unique", "(Root)", "array items[0,1] must be unique"),
            ],
        ),
        (
            {"a": 1, "bc": 2},
            {"properties": {"a": {}}, "additionalProperties": False, "propertyNames": {"maxLength": 1}},
            [
                error("additional_property_not_allowed", "(Root)", "Additional property bc is not allowed"),
                error("invalid_property_name", "(Root)", 'Property name of "bc" does not match'),
                error("string_lte", "(Root)", "String length must be less than or equal to 1"),
            ],
        ),
        (
            {"a": 1},
            {"anyOf": [{"required": ["b"]}, {"properties": {"a": {"type": "string"}}, "required": ["a"]}]},
            [
                error("number_any_of", "(Root)", "Must validate at least one schema (anyOf)"),
                error("invalid_type", "a", "Invalid type. Expected: string, given: integer"),
            ],
        ),
        (
            {"a": 1},
            {"oneOf": [{"required": ["a"]}, {}]},
            [error("number_one_of", "(Root)", "Must validate one and only one schema (oneOf)")],
        ),
        (
            {"a": 1},
            {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
            [
                error("condition_then", "(Root)", 'Must validate "then" as "if" was valid'),
                error("required", "(Root)", "b is required"),
            ],
        ),
        (
            {"a": Number("0.35"), "b": 5},
            {
                "properties": {
                    "a": {"multipleOf": Number("0.1")},
                    "b": {"exclusiveMaximum": 5, "minimum": 1000000},
                }
            },
            [
                error("multiple_of", "a", "Must be a multiple of 0.1"),
                error("number_lt", "b", "Must be less than 5"),
                error("number_gte", "b", "Must be greater than or equal to 1e+06"),
            ],
        ),
        (
            {"a": 2},
            {"properties": {"a": {"enum": ["x", Number("1.50"), None]}}},
            [error("enum", "a", 'a must be one of the following: "x", 1.5, null')],
        ),
        (
            {"a": "xb"},
            {"properties": {"a": {"pattern": "^b", "format": "email"}}},
            [
                error("format", "a", "Does not match format 'email'"),
                error("pattern", "a", "Does not match pattern '^b'"),
            ],
        ),
        (
            [1, "a"],
            {"contains": {"type": "null"}},
            [
                error("contains", "(Root)", "At least one of the items must match"),
                error("invalid_type", "0", "Invalid type. Expected: null, given: integer"),
            ],
        ),
        (
            {"a": 1},
            {"dependencies": {"a": ["b"]}, "not": {"required": ["a"]}},
            [
                error("number_not", "(Root)", "Must not validate the schema (not)"),
                error("missing_dependency", "(Root)", "Has a dependency on b"),
            ],
        ),
        ({"a": 1}, {"properties": {"a": False}}, [error("false", "a", "False always fails validation")]),
    ],
)
def test_match(call, document, schema, errors):
    assert call("json.match_schema", document, schema) == [not errors, errors]


def test_numbers_are_exact(call):
    schema = {"properties": {"a": {"maximum": 10**25}}}
    assert call("json.match_schema", {"a": 10**25}, schema)[0] is True
    assert call("json.match_schema", {"a": 10**25 + 1}, schema)[0] is False


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("email", ["a@b", "A B <a@b.c>", '"x y"@z'], ["a", "@b", "a@b@c", "a b@c"]),
        ("ipv4", ["1.2.3.4"], ["::1", "1.2.3", "01.2.3.4"]),
        ("ipv6", ["::1", "::ffff:1.2.3.4"], ["1.2.3.4", "g"]),
        ("date", ["2024-02-29"], ["2023-02-29", "2024-1-1", "2024-13-01"]),
        ("time", ["10:00:00", "10:00:00Z", "10:00:00.5+01:00"], ["25:00:00", "10:00"]),
        ("date-time", ["2024-01-01T10:00:00Z", "2024-01-01", "10:00:00"], ["2024-01-01 10:00:00", "x"]),
        ("hostname", ["a.b"], ["-a", "a-", "a" * 64, "a."]),
        ("uri", ["http://a", "mailto:x"], ["a", "http://a\\b"]),
        ("uri-reference", ["a", "//x"], [":"]),
        ("uri-template", ["/{a}{b}"], ["/{b"]),
        ("uuid", ["00000000-0000-0000-0000-00000000000F"], ["x"]),
        ("regex", ["a"], ["(", "(?=a)"]),
        ("json-pointer", ["", "/a~1"], ["a", "/~2"]),
        ("relative-json-pointer", ["0#", "1/a"], ["01"]),
        ("unknown", ["anything", 5], []),
    ],
)
def test_formats(call, name, good, bad):
    schema = {"properties": {"a": {"format": name}}}
    assert [call("json.match_schema", {"a": one}, schema)[0] for one in good] == [True] * len(good)
    assert [call("json.match_schema", {"a": one}, schema)[0] for one in bad] == [False] * len(bad)


def test_a_schema_that_doubles_at_each_step_is_stopped(context):
    definitions = {f"d{i}": {"allOf": [{"$ref": f"#/definitions/d{i + 1}"}] * 2} for i in range(60)}
    definitions["d60"] = {"type": "integer"}
    schema = {"definitions": definitions, "$ref": "#/definitions/d0"}
    with pytest.raises(Exhausted):
        TABLE["json.match_schema"].function(context(limits=Limits(seconds=0.2)), [1], schema)


def test_a_schema_that_refers_to_itself_without_end_is_refused(call):
    found = call("json.match_schema", {}, {"allOf": [{"$ref": "#"}]})
    assert found.startswith(BAD + "the schema refers to itself without end")
