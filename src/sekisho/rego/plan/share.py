"""Sharing the beginnings of clauses: what several clauses of a partial set do first is done once for all.

Rules of one set often begin alike (``container := input_containers[_]; not is_exempt(container)``). Their
clauses become one whose block ends in a ``Branch`` to what is left of each.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final, NamedTuple

from sekisho.rego.plan import ir
from sekisho.rego.plan.ir import Arm, Branch, Clause, Const, Instruction
from sekisho.rego.values import equal

Renaming = dict[str, str]

_PLAIN: Final = frozenset(
    (
        "at",
        "to",
        "state",
        "name",
        "kind",
        "ordered",
        "stored",
        "tested",
        "keys",
        "path",
        "length",
        "index",
        "group",
    )
)
"""Fields of instructions that hold no locals."""

_LOOPS: Final = (ir.Scan, ir.DocumentScan, ir.Every)

_NEVER: Final = (ir.With, Branch, ir.Collect, ir.Every)
"""Instructions that are not compared: they are long, and hardly ever equal."""


def share(clauses: list[Clause]) -> list[Clause]:
    """Clauses that give the same set, neighbours with equal beginnings joined."""
    shared: list[Clause] = []
    for clause in clauses:
        joined = _join(shared[-1], clause) if shared else None
        if joined is None:
            shared.append(clause)
        else:
            shared[-1] = joined
    return shared


def _join(first: Clause, second: Clause) -> Clause | None:
    """Two clauses as one; None where they do not begin with the same loop."""
    if first.module != second.module or first.orelse is not None or second.orelse is not None:
        return None
    branch = first.block[-1] if first.block and isinstance(first.block[-1], Branch) else None
    own = first.block[:-1] if branch is not None else first.block
    renaming: Renaming = {}
    length = 0
    for a, b in zip(own, second.block, strict=False):
        if not _same(a, b, renaming):
            break
        length += 1
    if branch is not None and length < len(own):
        return None
    if not any(isinstance(ins, ir.Scan) for ins in own[:length]):
        return None
    rest = Arm(_rename_block(second.block[length:], renaming), _renamed(second.value, renaming))
    if branch is not None:
        return replace(first, block=[*own, replace(branch, arms=(*branch.arms, rest))])
    arms = (Arm(own[length:], first.value), rest)
    return replace(first, block=[*own[:length], Branch(arms, at=first.at, to=first.to)])


class _Shape(NamedTuple):
    """The fields of a class of instructions: plain ones, locals that it assigns, what holds operands."""

    plain: tuple[str, ...]
    assigned: tuple[str, ...]
    operands: tuple[str, ...]


_shapes: dict[object, _Shape] = {}


def _shape(kind: type[Instruction]) -> _Shape:
    shape = _shapes.get(kind)
    if shape is None:
        shape = _shapes[kind] = _shape_of(kind)
    return shape


def _shape_of(kind: type[Instruction]) -> _Shape:
    names = [field.name for field in fields(kind)]
    assigned = [n for n in names if n == "dst" or (n in {"key", "value"} and issubclass(kind, _LOOPS))]
    plain = [n for n in names if n in _PLAIN and n not in {"at", "to"}]
    operands = [n for n in names if n not in _PLAIN and n not in assigned]
    return _Shape(tuple(plain), tuple(assigned), tuple(operands))


def _same(a: Instruction, b: Instruction, renaming: Renaming) -> bool:
    """Whether two instructions do the same; locals that they assign stand for each other from then on."""
    if type(a) is not type(b) or isinstance(a, _NEVER):
        return False
    shape = _shape(type(a))
    if any(getattr(a, name) != getattr(b, name) for name in shape.plain):
        return False
    trial = dict(renaming)
    for name in shape.operands:
        if not _equal(getattr(a, name), getattr(b, name), trial):
            return False
    for name in shape.assigned:
        left, right = getattr(a, name), getattr(b, name)
        if (left is None) != (right is None):
            return False
        if right is not None:
            trial[right] = left
    renaming.update(trial)
    return True


def _equal(a: Any, b: Any, renaming: Renaming) -> bool:
    if isinstance(a, Const) and isinstance(b, Const):
        return type(a.value) is type(b.value) and equal(a.value, b.value)
    if isinstance(b, str):
        return bool(a == renaming.get(b, b))
    if isinstance(b, Instruction):
        return _same(a, b, renaming)
    if isinstance(b, tuple | list):
        return (
            type(a) is type(b)
            and len(a) == len(b)
            and all(_equal(x, y, renaming) for x, y in zip(a, b, strict=True))
        )
    return bool(a == b)


def _rename_block(block: ir.Block, renaming: Renaming) -> ir.Block:
    """Rename the locals of a block that nobody else holds."""
    if renaming:
        for ins in block:
            shape = _shape(type(ins))
            for name in (*shape.operands, *shape.assigned):
                value = getattr(ins, name)
                changed = _renamed(value, renaming)
                if changed is not value:
                    setattr(ins, name, changed)
    return block


def _renamed(value: Any, renaming: Renaming) -> Any:
    if isinstance(value, str):
        return renaming.get(value, value)
    if isinstance(value, list):
        return _rename_block(value, renaming)
    if isinstance(value, tuple):
        return tuple([_renamed(item, renaming) for item in value])
    if isinstance(value, ir.Replace):
        return replace(value, value=_renamed(value.value, renaming))
    return value
