"""Single instructions to statements."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from sekisho.rego.codegen import inline
from sekisho.rego.codegen.blocks import Done, Frame, Leave, Stop
from sekisho.rego.codegen.operands import OperandWriter, result_kind
from sekisho.rego.image import rule_name
from sekisho.rego.plan import ir
from sekisho.rego.plan.ir import Const, Operand

FREE: Final = 3
"""Of loops inside each other, every third one pays even for a short array."""

SHORT: Final = 8
"""A shorter array is run through for nothing, so that two such loops cost at most 49 turns unseen."""


class InstructionWriter(OperandWriter):
    """Writes the instructions of one function."""

    # --- dispatch ---

    def instruction(self, ins: ir.Instruction, out: list[ast.stmt], frame: Frame) -> None:
        """Write an instruction that is no loop."""
        getattr(self, _WRITERS[type(ins)])(ins, out, frame)

    def undefined(self, name: str, out: list[ast.stmt], frame: Frame) -> None:
        """Leave the frame when a local holds UNDEFINED."""
        self.fail_when(self.py.compare(self.py.name(name), "is", self.py.name("U")), out, frame)

    # --- lookups ---

    def several(self, rest: ir.Block, out: list[ast.stmt], frame: Frame) -> int:
        """Lookups that follow each other share their ``try``.

        A loop runs through UNDEFINED no more than through any other scalar, so a lookup for it needs no test.
        """
        run: list[ir.Path] = []
        for ins in rest:
            if not isinstance(ins, ir.Path) or not ins.keys:
                break
            run.append(ins)
        if not run:
            return 0
        following = rest[len(run)] if len(rest) > len(run) else None
        scanned = isinstance(following, ir.Scan) and following.base == run[-1].dst and len(run) == 1
        self.paths(run, out)
        if not scanned:
            for ins in run:
                self.undefined(ins.dst, out, frame)
        return len(run)

    def paths(self, run: list[ir.Path], out: list[ast.stmt]) -> None:
        """``dst = base.get(k, E).get(k, U)``, where anything but an object has no ``get``."""
        py = self.py
        assigns: list[ast.stmt] = []
        safe = True
        for ins in run:
            value = self.operand(ins.base, ins.state)
            safe = safe and len(ins.keys) == 1 and self.kind(ins.base) == "dict"
            for at, key in enumerate(ins.keys):
                default = py.name("U" if at == len(ins.keys) - 1 else "E")
                value = py.method(value, "get", py.const(key), default)
            assigns.append(py.assign(ins.dst, value))
        if safe:
            out.extend(assigns)
        else:
            undefined = [py.assign(run[0].dst, py.name("U"))]
            out.append(py.attempt(assigns, "AttributeError", undefined))

    def path(self, ins: ir.Path, out: list[ast.stmt], frame: Frame) -> None:
        """A lookup on its own, or the whole input or data."""
        if ins.keys:
            self.paths([ins], out)
            self.undefined(ins.dst, out, frame)
            return
        out.append(self.py.assign(ins.dst, self.operand(ins.base, ins.state)))
        if ins.base == ir.INPUT:
            self.undefined(ins.dst, out, frame)

    def index(self, ins: ir.Index, out: list[ast.stmt], frame: Frame) -> None:
        """``dst = base[key]``."""
        py = self.py
        base, key = self.operand(ins.base, ins.state), self.operand(ins.key, ins.state)
        if self.kind(ins.key) == "str":
            value = py.method(base, "get", key, py.name("U"))
            handler = [py.assign(ins.dst, py.name("U"))]
            out.append(py.attempt([py.assign(ins.dst, value)], "AttributeError", handler))
        else:
            out.append(py.assign(ins.dst, py.call("get_stored" if ins.stored else "get", base, key)))
        self.undefined(ins.dst, out, frame)

    def loop(
        self, ins: ir.Instruction, out: list[ast.stmt], loops: int, grows: str | None
    ) -> tuple[tuple[str, ...], ast.expr]:
        """The targets of a loop and what it iterates."""
        py = self.py
        state = py.name(ins.state)
        more = [py.name(grows)] if grows else []
        if isinstance(ins, ir.Scan):
            base = self.operand(ins.base, ins.state)
            value = ins.value or "_"
            how = "" if ins.ordered else "_loose"
            if ins.key is None:
                values = py.call("each" + how, state, base, *more)
                if loops % FREE and isinstance(ins.base, str):
                    values = self._short(base, values)
                return (value,), values
            return (ins.key, value), py.call("pairs" + how, state, base, *more)
        if isinstance(ins, ir.DocumentScan):
            handle = py.name(ins.base)
            return (ins.key or "_", ins.value), py.call("document_items", state, handle)
        assert isinstance(ins, ir.Solutions)
        values = self.call_row(ins.name, ins.args, ins.state)
        out.append(self.guarded(ins.dst, values, ins))
        return (ins.dst,), py.call("solutions", state, py.name(ins.dst), *more)

    def _short(self, base: ast.expr, values: ast.expr) -> ast.expr:
        """A short array in an inner loop is run through as it is, without a call and without paying."""
        py = self.py
        is_list = py.compare(py.call("type", base), "is", py.name("list"))
        is_short = py.compare(py.call("len", base), "<", py.const(SHORT))
        return py.choose(py.all_of([is_list, is_short]), base, values)

    def rule(self, ins: ir.Rule, out: list[ast.stmt], frame: Frame) -> None:
        """Read the slot of a rule; evaluate the rule where the slot is new."""
        py = self.py
        function, number = py.name(rule_name(ins.group)), py.const(ins.group)
        state = py.name(ins.state)
        if ins.group in self.unit.overridable:
            path = py.tuple_of([py.const(step) for step in self.unit.paths[ins.group]])
            out.append(py.assign(ins.dst, py.call("rule_or_data", state, number, function, path)))
        else:
            slots = py.attr(state, "slots")
            out.append(py.assign(ins.dst, py.item(slots, number)))
            fresh = py.compare(py.name(ins.dst), "is", py.name("NEW"))
            target = ast.Name(ins.dst, ast.Store(), lineno=py.line, col_offset=py.column)
            both = py.assign_to([target, py.slot(slots, number)], py.call(function, state))
            out.append(py.when(fresh, [both]))
            kind = self.unit.always.get(ins.group)
            if kind is not None:
                self.kinds[ins.dst] = kind
                return
        self.undefined(ins.dst, out, frame)

    def document(self, ins: ir.Document, out: list[ast.stmt], frame: Frame) -> None:
        """A handle."""
        del frame
        path = self.py.tuple_of([self.py.const(step) for step in ins.path])
        out.append(self.py.assign(ins.dst, self.py.call("document", self.py.name(ins.state), path)))

    def document_index(self, ins: ir.DocumentIndex, out: list[ast.stmt], frame: Frame) -> None:
        """A step below a handle."""
        key = self.operand(ins.key, ins.state)
        value = self.py.call("document_get", self.py.name(ins.base), key)
        out.append(self.py.assign(ins.dst, value))
        self.undefined(ins.dst, out, frame)

    def document_value(self, ins: ir.DocumentValue, out: list[ast.stmt], frame: Frame) -> None:
        """The whole value behind a handle."""
        out.append(self.py.assign(ins.dst, self.py.call("document_value", self.py.name(ins.base))))
        self.undefined(ins.dst, out, frame)

    # --- tests ---

    def truthy(self, ins: ir.Truthy, out: list[ast.stmt], frame: Frame) -> None:
        """Fail for false."""
        if isinstance(ins.operand, Const):
            if ins.operand.value is False:
                self.fail_when(self.py.const(True), out, frame)
            return
        self._not_false(ins.operand, out, frame)

    def _not_false(self, name: str, out: list[ast.stmt], frame: Frame) -> None:
        if self.kind(name) in {"", "bool"}:
            test = self.py.compare(self.py.name(name), "is", self.py.const(False))
            self.fail_when(test, out, frame)

    def equal(self, ins: ir.Equal, out: list[ast.stmt], frame: Frame) -> None:
        """Fail unless equal."""
        self.fail_when(inline.unequal(self, ins.a, ins.b, ins.state), out, frame)

    def is_array(self, ins: ir.IsArray, out: list[ast.stmt], frame: Frame) -> None:
        """Fail unless an array of a length."""
        self._shape(ins.operand, "list", ins.length, out, frame)

    def is_object(self, ins: ir.IsObject, out: list[ast.stmt], frame: Frame) -> None:
        """Fail unless an object of a size."""
        self._shape(ins.operand, "dict", ins.length, out, frame)

    def _shape(self, operand: Operand, kind: str, length: int, out: list[ast.stmt], frame: Frame) -> None:
        py = self.py
        value = self.operand(operand)
        if self.kind(operand) != kind:
            self.fail_when(py.compare(py.call("type", value), "is not", py.name(kind)), out, frame)
        self.fail_when(py.compare(py.call("len", value), "!=", py.const(length)), out, frame)

    def element(self, ins: ir.Element, out: list[ast.stmt], frame: Frame) -> None:
        """One element of an array."""
        del frame
        value = self.py.item(self.py.name(ins.base), self.py.const(ins.index))
        out.append(self.py.assign(ins.dst, value))

    def copy(self, ins: ir.Copy, out: list[ast.stmt], frame: Frame) -> None:
        """``dst = src``."""
        del frame
        self.kinds[ins.dst] = self.kind(ins.src)
        out.append(self.py.assign(ins.dst, self.operand(ins.src, ins.state)))

    # --- building ---

    def make_array(self, ins: ir.MakeArray, out: list[ast.stmt], frame: Frame) -> None:
        """An array."""
        del frame
        self.kinds[ins.dst] = "list"
        items = [self.operand(item, ins.state) for item in ins.items]
        out.append(self.py.assign(ins.dst, self.py.list_of(items)))

    def make_set(self, ins: ir.MakeSet, out: list[ast.stmt], frame: Frame) -> None:
        """A set."""
        del frame
        self.kinds[ins.dst] = "set"
        items = self.py.list_of([self.operand(item, ins.state) for item in ins.items])
        out.append(self.py.assign(ins.dst, self.py.method(self.py.name("Set"), "of", items)))

    def make_object(self, ins: ir.MakeObject, out: list[ast.stmt], frame: Frame) -> None:
        """An object; of equal keys the last holds."""
        del frame
        self.kinds[ins.dst] = "dict"
        pairs = [(self.hashable(k, ins.state), self.operand(v, ins.state)) for k, v in ins.pairs]
        out.append(self.py.assign(ins.dst, self.py.dict_of(pairs)))

    def collect(self, ins: ir.Collect, out: list[ast.stmt], frame: Frame) -> None:
        """A comprehension: a loop that fills a collection."""
        py = self.py
        if ins.kind is ir.Kind.SET:
            sink = self.sink(self.temporary("c"), [(ins.block, ins.value)])
            out.append(sink.start)
            done = Done(
                emit=lambda body: body.append(sink.add(ins.value)),
                grows=sink.name,
                value=ins.value,
                bulk=sink.bulk,
            )
            self.inline(ins.block, out, frame, done)
            out.append(py.assign(ins.dst, sink.result))
        else:
            array = ins.kind is ir.Kind.ARRAY
            out.append(py.assign(ins.dst, py.list_of([]) if array else py.dict_of([])))
            done = Done(emit=lambda body: body.append(self._collected(ins)), grows=ins.dst)
            if array:
                done.value, done.bulk = ins.value, lambda values: self._extended(ins.dst, values)
            self.inline(ins.block, out, frame, done)
        self.kinds[ins.dst] = {"array": "list", "set": "set", "object": "dict"}[ins.kind.value]

    def _extended(self, name: str, values: ast.expr) -> ast.stmt:
        return self.py.do(self.py.method(self.py.name(name), "extend", values))

    def _collected(self, ins: ir.Collect) -> ast.stmt:
        py = self.py
        value = self.operand(ins.value, ins.state)
        if ins.key is None:
            return py.do(py.method(py.name(ins.dst), "append", value))
        place = [py.name(ins.state), self.position(ins), py.name(ins.dst)]
        return py.do(py.call("put", *place, self.hashable(ins.key, ins.state), value))

    def sink(self, name: str, solutions: list[tuple[ir.Block, Operand]]) -> Sink:
        """What takes the elements of a set; the cheapest kind that fits all of them."""
        kinds = {self.foreseen(block, value) for block, value in solutions}
        if kinds <= {"str", "int", "null"}:
            return Sink(self, name, Sink.SCALARS)
        return Sink(self, name, Sink.PENDING if kinds <= {"dict", "list"} else Sink.ANY)

    def foreseen(self, block: ir.Block, value: Operand) -> str:
        """What will be known of the type of a value that a block, not yet written, makes."""
        if isinstance(value, str):
            for ins in block:
                if isinstance(ins, ir.MakeObject) and ins.dst == value:
                    return "dict"
                if isinstance(ins, ir.MakeArray) and ins.dst == value:
                    return "list"
                if isinstance(ins, ir.CallBuiltin) and ins.dst == value:
                    return "" if ins.name in self.unit.mockable else result_kind(self.unit, ins.name)
        return self.kind(value)

    # --- calls ---

    def call_builtin(self, ins: ir.CallBuiltin, out: list[ast.stmt], frame: Frame) -> None:
        """Call a built-in."""
        if ins.tested and inline.condition(self, ins, out, frame):
            return
        defined = False
        if ins.name in self.unit.mockable:
            out.append(self.py.assign(ins.dst, self._mocked(ins, ins.name, None)))
        else:
            self.kinds[ins.dst] = result_kind(self.unit, ins.name)
            found = inline.value(self, ins, out)
            if found is None:
                value = self.call_row(ins.name, ins.args, ins.state)
                out.append(self.guarded(ins.dst, value, ins))
            defined = bool(found)
        if not defined:
            self.undefined(ins.dst, out, frame)
        if ins.tested:
            self._not_false(ins.dst, out, frame)

    def _mocked(self, ins: ir.CallBuiltin | ir.CallFunction, name: str, function: str | None) -> ast.expr:
        py = self.py
        args = [self.operand(arg, ins.state) for arg in ins.args]
        original = py.name(function) if function else py.const(None)
        state = py.name(ins.state)
        return py.call("mockable", state, self.position(ins), py.const(name), original, *args)

    def call_function(self, ins: ir.CallFunction, out: list[ast.stmt], frame: Frame) -> None:
        """Call a function of the policy."""
        py = self.py
        name = "data." + ".".join(map(str, self.unit.paths[ins.group]))
        if name in self.unit.mockable:
            value = self._mocked(ins, name, rule_name(ins.group))
        else:
            args = [self.operand(arg, ins.state) for arg in ins.args]
            value = py.call(rule_name(ins.group), py.name(ins.state), *args)
        out.append(py.assign(ins.dst, value))
        self.undefined(ins.dst, out, frame)

    def held(self, ins: ir.Held, out: list[ast.stmt], frame: Frame) -> None:
        """Nothing: only the code that explains notes what has held."""

    # --- nested blocks ---

    def negation(self, ins: ir.Not, out: list[ast.stmt], frame: Frame) -> None:
        """Fail when a block has a solution."""
        if _is_single(ins.block):
            probe = Frame(frame.leave, frame.depth, tests=[])
            for inner in ins.block:
                self.place(inner)
                self.instruction(inner, out, probe)
            tests = probe.tests or [self.py.const(False)]
            self.fail_when(self.py.negate(self.py.any_of(tests)), out, frame)
            return
        found = self.exists(ins.block, out, frame)
        self.fail_when(self.py.name(found), out, frame)

    def exists(self, block: ir.Block, out: list[ast.stmt], frame: Frame) -> str:
        """Write a block; the local that says whether it has a solution."""
        py = self.py
        found = self.temporary("f")
        out.append(py.assign(found, py.const(False)))
        done = Done(
            emit=lambda body: body.append(py.assign(found, py.const(True))),
            stop=Stop.BREAK,
            writes=(found,),
        )
        self.inline(block, out, frame, done)
        return found

    def every(self, ins: ir.Every, out: list[ast.stmt], frame: Frame) -> None:
        """A loop that ends at the first element without solution."""
        py = self.py
        base = self.operand(ins.base, ins.state)
        if self.kind(ins.base) not in {"list", "dict", "set"}:
            self.fail_when(py.negate(py.call("iterable", base)), out, frame)
        fine = self.temporary("f")
        out.append(py.assign(fine, py.const(True)))
        body: list[ast.stmt] = []
        found = self.exists(ins.block, body, Frame(Leave.CONTINUE, frame.depth + 1, loops=frame.loops + 1))
        stop = [py.assign(fine, py.const(False)), py.leave()]
        body.append(py.when(py.negate(py.name(found)), stop))
        scan = ir.Scan(ins.base, ins.key, ins.value, ordered=False)
        scan.at, scan.to, scan.state = ins.at, ins.to, ins.state
        out.append(py.loop(*self.loop(scan, out, frame.loops, None), body))
        self.fail_when(py.negate(py.name(fine)), out, frame)

    def override(self, ins: ir.With, out: list[ast.stmt], frame: Frame) -> None:
        """A new state."""
        del frame
        py = self.py
        edits: dict[ir.Target, list[ast.expr]] = {target: [] for target in ir.Target}
        for each in ins.replacements:
            if each.other is not None:
                what = self._replacing_function(each.other)
            else:
                assert each.value is not None
                what = self.operand(each.value, ins.state)
            path: ast.expr = py.tuple_of([py.const(step) for step in each.path])
            if each.target is ir.Target.FUNCTION:
                path = py.const(each.path[0])
                what = py.tuple_of([py.const(each.other is not None), what])
            edits[each.target].append(py.tuple_of([path, what]))
        groups = [py.tuple_of(edits[target]) for target in ir.Target]
        out.append(py.assign(ins.dst, py.call("override", py.name(ins.state), *groups)))

    def _replacing_function(self, name: str) -> ast.expr:
        if name.startswith("data."):
            path = tuple(name.split(".")[1:])
            return self.py.name(rule_name(self.unit.paths.index(path)))
        return self.py.const(name)


class Sink:
    """Takes the elements of a set under construction.

    ``start`` makes it, ``add`` gives it an element, ``result`` is the set.
    """

    SCALARS, PENDING, ANY = range(3)

    def __init__(self, writer: OperandWriter, name: str, form: int) -> None:
        self.name = name
        self._writer = writer
        self._form = form
        py = writer.py
        empty = (py.call("set"), py.list_of([]), py.call("Bag"))[form]
        self.start = py.assign(name, empty)

    def add(self, value: Operand) -> ast.stmt:
        """The statement that adds an element."""
        py = self._writer.py
        form = self._writer.hashable(value) if self._form == self.SCALARS else self._writer.operand(value)
        return py.do(py.method(py.name(self.name), "append" if self._form == self.PENDING else "add", form))

    @property
    def bulk(self) -> Callable[[ast.expr], ast.stmt] | None:
        """What adds many elements of any kind at once; None where not any kind is taken."""
        return self._all if self._form == self.ANY else None

    def _all(self, values: ast.expr) -> ast.stmt:
        py = self._writer.py
        return py.do(py.method(py.name(self.name), "extend", values))

    @property
    def result(self) -> ast.expr:
        """The set of all elements."""
        py = self._writer.py
        items = py.name(self.name)
        if self._form == self.SCALARS:
            return py.call("Set", items)
        if self._form == self.PENDING:
            return py.call("Set", py.call("set"), items)
        return py.method(items, "set")


_VALUES: Final = (ir.Path, ir.Index, ir.Rule, ir.CallFunction, ir.CallBuiltin)


def _is_single(block: ir.Block) -> bool:
    """Whether a block is one instruction, and maybe the test of its result."""
    first = block[0] if block else None
    if not isinstance(first, _VALUES):
        return isinstance(first, ir.Equal) and len(block) == 1
    if len(block) == 1:
        return True
    second = block[1]
    return len(block) == 2 and isinstance(second, ir.Truthy) and second.operand == first.dst


_WRITERS: Final[dict[type, str]] = {
    ir.Path: "path",
    ir.Index: "index",
    ir.Rule: "rule",
    ir.Document: "document",
    ir.DocumentIndex: "document_index",
    ir.DocumentValue: "document_value",
    ir.Truthy: "truthy",
    ir.Equal: "equal",
    ir.IsArray: "is_array",
    ir.IsObject: "is_object",
    ir.Element: "element",
    ir.Copy: "copy",
    ir.MakeArray: "make_array",
    ir.MakeSet: "make_set",
    ir.MakeObject: "make_object",
    ir.Collect: "collect",
    ir.CallBuiltin: "call_builtin",
    ir.CallFunction: "call_function",
    ir.Not: "negation",
    ir.Every: "every",
    ir.With: "override",
    ir.Held: "held",
}

__all__ = ["InstructionWriter", "Sink"]
