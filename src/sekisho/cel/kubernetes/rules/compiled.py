"""The rules of a schema, compiled: a tree beside the schema, with a node wherever there are rules below.

A rule that uses oldSelf needs to know which old value is meant. Below lists that are no keyed lists nothing
tells, so such rules are refused there, as the API server refuses them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.cel.environment import Environment
from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.cel.kubernetes.rules import codes
from sekisho.cel.kubernetes.rules.fieldpath import go_path
from sekisho.cel.kubernetes.rules.written import KEYWORD, NOWHERE, Place, Problem, Written, read_rule
from sekisho.cel.kubernetes.schemas import Declared, declare
from sekisho.cel.program import Program
from sekisho.cel.types import BOOL, STRING, CelType, optional_of
from sekisho.diag import Diagnostic, DiagnosticError, ObjectPath, Path, Source, path_text
from sekisho.kube import fielderror
from sekisho.kube.schema import Schema, has_rules

SELF: Final = "self"
OLD_SELF: Final = "oldSelf"
TYPE: Final = "selfType"
"""What the type of self is called: not as the variable, or ``self.x`` would be the name of a type."""

Compile = Callable[[Source, Environment], Program]
"""How an expression becomes a program: through the cache, or anew. Raises DiagnosticError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A compiled rule. ``message`` is the program of its messageExpression, None without a usable one.

    ``at`` is where the rule stands, for notes.
    """

    written: Written
    program: Program
    message: Program | None
    uses_old: bool
    at: ObjectPath | None = None

    def shown_at(self, where: str) -> str:
        """The field that it is about, below a place as messages write it."""
        for step, key in self.written.field_steps:
            where = go_path(where, step, key=key)
        return where


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The rules of one place in a value, and of the places below. ``all_of`` are those of combinations."""

    schema: Schema
    declared: Declared
    rules: tuple[Rule, ...] = ()
    properties: Mapping[str, Node] = field(default_factory=dict)
    additional: Node | None = None
    items: Node | None = None
    all_of: tuple[Node, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is no rule here or below."""
        return not (self.rules or self.properties or self.additional or self.items or self.all_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of a schema; ``root`` is None where there are none. Wrong ones are told in ``problems``."""

    root: Node | None = None
    problems: tuple[Diagnostic, ...] = ()


NO_RULES: Final = Rules()


def compile_rules(
    schema: Schema, *, resource: bool = True, place: Place = NOWHERE, compile: Compile | None = None
) -> Rules:
    """The rules of a schema; ``resource``: it is that of a whole custom resource."""
    if not has_rules(schema):
        return NO_RULES
    maker = _Maker(place, compile or _anew)
    root = maker.node(schema, schema, (), resource=resource, uncorrelated=None)
    return Rules(root=None if root.empty else root, problems=tuple(maker.problems))


def _anew(source: Source, environment: Environment) -> Program:
    """Compile; imported here, since what comes from the cache needs no compiler."""
    from sekisho.cel.compiler import compile

    return compile(source, environment)


class _Maker:
    def __init__(self, place: Place, compile: Compile) -> None:
        self.problems: list[Diagnostic] = []
        self._place = place
        self._compile = compile

    def node(
        self, schema: Schema, spine: Schema, path: Path, *, resource: bool, uncorrelated: Path | None
    ) -> Node:
        """The node for ``schema``. ``spine`` gives the types: itself, or the schema around an allOf."""
        declared = declare(spine, TYPE, resource=resource)
        if declared is None:
            return Node(schema=schema, declared=Declared(type=BOOL))  # expressions cannot see it
        rules = self._rules(schema, declared, path, uncorrelated)
        properties = {}
        for name, child in schema.properties.items():
            own = spine.properties.get(name)
            if own is not None and has_rules(child):
                at = (*path, "properties", name)
                made = self.node(child, own, at, resource=own.embedded, uncorrelated=uncorrelated)
                if not made.empty:
                    properties[name] = made
        return Node(
            schema=spine,
            declared=declared,
            rules=rules,
            properties=properties,
            additional=self._below(
                schema.additional, spine.additional, (*path, "additionalProperties"), uncorrelated
            ),
            items=self._items(schema, spine, path, uncorrelated),
            all_of=tuple(
                self.node(row, spine, (*path, "allOf", index), resource=resource, uncorrelated=uncorrelated)
                for index, row in enumerate(schema.junctors.all_of)
                if has_rules(row)
            ),
        )

    def _items(self, schema: Schema, spine: Schema, path: Path, uncorrelated: Path | None) -> Node | None:
        keyed = spine.merging.list_type == "map"
        here = uncorrelated if uncorrelated is not None or keyed else path
        return self._below(schema.items, spine.items, (*path, "items"), here)

    def _below(
        self, schema: Schema | None, spine: Schema | None, path: Path, uncorrelated: Path | None
    ) -> Node | None:
        if schema is None or spine is None or not has_rules(schema):
            return None
        made = self.node(schema, spine, path, resource=spine.embedded, uncorrelated=uncorrelated)
        return None if made.empty else made

    def _rules(
        self, schema: Schema, declared: Declared, path: Path, uncorrelated: Path | None
    ) -> tuple[Rule, ...]:
        found: list[Rule] = []
        for index, raw in enumerate(schema.rules):
            at = (*path, KEYWORD, index)
            written, problems = read_rule(raw, schema, at, self._place)
            self._complain(problems)
            if written is not None:
                rule = self._rule(written, declared, uncorrelated, raw)
                if rule is not None:
                    found.append(rule)
        return tuple(found)

    def _rule(
        self, written: Written, declared: Declared, uncorrelated: Path | None, raw: Mapping[str, Any]
    ) -> Rule | None:
        environment = _environment(declared, optional=written.optional_old_self)
        program = self._program(written.rule, (*written.path, "rule"), environment)
        if program is None:
            return None
        at: Path = (*written.path, "rule")
        if not program.type.same(BOOL):
            detail = "cel expression must evaluate to a bool"
            self._complain([(at, fielderror.invalid(self._full(at), dict(raw), detail))])
            return None
        uses_old = OLD_SELF in program.variables
        if uses_old and uncorrelated is not None:
            where = path_text(self._full(uncorrelated))
            detail = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {where}"
            self._complain([(at, fielderror.invalid(self._full(at), written.rule, detail))])
            return None
        if not uses_old and raw.get("optionalOldSelf") is not None:
            at = (*written.path, "optionalOldSelf")
            detail = "may not be set if oldSelf is not used in rule"
            self._complain([(at, fielderror.invalid(self._full(at), written.optional_old_self, detail))])
        message = self._message(written, environment, raw)
        return Rule(
            written=written,
            program=program,
            message=message,
            uses_old=uses_old,
            at=self._place.at((*written.path, "rule")),
        )

    def _message(self, written: Written, environment: Environment, raw: Mapping[str, Any]) -> Program | None:
        if not written.message_expression:
            return None
        at = (*written.path, "messageExpression")
        program = self._program(written.message_expression, at, environment)
        if program is not None and not program.type.same(STRING):
            detail = "messageExpression must evaluate to a string"
            self._complain([(at, fielderror.invalid(self._full(at), dict(raw), detail))])
            return None
        return program

    def _program(self, text: str, path: Path, environment: Environment) -> Program | None:
        try:
            return self._compile(self._place.source(path, text), environment)
        except DiagnosticError as error:
            self.problems += error.diagnostics
            return None

    def _full(self, path: Path) -> Path:
        return (*self._place.base, *path)

    def _complain(self, problems: list[Problem]) -> None:
        self.problems += (
            Diagnostic(code=codes.BAD_RULE, message=message, at=self._place.at(path))
            for path, message in problems
        )


def _environment(declared: Declared, *, optional: bool) -> Environment:
    old: CelType = optional_of(declared.type) if optional else declared.type
    return (
        kubernetes_environment()
        .with_structs(*declared.structs)
        .with_variables({SELF: declared.type, OLD_SELF: old})
    )
