"""GraphQL documents as trees in the shape that OPA gives them (that of gqlparser's Go structures).

Tokens come from graphql-core; the grammar is read here, because programs match on the messages and on the
shape: empty members are left out, comments are kept, every node has the keys that its Go structure has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sekisho.diag import Limit
from sekisho.rego.builtins.graphql.tokens import Node, Tokens
from sekisho.rego.faults import BuiltinFault

if TYPE_CHECKING:
    pass

SIZE: Final = Limit("a GraphQL document", 2_000_000, "characters", "larger than any published schema")

VARIABLE, INT, FLOAT, STRING, BLOCK, BOOLEAN, NULL, ENUM, LIST, OBJECT = range(10)
"""Kinds of values, as their nodes number them."""

LOCATIONS: Final = frozenset(
    {
        *("QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD"),
        *("INLINE_FRAGMENT", "VARIABLE_DEFINITION", "SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION"),
        *("ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM", "ENUM_VALUE", "INPUT_OBJECT"),
        "INPUT_FIELD_DEFINITION",
    },
)

_LITERALS: Final = {"Int": INT, "Float": FLOAT, "String": STRING, "BlockString": BLOCK}


@dataclass(slots=True)
class Document:
    """A tree, and the line and column of its nodes by ``id`` (none for trees that came as objects)."""

    tree: Node
    places: dict[int, tuple[int, int]] = field(default_factory=dict)

    def place(self, node: object) -> tuple[int, int] | None:
        """Where a node begins."""
        return self.places.get(id(node))


def parse_query(text: str) -> Document:
    """Operations and fragments. Raises BuiltinFault in gqlparser's words."""
    return _run(text, lambda parser: parser.query_document())


def parse_schema(text: str) -> Document:
    """Type system definitions and extensions. Raises BuiltinFault likewise."""
    return _run(text, lambda parser: parser.schema_document())


def _run(text: str, rule: Callable[[_Parser], Node]) -> Document:
    if len(text) > SIZE.value:
        raise BuiltinFault(f"GraphQL parse error: {SIZE}")
    parser = _Parser(text)
    try:
        return Document(rule(parser), parser.places)
    except RecursionError:
        raise BuiltinFault("GraphQL parse error: the document is nested too deeply") from None


