"""Rule groups and queries to Python functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sekisho.rego.codegen.blocks import LOOPS, Done, Frame, Leave, Stop
from sekisho.rego.codegen.instructions import InstructionWriter
from sekisho.rego.image import rule_name
from sekisho.rego.plan import ir
from sekisho.rego.plan.effects import group_blocks, instructions
from sekisho.rego.plan.ir import Clause, Const, Form, Group
from sekisho.rego.plan.share import share
from sekisho.rego.values import equal

if TYPE_CHECKING:
    from sekisho.lang.pyast import Writer
    from sekisho.rego.codegen.unit import Unit


TOP: Final = Frame(Leave.RETURN, 0)
"""The top of a function, for blocks in it that leave themselves by ``break``."""


class GroupWriter(InstructionWriter):
    """Writes the function of one group: it gives the group's value, or UNDEFINED."""

    def __init__(self, py: Writer, unit: Unit, group: Group) -> None:
        super().__init__(py, unit, group.clauses[0].module if group.clauses else 0)
        self.group = group

    def write(self) -> ast.stmt:
        """The function."""
        group = self.group
        body: list[ast.stmt] = []
        first = group.clauses[0] if group.clauses else group.default
        assert first is not None
        self.enter(first)
        body.extend(self.beginning())
        if group.form is Form.FUNCTION and _calls(group):
            body.append(self.py.do(self.py.call("enter", self.py.name("s"))))
        if group.form is Form.SET:
            self._set(body)
        elif group.form is Form.OBJECT:
            self.object(body)
        else:
            self._single(body)
        return self.py.function(rule_name(group.number), ("s", *group.params), body)

    def enter(self, clause: Clause) -> None:
        """Begin to write a clause."""
        self.module = clause.module
        self.move(clause.at)

    def clause_position(self, clause: Clause) -> ast.expr:
        """The number of a clause's position, as an argument."""
        return self.py.const(self.unit.position(clause.module, clause.at, clause.to))

    # --- for subclasses that note more than values ---

    shares = True
    """Whether clauses that begin alike may share their beginning."""

    kept: tuple[str, ...] = ()
    """Locals that ``keeping`` assigns."""

    def beginning(self) -> list[ast.stmt]:
        """Statements that a function begins with."""
        return []

    def opening(self) -> list[ast.stmt]:
        """Statements before a clause."""
        return []

    def settling(self) -> list[ast.stmt]:
        """Statements before the value of a solution is returned."""
        return []

    def keeping(self) -> list[ast.stmt]:
        """Statements where a solution was found, and more are looked for."""
        return []

    def settled(self) -> list[ast.stmt]:
        """Statements before the value that solutions agree on is returned."""
        return []

    # --- partial rules ---

    def _set(self, body: list[ast.stmt]) -> None:
        clauses = share(self.group.clauses) if self.shares else self.group.clauses
        sink = self.sink("c_", [pair for clause in clauses for pair in _ends(clause.block, clause.value)])
        body.append(sink.start)

        def taking(value: ir.Operand) -> Done:
            return Done(
                emit=lambda out: out.append(sink.add(value)),
                grows=sink.name,
                value=value,
                bulk=sink.bulk,
                arm=taking,
            )

        for clause in clauses:
            self.enter(clause)
            body.extend(self.opening())
            self.inline(clause.block, body, TOP, taking(clause.value))
        body.append(self.py.give(sink.result))

    def object(self, body: list[ast.stmt]) -> None:
        """The body of a partial object."""
        py = self.py
        deep = self.deep
        body.append(py.assign("c_", py.call("Nested") if deep else py.dict_of([])))
        for clause in self.group.clauses:
            self.enter(clause)

            def put(out: list[ast.stmt], clause: Clause = clause) -> None:
                out.append(py.do(self._put(clause)))

            body.extend(self.opening())
            self.inline(clause.block, body, TOP, Done(emit=put, grows=None if deep else "c_"))
        body.append(py.give(py.attr(py.name("c_"), "root") if deep else py.name("c_")))

    @property
    def deep(self) -> bool:
        """Whether solutions of a partial object lie deeper than one key."""
        return any(len(clause.keys) != 1 or clause.member for clause in self.group.clauses)

    def _put(self, clause: Clause) -> ast.expr:
        py = self.py
        deep = self.deep
        place = [py.name("s"), self.clause_position(clause), py.name("c_")]
        keys = [self.hashable(key) for key in clause.keys]
        name = "add_deep" if clause.member else "put_deep"
        where = py.tuple_of(keys) if deep else keys[0]
        return py.call(name if deep else "put", *place, where, self.operand(clause.value))

    # --- complete rules and functions ---

    def _single(self, body: list[ast.stmt]) -> None:
        clauses = self.group.clauses
        once = all(map(_at_most_one, clauses)) and (
            len(clauses) == 1 or _exclusive(clauses, self.group.params)
        )
        if _constant_value(clauses) or once:
            self._first(body)
        else:
            self._agreeing(body)

    def _first(self, body: list[ast.stmt]) -> None:
        """The first solution is the value."""
        links = [link for clause in self.group.clauses for link in chain(clause)]
        for number, link in enumerate(links):
            self.enter(link)
            body.extend(self.opening())
            done = self._returning(link)
            if number == len(links) - 1 and self.group.default is None:
                self.block(link.block, body, Frame(Leave.RETURN, 0), done)
                if not (body and isinstance(body[-1], ast.Return)):
                    body.append(self.py.give(self.py.name("U")))
                return
            self.inline(link.block, body, TOP, done)
        self._otherwise(body)

    def _returning(self, link: Clause) -> Done:
        py = self.py
        return Done(
            emit=lambda out: out.extend([*self.settling(), py.give(self.operand(link.value))]),
            emit_moved=lambda out: out.extend([*self.settling(), py.assign("v_", self.operand(link.value))]),
            stop=Stop.RETURN,
            result="v_",
        )

    def _otherwise(self, body: list[ast.stmt]) -> None:
        default = self.group.default
        if default is None:
            body.append(self.py.give(self.py.name("U")))
            return
        self.enter(default)
        done = self._returning(default)
        self.block(default.block, body, Frame(Leave.RETURN, 0), done)
        if not isinstance(body[-1], ast.Return):
            body.append(self.py.give(self.py.name("U")))

    def _agreeing(self, body: list[ast.stmt]) -> None:
        """All solutions are found, and must agree."""
        py = self.py
        body.append(py.assign("v_", py.name("U")))
        for clause in self.group.clauses:
            links = chain(clause)
            if len(links) == 1:
                self._accumulate(clause, "v_", body, first=clause is self.group.clauses[0])
                continue
            self.enter(clause)
            tries: list[ast.stmt] = [py.assign("w_", py.name("U"))]
            for link in links:
                self._accumulate(link, "w_", tries, first=True)
                if link is not links[-1]:
                    found = py.compare(py.name("w_"), "is not", py.name("U"))
                    tries.append(py.when(found, [py.leave()]))
            body.append(py.once(tries))
            found = py.compare(py.name("w_"), "is not", py.name("U"))
            place = [py.name("s"), self.clause_position(clause)]
            agree = py.call(self._agree(), *place, py.name("v_"), py.name("w_"))
            body.append(py.when(found, [py.assign("v_", agree)]))
        if self.group.default is None and not self.settled():
            body.append(py.give(py.name("v_")))
            return
        defined = py.compare(py.name("v_"), "is not", py.name("U"))
        body.append(py.when(defined, [*self.settled(), py.give(py.name("v_"))]))
        self._otherwise(body)

    def _agree(self) -> str:
        return "agree_function" if self.group.form is Form.FUNCTION else "agree"

    def _accumulate(self, link: Clause, name: str, body: list[ast.stmt], *, first: bool) -> None:
        """Write a link; ``first``: nothing has been found before it."""
        py = self.py
        alone = first and not any(isinstance(ins, LOOPS) for ins in link.block)
        self.enter(link)
        function = self._agree()
        value = self.operand

        def note(out: list[ast.stmt]) -> None:
            found = value(link.value)
            if not alone:
                place = [py.name("s"), self.clause_position(link), py.name(name)]
                found = py.call(function, *place, found)
            out.append(py.assign(name, found))
            out.extend(self.keeping())

        body.extend(self.opening())
        done = Done(emit=note, writes=(name, *self.kept))
        self.inline(link.block, body, TOP if name == "v_" else Frame(Leave.BREAK, 1), done)


