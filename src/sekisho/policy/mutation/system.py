"""All mutators together: which are applied to an object, in which order, and until when.

They are ordered by group, kind, namespace and name, and applied one after another, again and again until a
whole pass changes nothing. A pass is a function of the object alone, so an object that comes back is a cycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, Level, Limit, Path
from sekisho.kube import patch
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.kube.review import Operation
from sekisho.policy import codes
from sekisho.policy.match import MatchError, Subject
from sekisho.policy.mutation import schema
from sekisho.policy.mutation.edit import Context, Edit, EditError
from sekisho.policy.mutation.external import FailurePolicy, Placeholder, placeholders, replaced, resolve
from sekisho.policy.mutation.load import load_mutator
from sekisho.policy.mutation.mutator import Mutator
from sekisho.policy.mutation.snapshot import NO_OCCASION, Change, Mutation, Occasion, is_mutator
from sekisho.policy.mutation.source import External

STEPS: Final = Limit(
    "mutation of an object", 1_000_000, "steps", "a few seconds; no sound set of mutators comes near"
)
"""A step is a mutator that is looked at, or an item of a list that it goes into."""

SET: Final = Limit(
    "mutation of an object", 16_000_000, "characters that are set", "an API server takes no object of 3 MB"
)
BINDINGS: Final = Limit(
    "applyTo of all mutators", 100_000, "kinds", "mutators are held against one another for each of them"
)
CLOCK_EVERY: Final = 256
"""Steps between two looks at the clock: looking costs about as much as a mutator that does nothing."""

NAMED: Final = 5
"""Mutators that a message names; more hide it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutators:
    """A snapshot of mutators, in order; those in conflict are in ``disabled`` and not applied.

    ``asks``: one of those that are applied asks external data providers.
    """

    mutators: tuple[Mutator, ...] = ()
    disabled: tuple[Mutator, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    asks: bool = False
    _candidates: dict[tuple[GVK, Operation], tuple[tuple[int, Mutator], ...]] = field(default_factory=dict)

    @classmethod
    def build(cls, objects: Iterable[Object]) -> Mutators:
        """The mutators among these objects; what is wrong is left out and told in ``problems``."""
        problems: list[Diagnostic] = []
        found: dict[str, Mutator] = {}
        for object in objects:
            if not is_mutator(object):
                continue
            try:
                mutator = load_mutator(object)
            except DiagnosticError as error:
                problems += error.diagnostics
                continue
            other = found.get(mutator.policy)
            if other is not None and other.object.raw != object.raw:
                problems.append(_twice(object, other.object))
            problems += mutator.warnings
            found[mutator.policy] = mutator
        ordered = sorted(found.values(), key=lambda mutator: mutator.order)
        kept = _bounded(ordered, problems)
        cliques = schema.conflicts(kept)
        parted = {number for clique in cliques for number in clique}
        problems += _conflict_problems(kept, cliques)
        applied = tuple(row for number, row in enumerate(kept) if number not in parted)
        return cls(
            mutators=applied,
            disabled=tuple(row for number, row in enumerate(kept) if number in parted),
            problems=tuple(problems),
            asks=any(isinstance(row.setter, External) for row in applied),
        )

    def mutate(self, subject: Subject, occasion: Occasion = NO_OCCASION) -> Mutation:
        """Apply all mutators that match, until nothing changes.

        Raises DiagnosticError: POL040 if they do not come to an end, POL041 for one that does not fit the
        object, POL042 for one whose match cannot be answered, POL043 for a provider, POL044 for too much.
        """
        if not self.mutators:
            return Mutation(before=subject.object, object=subject.object)
        return _Run(self, subject, occasion).run()

    def candidates(self, gvk: GVK, operation: Operation) -> tuple[tuple[int, Mutator], ...]:
        """The mutators that may apply, with their places in the order: an index, filled as kinds come by."""
        key = (gvk, operation)
        known = self._candidates.get(key)
        if known is None:
            rows = enumerate(self.mutators)
            known = tuple(row for row in rows if row[1].applies(gvk, operation))
            self._candidates[key] = known
        return known


class _Run:
    """The mutation of one object."""

    def __init__(self, system: Mutators, subject: Subject, occasion: Occasion) -> None:
        object = subject.object
        self._system = system
        self._subject = subject
        self._occasion = occasion
        self._context = Context(name=object.name, namespace=object.namespace, username=occasion.username)
        self._steps = 0
        self._set = 0
        self._sizes: dict[int, int] = {}

    def run(self) -> Mutation:
        """All passes. The last one is the one that changes nothing, and is not told of."""
        before = object = self._subject.object
        changes: list[Change] = []
        seen, seen_at, since = object, 1, 0
        for number in range(1, len(self._system.mutators) + 2):
            new, made = self._pass(object)
            if new is object or patch.equal(new.raw, object.raw):
                return self._finish(before, object, changes, number - 1)
            changes += made
            object = new
            if patch.equal(object.raw, seen.raw):
                break
            if number == 2 * seen_at:
                # Brent's way to find a cycle: one state is kept, and replaced at each power of two.
                seen, seen_at, since = object, number, len(changes)
        raise DiagnosticError(_not_converging(before, changes[since:]))

    def _pass(self, object: Object) -> tuple[Object, list[Change]]:
        made: list[Change] = []
        rows = iter(self._rows(object, -1))
        while (row := next(rows, None)) is not None:
            position, mutator = row
            self._charge()
            new, edits = self._apply(mutator, object)
            if new is object:
                continue
            for path, old, value in edits:
                made.append(Change(mutator=mutator, path=path, old=old, new=value))
                self._charge_value(value)
            if new.gvk != object.gvk:
                rows = iter(self._rows(new, position))
            object = new
        return object, made

    def _rows(self, object: Object, after: int) -> Iterator[tuple[int, Mutator]]:
        """Those that may apply to an object, and come after a place in the order."""
        rows = self._system.candidates(object.gvk, self._occasion.operation)
        return (row for row in rows if row[0] > after)

    def _apply(self, mutator: Mutator, object: Object) -> tuple[Object, list[Edit]]:
        subject = self._subject if object is self._subject.object else replace(self._subject, object=object)
        try:
            if not mutator.match.matches(subject):
                return object, []
        except MatchError as error:
            raise DiagnosticError(_unmatched(mutator, object, error)) from None
        try:
            raw, edits = mutator.apply(object.raw, self._context, self._charge)
        except EditError as error:
            raise DiagnosticError(_failed(mutator, object, error)) from None
        return (object, []) if raw is object.raw else (object.replaced(raw), edits)

    def _charge(self) -> None:
        self._steps += 1
        if STEPS.exceeded_by(self._steps):
            raise DiagnosticError(self._too_long(str(STEPS)))
        deadline = self._occasion.deadline
        if deadline and self._steps % CLOCK_EVERY == 0 and deadline.passed():
            raise DiagnosticError(self._too_long("no time was left"))

    def _charge_value(self, value: Any) -> None:
        """Charge for a value as often as it is set: here all places share it, in what is sent they do not."""
        size = self._sizes.get(id(value))
        if size is None:
            size = _size(value)
            if isinstance(value, dict | list):
                # The change that holds the value is kept, so no other one can come to have its identity.
                self._sizes[id(value)] = size
        self._set += size
        if SET.exceeded_by(self._set):
            raise DiagnosticError(self._too_long(str(SET)))

    def _too_long(self, why: str) -> Diagnostic:
        object = self._subject.object
        message = f"mutation of {object.ref()} was stopped: {why}"
        return Diagnostic(code=codes.MUTATION_TOO_LONG, message=message, at=object.at())

    def _finish(self, before: Object, object: Object, changes: list[Change], passes: int) -> Mutation:
        if not any(isinstance(row.new, Placeholder) for row in changes):
            return Mutation(before=before, object=object, changes=tuple(changes), passes=passes)
        waiting = list(placeholders(object.raw))
        resolved = resolve(waiting, self._occasion.providers, self._occasion.deadline)
        for item in waiting:
            self._charge_value(resolved.values.get(item, ""))
        told = [
            Diagnostic(
                code=codes.PROVIDER_FAILED,
                level=Level.ERROR if item.reference.failure is FailurePolicy.FAIL else Level.WARNING,
                message=f"failed to resolve external data placeholders: {problem}",
                at=before.at(*_path_of(changes, item)),
                help=_helped(_FALLBACKS[item.reference.failure], help),
            )
            for item, problem, help in resolved.failures
        ]
        if any(row.level is Level.ERROR for row in told):
            raise DiagnosticError(told)
        return Mutation(
            before=before,
            object=object.replaced(replaced(object.raw, resolved.values)),
            changes=tuple(
                replace(row, old=_shown(row.old, resolved.values), new=_shown(row.new, resolved.values))
                for row in changes
            ),
            passes=passes,
            warnings=tuple(told),
        )


_FALLBACKS: Final = {
    FailurePolicy.FAIL: "the mutator's failurePolicy is Fail: nothing is admitted without the value",
    FailurePolicy.IGNORE: "the value that was there is kept, as the mutator's failurePolicy says",
    FailurePolicy.USE_DEFAULT: "the mutator's default is used, as its failurePolicy says",
}


def _size(value: Any) -> int:
    """About how many characters of JSON a value is."""
    size, stack = 0, [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            size += sum(map(len, item)) + 4 * len(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        size += len(item) + 2 if isinstance(item, str) else 2
    return size


def _path_of(changes: Sequence[Change], item: Any) -> Path:
    return next((row.path for row in reversed(changes) if row.new == item), ())


def _helped(fallback: str, help: str) -> str:
    """What follows from the failure policy, and what to do about it."""
    return f"{fallback}; {help}" if help else fallback


def _shown(value: Any, values: Mapping[Any, str]) -> Any:
    """A recorded value; a placeholder that a later mutator replaced was never asked for, and is its key."""
    return values.get(value, value.key) if isinstance(value, Placeholder) else value


def _bounded(mutators: Sequence[Mutator], problems: list[Diagnostic]) -> list[Mutator]:
    """The mutators whose kinds together stay within the limit."""
    kept: list[Mutator] = []
    count = 0
    for mutator in mutators:
        count += sum(len(row.groups) * len(row.versions) * len(row.kinds) for row in mutator.apply_to or ())
        if BINDINGS.exceeded_by(count):
            at = mutator.object.at("spec", "applyTo")
            message = f"{BINDINGS}; this mutator and those after it are not applied"
            problems.append(Diagnostic(code=codes.TOO_MANY_MUTATORS, message=message, at=at))
            break
        kept.append(mutator)
    return kept


def _conflict_problems(
    mutators: Sequence[Mutator], cliques: Iterable[tuple[int, ...]]
) -> Iterator[Diagnostic]:
    """A finding for each mutator that is disabled, which names some of those it is in conflict with."""
    told: set[int] = set()
    for clique in cliques:
        names = [mutators[number].policy for number in clique[: NAMED + 1]]
        more = f" and {len(clique) - len(names)} more" if len(clique) > len(names) else ""
        message = f"the following mutators have conflicting schemas: {', '.join(names)}{more}"
        for number in clique:
            if number in told:
                continue
            told.add(number)
            object = mutators[number].object
            other = mutators[clique[0] if clique[0] != number else clique[1]]
            yield Diagnostic(
                code=codes.CONFLICT,
                message=message,
                at=object.at("spec", "location"),
                help="none of them is applied; their locations must agree on what is a list, and its key",
                policy=mutators[number].policy,
            ).with_note(f"{other.policy} is here", other.object.at("spec", "location"))


def _twice(object: Object, other: Object) -> Diagnostic:
    return Diagnostic(
        code=codes.SAME_MUTATOR,
        message="this mutator is given twice with different contents; the last one holds",
        level=Level.WARNING,
        at=object.at("metadata", "name"),
    ).with_note("the other one is here", other.at("metadata", "name"))


def _not_converging(object: Object, made: Sequence[Change]) -> Diagnostic:
    mutators = list({row.mutator.policy: row.mutator for row in made}.values())
    names = ", ".join(mutator.policy for mutator in mutators[:NAMED])
    more = f" and {len(mutators) - NAMED} more" if len(mutators) > NAMED else ""
    problem = Diagnostic(
        code=codes.NOT_CONVERGING,
        message=f"mutation not converging for {object.ref()}: each pass changes what the one before it made",
        at=object.at(*(made[-1].path if made else ())),
        help=f"it goes round between {names}{more}",
    )
    for mutator in mutators[:NAMED]:
        problem = problem.with_note(f"{mutator.policy} is here", mutator.object.at("spec", "location"))
    return problem


def _failed(mutator: Mutator, object: Object, error: EditError) -> Diagnostic:
    return Diagnostic(
        code=codes.MUTATION_FAILED,
        message=f"mutation by {mutator.policy} failed for {object.ref()}: {error}",
        at=object.at(*error.path),
        policy=mutator.policy,
        help=error.help,
    ).with_note("the mutator's location is here", mutator.object.at("spec", "location"))


def _unmatched(mutator: Mutator, object: Object, error: MatchError) -> Diagnostic:
    namespace = object.namespace
    return Diagnostic(
        code=codes.MUTATION_UNMATCHED,
        message=f"matching for mutator {mutator.policy} failed for {object.ref()}: {error}",
        at=object.at("metadata", "namespace"),
        policy=mutator.policy,
        help=f"add the Namespace {namespace} to the input" if namespace else "",
    )
