"""A plain second evaluator: it interprets plans, one instruction after the other.

It shares the values and the built-ins with the engine, and nothing of the code generator: no loops in place, no
native forms of built-ins, no sharing of beginnings, no slots. It is slow, and meant to be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sekisho import rego
from sekisho.diag import DiagnosticError
from sekisho.lang.meter import Limits, Meter
from sekisho.rego import codes
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.plan import ir
from sekisho.rego.plan.ir import Clause, Const, Form
from sekisho.rego.plan.planner import Unit
from sekisho.rego.state import DEFAULTS, EvalState, error
from sekisho.rego.values import UNDEFINED, Key, Set, equal, key, sorted_keys, unkey

Locals = dict[str, Any]


class Conflict(Exception):
    """Several values where one is due."""


class Reference:
    """Evaluates the rules of one program."""

    def __init__(self, program: rego.Program, unit: Unit) -> None:
        self.program = program
        self.unit = unit
        self.groups = unit.groups()
        self.by_path = {group.path: group for group in self.groups}

    def rule(self, path: str, document: Any, data: Any) -> Any:
        """The value of a rule; ``Conflict`` where the engine has a diagnostic."""
        state = EvalState(self.program.loaded, document, data, Meter(Limits()), DEFAULTS)
        return self.value(self.by_path[tuple(path.split(".")[1:])].number, state, ())

    # --- groups ---

    def value(self, number: int, state: EvalState, args: tuple[Any, ...]) -> Any:
        group = self.groups[number]
        start: Locals = dict(zip(group.params, args, strict=True))
        if group.form is Form.SET:
            return Set({key(v) for c in group.clauses for _, v in self.solutions(c, start, state)})
        if group.form is Form.OBJECT:
            return self.object(group, start, state)
        found = UNDEFINED
        for clause in group.clauses:
            value = self.first_of_chain(clause, start, state)
            if found is not UNDEFINED and value is not UNDEFINED and not equal(found, value):
                raise Conflict
            found = found if value is UNDEFINED else value
        if found is UNDEFINED and group.default is not None:
            found = self.first_of_chain(group.default, start, state)
        return found

    def first_of_chain(self, clause: Clause, start: Locals, state: EvalState) -> Any:
        link: Clause | None = clause
        while link is not None:
            values = [value for _, value in self.solutions(link, start, state)]
            if any(not equal(values[0], value) for value in values[1:]):
                raise Conflict
            if values:
                return values[0]
            link = link.orelse
        return UNDEFINED

    def object(self, group: ir.Group, start: Locals, state: EvalState) -> Any:
        leaves: dict[tuple[Any, ...], Any] = {}
        for clause in group.clauses:
            for keys, value in self.solutions(clause, start, state):
                forms = tuple(map(key, keys))
                if clause.member:
                    old = leaves.get(forms)
                    if old is not None and type(old) is not Set:
                        raise Conflict
                    leaves[forms] = Set({*(old.keys if old else ()), key(value)})
                elif forms in leaves and not equal(leaves[forms], value):
                    raise Conflict
                else:
                    leaves[forms] = value
        out: dict[Any, Any] = {}
        for forms, value in leaves.items():
            if any(forms[:length] in leaves for length in range(1, len(forms))):
                raise Conflict
            place = out
            for form in forms[:-1]:
                place = place.setdefault(form, {})
            place[forms[-1]] = value
        return out

    def solutions(self, clause: Clause, start: Locals, state: EvalState) -> Iterator[tuple[list[Any], Any]]:
        for found, inner in self.block(clause.block, 0, start, {"s": state}):
            yield [self.get(k, found, inner["s"]) for k in clause.keys], self.get(clause.value, found, state)

    # --- blocks ---

    def block(
        self, block: ir.Block, at: int, found: Locals, states: dict[str, EvalState]
    ) -> Iterator[tuple[Locals, dict[str, EvalState]]]:
        if at == len(block):
            yield found, states
            return
        ins = block[at]
        if isinstance(ins, ir.With):
            states = {**states, ins.dst: self.override(ins, found, states[ins.state])}
            yield from self.block(block, at + 1, found, states)
            return
        for more in self.step(ins, found, states):
            yield from self.block(block, at + 1, {**found, **more}, states)

    def get(self, operand: ir.Operand, found: Locals, state: EvalState) -> Any:
        if isinstance(operand, Const):
            return operand.value
        if operand == ir.INPUT:
            return state.input
        return state.data if operand == ir.DATA else found[operand]

    def step(self, ins: ir.Instruction, found: Locals, states: dict[str, EvalState]) -> Iterator[Locals]:
        state = states[ins.state]

        def get(operand: ir.Operand) -> Any:
            return self.get(operand, found, state)

        match ins:
            case ir.Path(dst=dst, base=base, keys=keys):
                value = get(base)
                for step in keys:
                    value = lookup(value, step)
                yield from defined(dst, value)
            case ir.Index(dst=dst, base=base, key=step, stored=stored):
                value = lookup(get(base), get(step))
                if value is UNDEFINED and stored and type(get(step)) is int:
                    value = lookup(get(base), str(get(step))) if type(get(base)) is dict else UNDEFINED
                yield from defined(dst, value)
            case ir.Scan(base=base, key=k, value=v):
                for step, value in elements(get(base)):
                    yield {**({k: step} if k else {}), **({v: value} if v else {})}
            case ir.Rule(dst=dst, group=group):
                yield from defined(dst, self.value(group, state, ()))
            case ir.Truthy(operand=operand):
                if get(operand) is not False:
                    yield {}
            case ir.Equal(a=a, b=b):
                if equal(get(a), get(b)):
                    yield {}
            case ir.IsArray(operand=operand, length=length):
                if type(get(operand)) is list and len(get(operand)) == length:
                    yield {}
            case ir.IsObject(operand=operand, length=length):
                if type(get(operand)) is dict and len(get(operand)) == length:
                    yield {}
            case ir.Element(dst=dst, base=base, index=index):
                yield {dst: get(base)[index]}
            case ir.Copy(dst=dst, src=src):
                yield {dst: get(src)}
            case ir.MakeArray(dst=dst, items=items):
                yield {dst: [get(item) for item in items]}
            case ir.MakeSet(dst=dst, items=items):
                yield {dst: Set.of(map(get, items))}
            case ir.MakeObject(dst=dst, pairs=pairs):
                yield {dst: {key(get(k)): get(v) for k, v in pairs}}
            case ir.Collect():
                yield {ins.dst: self.collect(ins, found, states)}
            case ir.CallBuiltin(dst=dst, name=name, args=args, tested=tested):
                value = self.call(name, [get(arg) for arg in args], state)
                if not (tested and value is False):
                    yield from defined(dst, value)
            case ir.CallFunction(dst=dst, group=group, args=args):
                name = "data." + ".".join(self.groups[group].path)
                yield from defined(dst, self.call(name, [get(arg) for arg in args], state))
            case ir.Solutions(dst=dst, name=name, args=args):
                values = self.call(name, [get(arg) for arg in args], state)
                for value in () if values is UNDEFINED else values:
                    yield {dst: value}
            case ir.Not(block=block):
                if not any(True for _ in self.block(block, 0, found, states)):
                    yield {}
            case ir.Every():
                base = get(ins.base)
                if type(base) in (list, dict, Set) and all(
                    any(True for _ in self.block(ins.block, 0, {**found, **turn}, states))
                    for turn in self.step(
                        ir.Scan(ins.base, ins.key, ins.value, True, state=ins.state), found, states
                    )
                ):
                    yield {}
            case _:
                raise AssertionError(f"{type(ins).__name__} is not interpreted")

    def collect(self, ins: ir.Collect, found: Locals, states: dict[str, EvalState]) -> Any:
        solutions = self.block(ins.block, 0, found, states)
        values = [
            (
                None if ins.key is None else self.get(ins.key, each, inner[ins.state]),
                self.get(ins.value, each, inner[ins.state]),
            )
            for each, inner in solutions
        ]
        if ins.kind is ir.Kind.ARRAY:
            return [value for _, value in values]
        if ins.kind is ir.Kind.SET:
            return Set.of(value for _, value in values)
        out: dict[Any, Any] = {}
        for k, value in values:
            if not equal(out.setdefault(key(k), value), value):
                raise Conflict
        return out

    # --- calls and with ---

    def call(self, name: str, args: list[Any], state: EvalState) -> Any:
        mock = (state.mocks or {}).get(name)
        if mock is not None:
            calls, what = mock
            if not calls:
                return what
            state = state.derive()
            state.mocks = None
            name = what
        if name.startswith("data."):
            return self.value(self.by_path[tuple(name.split(".")[1:])].number, state, tuple(args))
        row = self.unit.builtins[name]
        try:
            return row.function(state, *args) if row.context else row.function(*args)
        except BuiltinFault:
            return UNDEFINED

    def override(self, ins: ir.With, found: Locals, state: EvalState) -> EvalState:
        inner = state.derive()
        for each in ins.replacements:
            if each.target is ir.Target.FUNCTION:
                what = each.other if each.other is not None else self.get(each.value, found, state)
                inner.mocks = {**(inner.mocks or {}), each.path[0]: (each.other is not None, what)}
            elif each.target is ir.Target.INPUT:
                inner.input = put(inner.input, each.path, self.get(each.value, found, state))
            else:
                raise error(codes.EVAL_MERGE, "the reference does not replace data", None)
        return inner


def lookup(base: Any, step: Any) -> Any:
    """``base[step]``."""
    if type(base) is dict:
        return base.get(key(step), UNDEFINED)
    if type(base) is Set:
        return step if step in base else UNDEFINED
    form = key(step)
    if type(base) is list and type(form) is int and 0 <= form < len(base):
        return base[form]
    return UNDEFINED


def elements(base: Any) -> Iterator[tuple[Any, Any]]:
    """The steps below a value and what they lead to, in order."""
    if type(base) is list:
        yield from enumerate(base)
    elif type(base) is dict:
        for form in sorted_keys(base):
            yield (unkey(form) if isinstance(form, Key) else form), base[form]
    elif type(base) is Set:
        for value in base:
            yield value, value


def defined(dst: str, value: Any) -> Iterator[Locals]:
    """One turn, unless the value is undefined."""
    if value is not UNDEFINED:
        yield {dst: value}


def put(document: Any, path: tuple[str, ...], value: Any) -> Any:
    """A document with a value at a path."""
    if not path:
        return value
    out = dict(document) if type(document) is dict else {}
    out[path[0]] = put(out.get(path[0], UNDEFINED), path[1:], value)
    return out


__all__ = ["Conflict", "DiagnosticError", "Reference"]
