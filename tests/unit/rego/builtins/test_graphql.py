"""graphql.*: documents, trees, checks (outcomes, shapes and texts checked against opa 1.19)."""

import pytest

from sekisho.lang.meter import Exhausted, Limits
from sekisho.rego.builtins.table import TABLE

BAD = "eval_builtin_error: "

SCHEMA = """
type Query { a: Int, b(x: Int!, y: [String!]): T, u: U, i: I, e(v: E, w: In): E }
type T implements I { id: ID!, t: T, n: Int }
type V implements I { id: ID!, v: String }
union U = T | V
interface I { id: ID! }
enum E { A B }
input In { r: Int!, o: String = "x" }
type Mutation { m(x: Int): T }
directive @foo(a: Int!) on FIELD | QUERY
"""


def field(name, **more):
    return {"Alias": name, "Name": name, **more}


def value(kind, raw, **more):
    return {"Kind": kind, "Raw": raw, "ExpectedTypeHasDefault": False, **more}


def operation(*selections, **more):
    return {"Operations": [{"Name": "", "Operation": "query", "SelectionSet": list(selections), **more}]}


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("{hero {name}}", operation(field("hero", SelectionSet=[field("name")]))),
        (
            "{ x: f(id: [1, $v], o: {a: null}) @d(e: E) }",
            operation(
                {
                    "Alias": "x",
                    "Name": "f",
                    "Arguments": [
                        {
                            "Name": "id",
                            "Value": value(
                                8,
                                "",
                                Children=[
                                    {"Name": "", "Value": value(1, "1")},
                                    {"Name": "", "Value": value(0, "v")},
                                ],
                            ),
                        },
                        {
                            "Name": "o",
                            "Value": value(9, "", Children=[{"Name": "a", "Value": value(6, "null")}]),
                        },
                    ],
                    "Directives": [
                        {"Name": "d", "Location": "", "Arguments": [{"Name": "e", "Value": value(7, "E")}]}
                    ],
                },
            ),
        ),
        (
            "query ($a: [Arr!]! = [] @x) { f }",
            operation(
                field("f"),
                VariableDefinitions=[
                    {
                        "Variable": "a",
                        "Used": False,
                        "Type": {
                            "NamedType": "",
                            "NonNull": True,
                            "Elem": {"NamedType": "Arr", "NonNull": True},
                        },
                        "DefaultValue": value(8, ""),
                        "Directives": [{"Name": "x", "Location": ""}],
                    },
                ],
            ),
        ),
        (
            "{ ...F ... on T { a } } fragment F on T { on }",
            {
                **operation({"Name": "F"}, {"TypeCondition": "T", "SelectionSet": [field("a")]}),
                "Fragments": [{"Name": "F", "TypeCondition": "T", "SelectionSet": [field("on")]}],
            },
        ),
        (
            "# one\n# two\n{ a }",
            operation(field("a"), Comment={"List": [{"Value": "# one"}, {"Value": "# two"}]}),
        ),
        ("", {}),
    ],
)
def test_parse_query(call, text, tree):
    assert call("graphql.parse_query", text) == tree


