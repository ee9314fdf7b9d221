"""ModifySet: adds values to a list that is used as a set, or takes them out of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from sekisho.kube.fielderror import shown
from sekisho.kube.schema import ABSENT
from sekisho.policy import codes
from sekisho.policy.mutation.edit import Context, SetError
from sekisho.policy.mutation.location import Item
from sekisho.policy.mutation.mutator import Mutator, Reader, Terminal


@dataclass(frozen=True, slots=True)
class SetOf:
    """A setter that merges values into a list or prunes them from it; the order of what stays is kept."""

    values: tuple[Any, ...]
    prune: bool = False

    def value(self, old: Any, context: Context) -> Any:  # noqa: ARG002 - the protocol's shape
        """The new list. A list that is not there has nothing to be pruned."""
        if old is ABSENT:
            return ABSENT if self.prune else list(self.values)
        if not isinstance(old, list):
            raise SetError(f"{shown(old)} is not a list of values, cannot treat it as a set")
        if self.prune:
            pruned = {_key(value) for value in self.values}
            return [item for item in old if _key(item) not in pruned]
        out, there = old.copy(), {_key(item) for item in old}
        for value in self.values:
            if (key := _key(value)) not in there:
                there.add(key)
                out.append(value)
        return out

    def item(self, context: Context) -> Mapping[str, Any]:  # noqa: ARG002 - the protocol's shape
        """Never an item: the loader refuses it."""
        raise SetError("mutator does not understand keyed lists")


def _key(value: Any) -> Hashable:
    """What equal values have in common and others do not: 1 is 1.0, and true is not 1."""
    if isinstance(value, dict):
        return (dict, frozenset((name, _key(item)) for name, item in value.items()))
    if isinstance(value, list):
        return (list, tuple(map(_key, value)))
    return (type(value) is bool, value)


def load(reader: Reader) -> Mutator:
    """The mutator in a ModifySet; raises DiagnosticError with everything that is wrong with it."""
    location = reader.location()
    reader.forbid_metadata(location, "modifyset")
    if location.steps and isinstance(location.steps[-1], Item):
        reader.forbid("final node in a modifyset location cannot be a keyed list")
    tests, match, apply_to = reader.path_tests(location), reader.match(), reader.apply_to()
    values = (reader.parameters.get("values") or {}).get("fromList") or []
    if not isinstance(values, list):
        path = ("spec", "parameters", "values", "fromList")
        reader.report(codes.BAD_ASSIGN, path, "values.fromList must be a list")
    reader.finish()
    return Mutator(
        object=reader.object,
        location=location,
        tests=tests,
        setter=SetOf(tuple(values), prune=reader.parameters.get("operation") == "prune"),
        match=match,
        apply_to=apply_to,
        terminal=Terminal.SET,
        warnings=reader.warnings(),
    )
