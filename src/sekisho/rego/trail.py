"""The trail: what a derivation has read, for the code that explains.

An entry is a read of a container under a key, missing or not; or a note that a container which the evaluation
built itself was used, whose own reads are kept beside it (``notes``): those of each element, and those of the
whole. A derivation that went to single elements stands on their reads, any other on those of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sekisho.diag import Span
from sekisho.rego.documents import data_at
from sekisho.rego.runtime import GLOBALS, get, put
from sekisho.rego.state import NEW, EvalState, Rule
from sekisho.rego.values import UNDEFINED, Set, Value, key, sorted_keys, unkey

LONGEST: Final = 100_000
"""Entries of what failed that one loop keeps: more explain nothing to anybody."""


class Entry(NamedTuple):
    """``container[key]`` was read at a position; it was ``missing``; this was under ``not`` (``negated``)."""

    container: Value
    key: Value
    missing: bool
    position: int
    negated: bool


class Use(NamedTuple):
    """A built container was used as a ``whole``, or by its elements, whose reads follow."""

    container: Value
    whole: bool


class Holds(NamedTuple):
    """The expression at a position has held; ``parts`` are terms in it: start, end and value."""

    position: int
    parts: tuple[tuple[int, int, Value], ...]


Entries = list[Entry | Use | Holds]
Mark = tuple[int, int]


@dataclass(slots=True)
class Notes:
    """The reads that a built container stands on; ``container`` keeps it alive, so that its id is its own."""

    container: Value
    elements: dict[Any, Entries]
    whole: Entries


@dataclass(slots=True)
class Trail:
    """What is noted while one evaluation runs; shared by the states that ``with`` makes.

    ``turns`` are the running loops: where the trail stood when the loop began, and when its turn began.
    ``rules`` has the reads that values of rules stand on, by state and number.
    """

    entries: Entries = field(default_factory=list)
    turns: list[tuple[int, int]] = field(default_factory=list)
    notes: dict[int, Notes] = field(default_factory=dict)
    rules: dict[tuple[int, int], Entries] = field(default_factory=dict)
    states: list[EvalState] = field(default_factory=list)
    under: int = 0

    def derivation(self, mark: Mark) -> Entries:
        """The entries since a mark, without those of turns that are over."""
        at, depth = mark
        found: Entries = []
        for begun, turn in self.turns[depth:]:
            found += self.entries[at:begun]
            at = turn
        return found + self.entries[at:]


def _trail(state: EvalState) -> Trail:
    trail = state.trail
    assert isinstance(trail, Trail)
    return trail


def trail_mark(state: EvalState) -> Mark:
    """Where the trail stands."""
    trail = _trail(state)
    return len(trail.entries), len(trail.turns)


def trail_settle(state: EvalState, start: Mark, mark: Mark) -> None:
    """A solution is the result: since ``start``, only its reads since ``mark`` count."""
    trail = _trail(state)
    trail.entries[start[0] :] = trail.derivation(mark)


def trail_keep(state: EvalState, kept: Entries | None, mark: Mark) -> Entries:
    """The reads of the first of several solutions."""
    return _trail(state).derivation(mark) if kept is None else kept


def trail_restore(state: EvalState, start: Mark, kept: Entries | None) -> None:
    """Of what was read since ``start``, only what was kept counts."""
    if kept is not None:
        _trail(state).entries[start[0] :] = kept


def trail_sink(state: EvalState) -> None:
    """A negation begins."""
    _trail(state).under += 1


def trail_rise(state: EvalState) -> None:
    """A negation ends."""
    _trail(state).under -= 1


def trail_held(state: EvalState, position: int, parts: tuple[tuple[int, int, Value], ...]) -> None:
    """An expression has held; under a negation that explains nothing."""
    trail = _trail(state)
    if not trail.under:
        trail.entries.append(Holds(position, parts))


def trail_forget(state: EvalState, start: Mark) -> None:
    """No clause had a solution: nothing that held since ``start`` leads to the result."""
    entries = _trail(state).entries
    entries[start[0] :] = [entry for entry in entries[start[0] :] if not isinstance(entry, Holds)]


def trail_get(state: EvalState, position: int, look: Any, base: Value, step: Value) -> Value:
    """A lookup of one key."""
    value = look(base, step)
    note(_trail(state), position, base, step, missing=value is UNDEFINED)
    return value


def note(trail: Trail, position: int, base: Value, step: Value, *, missing: bool) -> None:
    """Note a read; of an element of a built container, the reads it stands on."""
    notes = trail.notes.get(id(base))
    if notes is not None:
        own = notes.elements.get(key(step))
        if own is not None:
            trail.entries.append(Use(base, whole=False))
            trail.entries += own
            return
    trail.entries.append(Entry(base, step, missing, position, trail.under > 0))


def trail_path(state: EvalState, position: int, base: Value, steps: tuple[str, ...]) -> Value:
    """A lookup of several keys: the last read, or the one that misses, is noted."""
    trail = _trail(state)
    value = base
    for at, step in enumerate(steps):
        base, value = value, get(value, step)
        if value is UNDEFINED or at == len(steps) - 1 or id(base) in trail.notes:
            note(trail, position, base, step, missing=value is UNDEFINED)
        if value is UNDEFINED:
            break
    return value


def trail_lookup(state: EvalState, position: int, base: Value, path: Value, default: Value) -> None:
    """Note what ``object.get`` looks up."""
    del default
    steps = path if type(path) is list else [path]
    trail = _trail(state)
    value = base
    for at, step in enumerate(steps):
        base, value = value, get(value, step)
        if value is UNDEFINED or at == len(steps) - 1:
            note(trail, position, base, step, missing=value is UNDEFINED)
            return


def trail_scan(state: EvalState, position: int, base: Value, pairs: bool, ordered: bool) -> Iterator[Any]:
    """The turns of a loop through a container, each marked and noted."""
    trail = _trail(state)
    for step, value in trail_turns(state, _elements(base, ordered)):
        note(trail, position, base, step, missing=False)
        yield (step, value) if pairs else value


def _elements(base: Value, ordered: bool) -> Iterable[tuple[Value, Value]]:
    kind = type(base)
    if kind is dict:
        return [(unkey(k), base[k]) for k in (sorted_keys(base) if ordered else base)]
    if kind is list:
        return list(enumerate(base))
    if kind is Set:
        elements = base.sorted() if ordered else base.loose()
        return list(zip(elements, elements, strict=True))
    return ()


def trail_turns(state: EvalState, values: Iterable[Any]) -> Iterator[Any]:
    """The turns of any loop, each marked."""
    trail = _trail(state)
    depth = len(trail.turns)
    begun = len(trail.entries)
    trail.turns.append((begun, begun))
    try:
        for value in state.meter.watch(values):
            if len(trail.entries) - begun > LONGEST:
                del trail.entries[begun:]
            trail.turns[depth] = (begun, len(trail.entries))
            yield value
    finally:
        del trail.turns[depth:]


def trail_rule(state: EvalState, group: int, rule: Rule, path: tuple[str, ...] | None) -> Value:
    """The value of a rule; the trail gets the reads that it stands on."""
    if path is not None:
        for target in state.targets:
            if path[: len(target)] == target:
                return data_at(state, path)
    trail = _trail(state)
    place = (id(state), group)
    value = state.slots[group]
    if value is NEW:
        start = len(trail.entries)
        under, trail.under = trail.under, 0
        value = state.slots[group] = rule(state)
        trail.under = under
        own = trail.entries[start:]
        del trail.entries[start:]
        trail.rules[place] = own
        trail.states.append(state)
    if id(value) in trail.notes:
        trail.entries.append(Use(value, whole=True))
        return value
    own = trail.rules.get(place, [])
    if trail.under:
        own = [
            entry._replace(negated=True) if isinstance(entry, Entry) else entry
            for entry in own
            if not isinstance(entry, Holds)
        ]
    trail.entries += own
    return value


class Gathered:
    """Takes what solutions give, each with its reads; ``kind`` is array, set or object."""

    __slots__ = ("_kind", "elements", "keys", "values")

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.values: list[Value] = []
        self.keys: dict[Any, Value] = {}
        self.elements: dict[Any, Entries] = {}

    def __len__(self) -> int:
        return len(self.values) + len(self.keys)

    def add(self, state: EvalState, position: int, mark: Mark, form: Any, value: Value) -> None:
        """Take what one solution gives."""
        if self._kind == "array":
            form = len(self.values)
            self.values.append(value)
        elif self._kind == "set":
            form = key(value)
            self.keys[form] = value
        else:
            put(state, position, self.keys, form, value)
        if form not in self.elements:
            self.elements[form] = _trail(state).derivation(mark)

    def finish(self, state: EvalState, mark: Mark) -> Value:
        """The collection; all that was read since ``mark`` is its own from now on."""
        trail = _trail(state)
        if self._kind == "array":
            value: Value = self.values
        else:
            value = Set(set(self.keys)) if self._kind == "set" else self.keys
        whole = trail.entries[mark[0] :]
        del trail.entries[mark[0] :]
        trail.notes[id(value)] = Notes(value, self.elements, whole)
        trail.entries.append(Use(value, whole=True))
        return value


# --- reads ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A read of the input on the way to a result: its path from the input, the span of what read it.

    ``missing``: there was nothing at the path (but there was at the path without its last step). ``negated``:
    it was read under ``not``. ``gathered``: it was read for a collection that was then used as a whole.
    """

    path: tuple[str | int, ...]
    missing: bool
    span: Span
    negated: bool
    gathered: bool


