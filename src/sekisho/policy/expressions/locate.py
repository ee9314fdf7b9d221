"""Which field of the object a failing validation is about: by what it read on the way to its result.

An expression that reads variables stands on what those read. Where a comprehension went through many items,
the reads that happened for the fewest of them tell which items it was about: what a filter kept, what a
message was made of. Else the last thing counts that was read, leaving out what merely identifies the object.

A policy can also say it. Where a message is read from an entry of a variable's list, and that entry has a
part of the object in ``at`` and steps from there in ``path``, the field is the one that they lead to:
``{"at": container, "path": ["securityContext", "privileged"], "message": "…"}``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sekisho import cel
from sekisho.cel.trail import Read
from sekisho.diag import DiagnosticError, Path
from sekisho.kube.object import value_at
from sekisho.policy.expressions import names
from sekisho.policy.expressions.compiled import Compiled, Program
from sekisho.policy.expressions.evaluate import BUDGET, CALL, Scope
from sekisho.policy.expressions.inputs import Inputs

OBJECTS: Final = (names.OBJECT, names.OLD_OBJECT)

IDENTITY: Final = frozenset({"name", "namespace", "generateName", "kind", "apiVersion"})
"""Fields that say which object, container or rule it is; at fault only if nothing else was read."""

AT: Final = "at"
STEPS: Final = "path"

DEPTH: Final = 20
"""Variables that stand on variables: more explain nothing."""


class _Read(NamedTuple):
    """A read of the object; ``place`` is where in which expression."""

    path: Path
    place: tuple[int, int, int]


def fault_path(compiled: Compiled, index: int, inputs: Inputs) -> Path:
    """The path inside the object that validation ``index`` is about, empty for the object as a whole."""
    finder = _Finder(compiled, inputs)
    try:
        return finder.place(compiled.validations[index], compiled.messages[index])
    except DiagnosticError:
        return ()  # there is no time left to find out


class _Finder:
    """Evaluates once more, and looks at what is read."""

    def __init__(self, compiled: Compiled, inputs: Inputs) -> None:
        self._compiled = compiled
        self._values = inputs.activation(authorizer=True)
        self._bounds = cel.Bounds(cost=CALL.value, deadline=inputs.deadline)
        self._scope = Scope(compiled, self._values, BUDGET.value, inputs)
        self._places: dict[int, Path] = {}
        for name in OBJECTS:
            self._places = {**_places(self._values[name]), **self._places}

    def place(self, validation: Program, message: Program | None) -> Path:
        said = self._said(message.program) if message is not None else None
        return self._path(validation.program) if said is None else said

    def _path(self, program: cel.Program) -> Path:
        direct = program.reads(self._values, bounds=self._bounds)
        reads = list(self._with_variables(direct, DEPTH, set()))
        kept: Path = ()
        if not any(self._in_object(read) is not None for read in direct):
            found = [str(read.path[0]) for read in direct if read.variable == names.VARIABLES and read.path]
            kept = self._kept(reversed(found), reads)
        return _fault(reads, kept or _rare(reads))

    def _said(self, message: cel.Program) -> Path | None:
        """Where the first entry says it is that a message is read from; None if none does."""
        for read in message.reads(self._values, bounds=self._bounds):
            if read.variable == names.VARIABLES and len(read.path) > 1:
                entry = value_at(dict.get(self._values[names.VARIABLES], read.path[0]), read.path[1:2])
                if isinstance(entry, dict) and {AT, STEPS} <= entry.keys():
                    place, steps = self._places.get(id(entry[AT])), entry[STEPS]
                    if place is not None and isinstance(steps, list | tuple):
                        return (*place, *_present(entry[AT], steps))
        return None

    def _with_variables(self, found: Sequence[Read], depth: int, seen: set[str]) -> Iterator[_Read]:
        """The reads of the object, with those of the variables that are read, in their order."""
        for read in found:
            if read.variable == names.VARIABLES and read.path and depth:
                name = str(read.path[0])
                variable = self._compiled.variables.get(name)
                if variable is not None and name not in seen:
                    seen.add(name)
                    below = variable.program.reads(self._values, bounds=self._bounds)
                    yield from self._with_variables(below, depth - 1, seen)
            path = self._in_object(read)
            if path is not None:
                yield _Read(path, (id(read.span.source), read.span.start, read.span.end))

    def _in_object(self, read: Read) -> Path | None:
        """Where a read is in the object; None if what it is of is not part of it.

        The value of a variable may be a part of the object, or a list of such parts.
        """
        if read.variable in OBJECTS:
            return read.path
        if read.variable != names.VARIABLES or len(read.path) < 2:
            return None
        value: Any = dict.get(self._values[names.VARIABLES], read.path[0])
        found: Path | None = None
        for step in read.path[1:]:
            place = self._places.get(id(value))
            if place is not None:
                found = (*place, step)
            elif found is not None:
                found = (*found, step)
            value = value_at(value, (step,))
        return found

    def _kept(self, variables: Iterable[str], reads: Sequence[_Read]) -> Path:
        """The first item of the object that stands in a variable's new list, since a filter kept it.

        Of a list that was made of items, the first item that something was read of for the fewest.
        """
        known, places = self._values[names.VARIABLES], self._places
        for name in variables:
            value = dict.get(known, name)
            if isinstance(value, list) and id(value) not in places:
                found = [places[id(item)] for item in value if isinstance(item, dict) and id(item) in places]
                if found:
                    return found[0]
                if value:
                    return _rare(reads, all_alike=True)
        return ()


def _present(value: Any, steps: Iterable[Any]) -> Iterator[str | int]:
    """Steps down a value as far as it goes, and the first that it lacks."""
    for step in steps:
        yield step
        value = value_at(value, (step,))
        if value is None:
            return


def _places(value: Any) -> dict[int, Path]:
    """Where each mapping and list of an object stands, by id."""
    found: dict[int, Path] = {}
    todo: list[tuple[Any, Path]] = [(value, ())]
    while todo:
        item, path = todo.pop()
        if isinstance(item, dict | list):
            found[id(item)] = path
            rows = item.items() if isinstance(item, dict) else enumerate(item)
            todo += ((inner, (*path, step)) for step, inner in rows)
    return found


def _fault(reads: Sequence[_Read], focus: Path) -> Path:
    """The last telling read, within the item that stands out if one does."""
    telling = [read for read in reads if not _identifies(read.path)]
    if focus:
        inside = [read for read in telling if read.path[: len(focus)] == focus]
        return inside[-1].path if inside else focus
    if not telling:
        return ()
    last = telling[-1]
    # What was read of several items at one place of the expression is about all of them.
    return _common([read.path for read in telling if read.place == last.place])


def _rare(reads: Sequence[_Read], *, all_alike: bool = False) -> Path:
    """The first item of which something was read that was not of all, empty if none stands out.

    ``all_alike``: where the same was read of all, the first of them does.
    """
    items: dict[tuple[int, int, int], dict[Path, None]] = defaultdict(dict)
    for read in reads:
        item = _item(read.path)
        if item:
            items[read.place][item] = None
    counts = {len(found) for found in items.values()}
    if not counts or (len(counts) == 1 and not all_alike):
        return ()
    rarest = [found for found in items.values() if len(found) == min(counts)][-1]
    return next(iter(rarest))


def _item(path: Path) -> Path:
    """The path up to its last index."""
    for length in range(len(path), 0, -1):
        if isinstance(path[length - 1], int):
            return path[:length]
    return ()


def _identifies(path: Path) -> bool:
    return not path or (
        path[-1] in IDENTITY and (len(path) == 1 or path[0] == "metadata" or path[-1] == "name")
    )


def _common(paths: Sequence[Path]) -> Path:
    """The longest beginning that all have."""
    first = paths[0]
    for length in range(len(first), 0, -1):
        if all(path[:length] == first[:length] for path in paths):
            return first[:length]
    return ()
