"""What all mutators have in common, and how it is read from an object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import Any, Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, Limit, Path
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.kube.review import Operation
from sekisho.kube.schema import default, validate
from sekisho.policy import codes, shapes
from sekisho.policy.match import Match, compile_match
from sekisho.policy.mutation.edit import Context, Edit, Editor, Setter
from sekisho.policy.mutation.location import Field, Item, Location, LocationError, parse_location
from sekisho.policy.mutation.pathtests import PathTestError, PathTests, path_tests
from sekisho.policy.typos import match_warnings

SUPPORTED: Final = (Operation.CREATE, Operation.UPDATE)
"""The operations at which objects are mutated."""

NAME_LENGTH: Final = 63
KINDS: Final = Limit("applyTo", 1_000, "kinds", "mutators are held against one another for each of them")


class Terminal(Enum):
    """What stands at the end of a mutator's location, as far as the mutator tells."""

    UNKNOWN = "Unknown"
    SET = "Set"
    STRING = "String"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyTo:
    """An entry of ``applyTo``: exact names, no wildcards."""

    groups: frozenset[str]
    versions: frozenset[str]
    kinds: frozenset[str]
    operations: frozenset[Operation] = frozenset(SUPPORTED)

    def covers(self, gvk: GVK) -> bool:
        """Whether objects of this kind are meant."""
        return gvk.group in self.groups and gvk.version in self.versions and gvk.kind in self.kinds

    def at(self, operation: Operation) -> bool:
        """Whether the operation is meant; none, as in an audit, is meant by those that mean all."""
        if operation is Operation.NONE:
            return len(self.operations) == len(SUPPORTED)
        return operation in self.operations

    def bindings(self) -> Iterator[tuple[GVK, Operation]]:
        """Every kind and operation that is meant."""
        for group, version, kind in product(self.groups, self.versions, self.kinds):
            for operation in self.operations:
                yield GVK(group, version, kind), operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutator:
    """A mutator that can be applied. ``apply_to`` is None where every kind is meant.

    ``terminal`` and ``must_terminate`` say what it implies about its location: what stands there, and that
    no other mutator may go beyond it.
    """

    object: Object
    location: Location
    tests: PathTests
    setter: Setter
    match: Match
    apply_to: tuple[ApplyTo, ...] | None
    terminal: Terminal = Terminal.UNKNOWN
    must_terminate: bool = False
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def policy(self) -> str:
        """Its identity: ``Assign/always-pull``."""
        return f"{self.object.kind}/{self.object.name}"

    @property
    def order(self) -> tuple[str, str, str, str]:
        """Mutators are applied in this order."""
        object = self.object
        return (object.gvk.group, object.kind, object.namespace, object.name)

    def applies(self, gvk: GVK, operation: Operation) -> bool:
        """Whether it is about this kind and operation: one entry of ``applyTo`` must mean both."""
        return self.apply_to is None or any(
            entry.covers(gvk) and entry.at(operation) for entry in self.apply_to
        )

    def apply(
        self, value: Any, context: Context, charge: Callable[[], None] = lambda: None
    ) -> tuple[Any, list[Edit]]:
        """The changed value (the same one if nothing is to be changed) and what was set; raises EditError.

        ``charge`` is called for every item of a list that is gone into, and may raise.
        """
        editor = Editor(self.location, self.tests, self.setter, context, charge)
        return editor.apply(value), editor.edits


