"""The strings library of cel-go, versions 0 to 5. Positions count code points, from zero.

Facts from cel-go's ``ext/strings.go``. Version 1 brought format and quote, 2 joins without conversion, 3
reverse, 4 the format of the CEL specification, 5 costs and a bound on precision. Kubernetes has version 2.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sekisho.cel.errors import CelError, no_such_overload
from sekisho.cel.extensions import costs, format_v1, format_v2
from sekisho.cel.extensions.formatcheck import TAKES_V1, TAKES_V2, format_validator
from sekisho.cel.functions import Overload
from sekisho.cel.library import Library
from sekisho.cel.state import State
from sekisho.cel.types import DYN, INT, STRING, list_of
from sekisho.cel.values import Value
from sekisho.lang.golang.gotext import WHITE_SPACE

LATEST: Final = 5
"""The newest version."""

_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER: Final = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_QUOTED: Final = str.maketrans(
    {
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
        '"': '\\"',
    }
)


def _out_of_range(position: int) -> CelError:
    return CelError(f"index out of range: {position}")


# --- positions --------------------------------------------------------------------------------------------


def _char_at(text: str, position: int) -> str:
    if not 0 <= position <= len(text):
        raise _out_of_range(position)
    return text[position : position + 1]


def _index_of(text: str, part: str, start: int = 0) -> int:
    if start < 0:
        raise _out_of_range(start)
    if not part:
        return min(start, len(text))
    return text.find(part, start)


def _last_index_of(text: str, part: str) -> int:
    return text.rfind(part)


def _last_index_from(text: str, part: str, start: int) -> int:
    """The last place at or before ``start``; a start at or after the end finds nothing."""
    if start < 0:
        raise _out_of_range(start)
    if not part:
        return min(start, len(text))
    return -1 if start >= len(text) else text.rfind(part, 0, start + len(part))


def _substring(text: str, start: int) -> str:
    if not 0 <= start <= len(text):
        raise _out_of_range(start)
    return text[start:]


def _substring_between(text: str, start: int, end: int) -> str:
    if start > end:
        raise CelError(f"invalid substring range. start: {start}, end: {end}")
    for position in (start, end):
        if not 0 <= position <= len(text):
            raise _out_of_range(position)
    return text[start:end]


# --- new texts --------------------------------------------------------------------------------------------


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_LOWER)


def _upper(text: str) -> str:
    return text.upper() if text.isascii() else text.translate(_UPPER)


def _trim(text: str) -> str:
    return text.strip(WHITE_SPACE)


def _reverse(text: str) -> str:
    return text[::-1]


def _quote(state: State, text: str) -> str:
    state.meter.text(2 * len(text))
    return f'"{text.translate(_QUOTED)}"'


def _replace(state: State, text: str, old: str, new: str, limit: int = -1) -> str:
    if len(new) > len(old):
        times = text.count(old) if limit < 0 else min(limit, len(text) + 1)
        state.meter.text(len(text) + times * (len(new) - len(old)))
    return text.replace(old, new, limit)


def _split(state: State, text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        state.meter.build(len(text))
        if limit < 0 or limit >= len(text):
            return list(text)
        return [*text[: limit - 1], text[limit - 1 :]]
    state.meter.build(text.count(separator) + 1)
    return text.split(separator, limit - 1 if limit > 0 else -1)


def _join(state: State, texts: list[Value], *given: str) -> str:
    separator = given[0] if given else ""
    total = len(separator) * len(texts)
    for at, text in enumerate(texts):
        if type(text) is not str:
            if at == 0:
                raise no_such_overload("join", texts, *given)
            raise CelError(f"join: invalid input: {shown(text)}")
        total += len(text)
    state.meter.text(total)
    return separator.join(texts)


def shown(value: Value) -> str:
    """A value as Go prints it in that message."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- the rows ---------------------------------------------------------------------------------------------

_TEXTS: Final = list_of(STRING)

