"""Whether a decision log is whole: each line against itself, the one before, and the published head."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from sekisho.admission import codes
from sekisho.admission.decisions.chain import (
    BEFORE,
    FIRST,
    HASH,
    LOST,
    NOTHING,
    NUMBER,
    RECORD,
    Head,
    hash_of,
)
from sekisho.diag import Code, Diagnostic, Level, Source, Span

FIELDS: Final = frozenset({NUMBER, BEFORE, HASH, RECORD})


@dataclass(slots=True, kw_only=True)
class Verified:
    """What was found: how many lines are whole, how many records their writer could not write, the last line,
    and what is wrong.
    """

    lines: int = 0
    lost: int = 0
    head: Head = NOTHING
    problems: list[Diagnostic] = field(default_factory=list)


def verify(sources: Iterable[Source], head: Head | None = None) -> Verified:
    """Check the files of one process, in their order. ``head`` is what was published last.

    1. Each line is a JSON object with its fields, and its hash is that of its content.
    2. Its number follows that of the line before, and it names that line's hash.
    3. The first line is the first of its chain: else what came before is missing.
    4. A line with the number of the published head has its hash, and the log goes at least that far.
    """
    found = Verified()
    began = False
    for source in sources:
        for span, line in _lines(source):
            content = _content(line)
            if content is None:
                found.problems.append(_problem(codes.CHANGED, "this is no line of a decision log", span))
                continue
            digest = content.pop(HASH)
            if hash_of(content) != digest:
                what = f"line {content[NUMBER]} was changed: its hash is not that of its content"
                found.problems.append(_problem(codes.CHANGED, what, span))
            found.problems += _gap(content, found, span, began=began)
            began = True
            found.lines += 1
            found.lost += int(content.get(LOST, 0))
            found.head = Head(content[NUMBER], digest)
            if head is not None and head.number == found.head.number and head.hash != digest:
                what = f"line {head.number} is another one than was published"
                found.problems.append(_problem(codes.CHANGED, what, span))
    if head is not None and head.number > found.head.number:
        missing = head.number - found.head.number
        what = f"the log was cut: {missing} lines behind line {found.head.number} were published"
        found.problems.append(Diagnostic(code=codes.CUT, message=what, level=Level.ERROR))
    return found


def _gap(content: Mapping[str, Any], found: Verified, span: Span, *, began: bool) -> Iterator[Diagnostic]:
    number, before = content[NUMBER], content[BEFORE]
    if not began:
        if number != 0:
            what = f"the log begins with line {number}: what came before is missing"
            yield _problem(codes.CUT, what, span)
        elif before != FIRST:
            yield _problem(codes.CHANGED, "the first line names a line before it", span)
        return
    if number > found.head.number + 1:
        what = f"lines {found.head.number + 1} to {number - 1} were removed"
        yield _problem(codes.CUT, what, span)
    elif number != found.head.number + 1:
        what = f"line {number} stands behind line {found.head.number}"
        yield _problem(codes.CHANGED, what, span)
    elif before != found.head.hash:
        what = f"line {number} does not belong behind the line before it, which was changed or put in"
        yield _problem(codes.CHANGED, what, span)


def _lines(source: Source) -> Iterator[tuple[Span, str]]:
    start = 0
    for line in source.text.split("\n"):
        if line:
            yield Span(source, start, start + len(line)), line
        start += len(line) + 1


def _content(line: str) -> dict[str, Any] | None:
    try:
        value = orjson.loads(line)
    except ValueError:
        return None
    if not isinstance(value, dict) or not value.keys() >= FIELDS:
        return None
    number, lost = value[NUMBER], value.get(LOST, 0)
    if type(number) is not int or type(lost) is not int or not isinstance(value[HASH], str):
        return None
    return value


def _problem(code: Code, message: str, at: Span) -> Diagnostic:
    return Diagnostic(code=code, message=message, level=Level.ERROR, at=at)


def records(sources: Iterable[Source]) -> Iterator[Mapping[str, Any]]:
    """The records of a log, whole or not."""
    for source in sources:
        for _, line in _lines(source):
            content = _content(line)
            if content is not None and isinstance(content[RECORD], dict):
                yield content[RECORD]
