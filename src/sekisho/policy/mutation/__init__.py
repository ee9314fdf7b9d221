"""Gatekeeper's mutators: Assign, AssignMetadata, ModifySet and AssignImage."""

from sekisho.policy.mutation.load import is_mutator, load_mutator
from sekisho.policy.mutation.location import Location, LocationError, parse_location
from sekisho.policy.mutation.mutator import GROUP, Mutator
from sekisho.policy.mutation.system import (
    NO_MUTATORS,
    NO_OCCASION,
    Change,
    Mutation,
    Mutators,
    Occasion,
)

__all__ = [
    "GROUP",
    "NO_MUTATORS",
    "NO_OCCASION",
    "Change",
    "Location",
    "LocationError",
    "Mutation",
    "Mutator",
    "Mutators",
    "Occasion",
    "is_mutator",
    "load_mutator",
    "parse_location",
]