def test_parse_schema(call):
    text = '''
    """
    About T.
    """
    type T implements I & J @d { f(a: Int = 1): Int! @deprecated }
    union U = | A | B
    enum E { A "b" B }
    directive @d("of d" a: Int) repeatable on FIELD | OBJECT
    schema { query: T }
    extend type T { g: Int }
    '''
    number = {"NamedType": "Int", "NonNull": False}
    plain = {"BuiltIn": False, "Description": ""}
    assert call("graphql.parse_schema", text) == {
        "Definitions": [
            {
                "Kind": "OBJECT",
                "Name": "T",
                "BuiltIn": False,
                "Description": "About T.",
                "Interfaces": ["I", "J"],
                "Directives": [{"Name": "d", "Location": ""}],
                "Fields": [
                    {
                        "Name": "f",
                        "Description": "",
                        "Arguments": [
                            {"Name": "a", "Description": "", "Type": number, "DefaultValue": value(1, "1")}
                        ],
                        "Type": {"NamedType": "Int", "NonNull": True},
                        "Directives": [{"Name": "deprecated", "Location": ""}],
                    },
                ],
            },
            {"Kind": "UNION", "Name": "U", "Types": ["A", "B"], **plain},
            {
                "Kind": "ENUM",
                "Name": "E",
                "EnumValues": [{"Name": "A", "Description": ""}, {"Name": "B", "Description": "b"}],
                **plain,
            },
        ],
        "Directives": [
            {
                "Name": "d",
                "Description": "",
                "IsRepeatable": True,
                "Locations": ["FIELD", "OBJECT"],
                "Arguments": [{"Name": "a", "Description": "of d", "Type": number}],
            },
        ],
        "Schema": [{"Description": "", "OperationTypes": [{"Operation": "query", "Type": "T"}]}],
        "Extensions": [
            {
                "Kind": "OBJECT",
                "Name": "T",
                "Fields": [{"Name": "g", "Description": "", "Type": number}],
                **plain,
            },
        ],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expected Name, found <EOF> in GraphQL string at location 1:2"),
        ("...", "Unexpected ... in GraphQL string at location 1:1"),
        ("{ field: {} }", "Expected Name, found { in GraphQL string at location 1:10"),
        ("{ ...on }", "Expected Name, found } in GraphQL string at location 1:9"),
        ("{a{...}}", "Expected {, found } in GraphQL string at location 1:7"),
        ("{a()}", "expected at least one definition, found ) in GraphQL string at location 1:4"),
        ("fragment on on on { on }", 'Unexpected Name "on" in GraphQL string at location 1:10'),
        ("fragment F Type", 'Expected "on", found Name "Type" in GraphQL string at location 1:12'),
        ("query Q($x: C = {a: [$v]}) { f }", "Unexpected $ in GraphQL string at location 1:22"),
        ("type X { a: Int }", 'Unexpected Name "type" in GraphQL string at location 1:1'),
        ("{a} ?", "Unexpected <Invalid> in GraphQL string at location 1:5"),
        ("{" + "a{" * 5000, "GraphQL parse error: the document is nested too deeply"),
    ],
)
def test_parse_query_refuses(call, text, message):
    assert call("graphql.parse_query", text) == BAD + message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type Hello {}", "expected at least one definition, found } in GraphQL string at location 1:13"),
        ("union U = A || B", "Expected Name, found | in GraphQL string at location 1:14"),
        ("extend type Hello", "Unexpected <EOF> in GraphQL string at location 1:18"),
        ('"D" extend type T { a: Int }', 'Unexpected String "D" in GraphQL string at location 1:2'),
        ("directive @d on FIELD | X", 'Unexpected Name "X" in GraphQL string at location 1:25'),
        ("{a}", "Unexpected { in GraphQL string at location 1:1"),
    ],
)
def test_parse_schema_refuses(call, text, message):
    assert call("graphql.parse_schema", text) == BAD + message


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{a}", None),
        ("", None),
        ("{u {... on T {id} ... on V {v}}}", None),
        ("query($v: Int!) {b(x: $v) {id}}", None),
        ("{a @foo(a: 1)}", None),
        ("{i {... @defer {id}}}", None),
        ("{__schema {types {name}}}", None),
        ("{zz}", 'Cannot query field "zz" on type "Query" in GraphQL string at location 1:2'),
        (
            "{b {id}}",
            (
                'Field "b" argument "x" of type "Int!" is required, but it was not provided '
                "in GraphQL string at location 1:2"
            ),
        ),
        (
            "{b(x: 1, x: 2) {id}}",
            'There can be only one argument named "x" in GraphQL string at location 1:10',
        ),
        ("{...F}", 'Unknown fragment "F" in GraphQL string at location 1:5'),
        ("{a @bar}", 'Unknown directive "@bar" in GraphQL string at location 1:5'),
        (
            "mutation @foo(a: 1) {m {id}}",
            'Directive "@foo" may not be used on MUTATION in GraphQL string at location 1:11',
        ),
        ("{b(x: null) {id}}", 'Expected value of type "Int!", found null in GraphQL string at location 1:7'),
        ("subscription {s}", 'Schema does not support operation type "subscription"'),
    ],
)
def test_parse_validates(call, query, message):
    found = call("graphql.parse", query, SCHEMA)
    if message is None:
        assert found == [call("graphql.parse_query", query), call("graphql.parse_schema", SCHEMA)]
    else:
        assert found.startswith(BAD + message)
    assert call("graphql.is_valid", query, SCHEMA) is (message is None)
    assert call("graphql.parse_and_verify", query, SCHEMA) == ([False, {}, {}] if message else [True, *found])