def reads_of(
    trail: Trail, entries: Entries, paths: dict[int, tuple[str | int, ...]], spans: Any
) -> tuple[Read, ...]:
    """The reads of the input among these entries, in their order, each once."""
    found: dict[tuple[Any, ...], Read] = {}
    for entry, gathered in _expanded(trail, entries, False, set()):
        base = paths.get(id(entry.container))
        if base is None or not isinstance(entry.key, str | int) or isinstance(entry.key, bool):
            continue
        path = (*base, entry.key)
        place = (path, entry.position)
        if place not in found:
            found[place] = Read(
                path=path,
                missing=entry.missing,
                span=spans(entry.position),
                negated=entry.negated,
                gathered=gathered,
            )
    return tuple(found.values())


def _expanded(trail: Trail, entries: Entries, gathered: bool, seen: set[int]) -> Iterator[tuple[Entry, bool]]:
    by_element = {id(e.container) for e in entries if isinstance(e, Use) and not e.whole}
    for entry in entries:
        if isinstance(entry, Entry):
            yield entry, gathered
        elif isinstance(entry, Use) and entry.whole and id(entry.container) not in by_element | seen:
            seen.add(id(entry.container))
            yield from _expanded(trail, trail.notes[id(entry.container)].whole, True, seen)


def input_paths(document: Value) -> dict[int, tuple[str | int, ...]]:
    """Where each container of the input stands, by id; the first place of one that stands in several."""
    paths: dict[int, tuple[str | int, ...]] = {}
    stack: list[tuple[Value, tuple[str | int, ...]]] = [(document, ())]
    while stack:
        value, path = stack.pop()
        if type(value) not in (dict, list) or id(value) in paths:
            continue
        paths[id(value)] = path
        steps: Iterable[tuple[Any, Value]] = value.items() if type(value) is dict else enumerate(value)
        stack.extend((inner, (*path, step)) for step, inner in steps)
    return paths


TRACED_GLOBALS: Final[dict[str, object]] = {
    **GLOBALS,
    "Gathered": Gathered,
    "trail_forget": trail_forget,
    "trail_get": trail_get,
    "trail_held": trail_held,
    "trail_keep": trail_keep,
    "trail_lookup": trail_lookup,
    "trail_mark": trail_mark,
    "trail_path": trail_path,
    "trail_restore": trail_restore,
    "trail_rise": trail_rise,
    "trail_rule": trail_rule,
    "trail_scan": trail_scan,
    "trail_settle": trail_settle,
    "trail_sink": trail_sink,
    "trail_turns": trail_turns,
}
