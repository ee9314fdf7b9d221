"""What others see of mutation: when it is done, what it gives, and that there may be none.

Nothing here reads a mutator, so that whoever has none does not import what would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

from sekisho.kube import patch
from sekisho.kube.object import Object
from sekisho.kube.review import Operation

if TYPE_CHECKING:
    from sekisho.diag import Deadline, Diagnostic, Path
    from sekisho.policy.external import Providers
    from sekisho.policy.match import Subject
    from sekisho.policy.mutation.mutator import Mutator

GROUP: Final = "mutations.gatekeeper.sh"
KINDS: Final = frozenset({"Assign", "AssignImage", "AssignMetadata", "ModifySet"})


def is_mutator(object: Object) -> bool:
    """Whether an object is a mutator, of any version."""
    return object.gvk.group == GROUP and object.kind in KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that a mutator set. ``old`` is ABSENT where there was none."""

    mutator: Mutator
    path: Path
    old: Any
    new: Any


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """What the mutators made of an object. ``passes`` counts those that changed something.

    ``changes`` are in the order in which they were made; a later one may have undone an earlier one.
    """

    before: Object
    object: Object
    changes: tuple[Change, ...] = ()
    passes: int = 0
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def mutated(self) -> bool:
        """Whether the object was changed."""
        return self.object is not self.before

    @cached_property
    def patch(self) -> tuple[Mapping[str, Any], ...]:
        """The JSON patch that makes the object of the one before."""
        return tuple(patch.create(self.before.raw, self.object.raw)) if self.mutated else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When and for whom an object is mutated. Without an operation only mutators for all of them apply."""

    operation: Operation = Operation.NONE
    username: str = ""
    providers: Providers | None = None
    deadline: Deadline | None = None


NO_OCCASION: Final = Occasion()
"""No operation, by nobody: what an audit and an expansion have."""


class Snapshot(Protocol):
    """Mutators in order, those that are disabled by conflicts, and what was wrong with the rest."""

    @property
    def mutators(self) -> Sequence[Mutator]:
        """Those that are applied."""

    @property
    def problems(self) -> Sequence[Diagnostic]:
        """What was wrong."""

    @property
    def asks(self) -> bool:
        """Whether one of them asks external data providers."""

    def mutate(self, subject: Subject, occasion: Occasion = ...) -> Mutation:
        """Apply all that match; raises DiagnosticError (POL040-POL044)."""


@dataclass(frozen=True, slots=True)
class _None:
    """No mutators at all: every object stays as it is."""

    mutators: tuple[Mutator, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    asks: bool = False

    def mutate(self, subject: Subject, occasion: Occasion = NO_OCCASION) -> Mutation:  # noqa: ARG002
        """The object as it is."""
        return Mutation(before=subject.object, object=subject.object)


NO_MUTATORS: Final = _None()