_ROWS: Final = (
    Overload(
        id="string_char_at_int",
        function="charAt",
        params=(STRING, INT),
        result=STRING,
        call=_char_at,
        member=True,
        cost=costs.char_at,
        note="the character at a position; at the end, the empty string",
    ),
    Overload(
        id="string_index_of_string",
        function="indexOf",
        params=(STRING, STRING),
        result=INT,
        call=_index_of,
        member=True,
        cost=costs.searched,
        note="the first place of a text, or -1",
    ),
    Overload(
        id="string_index_of_string_int",
        function="indexOf",
        params=(STRING, STRING, INT),
        result=INT,
        call=_index_of,
        member=True,
        cost=costs.searched,
        note="the first place at or after a position",
    ),
    Overload(
        id="string_last_index_of_string",
        function="lastIndexOf",
        params=(STRING, STRING),
        result=INT,
        call=_last_index_of,
        member=True,
        cost=costs.searched,
        note="the last place of a text, or -1",
    ),
    Overload(
        id="string_last_index_of_string_int",
        function="lastIndexOf",
        params=(STRING, STRING, INT),
        result=INT,
        call=_last_index_from,
        member=True,
        cost=costs.searched,
        note="the last place at or before a position; a position behind the text finds nothing",
    ),
    Overload(
        id="string_lower_ascii",
        function="lowerAscii",
        params=(STRING,),
        result=STRING,
        call=_lower,
        member=True,
        cost=costs.transformed,
        note="A to Z in lower case, all else as it is",
    ),
    Overload(
        id="string_upper_ascii",
        function="upperAscii",
        params=(STRING,),
        result=STRING,
        call=_upper,
        member=True,
        cost=costs.transformed,
        note="a to z in upper case, all else as it is",
    ),
    Overload(
        id="string_replace_string_string",
        function="replace",
        params=(STRING, STRING, STRING),
        result=STRING,
        call=_replace,
        member=True,
        cost=costs.replaced,
        context=True,
        note="the first text replaced by the second, everywhere",
    ),
    Overload(
        id="string_replace_string_string_int",
        function="replace",
        params=(STRING, STRING, STRING, INT),
        result=STRING,
        call=_replace,
        member=True,
        cost=costs.replaced,
        context=True,
        note="replaced so many times at most; everywhere, if negative",
    ),
    Overload(
        id="string_split_string",
        function="split",
        params=(STRING, STRING),
        result=_TEXTS,
        call=_split,
        member=True,
        cost=costs.split,
        context=True,
        note="the parts between separators; by the empty separator, the characters",
    ),
    Overload(
        id="string_split_string_int",
        function="split",
        params=(STRING, STRING, INT),
        result=_TEXTS,
        call=_split,
        member=True,
        cost=costs.split,
        context=True,
        note="so many parts at most, the last with the rest; all, if negative",
    ),
    Overload(
        id="string_substring_int",
        function="substring",
        params=(STRING, INT),
        result=STRING,
        call=_substring,
        member=True,
        cost=costs.transformed,
        note="from a position to the end",
    ),
    Overload(
        id="string_substring_int_int",
        function="substring",
        params=(STRING, INT, INT),
        result=STRING,
        call=_substring_between,
        member=True,
        cost=costs.transformed,
        note="from a position to before another",
    ),
    Overload(
        id="string_trim",
        function="trim",
        params=(STRING,),
        result=STRING,
        call=_trim,
        member=True,
        cost=costs.transformed,
        note="without the white space of Unicode at both ends",
    ),
    Overload(
        id="list_join",
        function="join",
        params=(_TEXTS,),
        result=STRING,
        call=_join,
        member=True,
        cost=costs.joined,
        context=True,
        note="the texts one after the other",
    ),
    Overload(
        id="list_join_string",
        function="join",
        params=(_TEXTS, STRING),
        result=STRING,
        call=_join,
        member=True,
        cost=costs.joined,
        context=True,
        note="the texts with a separator between them",
    ),
)

_FORMAT: Final = Overload(
    id="string_format",
    function="format",
    params=(STRING, list_of(DYN)),
    result=STRING,
    call=format_v2.format_text,
    member=True,
    cost=costs.quoted,
    context=True,
    note="printf: %s, %d, %f and %e with a precision, %b, %o, %x, %X, %%",
)

_QUOTE: Final = Overload(
    id="strings_quote",
    function="strings.quote",
    params=(STRING,),
    result=STRING,
    call=_quote,
    cost=costs.quoted,
    context=True,
    note="in double quotes, with escapes as CEL writes them",
)

_REVERSE: Final = Overload(
    id="string_reverse",
    function="reverse",
    params=(STRING,),
    result=STRING,
    call=_reverse,
    member=True,
    cost=costs.transformed,
    note="the characters from the last to the first",
)


def strings(version: int = LATEST) -> Library:
    """The library in a version."""
    rows = list(_ROWS)
    if version >= 1:
        call = {True: format_v2.format_bounded, False: format_v2.format_text}[version >= 5]
        rows.append(replace(_FORMAT, call=call if version >= 4 else format_v1.format_text))
        rows.append(_QUOTE)
    if version >= 3:
        rows.append(_REVERSE)
    if version < 5:
        rows = [row if row.cost is costs.quoted else replace(row, cost=1) for row in rows]
    limit = format_v2.BOUND if version >= 5 else 0
    check = (
        format_validator(TAKES_V2, format_v2.WRONG, limit)
        if version >= 4
        else format_validator(TAKES_V1, format_v1.WRONG, limit)
    )
    return Library(
        name="cel.lib.ext.strings",
        overloads=tuple(rows),
        validators=(("format", check),) if version >= 1 else (),
        mixed=frozenset({"format"}) if version >= 1 else frozenset(),
        version=version,
    )
