"""Kubernetes' regex library: ``find`` and ``findAll``. Facts: k8s.io/apiserver ``cel/library/regex.go``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sekisho.cel import codes
from sekisho.cel.errors import CelError
from sekisho.cel.functions import Overload
from sekisho.cel.kubernetes.costs import priced
from sekisho.cel.library import Library
from sekisho.cel.nodes import Call, Literal, Node
from sekisho.cel.state import State
from sekisho.cel.types import INT, STRING, list_of
from sekisho.diag import Code
from sekisho.lang import re2


def _compiled(state: State, pattern: str) -> re2.Pattern:
    try:
        return re2.compile(pattern, state.meter)
    except re2.PatternError as error:
        raise CelError(f"Illegal regex: {error}") from None


def _find(state: State, text: str, pattern: str) -> str:
    data = re2.encode(text)
    for groups in _compiled(state, pattern).find_all(data, state.meter, 1):
        start, end = groups[0]
        return data[start:end].decode()
    return ""


def _find_all(state: State, text: str, pattern: str, limit: int = -1) -> list[str]:
    data = re2.encode(text)
    out = []
    for groups in _compiled(state, pattern).find_all(data, state.meter, max(limit, -1)):
        start, end = groups[0]
        state.meter.build(1)
        out.append(data[start:end].decode())
    return out


def _validate(call: Call) -> Iterator[tuple[Code, str, Node]]:
    """A pattern that is written is compiled beforehand."""
    if len(call.args) < 2:
        return
    pattern = call.args[1]
    if isinstance(pattern, Literal) and isinstance(pattern.value, str):
        try:
            re2.compile(pattern.value)
        except re2.PatternError as error:
            yield codes.INVALID_LITERAL, str(error), pattern


REGEX: Final = Library(
    name="kubernetes.regex",
    validators=(("find", _validate), ("findAll", _validate)),
    overloads=priced(
        (
            Overload(
                id="string_find_string",
                function="find",
                params=(STRING, STRING),
                result=STRING,
                call=_find,
                member=True,
                context=True,
                note="the first match, or the empty string",
            ),
            Overload(
                id="string_find_all_string",
                function="findAll",
                params=(STRING, STRING),
                result=list_of(STRING),
                call=_find_all,
                member=True,
                context=True,
                note="all matches",
            ),
            Overload(
                id="string_find_all_string_int",
                function="findAll",
                params=(STRING, STRING, INT),
                result=list_of(STRING),
                call=_find_all,
                member=True,
                context=True,
                note="so many matches at most; all, if negative",
            ),
        )
    ),
)