def test_trees_are_as_good_as_texts(call):
    schema = call("graphql.parse_schema", SCHEMA)
    for query, valid in (
        ("{b(x: 1) {id}}", True),
        ("{b {id}}", False),
        ("{...F} fragment F on Query {a}", True),
    ):
        assert call("graphql.is_valid", call("graphql.parse_query", query), schema) is valid
    told = call("graphql.parse", call("graphql.parse_query", "{zz}"), schema)
    assert told == BAD + 'GraphQL parse error: input: Cannot query field "zz" on type "Query".\n'


@pytest.mark.parametrize(
    "tree", [{"Operations": 1}, {"Operations": [1]}, {"Operations": [{"Operation": "x"}]}]
)
def test_malformed_trees_are_not_valid(call, tree):
    assert call("graphql.is_valid", tree, SCHEMA) is False


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (SCHEMA, None),
        ("type Hello { world: String }", None),
        ("extend type Query { a: Int }", None),
        ('extend scalar S @specifiedBy(url: "x")', None),
        ("type T implements I { a: Int! } interface I { a: Int }", None),
        ("directive @skip on FIELD", None),
        ("schema { query: Query }", "1:10: Schema root query refers to a type Query that does not exist."),
        ("type X { a: Y }", "1:13: Undefined type Y."),
        (
            "type X { a: In } input In { b: Int }",
            "1:10: OBJECT X: field must be one of SCALAR, OBJECT, INTERFACE, UNION, ENUM.",
        ),
        (
            "type X { a(b: X): Int }",
            "1:12: cannot use X as argument b because OBJECT is not a valid input type",
        ),
        ("scalar Int", "1:8: Cannot redeclare type Int."),
        ("enum E { A A }", "1:12: Enum value E.A can only be defined once."),
        ("type T { a: Int a: Int }", "1:17: Field T.a can only be defined once."),
        ("enum E { true }", "1:6: ENUM E: non-enum value true."),
        (
            "type T { __a: Int }",
            '1:10: Name "__a" must not begin with "__", which is reserved by GraphQL introspection.',
        ),
        ("type T @foo { a: Int }", "1:9: Undefined directive foo."),
        ("type T @deprecated { a: Int }", "1:9: Directive deprecated is not applicable on OBJECT."),
        ("scalar S @specifiedBy", "1:11: Argument url for directive specifiedBy cannot be null."),
        (
            "type T implements I { b: Int } interface I { a: Int }",
            "1:6: For T to implement I it must have a field called a.",
        ),
        (
            "type T implements I { a: [Int] } interface I { a: [Int!] }",
            "1:23: For T to implement I the field a must have type [Int!].",
        ),
        (
            "type A implements I { a: Int } interface I implements J { a: Int } interface J { a: Int }",
            "1:6: Type A must implement J because it is implemented by I.",
        ),
        ("extend union U = T type T { a: Int } enum U { A }", None),
    ],
)
def test_schema_checks(call, schema, message):
    if "enum U" in schema:
        message = "1:14: Cannot extend type U because the base type is a ENUM, not UNION."
    assert call("graphql.schema_is_valid", schema) is (message is None)
    assert call("graphql.schema_is_valid", call("graphql.parse_schema", schema)) is (message is None)
    if message:
        wrapped = f"Error in gqlparser SchemaDocument to Schema conversion: input:{message}"
        assert call("graphql.parse", "{a}", schema) == BAD + wrapped


def test_wrong_operands(call):
    assert (
        call("graphql.parse", 1, SCHEMA)
        == "eval_type_error: operand 0 must be one of {string, object} but got number"
    )
    assert call("graphql.is_valid", 1, SCHEMA) is False


def test_a_schema_is_built_once_a_query(call, context):
    query = context()
    for _ in range(3):
        assert call("graphql.is_valid", "{a}", SCHEMA, context=query) is True
    assert len(query.cache["graphql schemas"]) == 1


def test_validation_of_a_hostile_operation_stops_at_the_deadline(context):
    """Fields that share a name are compared pair by pair."""
    query = "{" + "a " * 50_000 + "}"
    with pytest.raises(Exhausted):
        TABLE["graphql.is_valid"].function(
            context(limits=Limits(seconds=0.3)), query, "type Query { a: Int }"
        )
