"""The code that explains: it notes what a derivation reads.

Every lookup is noted on the state's trail (see ``trail``). A clause takes a mark when it begins; the reads
since the mark, without those of turns of loops that came to nothing, are those of a solution's derivation.
Reads of what failed stay on the trail until something succeeds: they are why a negation holds.
"""

from __future__ import annotations

import ast
from typing import Final

from sekisho.rego.codegen.blocks import Done, Frame
from sekisho.rego.codegen.functions import TOP, GroupWriter
from sekisho.rego.codegen.instructions import Sink
from sekisho.rego.codegen.operands import OperandWriter
from sekisho.rego.image import rule_name
from sekisho.rego.plan import ir
from sekisho.rego.plan.ir import Clause, Operand

_READERS: Final = frozenset({"object.get"})
"""Built-ins that look a path up: their reads are noted too."""


class TracedWriter(GroupWriter):
    """Writes a group's function so that it notes what it reads."""

    shares = False
    kept = ("k_",)
    _mark = "b_"

    # --- derivations ---

    def beginning(self) -> list[ast.stmt]:
        """Where the function's own reads begin."""
        py = self.py
        start = [py.assign("b0_", py.call("trail_mark", py.name("s")))]
        return [*start, py.assign("k_", py.const(None)), py.assign("b_", py.name("b0_"))]

    def opening(self) -> list[ast.stmt]:
        """Where a clause's reads begin."""
        return [self.py.assign("b_", self.py.call("trail_mark", self.py.name("s")))]

    def settling(self) -> list[ast.stmt]:
        """Only the derivation's reads are left on the trail."""
        py = self.py
        return [py.do(py.call("trail_settle", py.name("s"), py.name("b0_"), py.name("b_")))]

    def keeping(self) -> list[ast.stmt]:
        """The reads of the first solution are kept."""
        py = self.py
        keep = py.call("trail_keep", py.name("s"), py.name("k_"), py.name("b_"))
        return [py.assign("k_", keep)]

    def settled(self) -> list[ast.stmt]:
        """The reads that were kept are left on the trail."""
        py = self.py
        return [py.do(py.call("trail_restore", py.name("s"), py.name("b0_"), py.name("k_")))]

    # --- lookups ---

    def several(self, rest: ir.Block, out: list[ast.stmt], frame: Frame) -> int:
        """Every lookup is noted on its own."""
        del rest, out, frame
        return 0

    def path(self, ins: ir.Path, out: list[ast.stmt], frame: Frame) -> None:
        """A lookup of several keys."""
        py = self.py
        if not ins.keys:
            super().path(ins, out, frame)
            return
        keys = py.tuple_of([py.const(key) for key in ins.keys])
        base = self.operand(ins.base, ins.state)
        call = py.call("trail_path", py.name(ins.state), self.position(ins), base, keys)
        out.append(py.assign(ins.dst, call))
        self.undefined(ins.dst, out, frame)

    def index(self, ins: ir.Index, out: list[ast.stmt], frame: Frame) -> None:
        """A lookup of one key."""
        py = self.py
        base, key = self.operand(ins.base, ins.state), self.operand(ins.key, ins.state)
        name = "get_stored" if ins.stored else "get"
        call = py.call("trail_get", py.name(ins.state), self.position(ins), py.name(name), base, key)
        out.append(py.assign(ins.dst, call))
        self.undefined(ins.dst, out, frame)

    def element(self, ins: ir.Element, out: list[ast.stmt], frame: Frame) -> None:
        """A lookup of an element that is there."""
        index = ir.Index(ins.dst, ins.base, ir.Const(ins.index))
        index.at, index.to, index.state = ins.at, ins.to, ins.state
        self.index(index, out, frame)

    def loop(
        self, ins: ir.Instruction, out: list[ast.stmt], loops: int, grows: str | None
    ) -> tuple[tuple[str, ...], ast.expr]:
        """A loop that marks its turns."""
        py = self.py
        state = py.name(ins.state)
        if not isinstance(ins, ir.Scan):
            targets, values = super().loop(ins, out, loops, grows)
            return targets, py.call("trail_turns", state, values)
        base = self.operand(ins.base, ins.state)
        pairs, ordered = py.const(ins.key is not None), py.const(ins.ordered)
        values = py.call("trail_scan", state, self.position(ins), base, pairs, ordered)
        value = ins.value or "_"
        return ((value,) if ins.key is None else (ins.key, value)), values

    def rule(self, ins: ir.Rule, out: list[ast.stmt], frame: Frame) -> None:
        """The value of a rule, with the reads that it stands on."""
        py = self.py
        path = py.const(None)
        if ins.group in self.unit.overridable:
            path = py.tuple_of([py.const(step) for step in self.unit.paths[ins.group]])
        function = py.name(rule_name(ins.group))
        call = py.call("trail_rule", py.name(ins.state), py.const(ins.group), function, path)
        out.append(py.assign(ins.dst, call))
        self.undefined(ins.dst, out, frame)

    def call_builtin(self, ins: ir.CallBuiltin, out: list[ast.stmt], frame: Frame) -> None:
        """A built-in; one that looks something up notes it."""
        if ins.name in _READERS:
            args = [self.operand(arg, ins.state) for arg in ins.args]
            place = [self.py.name(ins.state), self.position(ins)]
            out.append(self.py.do(self.py.call("trail_lookup", *place, *args)))
        super().call_builtin(ins, out, frame)

    def held(self, ins: ir.Held, out: list[ast.stmt], frame: Frame) -> None:  # noqa: ARG002
        """An expression that has held, with the values of terms in it."""
        py = self.py
        if ins.forget:
            out.append(py.do(py.call("trail_forget", py.name("s"), py.name("b0_"))))
            return
        parts = [
            py.tuple_of([py.const(start), py.const(end), self.operand(operand, ins.state)])
            for start, end, operand in ins.parts
        ]
        place = [py.name("s"), self.position(ins)]
        out.append(py.do(py.call("trail_held", *place, py.tuple_of(parts))))

    # --- nested blocks ---

    def negation(self, ins: ir.Not, out: list[ast.stmt], frame: Frame) -> None:
        """What is read under a negation is marked as such."""
        py = self.py
        out.append(py.do(py.call("trail_sink", py.name(ins.state))))
        found = self.exists(ins.block, out, frame)
        out.append(py.do(py.call("trail_rise", py.name(ins.state))))
        self.fail_when(py.name(found), out, frame)

    def collect(self, ins: ir.Collect, out: list[ast.stmt], frame: Frame) -> None:
        """A comprehension; each of its elements carries its own reads, and the whole carries all."""
        py = self.py
        outer, self._mark = self._mark, self.temporary("b")
        state = py.name(ins.state)
        items = self.temporary("c")
        out.append(py.assign(self._mark, py.call("trail_mark", state)))
        out.append(py.assign(items, py.call("Gathered", py.const(ins.kind.value))))

        def note(body: list[ast.stmt]) -> None:
            key = py.const(None) if ins.key is None else self.hashable(ins.key, ins.state)
            place = [state, self.position(ins), py.name(self._mark)]
            value = self.operand(ins.value, ins.state)
            body.append(py.do(py.method(py.name(items), "add", *place, key, value)))

        self.inline(ins.block, out, frame, Done(emit=note, grows=items))
        finish = py.method(py.name(items), "finish", state, py.name(self._mark))
        out.append(py.assign(ins.dst, finish))
        self._mark = outer

    def sink(self, name: str, solutions: list[tuple[ir.Block, Operand]]) -> Sink:
        """What takes the elements of a partial set."""
        del solutions
        return TracedSink(self, name, Sink.ANY)

    def object(self, body: list[ast.stmt]) -> None:
        """A partial object. Of a deep one, only the reads of the whole are known."""
        py = self.py
        if self.deep:
            super().object(body)
            return
        body.append(py.assign("c_", py.call("Gathered", py.const("object"))))
        for clause in self.group.clauses:
            self.enter(clause)

            def put(out: list[ast.stmt], clause: Clause = clause) -> None:
                place = [py.name("s"), self.clause_position(clause), py.name("b_")]
                pair = [self.hashable(clause.keys[0]), self.operand(clause.value)]
                out.append(py.do(py.method(py.name("c_"), "add", *place, *pair)))

            body.extend(self.opening())
            self.inline(clause.block, body, TOP, Done(emit=put, grows="c_"))
        body.append(py.give(py.method(py.name("c_"), "finish", py.name("s"), py.name("b0_"))))


class TracedSink(Sink):
    """Takes the elements of a partial set, each with its reads."""

    bulk = None

    def __init__(self, writer: OperandWriter, name: str, form: int) -> None:
        super().__init__(writer, name, form)
        py = writer.py
        self.start = py.assign(name, py.call("Gathered", py.const("set")))

    def add(self, value: Operand) -> ast.stmt:
        """The statement that adds an element."""
        writer = self._writer
        py = writer.py
        place = [py.name("s"), py.const(0), py.name("b_"), py.const(None)]
        return py.do(py.method(py.name(self.name), "add", *place, writer.operand(value)))

    @property
    def result(self) -> ast.expr:
        """The set of all elements."""
        py = self._writer.py
        return py.method(py.name(self.name), "finish", py.name("s"), py.name("b0_"))
