"""GraphQL trees as graphql-core's, and validation of operations by its rules.

Its work grows with the square of the fields of a document. So that a hostile one can be stopped, names
charge the meter whenever they are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sekisho.lang.meter import Meter
from sekisho.rego.builtins.graphql import parser as gql
from sekisho.rego.builtins.graphql.parser import Document
from sekisho.rego.builtins.graphql.schema import SCALARS, TypeSystem
from sekisho.rego.builtins.graphql.tokens import Node
from sekisho.rego.faults import BuiltinFault

if TYPE_CHECKING:
    from graphql import GraphQLError, GraphQLSchema
    from graphql.language import ast

_REWORDED: Final = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r'Argument "(?:\w+\.)?(\w+)\((\w+):\)" of type', r'Field "\1" argument "\2" of type'),
        (r'Argument "(@\w+)\((\w+):\)" of type', r'Directive "\1" argument "\2" of type'),
        (
            r"The (\w+) operation is not supported by the schema\.",
            r'Schema does not support operation type "\1"',
        ),
        (
            r'Expected value of non-null type "([^"]+)" not to be None\.',
            r'Expected value of type "\1", found null.',
        ),
    )
)
"""graphql-core's words for what gqlparser says otherwise. All else is the same, but for the quotes."""

_PLACE: Final = re.compile(r"(?<= may not be used on )\w+")
_QUOTED: Final = re.compile(r"'([^']*)'")


def build(system: TypeSystem, meter: Meter) -> GraphQLSchema:
    """The schema to validate against. The type system is already checked."""
    from graphql import build_ast_schema
    from graphql.language import ast

    maker = _Maker(meter)
    definitions: list[Any] = [maker.definition(one) for one in system.types.values() if not _given(one)]
    definitions += [maker.directive_definition(one) for one in system.declared_directives()]
    definitions.append(maker.directive_definition(system.directives["defer"]))
    if system.roots:
        roots = tuple(
            ast.OperationTypeDefinitionNode(
                operation=ast.OperationType(operation), type=maker.reference(name)
            )
            for operation, name in system.roots.items()
        )
        definitions.append(ast.SchemaDefinitionNode(operation_types=roots, directives=()))
    document = ast.DocumentNode(definitions=tuple(definitions))
    return build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)


def _given(definition: Node) -> bool:
    return bool(definition.get("BuiltIn")) and definition.get("Name") in SCALARS


def validate(schema: GraphQLSchema, query: Document, meter: Meter) -> None:
    """Check operations against a schema. Raises BuiltinFault with what is wrong, in gqlparser's words."""
    import graphql
    from graphql.validation import specified_rules

    maker = _Maker(meter)
    document = maker.document(query.tree)
    errors = graphql.validate(schema, document, specified_rules, max_errors=100)
    if errors:
        raise BuiltinFault(_report([_told(error, query, maker) for error in errors]))


def _told(error: GraphQLError, query: Document, maker: _Maker) -> str:
    message = _QUOTED.sub(r'"\1"', error.message)
    for pattern, text in _REWORDED:
        message = pattern.sub(text, message)
    message = _PLACE.sub(lambda found: found.group().upper(), message)
    for node in reversed(error.nodes or ()):  # where there are several, gqlparser points at the last
        if place := query.place(maker.origins.get(id(node))):
            return f"input:{place[0]}:{place[1]}: {message}"
    return f"input: {message}"


def _report(errors: list[str]) -> str:
    text = "\n".join([*errors, ""])
    found = re.match(r"input:(\d+):(\d+): *(.*)", text, re.DOTALL)
    if found is None:
        return f"GraphQL parse error: {text}"
    line, column, message = found.groups()
    message = message.removesuffix(".\n")
    return f"{message} in GraphQL string at location {line}:{column}"


@cache
def _metered() -> Callable[[str, Meter], ast.NameNode]:
    from graphql.language import ast

    class MeteredName(ast.NameNode):
        """A name that charges the meter when it is read."""

        def __init__(self, text: str, meter: Meter) -> None:
            object.__setattr__(self, "text", text)
            object.__setattr__(self, "meter", meter)

        @property
        def value(self) -> str:
            self.meter.charge(4)  # type: ignore[attr-defined]
            return self.text  # type: ignore[attr-defined,no-any-return]

    MeteredName.kind = ast.NameNode.kind
    return MeteredName