class Reader:
    """Reads one mutator; collects what is wrong with it. ``raw`` has the defaults."""

    def __init__(self, object: Object) -> None:
        schema = shapes.mutator(object.kind)
        self.object = object
        self.raw = default(object.raw, schema)
        self.problems: list[Diagnostic] = []
        self.problems += validate(self.raw, schema, shapes.locate(object))
        if self.problems:
            raise DiagnosticError(self.problems)
        spec = self.raw.get("spec")
        self.spec: Mapping[str, Any] = spec if isinstance(spec, dict) else {}
        parameters = self.spec.get("parameters")
        self.parameters: Mapping[str, Any] = parameters if isinstance(parameters, dict) else {}
        if not object.name:
            self.report(codes.BAD_MUTATOR, ("metadata",), "missing metadata.name")
        elif len(object.name) > NAME_LENGTH:
            message = f"maximum name length is {NAME_LENGTH} characters"
            self.report(codes.BAD_MUTATOR, ("metadata", "name"), message)

    def report(self, code: Code, path: Path, message: str, help: str = "") -> None:
        """Record a problem at a path."""
        self.problems.append(Diagnostic(code=code, message=message, at=self.object.at(*path), help=help))

    def forbid(self, message: str, help: str = "") -> None:
        """Record that the location is one that this mutator may not change."""
        self.report(codes.FORBIDDEN_LOCATION, ("spec", "location"), message, help)

    def finish(self) -> None:
        """Raise DiagnosticError if anything was wrong."""
        if self.problems:
            raise DiagnosticError(self.problems)

    def location(self) -> Location:
        """The location; one without steps where it cannot be read."""
        path: Path = ("spec", "location")
        text = str(self.spec.get("location") or "")
        kind, name = self.object.kind, self.object.name
        try:
            location = parse_location(text)
        except LocationError as error:
            shown = text if len(text) <= 100 else text[:100] + "…"
            message = f"invalid location format `{shown}` for {kind} {name}: {error}"
            self.report(codes.BAD_LOCATION, path, message, f"at character {error.position + 1}")
            return Location(())
        if not location.steps:
            self.report(codes.BAD_LOCATION, path, f"invalid location for {kind} {name}: empty path")
        return location

    def forbid_metadata(self, location: Location, word: str) -> None:
        """Only AssignMetadata changes metadata. ``word`` is what Gatekeeper's text calls the kind."""
        if location.steps and location.steps[0] == Field("metadata"):
            message = f"{word} {self.object.name} can't change metadata"
            self.forbid(message, "AssignMetadata adds labels and annotations")

    def forbid_key(self, location: Location) -> None:
        """The key of a list's item stays: else the item would no longer be the one that is named."""
        steps = location.steps
        if len(steps) > 1 and isinstance(steps[-2], Item) and steps[-1] == Field(steps[-2].key):
            self.forbid("invalid path format: changing the item key is not allowed")

    def path_tests(self, location: Location) -> PathTests:
        """The path tests of the parameters."""
        base: Path = ("spec", "parameters", "pathTests")
        rows: list[tuple[Location, str]] = []
        for index, row in enumerate(self.parameters.get("pathTests") or ()):
            text = row.get("subPath") or ""
            try:
                rows.append((parse_location(text), row.get("condition") or ""))
            except LocationError as error:
                message = (
                    f"problem parsing sub path `{text}` for {self.object.kind} {self.object.name}: {error}"
                )
                self.report(codes.BAD_PATH_TEST, (*base, index, "subPath"), message)
                return PathTests()
        try:
            return path_tests(location, rows) if location.steps else PathTests()
        except PathTestError as error:
            self.report(codes.BAD_PATH_TEST, (*base, error.index), str(error))
            return PathTests()

    def match(self) -> Match:
        """The compiled match."""
        try:
            return compile_match(self.spec.get("match"), self.object)
        except DiagnosticError as error:
            self.problems += error.diagnostics
            return Match()

    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is allowed but means something else than it says."""
        return tuple(match_warnings(self.spec.get("match"), self.object))

    def apply_to(self) -> tuple[ApplyTo, ...]:
        """The kinds and operations that the mutator is about."""
        rows = self.spec.get("applyTo") or ()
        kind, name = self.object.kind, self.object.name
        if not rows:
            self.report(codes.BAD_APPLY_TO, ("spec",), f"applyTo required for {kind} mutator {name}")
        entries = [self._entry(row, index) for index, row in enumerate(rows)]
        count = sum(len(row.groups) * len(row.versions) * len(row.kinds) for row in entries)
        if KINDS.exceeded_by(count):
            self.report(codes.BAD_APPLY_TO, ("spec", "applyTo"), str(KINDS))
        return tuple(entries)

    def _entry(self, row: Mapping[str, Any], index: int) -> ApplyTo:
        path: Path = ("spec", "applyTo", index)
        kind, name = self.object.kind, self.object.name
        lists = {field: frozenset(row.get(field) or ()) for field in ("groups", "versions", "kinds")}
        if not all(lists.values()):
            message = (
                f"invalid applyTo for {kind} mutator {name}, all of group, version and kind must be specified"
            )
            self.report(codes.BAD_APPLY_TO, path, message, 'the core group is ""')
        words = row.get("operations") or ["*"]
        for at, problem in _operation_problems(words):
            message = f"invalid applyTo for {kind} mutator {name}: {problem}"
            self.report(codes.BAD_APPLY_TO, (*path, "operations", at), message)
        operations = SUPPORTED if "*" in words else tuple(row for row in SUPPORTED if row.value in words)
        return ApplyTo(**lists, operations=frozenset(operations))


def _operation_problems(words: list[str]) -> Iterator[tuple[int, str]]:
    """What the schema, which knows the words, cannot say of a list of operations."""
    for index, word in enumerate(words):
        if word in words[:index]:
            yield index, f'duplicate operation "{word}"'
    if "*" in words and len(words) > 1:
        yield words.index("*"), 'wildcard "*" must not be combined with other operations'
