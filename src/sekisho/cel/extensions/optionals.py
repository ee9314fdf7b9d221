"""What version 2 of cel-go's optional types added: the ends of lists, and lists of optional values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sekisho.cel.errors import no_such_overload
from sekisho.cel.functions import Overload
from sekisho.cel.library import Library
from sekisho.cel.state import State
from sekisho.cel.types import list_of, optional_of, param
from sekisho.cel.values import NONE, Optional, Value

_T: Final = param("T")
_LIST: Final = list_of(_T)
_OPTIONAL: Final = optional_of(_T)


def _first(items: Sequence[Value]) -> Optional:
    return Optional(items[0]) if items else NONE


def _last(items: Sequence[Value]) -> Optional:
    return Optional(items[-1]) if items else NONE


def _unwrap(state: State, items: Sequence[Value]) -> list[Value]:
    state.meter.build(len(items))
    if not all(isinstance(item, Optional) for item in items):
        raise no_such_overload("unwrapOpt", items)
    return [item.value for item in items if item.present]


OPTIONAL_LISTS: Final = Library(
    name="cel.lib.optional.lists",
    version=2,
    overloads=(
        Overload(
            id="list_first",
            function="first",
            params=(_LIST,),
            result=_OPTIONAL,
            call=_first,
            member=True,
            note="the first item, if there is one",
        ),
        Overload(
            id="list_last",
            function="last",
            params=(_LIST,),
            result=_OPTIONAL,
            call=_last,
            member=True,
            note="the last item, if there is one",
        ),
        Overload(
            id="optional_unwrap",
            function="optional.unwrap",
            params=(list_of(_OPTIONAL),),
            result=_LIST,
            call=_unwrap,
            context=True,
            note="the values that are there",
        ),
        Overload(
            id="optional_unwrapOpt",
            function="unwrapOpt",
            params=(list_of(_OPTIONAL),),
            result=_LIST,
            call=_unwrap,
            member=True,
            context=True,
            note="the values that are there",
        ),
    ),
)
