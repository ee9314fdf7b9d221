"""The intermediate form between checked Rego and Python: small, flat, with its control flow explicit.

A block is a list of instructions that run in order. An instruction may *fail* (its expression is undefined
or false): then the block has no further solution along this path, and the innermost loop goes on. A loop
(``Scan``, ``Solutions``) has no body of its own: everything after it in its block runs once for each of its
turns. So a block enumerates solutions as a Rego body does; what happens for one, its owner says.

Locals are Python identifiers, each assigned by one instruction only and never read before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from sekisho.rego.values import Value


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A value known when compiling: a scalar, or an array, object or set of such."""

    value: Value


Operand: TypeAlias = str | Const
"""A local, or a constant."""

INPUT = "input"
DATA = "data"
ROOTS = frozenset({INPUT, DATA})
"""The two locals that every block has: the documents of its evaluation state."""


@dataclass(slots=True, kw_only=True)
class Instruction:
    """``at`` and ``to`` are offsets of the Rego text it came from; ``state`` is the state it reads."""

    at: int = 0
    to: int = 0
    state: str = "s"


# --- lookups ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Path(Instruction):
    """``dst = base.k1.k2…``; fails where a key is missing. All keys are strings."""

    dst: str
    base: Operand
    keys: tuple[str, ...]


@dataclass(slots=True)
class Index(Instruction):
    """``dst = base[key]``; fails where it is missing.

    ``stored``: a step of a reference from ``data``, where a number also finds the key that spells it.
    """

    dst: str
    base: Operand
    key: Operand
    stored: bool = False


@dataclass(slots=True)
class Scan(Instruction):
    """A loop over the elements of an array, object or set; none for anything else.

    ``ordered``: the turns must come in Rego's order and once each, because that can be observed.
    """

    base: Operand
    key: str | None
    value: str | None
    ordered: bool


@dataclass(slots=True)
class Rule(Instruction):
    """``dst`` = the value of the rule group with this number; fails where it is undefined."""

    dst: str
    group: int


@dataclass(slots=True)
class Document(Instruction):
    """``dst`` = a handle on the merged base and virtual document at a path above rules. Never fails."""

    dst: str
    path: tuple[str | int, ...]


@dataclass(slots=True)
class DocumentIndex(Instruction):
    """``dst = base[key]`` where ``base`` is a handle: a handle or a value; fails where there is none."""

    dst: str
    base: str
    key: Operand


@dataclass(slots=True)
class DocumentScan(Instruction):
    """A loop over the keys of a handle (or a value)."""

    base: str
    key: str | None
    value: str


@dataclass(slots=True)
class DocumentValue(Instruction):
    """``dst`` = the whole value behind a handle (or a value); fails where it is undefined."""

    dst: str
    base: str


# --- tests and unification --------------------------------------------------------------------------------


@dataclass(slots=True)
class Truthy(Instruction):
    """Fails when the operand is false."""

    operand: Operand


@dataclass(slots=True)
class Equal(Instruction):
    """Fails unless two values are equal."""

    a: Operand
    b: Operand


@dataclass(slots=True)
class IsArray(Instruction):
    """Fails unless the operand is an array of this length."""

    operand: Operand
    length: int


@dataclass(slots=True)
class IsObject(Instruction):
    """Fails unless the operand is an object with this many keys."""

    operand: Operand
    length: int


@dataclass(slots=True)
class Element(Instruction):
    """``dst`` = an element of an array that is known to have it."""

    dst: str
    base: str
    index: int


@dataclass(slots=True)
class Copy(Instruction):
    """``dst = src``."""

    dst: str
    src: Operand


# --- building ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class MakeArray(Instruction):
    """``dst = [items]``."""

    dst: str
    items: tuple[Operand, ...]


@dataclass(slots=True)
class MakeSet(Instruction):
    """``dst = {items}``."""

    dst: str
    items: tuple[Operand, ...]