class _Parser(Tokens):
    """Recursive descent over the tokens."""

    # --- documents of operations ---

    def query_document(self) -> Node:
        operations: list[Node] = []
        fragments: list[Node] = []
        while self.kind != "<EOF>":
            if self.kind == "{" or (
                self.kind == "Name" and self.value in {"query", "mutation", "subscription"}
            ):
                operations.append(self.operation())
            elif self.kind == "Name" and self.value == "fragment":
                fragments.append(self.fragment())
            else:
                self.unexpected()
        return self.node((1, 1), Operations=operations, Fragments=fragments)

    def operation(self) -> Node:
        place, comments = self.place, self.comments()
        if self.kind == "{":
            selections = self.selections()
            return self.node(place, Operation="query", Name="", SelectionSet=selections, Comment=comments)
        return self.node(
            place,
            Operation=self.take(),
            Name=self.take() if self.kind == "Name" else "",
            VariableDefinitions=self.variables(),
            Directives=self.directives(),
            SelectionSet=self.selections(),
            Comment=comments,
        )

    def fragment(self) -> Node:
        place, comments = self.place, self.keyword("fragment")
        name, variables = self.fragment_name(), self.variables()
        self.keyword("on")
        return self.node(
            place,
            Name=name,
            VariableDefinition=variables,
            TypeCondition=self.name(),
            Directives=self.directives(),
            SelectionSet=self.selections(),
            Comment=comments,
        )

    def fragment_name(self) -> str:
        if self.value == "on":
            self.unexpected()
        return self.name()

    def variables(self) -> list[Node]:
        return self.some("(", ")", self.variable_definition)[0]

    def variable_definition(self) -> Node:
        place, comments = self.place, self.comments()
        name = self.variable()
        self.expect(":")
        return self.node(
            place,
            Variable=name,
            Type=self.type(),
            DefaultValue=self.value_of(constant=True) if self.skip("=") else None,
            Directives=self.directives(),
            Comment=comments,
            Used=False,
        )

    def variable(self) -> str:
        self.expect("$")
        return self.name()

    def selections(self) -> list[Node]:
        if self.kind != "{":
            self.fail(f"Expected {{, found {self.kind}")
        return self.some("{", "}", self.selection)[0]

    def selection(self) -> Node:
        place, comments = self.place, self.comments()
        if self.skip("..."):
            place = self.place
            if self.kind == "Name" and self.value != "on":
                name = self.name()
                return self.node(place, Name=name, Directives=self.directives(), Comment=comments)
            condition = ""
            if self.value == "on":
                self._advance()
                condition = self.name()
            return self.node(
                place,
                TypeCondition=condition,
                Directives=self.directives(),
                SelectionSet=self.selections(),
                Comment=comments,
            )
        alias = self.name()
        return self.node(
            place,
            Alias=alias,
            Name=self.name() if self.skip(":") else alias,
            Arguments=self.arguments(constant=False),
            Directives=self.directives(),
            SelectionSet=self.some("{", "}", self.selection)[0],
            Comment=comments,
        )

    # --- values, types, directives ---

    def arguments(self, *, constant: bool) -> list[Node]:
        return self.some("(", ")", lambda: self.pair(constant=constant))[0]

    def pair(self, *, constant: bool) -> Node:
        """An argument, or a member of an object: a name and a value."""
        place, comments = self.place, self.comments()
        name = self.name()
        self.expect(":")
        return self.node(place, Name=name, Value=self.value_of(constant=constant), Comment=comments)

    def value_of(self, *, constant: bool) -> Node:
        place, comments = self.place, self.comments()
        if self.kind in {"[", "{"}:
            whole = LIST if self.kind == "[" else OBJECT
            members = self.members(constant=constant)
            return self.value_node(place, whole, "", Children=members, Comment=comments)
        if self.kind == "$" and not constant:
            return self.value_node(place, VARIABLE, self.variable())
        if self.kind == "Name":
            words = {"true": BOOLEAN, "false": BOOLEAN, "null": NULL}
            return self.value_node(place, words.get(self.value, ENUM), self.take())
        if self.kind not in _LITERALS:
            self.unexpected()
        return self.value_node(place, _LITERALS[self.kind], self.take())

    def value_node(self, place: tuple[int, int], kind: int, raw: str, **more: Any) -> Node:
        return self.node(place, Kind=kind, Raw=raw, ExpectedTypeHasDefault=False, **more)

    def members(self, *, constant: bool) -> list[Node]:
        out: list[Node] = []
        if self.skip("["):
            while not self.skip("]"):
                place = self.place
                out.append(self.node(place, Name="", Value=self.value_of(constant=constant)))
        else:
            self.expect("{")
            while not self.skip("}"):
                out.append(self.pair(constant=constant))
        return out

    def type(self) -> Node:
        if self.skip("["):
            place = self.place
            element = self.type()
            self.expect("]")
            return self.node(place, NamedType="", Elem=element, NonNull=self.skip("!"))
        place = self.place
        return self.node(place, NamedType=self.name(), NonNull=self.skip("!"))

    def directives(self, *, constant: bool = False) -> list[Node]:
        out: list[Node] = []
        while self.skip("@"):
            place = self.place
            name = self.name()
            out.append(
                self.node(place, Name=name, Arguments=self.arguments(constant=constant), Location=""),
            )
        return out

    # --- documents of types ---

    def schema_document(self) -> Node:
        parts: dict[str, list[Node]] = {
            "Schema": [],
            "SchemaExtension": [],
            "Directives": [],
            "Definitions": [],
            "Extensions": [],
        }
        while self.kind != "<EOF>":
            described = self.place, self._shown()
            before, text = self.description()
            if self.kind != "Name":
                self.unexpected()
            word = self.value
            if word == "extend":
                if text:
                    self.place = described[0]
                    self.fail(f"Unexpected {described[1]}")
                self.extension(parts)
            elif word == "schema":
                parts["Schema"].append(self.schema(before, text))
            elif word == "directive":
                parts["Directives"].append(self.directive_definition(before, text))
            elif word in _TYPES:
                parts["Definitions"].append(self.definition(before, text))
            else:
                self.unexpected()
        return self.node((1, 1), **parts, Comment=self.comments())

    def description(self) -> tuple[Node | None, str]:
        """A description, and the comments before it."""
        if self.kind not in {"String", "BlockString"}:
            return None, ""
        return self.comments(), self.take()

    def extension(self, parts: dict[str, list[Node]]) -> None:
        comments = self.keyword("extend")
        if self.value == "schema":
            made = self.schema(None, "", after=comments)
            if not made.keys() & {"Directives", "OperationTypes"}:
                self.unexpected()
            parts["SchemaExtension"].append(made)
        elif self.value in _TYPES:
            # gqlparser has no `extend interface … implements`
            made = self.definition(None, "", after=comments, implementing=("type",))
            if not made.keys() & {"Interfaces", "Directives", "Fields", "Types", "EnumValues"}:
                self.unexpected()
            parts["Extensions"].append(made)
        else:
            self.unexpected()

    def schema(self, before: Node | None, text: str, *, after: Node | None = None) -> Node:
        own = self.keyword("schema")
        place = self.place
        directives = self.directives(constant=True)
        operations, end = self.some("{", "}", self.root_operation)
        return self.node(
            place,
            Description=text,
            Directives=directives,
            OperationTypes=operations,
            BeforeDescriptionComment=before,
            AfterDescriptionComment=after or own,
            EndOfDefinitionComment=end,
        )

    def root_operation(self) -> Node:
        place, comments = self.place, self.comments()
        if self.value not in {"query", "mutation", "subscription"}:
            self.unexpected()
        operation = self.take()
        self.expect(":")
        return self.node(place, Operation=operation, Type=self.name(), Comment=comments)

    def definition(
        self,
        before: Node | None,
        text: str,
        *,
        after: Node | None = None,
        implementing: tuple[str, ...] = ("type", "interface"),
    ) -> Node:
        """A type. ``after`` are the comments before ``extend``."""
        word = self.value
        own = self.keyword(word)
        place = self.place
        members: Node = {"Kind": _TYPES[word], "Name": self.name()}
        if word in implementing and self.value == "implements":
            self._advance()
            members["Interfaces"] = self.separated("&", self.name)
        members["Directives"] = self.directives(constant=True)
        end = None
        if word == "union":
            members["Types"] = self.separated("|", self.name) if self.skip("=") else []
        elif word == "enum":
            members["EnumValues"], end = self.some("{", "}", self.enum_value)
        elif word == "input":
            members["Fields"], end = self.some("{", "}", self.input_value)
        elif word != "scalar":
            members["Fields"], end = self.some("{", "}", self.field_definition)
        return self.node(
            place,
            **members,
            Description=text,
            BuiltIn=False,
            BeforeDescriptionComment=before,
            AfterDescriptionComment=after or own,
            EndOfDefinitionComment=end,
        )

    def described(self) -> Node:
        """Description, comments and name of a member."""
        before, text = self.description()
        after = self.comments()
        return {
            "BeforeDescriptionComment": before if text else None,
            "Description": text,
            "AfterDescriptionComment": after,
        }

    def field_definition(self) -> Node:
        head, place = self.described(), self.place
        name = self.name()
        arguments = self.some("(", ")", self.input_value)[0]
        self.expect(":")
        kind = self.type()
        directives = self.directives(constant=True)
        return self.node(place, **head, Name=name, Arguments=arguments, Type=kind, Directives=directives)

    def input_value(self) -> Node:
        head, place = self.described(), self.place
        name = self.name()
        self.expect(":")
        return self.node(
            place,
            **head,
            Name=name,
            Type=self.type(),
            DefaultValue=self.value_of(constant=True) if self.skip("=") else None,
            Directives=self.directives(constant=True),
        )

    def enum_value(self) -> Node:
        head, place = self.described(), self.place
        name = self.name()
        return self.node(place, **head, Name=name, Directives=self.directives(constant=True))

    def directive_definition(self, before: Node | None, text: str) -> Node:
        after = self.keyword("directive")
        self.expect("@")
        place = self.place
        name = self.name()
        arguments = self.some("(", ")", self.input_value)[0]
        repeatable = self.kind == "Name" and self.value == "repeatable"
        if repeatable:
            self._advance()
        self.keyword("on")
        return self.node(
            place,
            Name=name,
            Description=text,
            Arguments=arguments,
            IsRepeatable=repeatable,
            Locations=self.separated("|", self.location),
            BeforeDescriptionComment=before,
            AfterDescriptionComment=after,
        )

    def location(self) -> str:
        if self.kind == "Name" and self.value not in LOCATIONS:
            self.unexpected()
        return self.name()


_TYPES: Final = {
    "scalar": "SCALAR",
    "type": "OBJECT",
    "interface": "INTERFACE",
    "union": "UNION",
    "enum": "ENUM",
    "input": "INPUT_OBJECT",
}
