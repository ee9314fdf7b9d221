"""The table of built-ins: one row each.

Families register their rows with ``row``; the table drives the type checker, the code generator, the
capability check, ``docs/reference/rego-builtins.md`` and the coverage test against OPA's capability list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from sekisho.rego.values import Value

if TYPE_CHECKING:
    from sekisho.rego.types import Function


class Support(Enum):
    """How much of a built-in is here."""

    FULL = "full"
    PARTIAL = "partial"  # the note says what differs
    GATED = "gated"  # off unless the capability set allows it


@dataclass(frozen=True, slots=True, kw_only=True)
class Builtin:
    """One row.

    ``function`` takes the operands as Rego values (see ``values``) and returns a value, or ``UNDEFINED``, or
    raises BuiltinFault. With ``context`` it takes an ``EvalContext`` (clock, meter, seeds, capabilities,
    caches) before the operands. A relation (``walk``) returns an iterable of solutions.
    """

    name: str
    type: Function
    function: Callable[..., Value]
    infix: str = ""
    context: bool = False
    deterministic: bool = True
    relation: bool = False
    deprecated: bool = False
    support: Support = Support.FULL
    note: str = ""


TABLE: dict[str, Builtin] = {}


def row(name: str, type: Function, function: Callable[..., Value], **more: Any) -> None:
    """Add a row. A second row of one name is a bug of ours."""
    assert name not in TABLE, f"built-in {name} is registered twice"
    TABLE[name] = Builtin(name=name, type=type, function=function, **more)
