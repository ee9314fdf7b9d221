"""Which field of an object a violation is about (ADR 8).

1. The template may name it: ``details.path``, a dotted path or a list of steps.
2. Else it is derived from what the violating derivation read of the object: the last thing that its
   conditions read, leaving out what only went into the message, and what merely identifies the object.
3. Else it is the object itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from sekisho.diag import Deadline, DiagnosticError, Limit, Path
from sekisho.kube.object import value_at
from sekisho.policy.template import Template
from sekisho.rego import Options, Read
from sekisho.rego.values import Value, key

OBJECT: Final = ("review", "object")
"""Where the object stands in a template's input."""

IDENTITY: Final = frozenset({"name", "namespace", "generateName", "kind", "apiVersion"})
"""Fields that say which object, container or rule it is; at fault only if nothing else was read."""

LOCATED: Final = Limit(
    "what is located or explained",
    1_000,
    "violations of a constraint by an object",
    "nobody reads more of one object; each may stand on all that was read",
)
"""Where there are more of them, all point at the object, unless the template names their fields."""

_STEP: Final = re.compile(r"""\.?([^.\[\]"']+)|\[(\d+)\]|\[["']([^"']*)["']\]""")


def parse_path(text: str) -> Path | None:
    """The steps of ``spec.containers[0].image`` or ``metadata.labels["a.b/c"]``; None if it is no path."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            return None
        name, index, quoted = found.groups()
        steps.append(int(index) if index is not None else name if name is not None else quoted)
        at = found.end()
    return tuple(steps)


class Positions:
    """Finds the fields of one object's violations of one constraint; evaluates once more, at most once."""

    def __init__(
        self,
        template: Template,
        input: Mapping[str, Any],
        data: Mapping[str, Any],
        options: Options,
        deadline: Deadline | None = None,
    ) -> None:
        self._template = template
        self._input = input
        self._data = data
        self._options = options
        self._deadline = deadline

    def path(self, element: Value, details: Any, *, derive: bool = True) -> Path:
        """The path inside the object, empty for the object as a whole; ``derive`` it unless it is named."""
        named = self._named(details)
        if named is not None or not derive:
            return named or ()
        reads = self._reads.get(key(element), ())
        return _fault([read for read in reads if read.path[:2] == OBJECT], self._stretches)

    @cached_property
    def _stretches(self) -> _Stretches:
        return _Stretches.of(self._template)

    @cached_property
    def _reads(self) -> dict[Any, tuple[Read, ...]]:
        """What each element of the violations stands on; nothing where the explaining evaluation fails."""
        try:
            found = self._template.explain(self._input, self._data, self._options, self._deadline)
        except DiagnosticError:
            # The plain evaluation succeeded within its limits; explaining costs more and may not. The
            # violation stands, and points at the object.
            return {}
        return {key(element): reads for element, reads in found}

    def _named(self, details: Any) -> Path | None:
        """The path that the template names, if the object has at least its first step."""
        named = details.get("path") if isinstance(details, dict) else None
        if isinstance(named, str):
            path = parse_path(named)
        elif isinstance(named, list) and all(type(step) in (str, int) for step in named):
            path = tuple(named)
        else:
            return None
        if not path or value_at(self._input["review"]["object"], path[:1]) is None:
            return None
        return path


class _Stretches(NamedTuple):
    """What the template's facts say of stretches of its sources, which go by their ids.

    ``text`` are those that make messages, ``loops`` the places of what reads elements of collections.
    """

    text: Mapping[int, Sequence[tuple[int, int]]]
    loops: frozenset[tuple[int, int, int]]

    @classmethod
    def of(cls, template: Template) -> _Stretches:
        sources = [id(source) for source in template.program.sources]
        return cls(
            text={source: _pairs(row) for source, row in zip(sources, template.facts.texts, strict=True)},
            loops=frozenset(
                (source, start, end)
                for source, row in zip(sources, template.facts.loops, strict=True)
                for start, end in _pairs(row)
            ),
        )


def _pairs(row: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip(row[::2], row[1::2], strict=True))


def _fault(reads: Sequence[Read], known: _Stretches) -> Path:
    conditions = [read for read in reads if not _within_text(read, known)] or list(reads)
    telling = [read for read in conditions if not _identifies(read.path[2:])] or conditions
    if not telling:
        return ()
    last = telling[-1]
    if not last.gathered:
        return last.path[2:]
    # A collection was built of them all: it is at fault as a whole, not its last element.
    paths = _leaves([read.path[2:] for read in telling if read.gathered and read.span == last.span])
    if _place(last) in known.loops:
        paths = [path[:-1] for path in paths]
    return _common(paths)


def _within_text(read: Read, known: _Stretches) -> bool:
    start, end = read.span.start, read.span.end
    return any(a <= start and end <= b for a, b in known.text.get(id(read.span.source), ()))


def _identifies(path: Path) -> bool:
    return not path or (
        path[-1] in IDENTITY and (len(path) == 1 or path[0] == "metadata" or path[-1] == "name")
    )


def _leaves(paths: Sequence[Path]) -> list[Path]:
    """The paths without those that lead to another of them."""
    inner = {path[:length] for path in paths for length in range(len(path))}
    return [path for path in paths if path not in inner]


def _common(paths: Sequence[Path]) -> Path:
    """The longest beginning that all have."""
    first = paths[0]
    for length in range(len(first), 0, -1):
        if all(path[:length] == first[:length] for path in paths):
            return first[:length]
    return ()


def _place(read: Read) -> tuple[int, int, int]:
    return id(read.span.source), read.span.start, read.span.end