class QueryWriter(InstructionWriter):
    """Writes the function of a query: it appends a tuple of operands for each solution."""

    def write(self, name: str, block: ir.Block, operands: list[ir.Operand]) -> ast.stmt:
        """The function ``name(s, out)``."""
        py = self.py
        body: list[ast.stmt] = []

        def note(out: list[ast.stmt]) -> None:
            row = py.tuple_of([self.operand(operand) for operand in operands])
            out.append(py.do(py.method(py.name("out"), "append", row)))

        self.inline(block, body, TOP, Done(emit=note, grows="out"))
        if not body:
            body.append(py.give(None))
        return py.function(name, ("s", "out"), body)


def _ends(block: ir.Block, value: ir.Operand) -> Iterator[tuple[ir.Block, ir.Operand]]:
    """The blocks at which a clause ends, with the values they give."""
    if block and isinstance(block[-1], ir.Branch):
        for arm in block[-1].arms:
            yield from _ends([*block[:-1], *arm.block], arm.value)
    else:
        yield block, value


def chain(clause: Clause) -> list[Clause]:
    """A clause and what is tried after it."""
    links = [clause]
    while links[-1].orelse is not None:
        links.append(links[-1].orelse)
    return links


def _calls(group: Group) -> bool:
    """Whether a function calls others: only then can its calls be more than its caller has paid for."""
    return any(
        isinstance(ins, ir.CallFunction) for block in group_blocks([group]) for ins in instructions(block)
    )


def _constant_value(clauses: list[Clause]) -> bool:
    """Whether all solutions have one value, known now."""
    values = [link.value for clause in clauses for link in chain(clause)]
    first = values[0] if values else None
    return all(
        isinstance(value, Const) and isinstance(first, Const) and equal(value.value, first.value)
        for value in values
    )


def _exclusive(clauses: list[Clause], params: tuple[str, ...]) -> bool:
    """Whether no two clauses can hold: each demands its own text of the same parameter."""
    seen: set[str] = set()
    tested: set[str] = set()
    for clause in clauses:
        first = clause.block[0] if clause.block else None
        if not isinstance(first, ir.Equal) or clause.orelse is not None:
            return False
        for const, param in ((first.a, first.b), (first.b, first.a)):
            if isinstance(const, Const) and type(const.value) is str and isinstance(param, str):
                seen.add(const.value)
                tested.add(param)
    return len(seen) == len(clauses) and len(tested) == 1 and tested <= set(params)


def _at_most_one(clause: Clause) -> bool:
    """Whether no link of a chain has more than one solution."""
    return not any(isinstance(ins, LOOPS) for link in chain(clause) for ins in link.block)
