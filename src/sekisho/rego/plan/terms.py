"""Planning of terms: values, references, unification, calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import TYPE_CHECKING, Protocol, Self

from sekisho.rego import nodes
from sekisho.rego.nodes import Ref, Scalar, Term, Var
from sekisho.rego.plan import ir
from sekisho.rego.plan.ir import Const, Operand
from sekisho.rego.values import Set, is_number, key

if TYPE_CHECKING:
    from sekisho.diag import DiagnosticError
    from sekisho.rego.nodes import Body
    from sekisho.rego.plan.tree import RuleTree
    from sekisho.rego.values import Value

Pair = tuple[Term | Operand, Term | Operand]


class Surroundings(Protocol):
    """What planners ask of the unit they plan for."""

    @property
    def tree(self) -> RuleTree:
        """The groups of the unit."""

    @property
    def prints(self) -> bool:
        """Whether anything may be printed: then the order of all loops can be seen."""

    @property
    def covers(self) -> bool:
        """Whether evaluation marks what it comes to (see ``cover``)."""

    def function_name(self, term: Var | Ref) -> str:
        """The name of the function that a call or a ``with`` names: a built-in's, or ``data.…``."""

    def function_group(self, name: str) -> int:
        """The number of a function's group; -1 for a built-in."""

    def arity(self, name: str) -> int:
        """How many operands a function takes."""

    def relation(self, name: str) -> bool:
        """Whether a built-in may have several solutions."""

    def metadata(self, module: int, name: str, call: nodes.Call) -> Value:
        """What ``rego.metadata.rule`` or ``chain`` says at a place."""

    def unsafe(self, module: int, node: nodes.Node) -> DiagnosticError:
        """The error for a term that cannot be evaluated where it stands."""


