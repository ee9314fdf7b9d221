"""Libraries: functions, macros, types and constants that come together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sekisho.cel.functions import Overload
from sekisho.cel.nodes import Call, Node
from sekisho.cel.types import CelType, Struct
from sekisho.diag import Code


class Expander(Protocol):
    """What a macro may ask for while it expands."""

    def fresh(self, stem: str) -> str:
        """A variable name that no expression can write, new for this expansion."""

    def error(self, message: str, node: Node) -> Node:
        """Report that the macro cannot be used so; the result stands in for the expansion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """A macro: a call by this name, of this many arguments (-1: any), becomes another tree.

    ``expand`` gets the expander, the call (whose place the new nodes take), what it is called on (None for a
    global call) and the arguments. It gives None where this is an ordinary call after all.
    """

    name: str
    arguments: int
    member: bool
    expand: Callable[[Expander, Node, Node | None, tuple[Node, ...]], Node | None]


Validator: TypeAlias = Callable[[Call], Iterable[tuple[Code, str, Node]]]
"""What is wrong with a call that the checker lets pass, so far as what is written tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Functions, macros and types that come together.

    ``version`` is the number in cel-go (or of the Kubernetes library); ``constants`` are names with a fixed
    value, such as enumerations; ``types`` are names of types that expressions may write. ``validators`` look
    at the calls of a function; within calls of ``mixed`` functions, the elements of a list that is written
    may be of several types, even where that is not allowed elsewhere.
    """

    name: str
    overloads: tuple[Overload, ...] = ()
    macros: tuple[Macro, ...] = ()
    types: tuple[CelType, ...] = ()
    structs: tuple[Struct, ...] = ()
    constants: tuple[tuple[str, CelType, Any], ...] = ()
    validators: tuple[tuple[str, Validator], ...] = ()
    mixed: frozenset[str] = frozenset()
    version: int = 0
