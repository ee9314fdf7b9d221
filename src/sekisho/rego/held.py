"""Which expressions held on the way to a result, from the trail of the code that explains.

Values are told as short texts, and made so while the evaluation's limits still watch: a value may hold
another one a million million times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Span
from sekisho.rego.jsontext import quote
from sekisho.rego.numbers import text as number_text
from sekisho.rego.trail import Entries, Holds
from sekisho.rego.values import Number, Set, Value, sorted_keys, unkey

WINDOW: Final = 16
"""How many expressions back a part of an expression is looked for: what the checks split is split small."""

NAME: Final = 60
"""The longest text of a term that names a value."""

SHOWN: Final = 100
"""The longest text of a value: it is shown on one line."""

_KINDS: Final = frozenset({dict, list, Set, str, int, bool, Number, type(None)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An expression that held: the texts of terms in it, each with that of its value, perhaps cut short."""

    span: Span
    values: tuple[tuple[str, str], ...]


def held_of(entries: Entries, spans: Callable[[int], Span]) -> tuple[Held, ...]:
    """The expressions among these entries, in the order in which they held, each once with its values.

    The checks make expressions of their own of what stands inside others; those are told with the whole.
    """
    found: list[Held] = []
    seen: set[tuple[Any, ...]] = set()
    for entry in entries:
        if not isinstance(entry, Holds):
            continue
        span = spans(entry.position)
        values = dict(_named(entry, span.source.text))
        place = (entry.position, *values.values())
        if place in seen:
            continue
        seen.add(place)
        for part in [held for held in found[-WINDOW:] if _inside(held.span, span)]:
            found.remove(part)
            values = dict(part.values) | values
        found.append(Held(span=span, values=tuple(values.items())))
    return tuple(found)


def _named(entry: Holds, text: str) -> Iterator[tuple[str, str]]:
    """The values of an expression by the text of their terms; long texts say nothing new."""
    for start, end, value in entry.parts:
        name = " ".join(text[start:end].split())
        if name != "_" and 0 < len(name) <= NAME and type(value) in _KINDS:
            yield name, short(value)


def _inside(inner: Span, outer: Span) -> bool:
    return (
        inner.source is outer.source
        and outer.start <= inner.start
        and inner.end <= outer.end
        and (inner.start, inner.end) != (outer.start, outer.end)
    )


def short(value: Value) -> str:
    """A value on one line, as Rego writes it, cut after ``SHOWN`` characters."""
    parts: list[str] = []
    length = 0
    for piece in _pieces(value):
        parts.append(piece)
        length += len(piece)
        if length > SHOWN:
            return f"{''.join(parts)[: SHOWN - 1]}…"
    return "".join(parts)


def _pieces(value: Value) -> Iterator[str]:
    """The text of a value, bit by bit."""
    kind = type(value)
    if kind is str:
        yield quote(value[: SHOWN + 1])
    elif value is None:
        yield "null"
    elif kind is bool:
        yield "true" if value else "false"
    elif kind is dict:
        before = "{"
        for form in sorted_keys(value):
            yield before
            yield from _pieces(unkey(form))
            yield ": "
            yield from _pieces(value[form])
            before = ", "
        yield "}" if value else "{}"
    elif kind is Set and not len(value):
        yield "set()"
    elif kind is list or kind is Set:
        before, after = "[]" if kind is list else "{}"
        yield before
        for at, item in enumerate(value if kind is list else value.sorted()):
            if at:
                yield ", "
            yield from _pieces(item)
        yield after
    else:
        yield number_text(value)
