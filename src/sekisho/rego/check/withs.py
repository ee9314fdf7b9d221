"""``with``: what it replaces, and by what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from sekisho.diag import Code
from sekisho.rego import codes
from sekisho.rego.check.errors import Stage
from sekisho.rego.check.functions import Function
from sekisho.rego.check.globals import ROOTS, ModuleNames
from sekisho.rego.check.program import FunctionWith
from sekisho.rego.check.scope import Scope
from sekisho.rego.nodes import Node, Ref, Scalar, Term, Var, With

_FIXED: Final = frozenset({"eq", "rego.metadata.chain", "rego.metadata.rule"})
_REPLACING: Final = "with keyword replacing built-in function: "


class Modifiers(ABC):
    """The part of name resolution that reads ``with`` modifiers."""

    __slots__ = ()
    names: ModuleNames
    scopes: list[Scope]
    vars: set[str]
    reads: list[Ref | Var]

    @abstractmethod
    def term(self, term: Term) -> Term:
        """The resolved term."""

    @abstractmethod
    def global_path(self, name: str) -> Ref | Var | None:
        """The rule or import that a name means."""

    def modifiers(self, withs: tuple[With, ...]) -> tuple[With, ...]:
        """The resolved modifiers of one expression."""
        return tuple([self._modifier(one) for one in withs])

    def _modifier(self, one: With) -> With:
        target = self._absolute(one.target)
        head = target.head if isinstance(target, Ref) else target
        if isinstance(head, Var) and head.name == "data" and isinstance(target, Ref):
            return self._data_target(one, target)
        if isinstance(head, Var) and head.name in ROOTS:
            return With(target, self.term(one.value), start=one.start, end=one.end)
        function = self._builtin(target)
        if function is None:
            message = "with keyword target must reference existing input, data, or a function"
            self._report(message, one.target, codes.WITH_TARGET_UNKNOWN)
            return With(target, self.term(one.value), start=one.start, end=one.end)
        self._check_builtin(function, one.target)
        named = Var(function.text, start=target.start, end=target.end)
        return self._function(one, named)

    def _report(self, message: str, node: Node, code: Code = codes.WITH_TARGET) -> None:
        self.names.errors.add(Stage.WITH, code, message, (self.names.module, node))

    def _absolute(self, target: Var | Ref) -> Var | Ref:
        """The target with imports and rule names resolved; local variables do not hide what it names."""
        head = target.head if isinstance(target, Ref) else target
        steps = target.path if isinstance(target, Ref) else ()
        if any(type(step) is not Scalar for step in steps):
            steps = tuple(self.term(step) for step in steps)
        if not isinstance(head, Var):
            return target
        path = None if head.name in ROOTS else self.global_path(head.name)
        if path is None:
            path = head
        if isinstance(path, Ref):
            head, steps = path.head, path.path + steps
            assert isinstance(head, Var)
        else:
            head = path
        if not steps:
            return Var(head.name, start=target.start, end=target.end)
        absolute = Ref(head, steps, start=target.start, end=target.end)
        if head.name == "data":
            self.reads.append(absolute)
        return absolute

    def _names(self, term: Term) -> tuple[str, ...] | None:
        """The path of a reference whose steps are all names, beginning with its head."""
        if isinstance(term, Var):
            return (term.name,)
        if not isinstance(term, Ref) or not isinstance(term.head, Var):
            return None
        names = [term.head.name]
        for step in term.path:
            if not isinstance(step, Scalar) or not isinstance(step.value, str):
                return None
            names.append(step.value)
        return tuple(names)

    def _builtin(self, term: Term) -> Function | None:
        names = self._names(term)
        if names is None or names[0] in ROOTS:
            return None
        name = ".".join(names)
        if self.names.functions.denies(name):
            self._report(f'{_REPLACING}target must not be unsafe: "{name}"', term)
        return self.names.functions.builtin(name)

    def _check_builtin(self, function: Function, at: Node) -> None:
        name = function.text
        row = function.row
        assert row is not None
        if name in _FIXED:
            self._report(f'{_REPLACING}replacement of "{name}" invalid', at)
        elif name.startswith("internal."):
            self._report(f'{_REPLACING}replacement of internal function "{name}" invalid', at)
        elif row.relation:
            self._report(f"{_REPLACING}target must not be a relation", at)
        elif row.type.result is None:
            self._report(f"{_REPLACING}target must not be a void function", at)

    def _data_target(self, one: With, target: Ref) -> With:
        names = self._names(target)
        below = self.names.tree
        for step in target.path[:-1]:
            key = step.value if isinstance(step, Scalar) and isinstance(step.value, str) else None
            child = None if key is None else below.children.get(key)
            if child is None:
                break
            if child.kind is not None:
                message = "with keyword cannot partially replace virtual document(s)"
                self._report(message, one.target)
                break
            below = child
        node = None if names is None else self.names.tree.find(names[1:])
        if node is not None and node.arity:
            return self._function(one, target)
        return With(target, self.term(one.value), start=one.start, end=one.end)

    def _function(self, one: With, target: Var | Ref) -> FunctionWith:
        """``with f as g``, or as a value that every call gives."""
        replacement = self._replacement(one.value)
        value = one.value if replacement is not None else self.term(one.value)
        return FunctionWith(target, value, replacement, start=one.start, end=one.end)

    def _replacement(self, value: Term) -> Var | Ref | None:
        """The function that a value names, if it names one."""
        if not isinstance(value, (Var, Ref)):
            return None
        head = value.head if isinstance(value, Ref) else value
        if not isinstance(head, Var) or any(head.name in scope.names for scope in self.scopes):
            return None
        absolute = self._absolute(value)
        names = self._names(absolute)
        if names is None:
            return None
        if names[0] == "data":
            node = self.names.tree.find(names[1:])
            if node is None or not node.arity:
                return None
            return absolute
        function = self._builtin(absolute)
        if function is None:
            return None
        return Var(function.text, start=value.start, end=value.end)
