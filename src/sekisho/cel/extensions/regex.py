"""The regex library of cel-go: replace, extract, extractAll. Facts from cel-go's ``ext/regex.go``.

Kubernetes does not have it; its own ``find`` and ``findAll`` are in ``cel.kubernetes.regex``.
"""

from __future__ import annotations

from typing import Final

from sekisho.cel.errors import CelError
from sekisho.cel.extensions import costs
from sekisho.cel.functions import Overload
from sekisho.cel.library import Library
from sekisho.cel.state import State
from sekisho.cel.types import INT, STRING, list_of, optional_of
from sekisho.cel.values import NONE, Optional
from sekisho.lang import re2
from sekisho.lang.golang.gotext import quote


def compiled(state: State, pattern: str) -> re2.Pattern:
    """A pattern. Raises CelError with Go's message."""
    try:
        return re2.compile(pattern, state.meter)
    except re2.PatternError as error:
        raise CelError(str(error)) from None


def _one_group(state: State, pattern: str) -> re2.Pattern:
    found = compiled(state, pattern)
    if found.groups > 1:
        raise CelError(f"regular expression has more than one capturing group: {quote(pattern)}")
    return found


def _extract(state: State, text: str, pattern: str) -> Optional:
    """The group of the first match, or the whole of it; nothing, if the group is empty."""
    found = _one_group(state, pattern)
    data = re2.encode(text)
    for groups in found.find_all(data, state.meter, 1):
        start, end = groups[found.groups]
        if found.groups and start == end:
            return NONE
        return Optional(data[start:end].decode())
    return NONE


def _extract_all(state: State, text: str, pattern: str) -> list[str]:
    found = _one_group(state, pattern)
    data = re2.encode(text)
    out = []
    for groups in found.find_all(data, state.meter):
        start, end = groups[found.groups]
        if found.groups and start == end:
            continue
        state.meter.build(1)
        out.append(data[start:end].decode())
    return out


def _replace(state: State, text: str, pattern: str, new: str, limit: int = -1) -> str:
    if limit == 0:
        return text
    found = compiled(state, pattern)
    data = re2.encode(text)
    out: list[bytes] = []
    at = length = 0
    for groups in found.find_all(data, state.meter, -1 if limit < 0 else limit):
        piece = _filled(data, groups, new, found.groups)
        start, end = groups[0]
        paid, length = length, length + start - at + len(piece)
        state.meter.text(length, paid)
        out += (data[at:start], piece)
        at = end
    out.append(data[at:])
    return b"".join(out).decode()


def _filled(data: bytes, groups: re2.Groups, new: str, count: int) -> bytes:
    r"""The replacement with ``\0`` to ``\9`` filled in and ``\\`` for a backslash."""
    out: list[bytes] = []
    at = 0
    while True:
        found = new.find("\\", at)
        if found < 0:
            return b"".join((*out, re2.encode(new[at:])))
        out.append(re2.encode(new[at:found]))
        if found + 1 == len(new):
            raise CelError(f"invalid replacement string: '{new}' \\ not allowed at end")
        char = new[found + 1]
        if char == "\\":
            out.append(b"\\")
        elif char in "0123456789":
            if int(char) > count:
                only = f"regex has only {count} group(s)"
                raise CelError(f"replacement string references group {char} but {only}")
            start, end = groups[int(char)]
            out.append(data[max(start, 0) : max(end, 0)])
        else:
            raise CelError(f"invalid replacement string: '{new}' \\ must be followed by a digit or \\")
        at = found + 2


REGEX: Final = Library(
    name="cel.lib.ext.regex",
    overloads=(
        Overload(
            id="regex_extract_string_string",
            function="regex.extract",
            params=(STRING, STRING),
            result=optional_of(STRING),
            call=_extract,
            cost=costs.extracted,
            context=True,
            note="the first match, or its group",
        ),
        Overload(
            id="regex_extractAll_string_string",
            function="regex.extractAll",
            params=(STRING, STRING),
            result=list_of(STRING),
            call=_extract_all,
            cost=costs.all_extracted,
            context=True,
            note="all matches, or their groups",
        ),
        Overload(
            id="regex_replace_string_string_string",
            function="regex.replace",
            params=(STRING, STRING, STRING),
            result=STRING,
            call=_replace,
            cost=costs.pattern_replaced,
            context=True,
            note=r"all matches replaced; \1 is a group",
        ),
        Overload(
            id="regex_replace_string_string_string_int",
            function="regex.replace",
            params=(STRING, STRING, STRING, INT),
            result=STRING,
            call=_replace,
            cost=costs.pattern_replaced,
            context=True,
            note="so many at most; all, if negative",
        ),
    ),
)