class _Maker:
    """Makes graphql-core's nodes. ``origins`` has our node for each of them that errors may point at."""

    def __init__(self, meter: Meter) -> None:
        from graphql.language import ast

        self._ast = ast
        self._name = _metered()
        self._meter = meter
        self.origins: dict[int, Node] = {}
        self._kept: list[object] = []

    def _from(self, made: Any, node: Node) -> Any:
        self.origins[id(made)] = node
        self._kept.append(made)  # so that its id stays its own
        return made

    def name(self, text: str, node: Node | None = None) -> Any:
        made = self._name(text, self._meter)
        return made if node is None else self._from(made, node)

    def reference(self, name: str) -> Any:
        return self._ast.NamedTypeNode(name=self.name(name))

    def type(self, node: Node) -> Any:
        made: Any
        if "Elem" in node:
            made = self._ast.ListTypeNode(type=self.type(node["Elem"]))
        else:
            made = self._from(self.reference(node.get("NamedType", "")), node)
        return self._ast.NonNullTypeNode(type=made) if node.get("NonNull") else made

    def value(self, node: Node) -> Any:
        made = self._value(node)
        return self._from(made, node)

    def _value(self, node: Node) -> Any:
        ast, kind, raw = self._ast, node.get("Kind", 0), node.get("Raw", "")
        children = node.get("Children", ())
        if kind == gql.LIST:
            return ast.ListValueNode(values=tuple(self.value(one.get("Value", {})) for one in children))
        if kind == gql.OBJECT:
            return ast.ObjectValueNode(fields=tuple(self.pair(one, ast.ObjectFieldNode) for one in children))
        if kind == gql.VARIABLE:
            return ast.VariableNode(name=self.name(raw, node))
        if kind in {gql.STRING, gql.BLOCK}:
            return ast.StringValueNode(value=raw, block=kind == gql.BLOCK)
        if kind == gql.BOOLEAN:
            return ast.BooleanValueNode(value=raw == "true")
        if kind == gql.NULL:
            return ast.NullValueNode()
        plain = {gql.INT: ast.IntValueNode, gql.FLOAT: ast.FloatValueNode}
        return plain.get(kind, ast.EnumValueNode)(value=raw)

    def pair(self, node: Node, kind: Any) -> Any:
        name, value = self.name(node.get("Name", ""), node), self.value(node.get("Value", {}))
        return self._from(kind(name=name, value=value), node)

    def arguments(self, nodes: Iterable[Node]) -> tuple[Any, ...]:
        return tuple(self.pair(node, self._ast.ArgumentNode) for node in nodes)

    def directives(self, nodes: Iterable[Node]) -> tuple[Any, ...]:
        return tuple(
            self._from(
                self._ast.DirectiveNode(
                    name=self.name(node.get("Name", ""), node),
                    arguments=self.arguments(node.get("Arguments", ())),
                ),
                node,
            )
            for node in nodes
        )

    # --- operations ---

    def document(self, tree: Node) -> Any:
        self._meter.charge(1_000)
        operations = [self.operation(one) for one in tree.get("Operations", ())]
        fragments = [self.fragment(one) for one in tree.get("Fragments", ())]
        return self._ast.DocumentNode(definitions=(*operations, *fragments))

    def operation(self, node: Node) -> Any:
        name = node.get("Name", "")
        try:
            operation = self._ast.OperationType(node.get("Operation", "query"))
        except ValueError:
            raise BuiltinFault("GraphQL parse error: Operation.Operation is unknown") from None
        return self._from(
            self._ast.OperationDefinitionNode(
                operation=operation,
                name=self.name(name, node) if name else None,
                variable_definitions=self.variables(node.get("VariableDefinitions", ())),
                directives=self.directives(node.get("Directives", ())),
                selection_set=self.selections(node.get("SelectionSet", ())),
            ),
            node,
        )

    def fragment(self, node: Node) -> Any:
        return self._from(
            self._ast.FragmentDefinitionNode(
                name=self.name(node.get("Name", ""), node),
                variable_definitions=self.variables(node.get("VariableDefinition", ())),
                type_condition=self.reference(node.get("TypeCondition", "")),
                directives=self.directives(node.get("Directives", ())),
                selection_set=self.selections(node.get("SelectionSet", ())),
            ),
            node,
        )

    def variables(self, nodes: Iterable[Node]) -> tuple[Any, ...]:
        return tuple(
            self._from(
                self._ast.VariableDefinitionNode(
                    variable=self._ast.VariableNode(name=self.name(node.get("Variable", ""), node)),
                    type=self.type(node.get("Type", {})),
                    default_value=self.default(node),
                    directives=self.directives(node.get("Directives", ())),
                ),
                node,
            )
            for node in nodes
        )

    def default(self, node: Node) -> Any:
        return self.value(node["DefaultValue"]) if "DefaultValue" in node else None

    def selections(self, nodes: Iterable[Node]) -> Any:
        return self._ast.SelectionSetNode(selections=tuple(map(self.selection, nodes)))

    def selection(self, node: Node) -> Any:
        ast = self._ast
        self._meter.charge(50)
        directives = self.directives(node.get("Directives", ()))
        inner = node.get("SelectionSet")
        made: Any
        if "Alias" in node:
            name, alias = node.get("Name", ""), node["Alias"]
            made = ast.FieldNode(
                name=self.name(name, node),
                alias=self.name(alias) if alias not in {"", name} else None,
                arguments=self.arguments(node.get("Arguments", ())),
                directives=directives,
                selection_set=self.selections(inner) if inner else None,
            )
        elif inner:
            condition = node.get("TypeCondition", "")
            made = ast.InlineFragmentNode(
                type_condition=self.reference(condition) if condition else None,
                directives=directives,
                selection_set=self.selections(inner),
            )
        else:
            made = ast.FragmentSpreadNode(name=self.name(node.get("Name", ""), node), directives=directives)
        return self._from(made, node)

    # --- types ---

    def definition(self, node: Node) -> Any:
        ast, kind = self._ast, node.get("Kind", "")
        self._meter.charge(100)
        head = {
            "name": self.name(node.get("Name", ""), node),
            "directives": self.directives(node.get("Directives", ())),
        }
        fields = node.get("Fields", ())
        if kind in {"OBJECT", "INTERFACE"}:
            made = ast.ObjectTypeDefinitionNode if kind == "OBJECT" else ast.InterfaceTypeDefinitionNode
            interfaces = tuple(map(self.reference, node.get("Interfaces", ())))
            return made(**head, interfaces=interfaces, fields=tuple(map(self.field, fields)))
        if kind == "UNION":
            return ast.UnionTypeDefinitionNode(
                **head, types=tuple(map(self.reference, node.get("Types", ())))
            )
        if kind == "ENUM":
            values = tuple(map(self.enum_value, node.get("EnumValues", ())))
            return ast.EnumTypeDefinitionNode(**head, values=values)
        if kind == "INPUT_OBJECT":
            return ast.InputObjectTypeDefinitionNode(**head, fields=tuple(map(self.input_value, fields)))
        return ast.ScalarTypeDefinitionNode(**head)

    def field(self, node: Node) -> Any:
        return self._ast.FieldDefinitionNode(
            name=self.name(node.get("Name", ""), node),
            arguments=tuple(map(self.input_value, node.get("Arguments", ()))),
            type=self.type(node.get("Type", {})),
            directives=self.directives(node.get("Directives", ())),
        )

    def input_value(self, node: Node) -> Any:
        return self._ast.InputValueDefinitionNode(
            name=self.name(node.get("Name", ""), node),
            type=self.type(node.get("Type", {})),
            default_value=self.default(node),
            directives=self.directives(node.get("Directives", ())),
        )

    def enum_value(self, node: Node) -> Any:
        return self._ast.EnumValueDefinitionNode(
            name=self.name(node.get("Name", ""), node),
            directives=self.directives(node.get("Directives", ())),
        )

    def directive_definition(self, node: Node) -> Any:
        return self._ast.DirectiveDefinitionNode(
            name=self.name(node.get("Name", ""), node),
            arguments=tuple(map(self.input_value, node.get("Arguments", ()))),
            repeatable=bool(node.get("IsRepeatable")),
            locations=tuple(map(self.name, node.get("Locations", ()))),
        )
