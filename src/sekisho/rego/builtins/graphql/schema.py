"""GraphQL type systems: definitions and extensions merged, and checked by gqlparser's rules.

The rules are fewer than graphql-core's (a type system needs no query type), and their order decides which
error is told; so they are restated here. Texts are gqlparser's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NoReturn

from sekisho.lang.golang.gotext import quote
from sekisho.rego.builtins.graphql.parser import NULL, Document, parse_schema
from sekisho.rego.builtins.graphql.tokens import Node
from sekisho.rego.faults import BuiltinFault

SCALARS: Final = ("Boolean", "Float", "ID", "Int", "String")

BUILT_IN: Final = """
directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @deprecated(reason: String = "No longer supported")
  on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
directive @specifiedBy(url: String!) on SCALAR
directive @oneOf on INPUT_OBJECT
"""
"""The directives that every schema has."""

_INTROSPECTION: Final = frozenset(
    {
        *("__Schema", "__Type", "__Field", "__InputValue", "__EnumValue", "__Directive"),
        *("__TypeKind", "__DirectiveLocation"),
    },
)
_OUTPUT: Final = ("SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM")
_INPUT: Final = ("SCALAR", "ENUM", "INPUT_OBJECT")
_MERGED: Final = ("Directives", "Interfaces", "Fields", "Types", "EnumValues")


class TypeSystem:
    """A checked type system: merged ``types``, ``directives`` and ``roots`` (operation → type name)."""

    def __init__(self, document: Document) -> None:
        """Merge and check. Raises BuiltinFault with the first error."""
        self._document = document
        tree = document.tree
        self.directives: dict[str, Node] = {d["Name"]: d for d in parse_schema(BUILT_IN).tree["Directives"]}
        self._built_in = frozenset(self.directives)
        self.types: dict[str, Node] = {
            name: {"Kind": "SCALAR", "Name": name, "BuiltIn": True} for name in SCALARS
        }
        self._standard = frozenset(self.types) | _INTROSPECTION
        self.roots: dict[str, str] = {}
        self._possible: dict[str, set[str]] = {}
        self._merge(tree)
        self._add_directives(tree)
        self._find_roots(tree)
        for name in sorted(self.types):
            self._check_type(self.types[name])
        for name in sorted(self.directives):
            self._check_directive(self.directives[name])
        if not tree.get("Schema"):
            for operation in ("query", "mutation", "subscription"):
                name = operation.capitalize()
                if name in self.types:
                    self.roots.setdefault(operation, name)

    def declared_directives(self) -> Iterator[Node]:
        """The directives that the document declares itself, but those that every schema has."""
        return (d for name, d in self.directives.items() if name not in self._built_in)

    def _fail(self, node: object, message: str) -> NoReturn:
        line, column = self._document.place(node) or (-1, -1)
        raise BuiltinFault(
            f"Error in gqlparser SchemaDocument to Schema conversion: input:{line}:{column}: {message}",
        )

    # --- merging ---

    def _merge(self, tree: Node) -> None:
        for definition in tree.get("Definitions", ()):
            name = definition.get("Name", "")
            if name in self.types or name in self._standard:
                self._fail(definition, f"Cannot redeclare type {name}.")
            self.types[name] = self._copy(definition)
        for extension in tree.get("Extensions", ()):
            name = extension.get("Name", "")
            if name not in self.types:
                bare = {"Kind": extension.get("Kind", ""), "Name": name}
                self.types[name] = self._at(bare, extension)
            base = self.types[name]
            if base.get("Kind") != extension.get("Kind"):
                self._fail(
                    extension,
                    f"Cannot extend type {name} because the base type is a {base.get('Kind', '')}, "
                    f"not {extension.get('Kind', '')}.",
                )
            for member in _MERGED:
                base[member] = [*base.get(member, ()), *extension.get(member, ())]
        for name, definition in self.types.items():
            for interface in definition.get("Interfaces", ()):
                self._possible.setdefault(interface, set()).add(name)
            if definition.get("Kind") == "UNION":
                self._possible.setdefault(name, set()).update(definition.get("Types", ()))

    def _copy(self, definition: Node) -> Node:
        return self._at(dict(definition), definition)

    def _at(self, node: Node, original: Node) -> Node:
        if place := self._document.place(original):
            self._document.places[id(node)] = place
        return node

    def _add_directives(self, tree: Node) -> None:
        seen = set(self._built_in)
        for directive in tree.get("Directives", ()):
            name = directive.get("Name", "")
            if name in seen and name not in self._built_in:
                self._fail(directive, f"Cannot redeclare directive {name}.")
            seen.add(name)
            self.directives[name] = directive

    def _find_roots(self, tree: Node) -> None:
        entries = tree.get("Schema", [])
        if len(entries) > 1:
            self._fail(
                entries[1],
                "Cannot have multiple schema entry points, consider schema extensions instead.",
            )
        for entry in (*entries, *tree.get("SchemaExtension", ())):
            for root in entry.get("OperationTypes", ()):
                operation, name = root.get("Operation", ""), root.get("Type", "")
                if name not in self.types:
                    self._fail(root, f"Schema root {operation} refers to a type {name} that does not exist.")
                self.roots[operation] = name
            self._check_uses(entry.get("Directives", ()), "SCHEMA")

    # --- types ---

    def _check_type(self, definition: Node) -> None:
        kind, name = definition.get("Kind", ""), definition.get("Name", "")
        self._check_fields(definition)
        for member in definition.get("Types", ()):
            found = self.types.get(member)
            if found is None:
                self._fail(definition, f"Undefined type {quote(member)}.")
            if found.get("Kind") != "OBJECT":
                self._fail(definition, f"{kind} type {quote(member)} must be OBJECT.")
        for interface in definition.get("Interfaces", ()):
            self._check_implements(definition, interface)
        if kind in {"OBJECT", "INTERFACE"}:
            self._check_members(definition, "must define one or more fields.", _OUTPUT)
        elif kind == "ENUM":
            self._check_enum(definition)
        elif kind == "INPUT_OBJECT":
            self._check_members(definition, "must define one or more input fields.", _INPUT)
        self._check_once(definition)
        if not definition.get("BuiltIn"):
            self._check_name(definition, name)
        self._check_uses(definition.get("Directives", ()), kind, merged=True)

    def _check_fields(self, definition: Node) -> None:
        location = (
            "INPUT_FIELD_DEFINITION" if definition.get("Kind") == "INPUT_OBJECT" else "FIELD_DEFINITION"
        )
        for field in definition.get("Fields", ()):
            self._check_name(field, field.get("Name", ""))
            self._check_reference(field.get("Type", {}))
            self._check_arguments(field.get("Arguments", ()))
            self._check_uses(field.get("Directives", ()), location)

    def _check_members(self, definition: Node, missing: str, allowed: tuple[str, ...]) -> None:
        kind, name = definition["Kind"], definition.get("Name", "")
        fields = definition.get("Fields")
        if not fields:
            self._fail(definition, f"{kind} {name}: {missing}")
        for field in fields:
            found = self.types.get(named(field.get("Type", {})))
            if found and found.get("Kind") not in allowed:
                if kind == "INPUT_OBJECT":
                    kind, name = found.get("Kind", ""), field.get("Name", "")
                self._fail(field, f"{kind} {name}: field must be one of {', '.join(allowed)}.")

    def _check_enum(self, definition: Node) -> None:
        name = definition.get("Name", "")
        values = definition.get("EnumValues")
        if not values:
            self._fail(definition, f"ENUM {name}: must define one or more unique enum values.")
        for value in values:
            if value.get("Name") in {"true", "false", "null"}:
                self._fail(definition, f"ENUM {name}: non-enum value {value['Name']}.")
            self._check_uses(value.get("Directives", ()), "ENUM_VALUE")

    def _check_once(self, definition: Node) -> None:
        name = definition.get("Name", "")
        for member, what in (("Fields", "Field"), ("EnumValues", "Enum value")):
            if twice := _twice([(one.get("Name", ""), one) for one in definition.get(member, ())]):
                self._fail(twice[1], f"{what} {name}.{twice[0]} can only be defined once.")
        if twice := _twice([(one, definition) for one in definition.get("Types", ())]):
            self._fail(definition, f"Union type {name} can only include type {twice[0]} once.")

    def _check_reference(self, reference: Node) -> None:
        name = named(reference)
        if name not in self.types and name not in _INTROSPECTION:
            self._fail(reference, f"Undefined type {name}.")

    def _check_name(self, node: Node, name: str) -> None:
        if name.startswith("__"):
            self._fail(
                node,
                f'Name "{name}" must not begin with "__", which is reserved by GraphQL introspection.',
            )

    def _check_arguments(self, arguments: Iterable[Node], directive: str | None = None) -> None:
        for argument in arguments:
            self._check_name(argument, argument.get("Name", ""))
            reference = argument.get("Type", {})
            self._check_reference(reference)
            kind = self.types.get(named(reference), {}).get("Kind", "OBJECT")
            if kind not in _INPUT:
                self._fail(
                    argument,
                    f"cannot use {written(reference)} as argument {argument.get('Name', '')} "
                    f"because {kind} is not a valid input type",
                )
            self._check_uses(argument.get("Directives", ()), "ARGUMENT_DEFINITION", inside=directive)

    # --- directives ---

    def _check_directive(self, directive: Node) -> None:
        self._check_name(directive, directive.get("Name", ""))
        self._check_arguments(directive.get("Arguments", ()), directive.get("Name", ""))

    def _check_uses(
        self,
        directives: Iterable[Node],
        location: str,
        *,
        inside: str | None = None,
        merged: bool = False,
    ) -> None:
        seen: set[str] = set()
        for use in directives:
            name = use.get("Name", "")
            self._check_name(use, name)
            if inside is not None and name == inside:
                self._fail(use, f"Directive {name} cannot refer to itself.")
            known = self.directives.get(name)
            if known is None:
                self._fail(use, f"Undefined directive {name}.")
            if not merged and name in seen and not known.get("IsRepeatable"):
                self._fail(use, f"The directive {name} can only be used once at this location.")
            seen.add(name)
            if location not in known.get("Locations", ()):
                self._fail(use, f"Directive {name} is not applicable on {location}.")
            self._check_use(use, known)

    def _check_use(self, use: Node, known: Node) -> None:
        name = use.get("Name", "")
        given = {one.get("Name", ""): one for one in use.get("Arguments", ())}
        declared = {one.get("Name", ""): one for one in known.get("Arguments", ())}
        for argument, pair in given.items():
            if argument not in declared:
                self._fail(pair, f"Undefined argument {argument} for directive {name}.")
        for argument, parameter in declared.items():
            required = parameter.get("Type", {}).get("NonNull") and "DefaultValue" not in parameter
            value = given.get(argument, {}).get("Value", {"Kind": NULL})
            if required and value.get("Kind") == NULL:
                self._fail(use, f"Argument {argument} for directive {name} cannot be null.")

    # --- interfaces ---

    def _check_implements(self, definition: Node, name: str) -> None:
        interface = self.types.get(name)
        if interface is None:
            self._fail(definition, f"Undefined type {quote(name)}.")
        if interface.get("Kind") != "INTERFACE":
            self._fail(definition, f"{quote(name)} is a non interface type {interface.get('Kind', '')}.")
        own = definition.get("Name", "")
        fields = {field.get("Name", ""): field for field in reversed(definition.get("Fields", []))}
        for required in interface.get("Fields", ()):
            found = fields.get(required.get("Name", ""))
            goal = f"For {own} to implement {name}"
            if found is None:
                self._fail(definition, f"{goal} it must have a field called {required.get('Name', '')}.")
            if not self._covariant(required.get("Type", {}), found.get("Type", {})):
                wanted = written(required.get("Type", {}))
                self._fail(found, f"{goal} the field {required.get('Name', '')} must have type {wanted}.")
            self._check_same_arguments(goal, required, found)
        for transitive in interface.get("Interfaces", ()):
            if transitive not in definition.get("Interfaces", ()):
                if transitive == own:
                    self._fail(
                        definition,
                        f"Type {own} cannot implement {name} because it would create a circular reference.",
                    )
                self._fail(
                    definition,
                    f"Type {own} must implement {transitive} because it is implemented by {name}.",
                )

    def _check_same_arguments(self, goal: str, required: Node, found: Node) -> None:
        name = required.get("Name", "")
        own = {one.get("Name", ""): one for one in found.get("Arguments", ())}
        theirs = {one.get("Name", ""): one for one in required.get("Arguments", ())}
        same = f"{goal} the field {name} must have the same arguments but"
        for argument, parameter in theirs.items():
            mine = own.get(argument)
            if mine is None:
                self._fail(found, f"{same} it is missing {argument}.")
            if not _compatible(parameter.get("Type", {}), mine.get("Type", {})):
                self._fail(mine, f"{same} {argument} has the wrong type.")
        for argument, parameter in own.items():
            needed = parameter.get("Type", {}).get("NonNull") and "DefaultValue" not in parameter
            if argument not in theirs and needed:
                self._fail(
                    parameter,
                    f"{goal} any additional arguments on {name} must be optional or have a default value "
                    f"but {argument} is required.",
                )

    def _covariant(self, required: Node, actual: Node) -> bool:
        if required.get("NonNull") and not actual.get("NonNull"):
            return False
        name = required.get("NamedType")
        if name:
            found = actual.get("NamedType", "")
            return found == name or found in self._possible.get(name, ())
        if "Elem" not in required or "Elem" not in actual:
            return False
        return self._covariant(required["Elem"], actual["Elem"])


def _compatible(wanted: Node, given: Node) -> bool:
    if wanted.get("NamedType") != given.get("NamedType"):
        return False
    if "Elem" in wanted and ("Elem" not in given or not _compatible(wanted["Elem"], given["Elem"])):
        return False
    return bool(wanted.get("NonNull")) or not given.get("NonNull")


def _twice(names: list[tuple[str, Any]]) -> tuple[str, Any] | None:
    """The first name that stands there a second time."""
    seen: set[str] = set()
    for name, node in names:
        if name in seen:
            return name, node
        seen.add(name)
    return None


def named(reference: Node) -> str:
    """The name of the type in all its lists."""
    while "Elem" in reference:
        reference = reference["Elem"]
    name: str = reference.get("NamedType", "")
    return name


def written(reference: Node) -> str:
    """A type as one writes it."""
    inner = f"[{written(reference['Elem'])}]" if "Elem" in reference else reference.get("NamedType", "")
    return f"{inner}!" if reference.get("NonNull") else inner
