"""The function table: what the checker, the runtime and the reference page read.

Functions are plain Python over the values of ``values``;
they raise CelError, and get the state of the evaluation first where they ask for it (``context``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from sekisho.cel.types import CelType

Cost: TypeAlias = int | Callable[..., int]
"""What a call costs at run time: a constant, or a function of the arguments and then the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """One overload of a function.

    ``id`` and ``function`` are cel-go's names (``string_to_int``, ``int``; operators are ``_+_``). For a
    ``member`` the first parameter is what it is called on. ``call`` gets the arguments as values, all of the
    types of ``params`` at run time, as far as those say (elements of lists and maps are not looked at).
    ``context``: ``call`` gets the ``runtime.State`` of the evaluation before the arguments, and pays there
    for work that is not linear in the cost.
    """

    id: str
    function: str
    params: tuple[CelType, ...]
    result: CelType
    call: Callable[..., Any]
    member: bool = False
    cost: Cost = 1
    non_strict: bool = False
    context: bool = False
    note: str = ""
