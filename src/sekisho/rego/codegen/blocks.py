"""Blocks to statements: loops, failing, and what to do with a solution.

A block's statements are written into the body of whatever loop they are in. Where an instruction fails, the
code leaves the place it is in: ``continue`` inside a loop, ``break`` inside a ``while True`` that runs once,
``return`` at the top of a function. Conditions are never nested; loops are, and CPython allows 20 blocks
inside each other, so past ``DEPTH`` the rest of a block moves into a function of its own.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from sekisho.rego.plan import ir

if TYPE_CHECKING:
    from sekisho.lang.pyast import Writer

DEPTH: Final = 14
"""Loops inside each other before the rest moves out: CPython allows 20 blocks, a ``try`` may take three."""


LOOPS: Final = (ir.Scan, ir.Solutions, ir.DocumentScan)
"""Instructions after which the rest of their block runs many times."""

_NESTING: Final = (*LOOPS, ir.Collect, ir.Not, ir.Every)


class Leave(Enum):
    """How code leaves the place it is in."""

    CONTINUE = "continue"
    BREAK = "break"
    RETURN = "return"


@dataclass(slots=True)
class Frame:
    """The place that statements are written into.

    ``loops`` counts the loops around it; ``used`` says whether anything left it. ``result`` is what a
    ``return`` gives for a failure. Where there are ``tests``, code does not leave: they are gathered there.
    """

    leave: Leave
    depth: int
    result: str | bool | None = "U"
    loops: int = 0
    used: bool = False
    tests: list[ast.expr] | None = None


class Stop(Enum):
    """How a block stops at its first solution."""

    NEVER = "never"
    BREAK = "break"  # leaves its loops one by one, then goes on behind the block
    RETURN = "return"  # what notes the solution returns from the function
    TRUE = "true"  # returns True: the block was moved into a function of its own


@dataclass(slots=True, kw_only=True)
class Done:
    """What happens for each solution of a block.

    ``emit`` writes the statements that note a solution; ``writes`` are the locals which they assign. Where
    ``emit`` returns from the function, ``emit_moved`` assigns the result to ``result`` instead, for a block
    that was moved. ``grows`` is the local of the collection that the solutions build. Where that takes
    nothing but ``value`` of each solution, ``bulk`` takes all of them at once. ``arm`` is what to do for the
    solutions of an arm of a branch, given its value.
    """

    emit: Callable[[list[ast.stmt]], None]
    stop: Stop = Stop.NEVER
    writes: tuple[str, ...] = ()
    emit_moved: Callable[[list[ast.stmt]], None] | None = None
    result: str = ""
    grows: str | None = None
    value: ir.Operand | None = None
    bulk: Callable[[ast.expr], ast.stmt] | None = None
    arm: Callable[[ir.Operand], Done] | None = None


class BlockWriter(ABC):
    """Writes blocks. Subclasses write the single instructions."""

    py: Writer

    def __init__(self, py: Writer) -> None:
        self.py = py
        self._counter = 0
        self._test: ast.If | None = None

    # --- for subclasses ---

    @abstractmethod
    def instruction(self, ins: ir.Instruction, out: list[ast.stmt], frame: Frame) -> None:
        """Write an instruction that is no loop."""

    def several(self, rest: ir.Block, out: list[ast.stmt], frame: Frame) -> int:
        """Write several lookups at once; how many."""
        del rest, out, frame
        return 0

    @abstractmethod
    def loop(
        self, ins: ir.Instruction, out: list[ast.stmt], loops: int, grows: str | None
    ) -> tuple[tuple[str, ...], ast.expr]:
        """The targets of a loop and what it iterates; it stands in ``loops`` other ones."""

    @abstractmethod
    def place(self, ins: ir.Instruction) -> None:
        """Set the writer's position to that of an instruction."""

    # --- plumbing ---

    def temporary(self, hint: str) -> str:
        """A new local of the code itself; the planner's names end in a number, these in a letter."""
        self._counter += 1
        return f"{hint}{self._counter}_"

    def fail(self, frame: Frame) -> ast.stmt:
        """The statement that leaves the frame."""
        frame.used = True
        if frame.leave is Leave.CONTINUE:
            return self.py.next()
        if frame.leave is Leave.BREAK:
            return self.py.leave()
        result = frame.result
        value = self.py.name(result) if isinstance(result, str) else self.py.const(result)
        return self.py.give(value)

    def fail_when(self, test: ast.expr, out: list[ast.stmt], frame: Frame) -> None:
        """Leave the frame when a test holds. Tests that follow each other are joined."""
        if frame.tests is not None:
            frame.tests.append(test)
            return
        last = self._test
        if last is not None and out and out[-1] is last:
            if isinstance(last.test, ast.BoolOp) and isinstance(last.test.op, ast.Or):
                last.test.values.append(test)
            else:
                last.test = self.py.any_of([last.test, test])
            return
        self._test = self.py.when(test, [self.fail(frame)])
        out.append(self._test)

    # --- blocks ---

    def block(self, block: ir.Block, out: list[ast.stmt], frame: Frame, done: Done) -> None:
        """Write the instructions of a block, then what is done for a solution."""
        at = 0
        while at < len(block):
            ins = block[at]
            at += 1
            self.place(ins)
            if frame.depth >= DEPTH and isinstance(ins, _NESTING):
                self._outline(block[at - 1 :], out, frame, done)
                return
            if isinstance(ins, ir.Branch):
                self._branch(ins, out, frame, done)
                return
            if isinstance(ins, LOOPS):
                self._loop(ins, block[at:], out, frame, done)
                return
            if isinstance(ins, ir.Path) and (taken := self.several(block[at - 1 :], out, frame)):
                at += taken - 1
                continue
            self.instruction(ins, out, frame)
        done.emit(out)
        if done.stop is Stop.BREAK:
            frame.used = True
            out.append(self.py.leave())
        elif done.stop is Stop.TRUE:
            out.append(self.py.give(self.py.const(True)))

    def _loop(
        self, ins: ir.Instruction, rest: ir.Block, out: list[ast.stmt], frame: Frame, done: Done
    ) -> None:
        nested = frame.leave is Leave.CONTINUE
        targets, values = self.loop(ins, out, frame.loops, done.grows if nested else None)
        if done.bulk is not None and not rest and not nested and targets == (done.value,):
            out.append(done.bulk(values))
            return
        body: list[ast.stmt] = []
        inner = Frame(Leave.CONTINUE, frame.depth + 1, loops=frame.loops + 1)
        node = self.py.loop(targets, values, body)
        self.block(rest, body, inner, done)
        if not body:
            body.append(self.py.next())
        out.append(node)
        if done.stop is Stop.BREAK and frame.leave is Leave.CONTINUE:
            node.orelse = [self.py.next()]
            out.append(self.py.leave())

    def _branch(self, ins: ir.Branch, out: list[ast.stmt], frame: Frame, done: Done) -> None:
        assert done.arm is not None
        for arm in ins.arms:
            self.inline(arm.block, out, frame, done.arm(arm.value))

    def inline(self, block: ir.Block, out: list[ast.stmt], outer: Frame, done: Done) -> None:
        """Write a nested block in place; the code after it runs when it is through."""
        frame = Frame(Leave.BREAK, outer.depth + 1, loops=outer.loops)
        body: list[ast.stmt] = []
        self.block(block, body, frame, done)
        if frame.used:
            if isinstance(body[-1], ast.Break):
                body.pop()
            out.append(self.py.once(body))
        else:
            out.extend(body)

    def _outline(self, block: ir.Block, out: list[ast.stmt], frame: Frame, done: Done) -> None:
        """Move the rest of a block into a function; it gives True when a solution stops the block."""
        name = self.temporary("rest")
        writes = done.writes
        if done.stop is Stop.RETURN:
            out.append(self.py.assign(done.result, self.py.const(None)))
            writes = (*writes, done.result)
        moved = Done(
            emit=done.emit_moved or done.emit,
            stop=Stop.NEVER if done.stop is Stop.NEVER else Stop.TRUE,
            writes=writes,
            grows=done.grows,
        )
        body = [self.py.nonlocals(writes)] if writes else []
        self.block(block, body, Frame(Leave.RETURN, 0, result=False), moved)
        body.append(self.py.give(self.py.const(False)))
        out.append(self.py.function(name, (), body))
        out.append(self._call_moved(self.py.call(name), frame, done))

    def _call_moved(self, call: ast.expr, frame: Frame, done: Done) -> ast.stmt:
        if done.stop is Stop.NEVER:
            return self.py.do(call)
        if done.stop is Stop.RETURN:
            return self.py.when(call, [self.py.give(self.py.name(done.result))])
        if done.stop is Stop.TRUE:
            return self.py.when(call, [self.py.give(self.py.const(True))])
        frame.used = True
        return self.py.when(call, [self.py.leave()])
