"""The templates of ``format``: what stands between ``%`` and its verb, in cel-go's words.

A version of format is a table of verbs. A verb gets the value and the precision (None where none was
written) and gives the text. What is wrong with a clause names the clause's part that is wrong; a value of a
type that the verb does not take is ``Refused``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sekisho.cel.errors import CelError
from sekisho.cel.values import Value
from sekisho.lang.golang.gotext import quote
from sekisho.lang.meter import Meter

PRECISION: Final = 6
"""Digits behind the point where no precision is written."""

INT_MAX: Final = (1 << 63) - 1

VERBS: Final = "sdfebxXo"

Verb = Callable[[Value, int | None], str]


class Refused(Exception):
    """A verb does not take values of a type. The message is cel-go's."""


@dataclass(frozen=True, slots=True)
class Clause:
    """``%.2f``: the verb, and the precision if there is one."""

    verb: str
    precision: int | None


def clauses(template: str, count: int, limit: int) -> Iterator[str | Clause]:
    """The pieces of a template, in their order, for so many values.

    ``limit`` bounds the precision, 0 does not. Raises CelError at the piece that is wrong.
    """
    at, taken = 0, 0
    while True:
        found = template.find("%", at)
        if found < 0:
            yield template[at:]
            return
        yield template[at:found]
        if template[found + 1 : found + 2] == "%":
            yield "%"
            at = found + 2
            continue
        if taken >= count:
            raise CelError(f"index {taken} out of range")
        taken += 1
        if found + 1 == len(template):
            raise CelError("unexpected end of string")
        at, clause = _clause(template, found + 1, limit)
        yield clause


def _clause(template: str, at: int, limit: int) -> tuple[int, Clause]:
    precision = None
    if template[at] == ".":
        at, precision = _precision(template, at + 1, limit)
    verb = template[at]
    if verb not in VERBS:
        shown = chr(verb.encode("utf-8", "surrogatepass")[0])  # cel-go looks at bytes
        raise CelError(f'could not parse formatting clause: unrecognized formatting clause "{shown}"')
    return at + 1, Clause(verb, precision)


def _precision(template: str, at: int, limit: int) -> tuple[int, int]:
    end = at
    while end < len(template) and template[end] in "0123456789":
        end += 1
    digits = template[at:end]
    if end == len(template):
        raise _bad_precision("could not find end of precision specifier")
    wrong = f"error while converting precision to integer: strconv.Atoi: parsing {quote(digits)}: "
    if not digits:
        raise _bad_precision(f"{wrong}invalid syntax")
    bare = digits.lstrip("0") or "0"
    if len(bare) > 19 or int(bare) > INT_MAX:
        raise _bad_precision(f"{wrong}value out of range")
    precision = int(bare)
    if limit and precision > limit:
        raise _bad_precision(f"precision {precision} exceeds maximum allowed precision {limit}")
    return end, precision


def _bad_precision(reason: str) -> CelError:
    return CelError(f"could not parse formatting clause: error while parsing precision: {reason}")


def render(
    meter: Meter, template: str, values: Sequence[Value], verbs: Mapping[str, Verb], limit: int = 0
) -> str:
    """The template with each clause replaced by its value. Values that no clause takes are left out."""
    out: list[str] = []
    taken = length = 0
    for piece in clauses(template, len(values), limit):
        if isinstance(piece, str):
            text = piece
        else:
            if piece.precision is not None:
                meter.text(piece.precision)
            try:
                text = verbs[piece.verb](values[taken], piece.precision)
            except Refused as refused:
                raise CelError(f"error during formatting: {refused}") from None
            taken += 1
        length += len(text)
        meter.text(length, length - len(text))
        out.append(text)
    return "".join(out)