@dataclass(slots=True)
class MakeObject(Instruction):
    """``dst = {pairs}``; conflicting keys are an error."""

    dst: str
    pairs: tuple[tuple[Operand, Operand], ...]


class Kind(Enum):
    """What a comprehension builds."""

    ARRAY = "array"
    SET = "set"
    OBJECT = "object"


@dataclass(slots=True)
class Collect(Instruction):
    """``dst`` = what the solutions of a block build: ``value`` of each, under ``key`` in an object."""

    dst: str
    kind: Kind
    block: Block
    value: Operand
    key: Operand | None = None


# --- calls ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class CallBuiltin(Instruction):
    """``dst`` = a built-in's result; fails where it is undefined, or where the built-in refuses.

    ``tested``: the call is a statement; it fails for false too, and nobody reads ``dst``.
    """

    dst: str
    name: str
    args: tuple[Operand, ...]
    tested: bool = False


@dataclass(slots=True)
class CallFunction(Instruction):
    """``dst`` = the result of the function group with this number; fails where it is undefined."""

    dst: str
    group: int
    args: tuple[Operand, ...]


@dataclass(slots=True)
class Solutions(Instruction):
    """A loop over the solutions of a relation (``walk``)."""

    dst: str
    name: str
    args: tuple[Operand, ...]


# --- explaining -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Held(Instruction):
    """An expression has held; ``parts`` are terms in it, by the offsets of their text, with their values.

    Only code that explains has these. ``forget``: none of those before it in the rule count, as none of its
    clauses had a solution.
    """

    parts: tuple[tuple[int, int, Operand], ...]
    forget: bool = False


# --- nested blocks ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Not(Instruction):
    """Fails when the block has a solution."""

    block: Block


@dataclass(slots=True)
class Every(Instruction):
    """Fails unless the block has a solution for each element, and where ``base`` has no elements to have."""

    base: Operand
    key: str | None
    value: str | None
    block: Block


class Target(Enum):
    """What a ``with`` modifier replaces."""

    INPUT = "input"
    DATA = "data"
    FUNCTION = "function"


@dataclass(slots=True)
class Replace:
    """One ``with``: the path below input or data, or the function's name, and what stands for it.

    ``value`` is an operand; for a function it may instead be ``other``, the name of the function to call.
    """

    target: Target
    path: tuple[str, ...]
    value: Operand | None = None
    other: str | None = None


@dataclass(slots=True)
class With(Instruction):
    """``dst`` = a new evaluation state, made from ``state`` by replacements.

    Instructions that name ``dst`` as their state run in it.
    """

    dst: str
    replacements: tuple[Replace, ...]


@dataclass(slots=True)
class Arm:
    """One way to go on from a branch: a block, and the value that its solutions give."""

    block: Block
    value: Operand


@dataclass(slots=True)
class Branch(Instruction):
    """The end of a block of a partial set: each arm is gone through in turn."""

    arms: tuple[Arm, ...]


Block: TypeAlias = list[Instruction]


# --- rules ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Clause:
    """One definition: its solutions give ``value`` (``key``: of a partial object; several for a deep one).

    ``orelse`` is tried when it has no solution. ``module`` is the number of the module it stands in.
    """

    module: int
    at: int
    to: int
    block: Block
    value: Operand
    keys: tuple[Operand, ...] = ()
    member: bool = False
    orelse: Clause | None = None


class Form(Enum):
    """What the clauses of a group make together."""

    COMPLETE = "complete"
    SET = "set"
    OBJECT = "object"
    FUNCTION = "function"


@dataclass(slots=True)
class Group:
    """All definitions of one path. ``default`` holds where none of the clauses has a solution."""

    number: int
    path: tuple[str | int, ...]
    form: Form
    params: tuple[str, ...] = ()
    clauses: list[Clause] = field(default_factory=list)
    default: Clause | None = None