class TermPlanner(ABC):
    """Plans terms into one block.

    ``bound`` maps the Rego variables that have a value here to operands; ``known`` remembers lookups already
    made on every path to here, so that what several expressions read is read once. ``ordered``: the order of
    the block's solutions can be seen.
    """

    def __init__(self, unit: Surroundings, module: int, names: Names) -> None:
        self.unit = unit
        self.module = module
        self.names = names
        self.block: ir.Block = []
        self.bound: dict[str, Operand] = {}
        self.known: dict[tuple[object, ...], str] = {}
        self.state = "s"
        self.ordered = False

    # --- plumbing ---

    @abstractmethod
    def body(self, body: Body) -> None:
        """Plan all expressions of a body, in their order."""

    @abstractmethod
    def modifiers(self, expr: nodes.Expr) -> None:
        """Plan the ``with`` modifiers of an expression."""

    def nested(self) -> Self:
        """A planner for a block inside this one."""
        inner = copy(self)
        inner.block = []
        inner.ordered = False
        inner.bound = dict(self.bound)
        inner.known = dict(self.known)
        inner.state = self.state
        return inner

    def local(self, hint: str) -> str:
        """A new local."""
        return self.names.new(hint)

    def emit(self, instruction: ir.Instruction, node: nodes.Node) -> None:
        """Append an instruction that stands for a node."""
        instruction.at = node.start
        instruction.to = node.end
        instruction.state = self.state
        self.block.append(instruction)

    def holds(self, operand: Operand) -> bool:
        """Whether an operand is known to be neither undefined nor false."""
        return isinstance(operand, Const) and operand.value is not False

    def named(self, operand: Operand, node: nodes.Node) -> str:
        """The operand as a local."""
        if isinstance(operand, str):
            return operand
        dst = self.local("c")
        self.emit(ir.Copy(dst, operand), node)
        return dst

    # --- terms ---

    def value(self, term: Term) -> Operand:
        """Plan a term; the operand that holds its value. The block fails where it is undefined."""
        match term:
            case Scalar(value=value):
                return Const(value)
            case Var():
                return self._variable(term)
            case Ref():
                return self.reference(term)
            case nodes.Call():
                return self.call(term)
            case nodes.ArrayTerm(items=items):
                return self._array(term, [self.value(item) for item in items])
            case nodes.SetTerm(items=items):
                return self._set(term, [self.value(item) for item in items])
            case nodes.ObjectTerm(pairs=pairs):
                return self._object(term, [(self.value(k), self.value(v)) for k, v in pairs])
            case nodes.ArrayComp(term=inner, body=body):
                return self._collect(term, ir.Kind.ARRAY, body, inner, None)
            case nodes.SetComp(term=inner, body=body):
                return self._collect(term, ir.Kind.SET, body, inner, None)
            case nodes.ObjectComp(key=k, value=inner, body=body):
                return self._collect(term, ir.Kind.OBJECT, body, inner, k)
            case nodes.TemplateString():
                raise AssertionError("template strings are calls once they are checked")

    def _variable(self, var: Var) -> Operand:
        operand = self.bound.get(var.name)
        if operand is not None:
            return operand
        if var.name == "input":
            return self._path(ir.INPUT, (), var)
        if var.name == "data":
            return self.reference(Ref(var, (), start=var.start, end=var.end))
        raise self.unit.unsafe(self.module, var)

    def _array(self, term: Term, items: list[Operand]) -> Operand:
        constants = [item.value for item in items if isinstance(item, Const)]
        if len(constants) == len(items):
            return Const(constants)
        dst = self.local("a")
        self.emit(ir.MakeArray(dst, tuple(items)), term)
        return dst

    def _set(self, term: Term, items: list[Operand]) -> Operand:
        constants = [item.value for item in items if isinstance(item, Const)]
        if len(constants) == len(items):
            return Const(Set.of(constants))
        dst = self.local("a")
        self.emit(ir.MakeSet(dst, tuple(items)), term)
        return dst

    def _object(self, term: Term, pairs: list[tuple[Operand, Operand]]) -> Operand:
        constants = {key(k.value): v.value for k, v in pairs if isinstance(k, Const) and isinstance(v, Const)}
        if len(constants) == len(pairs):
            return Const(constants)
        dst = self.local("o")
        self.emit(ir.MakeObject(dst, tuple(pairs)), term)
        return dst

    def _collect(self, term: Term, kind: ir.Kind, body: Body, value: Term, key_term: Term | None) -> Operand:
        inner = self.nested()
        inner.ordered = kind is ir.Kind.ARRAY
        inner.body(body)
        key_operand = inner.value(key_term) if key_term is not None else None
        operand = inner.value(value)
        dst = self.local("c")
        self.emit(ir.Collect(dst, kind, inner.block, operand, key_operand), term)
        return dst

    # --- references ---

    def reference(self, ref: Ref) -> Operand:
        """Plan a reference; unbound variables among its steps become loops."""
        head = ref.head
        if isinstance(head, Var) and head.name not in self.bound:
            if head.name == "data":
                return self._data(ref)
            if head.name == "input":
                return self.steps(ir.INPUT, ref.path, ref)
        return self.steps(self.value(head), ref.path, ref)

    def steps(self, base: Operand, steps: tuple[Term, ...], node: nodes.Node) -> Operand:
        """Plan the steps of a reference below a value."""
        at = 0
        stored = base == ir.DATA
        while at < len(steps):
            keys = constant_prefix(steps[at:])
            if keys:
                base = self._path(base, keys, node)
                at += len(keys)
                continue
            base = self._step(base, steps[at], node, stored=stored)
            at += 1
        return base

    def _path(self, base: Operand, keys: tuple[str, ...], node: nodes.Node) -> Operand:
        memo = (self.state if base in ir.ROOTS else "", base, keys)
        dst = self.known.get(memo)
        if dst is None:
            dst = self.local(_hint(keys[-1]) if keys else "v")
            self.emit(ir.Path(dst, base, keys), node)
            self.known[memo] = dst
        return dst

    def _step(self, base: Operand, step: Term, node: nodes.Node, *, stored: bool) -> Operand:
        if isinstance(step, Var) and self.free(step):
            value = self.local("e")
            key = None if step.wildcard else self.local(step.name)
            self.scan(base, key, value, node)
            if key is not None:
                self.bound[step.name] = key
            return value
        if self.open(step):
            value, key = self.local("e"), self.local("k")
            self.scan(base, key, value, node)
            self.unify_operand(step, key)
            return value
        return self.index(base, self.value(step), node, stored=stored)

    def scan(self, base: Operand, key: str | None, value: str, node: nodes.Node) -> None:
        """Plan a loop."""
        self.emit(ir.Scan(base, key, value, self.ordered or self.unit.prints), node)

    def index(self, base: Operand, key: Operand, node: nodes.Node, *, stored: bool = False) -> Operand:
        """Plan one lookup."""
        dst = self.local("e")
        self.emit(ir.Index(dst, base, key, stored), node)
        return dst

    def _data(self, ref: Ref) -> Operand:
        node = self.unit.tree.root
        steps = ref.path
        path: list[str | int] = []
        for at, step in enumerate(steps):
            name = step.value if isinstance(step, Scalar) and type(step.value) in (str, int) else None
            if name is None:
                if not node.children or isinstance(step, Scalar):
                    return self.steps(ir.DATA, steps, ref)
                return self._document(tuple(path), steps[at:], ref)
            child = node.children.get(name)
            if child is None:
                return self.steps(ir.DATA, steps, ref)
            path.append(name)
            node = child
            if node.group >= 0:
                return self.steps(self.rule(node.group, ref), steps[at + 1 :], ref)
        return self._document(tuple(path), (), ref)

    def rule(self, group: int, node: nodes.Node) -> Operand:
        """Plan the use of a rule's value."""
        memo = ("rule", self.state, group)
        dst = self.known.get(memo)
        if dst is None:
            dst = self.local(_hint(str(self.unit.tree.paths[group][-1])))
            self.emit(ir.Rule(dst, group), node)
            self.known[memo] = dst
        return dst

    def _document(self, path: tuple[str | int, ...], steps: tuple[Term, ...], ref: Ref) -> Operand:
        handle = self.local("d")
        self.emit(ir.Document(handle, path), ref)
        for step in steps:
            dst = self.local("d")
            if self.open(step):
                key = None if isinstance(step, Var) and step.wildcard else self.local("k")
                self.emit(ir.DocumentScan(handle, key, dst), ref)
                if key is not None:
                    self.unify_operand(step, key)
            else:
                self.emit(ir.DocumentIndex(dst, handle, self.value(step)), ref)
            handle = dst
        dst = self.local("v")
        self.emit(ir.DocumentValue(dst, handle), ref)
        return dst

    # --- unification ---

    def free(self, var: Var) -> bool:
        """Whether a variable has no value yet."""
        return var.name not in self.bound and var.name not in ir.ROOTS

    def open(self, term: Term) -> bool:
        """Whether a term is a pattern: it holds a variable without value, outside references and closures."""
        match term:
            case Var():
                return self.free(term)
            case nodes.ArrayTerm(items=items):
                return any(map(self.open, items))
            case nodes.ObjectTerm(pairs=pairs):
                return any(self.open(v) for _, v in pairs)
            case _:
                return False

    def ready(self, term: Term) -> bool:
        """Whether a term can be evaluated: all it needs has a value (steps of references may be free)."""
        match term:
            case Var():
                return not self.free(term)
            case Ref(head=head, path=path):
                return self.ready(head) and all(
                    isinstance(step, Var) or self.open(step) or self.ready(step) for step in path
                )
            case nodes.ArrayTerm(items=items) | nodes.SetTerm(items=items):
                return all(map(self.ready, items))
            case nodes.ObjectTerm(pairs=pairs):
                return all(self.ready(k) and self.ready(v) for k, v in pairs)
            case nodes.Call(args=args):
                return all(map(self.ready, args))
            case _:
                return True

    def unify(self, a: Term, b: Term) -> None:
        """Plan ``a = b``."""
        self._solve([(a, b)])

    def unify_operand(self, pattern: Term, operand: Operand) -> None:
        """Plan ``pattern = value``."""
        self._solve([(pattern, operand)])

    def _solve(self, pairs: list[Pair]) -> None:
        while pairs:
            later: list[Pair] = []
            for pair in pairs:
                later.extend(self._unify_pair(*pair))
            if later == pairs:
                term = next(t for pair in pairs for t in pair if isinstance(t, nodes.Node))
                raise self.unit.unsafe(self.module, term)
            pairs = later

    def _unify_pair(self, a: Term | Operand, b: Term | Operand) -> list[Pair]:
        """Plan one equation; what is left to be solved when more variables have values."""
        if isinstance(a, nodes.Node) and isinstance(b, nodes.Node):
            return self._unify_terms(a, b)
        if isinstance(a, nodes.Node) and not isinstance(b, nodes.Node):
            return self._match(a, b)
        if isinstance(b, nodes.Node) and not isinstance(a, nodes.Node):
            return self._match(b, a)
        raise AssertionError("two operands are compared where they arise")

    def _unify_terms(self, a: Term, b: Term) -> list[Pair]:
        for x, y in ((a, b), (b, a)):
            if isinstance(x, Var) and self.free(x):
                if self.ready(y):
                    operand = self.value(y)
                    if self.free(x):
                        self.bound[x.name] = operand
                    else:  # a reference in ``y`` has just bound it
                        self.emit(ir.Equal(self.bound[x.name], operand), x)
                    return []
                if isinstance(y, Var) and (x.wildcard or y.name == x.name):
                    return []
        if isinstance(a, nodes.ArrayTerm) and isinstance(b, nodes.ArrayTerm):
            if len(a.items) != len(b.items):
                self.emit(ir.Truthy(Const(False)), a)
                return []
            return self._each(list(zip(a.items, b.items, strict=True)))
        if isinstance(a, nodes.ObjectTerm) and isinstance(b, nodes.ObjectTerm):
            pairs = _common_pairs(a, b)
            if pairs is not None:
                return self._each(pairs)
        if self.ready(b):
            return self._match(a, self.value(b))
        if self.ready(a):
            return self._match(b, self.value(a))
        return [(a, b)]

    def _each(self, pairs: list[tuple[Term, Term]]) -> list[Pair]:
        return [left for x, y in pairs for left in self._unify_terms(x, y)]

    def _match(self, pattern: Term, operand: Operand) -> list[Pair]:
        if isinstance(pattern, Var) and self.free(pattern):
            if not pattern.wildcard:
                self.bound[pattern.name] = operand
            return []
        if isinstance(pattern, nodes.ArrayTerm) and self.open(pattern):
            return self._match_array(pattern, self.named(operand, pattern))
        if isinstance(pattern, nodes.ObjectTerm) and self.open(pattern):
            return self._match_object(pattern, operand)
        if not self.ready(pattern):
            return [(pattern, operand)]
        self.emit(ir.Equal(self.value(pattern), operand), pattern)
        return []

    def _match_array(self, pattern: nodes.ArrayTerm, operand: str) -> list[Pair]:
        self.emit(ir.IsArray(operand, len(pattern.items)), pattern)
        later: list[Pair] = []
        for at, item in enumerate(pattern.items):
            if isinstance(item, Var) and item.wildcard and self.free(item):
                continue
            dst = self.local(item.name if isinstance(item, Var) else "e")
            self.emit(ir.Element(dst, operand, at), item)
            later.extend(self._match(item, dst))
        return later

    def _match_object(self, pattern: nodes.ObjectTerm, operand: Operand) -> list[Pair]:
        if not all(self.ready(k) for k, _ in pattern.pairs):
            return [(pattern, operand)]
        self.emit(ir.IsObject(operand, len(pattern.pairs)), pattern)
        later: list[Pair] = []
        for k, item in pattern.pairs:
            later.extend(self._match(item, self.index(operand, self.value(k), k)))
        return later

    # --- calls ---

    def call(self, call: nodes.Call) -> Operand:
        """Plan a call; the operand that holds its result."""
        name = self.unit.function_name(call.name)
        if name == "eq":
            self.unify(call.args[0], call.args[1])
            return Const(True)
        if name in {"rego.metadata.rule", "rego.metadata.chain"}:
            return Const(self.unit.metadata(self.module, name, call))
        arity = self.unit.arity(name)
        dst = self._apply(call, name, call.args[:arity])
        if len(call.args) > arity:
            self.unify_operand(call.args[arity], dst)
            return Const(True)
        return dst

    def _apply(self, call: nodes.Call, name: str, operands: tuple[Term, ...]) -> Operand:
        group = self.unit.function_group(name)
        if group >= 0 and not operands:
            return self.value(call.name)  # `f() = x` makes no function: called, a rule is its value
        args = tuple(self.value(operand) for operand in operands)
        dst = self.local("r")
        if group >= 0:
            self.emit(ir.CallFunction(dst, group, args), call)
        elif self.unit.relation(name):
            self.emit(ir.Solutions(dst, name, args), call)
        else:
            self.emit(ir.CallBuiltin(dst, name, args), call)
        return dst


class Names:
    """New names for the locals of one function."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def new(self, hint: str) -> str:
        """A name not given before."""
        self._count += 1
        return f"{hint.partition('~')[0].replace('$', 'w')}_{self._count}"


def _hint(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else "v"


def constant_prefix(steps: tuple[Term, ...]) -> tuple[str, ...]:
    """The leading steps that are string constants."""
    keys: list[str] = []
    for step in steps:
        if not (isinstance(step, Scalar) and isinstance(step.value, str)):
            break
        keys.append(step.value)
    return tuple(keys)


def _common_pairs(a: nodes.ObjectTerm, b: nodes.ObjectTerm) -> list[tuple[Term, Term]] | None:
    """The pairs of two object literals with the same constant keys; None where that cannot be told."""
    left, right = _constant_keys(a), _constant_keys(b)
    if left is None or right is None or left.keys() != right.keys():
        return None
    return [(left[k], right[k]) for k in left]


def _constant_keys(term: nodes.ObjectTerm) -> dict[object, Term] | None:
    found: dict[object, Term] = {}
    for k, v in term.pairs:
        if not isinstance(k, Scalar) or (is_number(k.value) and type(k.value) is not int):
            return None
        found[key(k.value)] = v
    return found if len(found) == len(term.pairs) else None
