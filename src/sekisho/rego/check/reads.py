"""What each rule may read: paths of input and of base data, and built-ins whose answers change.

The analysis is conservative: a path in the answer may be read, one that is not is never read. It follows
variables that stand for a part of a document (``c := input.review.object.spec.containers[_]``) and arguments
of functions, so that a library which gets ``input.review`` and looks at ``operation`` reads just that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.rego.builtins.table import Builtin
from sekisho.rego.check.bindings import expr_vars, is_equation
from sekisho.rego.check.program import Checked, FunctionWith, Rule, TreeNode
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Body,
    Call,
    Every,
    Expr,
    NotBody,
    ObjectComp,
    ObjectTerm,
    Ref,
    Scalar,
    SetComp,
    SetTerm,
    SomeIn,
    Term,
    TermExpr,
    Var,
)

Path = tuple[str | None, ...]
"""Steps from the root of a document; None is any step. The whole value at its end may be read."""

Origin = tuple[str, Path]
"""A root (``input``, ``data``, or the number of an argument) and a path from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What a rule, with all that it uses, may read.

    ``input`` and ``data`` are paths whose values it may read, ``input_keys`` and ``data_keys`` those of which
    it only sees whether there is something; ``builtins`` the built-ins it may call whose answers differ from
    one evaluation to the next; ``rules`` the paths of the rules it uses.
    """

    input: frozenset[Path] = frozenset()
    data: frozenset[Path] = frozenset()
    input_keys: frozenset[Path] = frozenset()
    data_keys: frozenset[Path] = frozenset()
    builtins: frozenset[str] = frozenset()
    rules: frozenset[tuple[str, ...]] = frozenset()

    def reads_input(self, *path: str) -> bool:
        """Whether a change at this path of input may change what the rule gives."""
        return _touched(path, self.input, self.input_keys)

    def reads_data(self, *path: str) -> bool:
        """Whether a change at this path of base data may change what the rule gives."""
        return _touched(path, self.data, self.data_keys)


def _touched(path: Path, values: Iterable[Path], keys: Iterable[Path]) -> bool:
    if any(_meet(path, known) for known in values):
        return True
    return any(len(path) <= len(known) and _meet(path, known) for known in keys)


def _meet(a: Path, b: Path) -> bool:
    return all(x is None or y is None or x == y for x, y in zip(a, b, strict=False))


def reads(checked: Checked, builtins: Mapping[str, Builtin]) -> Mapping[tuple[str, ...], Reads]:
    """What the rules at each path of the tree may read."""
    found: dict[tuple[str, ...], _Facts] = {}
    for node in checked.order:
        facts = _Facts()
        defined = node.rules if node.default is None else (node.default, *node.rules)
        for rule in defined:
            for branch in rule.chain():
                _Reader(checked.tree, found, builtins, facts).rule(branch)
        found[node.path] = facts
    return {path: facts.reads() for path, facts in found.items()}


class _Facts:
    """What one node reads; paths by their root, where arguments are roots, too."""

    __slots__ = ("builtins", "keys", "paths", "rules")

    def __init__(self) -> None:
        self.paths: dict[str, set[Path]] = {}
        self.keys: dict[str, set[Path]] = {}
        self.builtins: set[str] = set()
        self.rules: set[tuple[str, ...]] = set()

    def add(self, origin: Origin) -> None:
        """The value at this path is read."""
        self.paths.setdefault(origin[0], set()).add(origin[1])

    def see(self, origin: Origin) -> None:
        """Whether there is something at this path is seen."""
        self.keys.setdefault(origin[0], set()).add(origin[1])

    def use(self, other: _Facts, path: tuple[str, ...]) -> None:
        """Another rule is used."""
        self.rules.add(path)
        self.rules |= other.rules
        self.builtins |= other.builtins
        for root in ("input", "data"):
            self.paths.setdefault(root, set()).update(other.paths.get(root, ()))
            self.keys.setdefault(root, set()).update(other.keys.get(root, ()))

    def reads(self) -> Reads:
        """The facts without the arguments."""
        return Reads(
            input=frozenset(_shortest(self.paths.get("input", ()))),
            data=frozenset(_shortest(self.paths.get("data", ()))),
            input_keys=frozenset(self.keys.get("input", ())),
            data_keys=frozenset(self.keys.get("data", ())),
            builtins=frozenset(self.builtins),
            rules=frozenset(self.rules),
        )


def _shortest(paths: Iterable[Path]) -> set[Path]:
    """The paths that do not lie below another one of them."""
    kept: set[Path] = set()
    for path in sorted(paths, key=len):
        if not any(path[:length] in kept for length in range(len(path))):
            kept.add(path)
    return kept


class _Reader:
    """Reads the rules of one node into its facts. ``origins`` are variables that are parts of documents."""

    __slots__ = ("_bound", "_builtins", "_facts", "_found", "_origins", "_tree")

    def __init__(
        self,
        tree: TreeNode,
        found: Mapping[tuple[str, ...], _Facts],
        builtins: Mapping[str, Builtin],
        facts: _Facts,
    ) -> None:
        self._tree = tree
        self._found = found
        self._builtins = builtins
        self._facts = facts
        self._origins: dict[str, Origin] = {}
        self._bound: set[str] = set()

    def rule(self, rule: Rule) -> None:
        """Read one rule, without its else branches."""
        for i, arg in enumerate(rule.args or ()):
            self._bind(arg, (str(i), ()))
        self._body(rule.body)
        for head in (*rule.suffix, rule.key, rule.value):
            if head is not None:
                self._value(head)

    def _body(self, body: Body) -> None:
        for expr in body:
            self._expr(expr)
            self._bound |= expr_vars(expr)

    def _expr(self, expr: Expr) -> None:
        for one in expr.withs:
            self._value(one.value)
            replacement = one.replacement if isinstance(one, FunctionWith) else None
            if replacement is not None:
                self._called(replacement, ())
        statement = expr.statement
        if isinstance(statement, TermExpr):
            term = statement.term
            if isinstance(term, Call) and is_equation(term):
                self._equation(*term.args)
            else:
                self._value(term)
        elif isinstance(statement, (Every, SomeIn)):
            self._items(statement)
        else:
            assert isinstance(statement, NotBody)
            self._body(statement.body)

    def _items(self, statement: Every | SomeIn) -> None:
        origin = self._origin(statement.domain)
        if origin is None:
            self._value(statement.domain)
        else:
            self._bind(statement.value, _below(origin, (None,)))
        if isinstance(statement, Every):
            self._body(statement.body)
        elif statement.key is not None and not isinstance(statement.key, Var):
            self._value(statement.key)

    def _equation(self, left: Term, right: Term) -> None:
        for side, other in ((left, right), (right, left)):
            if isinstance(side, Var) and side.name not in self._bound and self._origin(side) is None:
                origin = self._origin(other)
                if origin is not None:
                    self._bind(side, origin)
                    if isinstance(other, Ref):
                        self._steps(other)
                    return
        self._value(left)
        self._value(right)

    def _bind(self, pattern: Term, origin: Origin) -> None:
        """A pattern is unified with a part of a document."""
        if isinstance(pattern, Var) and pattern.name not in self._bound:
            self._origins.setdefault(pattern.name, origin)
            self._facts.see(origin)
        else:
            self._facts.add(origin)
            self._value(pattern)

    # --- terms --------------------------------------------------------------------------------------------

    def _origin(self, term: Term) -> Origin | None:
        """The part of a document that a term is; None if it is something else, or what a rule gives."""
        if isinstance(term, Var):
            return ("input", ()) if term.name == "input" else self._origins.get(term.name)
        if not isinstance(term, Ref) or not isinstance(term.head, Var):
            return None
        steps = tuple([_step(step) for step in term.path])
        if term.head.name == "data":
            return None if self._reached(term) else ("data", steps)
        head = self._origin(term.head)
        return None if head is None else _below(head, steps)

    def _value(self, term: Term) -> None:
        """The whole value of a term is read."""
        origin = self._origin(term)
        if origin is not None:
            self._facts.add(origin)
            if isinstance(term, Ref):
                self._steps(term)
            return
        read = _VALUES.get(type(term))
        if read is not None:
            read(self, term)

    def _steps(self, ref: Ref) -> None:
        for step in ref.path:
            if not isinstance(step, (Scalar, Var)) or (isinstance(step, Var) and step.name in self._origins):
                self._value(step)

    def read_var(self, var: Var) -> None:
        """A variable that is no part of a document; ``data`` is everything."""
        if var.name == "data":
            self._facts.add(("data", ()))
            for path, facts in self._found.items():
                self._facts.use(facts, path)

    def read_ref(self, ref: Ref) -> None:
        """A reference to a rule, or into a value that a rule or a call gave."""
        self._steps(ref)
        if not isinstance(ref.head, Var):
            self._value(ref.head)
        elif ref.head.name == "data":
            for node in self._reached(ref):
                self._facts.use(self._found[node.path], node.path)
            if self._beyond_rules(ref):
                self._facts.add(("data", tuple([_step(step) for step in ref.path])))

    def _reached(self, ref: Ref) -> list[TreeNode]:
        """The nodes with rules that a reference to data may reach."""
        reached: list[TreeNode] = []
        level = [self._tree]
        for step in ref.path:
            name = _step(step)
            following: list[TreeNode] = []
            for node in level:
                if name is None:
                    following += node.children.values()
                elif name in node.children:
                    following.append(node.children[name])
            reached += [node for node in following if node.path in self._found]
            level = following
        for node in level:
            reached += [below for below in node.below() if below.path in self._found]
        return list({node.path: node for node in reached}.values())

    def _beyond_rules(self, ref: Ref) -> bool:
        """Whether base data may stand where the reference points, beside the rules."""
        node: TreeNode | None = self._tree
        for step in ref.path:
            name = _step(step)
            if node is not None and node.kind is not None:
                return False
            if node is None or name is None:
                return True
            node = node.children.get(name)
        return node is None or node.kind is None

    def read_call(self, call: Call) -> None:
        """A call: a built-in reads its operands whole, a function what it reads of its arguments."""
        self._called(call.name, call.args)

    def _called(self, name: Var | Ref, args: tuple[Term, ...]) -> None:
        if isinstance(name, Var):
            row = self._builtins.get(name.name)
            if row is not None and not row.deterministic:
                self._facts.builtins.add(name.name)
            for arg in args:
                self._value(arg)
            return
        path = tuple([_step(step) or "" for step in name.path])
        facts = self._found.get(path, _NOTHING)
        self._facts.use(facts, path)
        for i, arg in enumerate(args):
            origin = self._origin(arg)
            if origin is None:
                self._value(arg)
                continue
            self._facts.see(origin)
            for below in facts.paths.get(str(i), ()):
                self._facts.add(_below(origin, below))
            for below in facts.keys.get(str(i), ()):
                self._facts.see(_below(origin, below))

    def read_items(self, term: ArrayTerm | SetTerm) -> None:
        """``[a, b]`` and ``{a, b}``."""
        for item in term.items:
            self._value(item)

    def read_pairs(self, term: ObjectTerm) -> None:
        """``{k: v}``."""
        for key, value in term.pairs:
            self._value(key)
            self._value(value)

    def read_comprehension(self, term: ArrayComp | SetComp | ObjectComp) -> None:
        """A comprehension."""
        self._body(term.body)
        for head in (term.key, term.value) if isinstance(term, ObjectComp) else (term.term,):
            self._value(head)


def _below(origin: Origin, steps: Path) -> Origin:
    return origin[0], origin[1] + steps


def _step(term: Term) -> str | None:
    return term.value if isinstance(term, Scalar) and isinstance(term.value, str) else None


_NOTHING: Final = _Facts()
_VALUES: Final[dict[type, Any]] = {
    Var: _Reader.read_var,
    Ref: _Reader.read_ref,
    Call: _Reader.read_call,
    ArrayTerm: _Reader.read_items,
    SetTerm: _Reader.read_items,
    ObjectTerm: _Reader.read_pairs,
    ArrayComp: _Reader.read_comprehension,
    SetComp: _Reader.read_comprehension,
    ObjectComp: _Reader.read_comprehension,
}
