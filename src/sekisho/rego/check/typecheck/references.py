"""References and the types of terms: the part of the type checker that looks into documents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from sekisho.diag import Code
from sekisho.rego import codes
from sekisho.rego.check.errors import Errors, Stage
from sekisho.rego.check.text import term_text, value_text
from sekisho.rego.check.typecheck.documents import DataNode, select_all
from sekisho.rego.check.typecheck.ops import bounded, either, keys, of_value, select, type_text, values
from sekisho.rego.check.typecheck.unify import unifies
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Call,
    Module,
    Node,
    ObjectComp,
    ObjectTerm,
    Ref,
    Scalar,
    SetComp,
    SetTerm,
    Term,
    Var,
)
from sekisho.rego.types import ANY, UNKNOWN, Anything, Array, Function, Object, SetOf, Type, Union
from sekisho.rego.values import Set, Value, key, sort_values, unkey


class References(ABC):
    """What is known of variables and documents while one rule is checked.

    ``prepared`` is false once a part of the expression at hand has an error, ``failed`` once one of the body
    has. Where ``checking`` is false, only references are looked at.
    """

    __slots__ = ("checking", "data", "errors", "failed", "module", "prepared", "types", "vars")
    module: Module

    def __init__(self, errors: Errors) -> None:
        self.errors = errors
        self.data = DataNode()
        self.vars: dict[str, Type] = {}
        self.types: dict[int, Type] = {}
        self.failed = False
        self.prepared = True
        self.checking = True

    @abstractmethod
    def call(self, call: Call) -> None:
        """Check a call inside a term."""

    @abstractmethod
    def comprehension(self, term: ArrayComp | SetComp | ObjectComp) -> None:
        """Check a comprehension inside a term."""

    @abstractmethod
    def unify_term(self, term: Term, wanted: Type, *, union: bool = False) -> bool:
        """Whether a term can have a type."""

    def report(
        self,
        code: Code,
        message: str,
        at: Node,
        *,
        help: str = "",
        data: Mapping[str, object] | None = None,
    ) -> None:
        """Report an error of types."""
        self.failed = True
        self.prepared = False
        self.errors.add(Stage.TYPES, code, message, (self.module, at), help=help, data=data)

    # --- preparing: what is inside a term is checked before the term is ------------------------------------

    def prepare(self, term: Term) -> None:
        """Check the references, calls and comprehensions in a term."""
        prepare = _PREPARE.get(type(term))
        if prepare is not None:
            prepare(self, term)

    def parts(self, term: ArrayTerm | SetTerm) -> None:
        """The items of an array or a set."""
        for item in term.items:
            self.prepare(item)

    def pairs(self, term: ObjectTerm) -> None:
        """The keys and values of an object."""
        for k, v in term.pairs:
            self.prepare(k)
            self.prepare(v)

    def reference(self, ref: Ref) -> None:
        """A reference: whether its steps can exist, and what that says of the variables in them."""
        head = ref.head
        path = ref.path
        for step in path:
            if type(step) is not Scalar and type(step) is not Var:
                self.prepare(step)
        if type(head) is not Var:
            self.prepare(head)
            known = self.type_of(head)
            self._leaf(ref, ANY if known is UNKNOWN else known, 0)
        elif head.name == "input":
            self._open_steps(ref, 0)
        elif head.name == "data":
            self._data(ref)
        else:
            have = self.vars.get(head.name)
            if have is None:
                have = self.vars[head.name] = ANY
            if isinstance(have, Anything):
                self._open_steps(ref, 0)
            else:
                self._leaf(ref, have, 0)

    def _open_steps(self, ref: Ref, at: int) -> None:
        """The steps into what may be anything."""
        for step in ref.path[at:]:
            if type(step) is Var and step.name not in self.vars and step.name not in _ROOTS:
                self.vars[step.name] = ANY
            elif type(step) is ArrayTerm or type(step) is ObjectTerm or type(step) is SetTerm:
                self.unify_term(step, ANY)

    def _data(self, ref: Ref) -> None:
        node = self.data
        for i, step in enumerate(ref.path):
            if i < 2 and type(step) is Scalar and not isinstance(step.value, str) and node.children:
                self._invalid(ref, i, self.type_of(step), _STRING, sorted(node.children, key=str))
                return
            if type(step) is Var:
                self._data_var(ref, i, node)
                self._open_steps(ref, 0)
                return
            if type(step) is not Scalar:
                self._open_steps(ref, 0)
                return
            child = node.children.get(key(step.value))
            if child is None:
                self._open_steps(ref, 0)
                return
            if child.value is not None:
                self._leaf(ref, child.value, i + 1)
                return
            node = child

    def _data_var(self, ref: Ref, i: int, node: DataNode) -> None:
        step = ref.path[i]
        assert isinstance(step, Var)
        known = keys(node.extent()) or UNKNOWN
        have = self.vars.get(step.name)
        if have is None:
            self.vars[step.name] = known
        elif not unifies(known, have):
            self._invalid(ref, i, have, known, sorted(node.children, key=str))

    def _leaf(self, ref: Ref, known: Type, at: int) -> None:
        """The steps from ``at`` on, into a document of this type."""
        if isinstance(known, Function):
            self._not_called(ref, at, known)
            return
        for i in range(at, len(ref.path)):
            step = ref.path[i]
            wanted = keys(known)
            if wanted is None:
                self._unsupported(ref, i, known)
                return
            kind = type(step)
            if kind is Scalar:
                child = select(known, key(step.value))  # type: ignore[union-attr]
                if child is None:
                    self._invalid(ref, i, None, wanted, _properties(known))
                    return
                known = child
                continue
            if not self._step_fits(step, wanted):
                have = self.type_of(step)
                self._invalid(ref, i, have, wanted, _properties(known))
                return
            known = values(known) or UNKNOWN

    def _step_fits(self, step: Term, wanted: Type) -> bool:
        if type(step) is Var and step.name not in _ROOTS:
            have = self.vars.get(step.name)
            if have is None:
                self.vars[step.name] = wanted
                return True
            return unifies(have, wanted)
        if type(step) is ArrayTerm or type(step) is ObjectTerm or type(step) is SetTerm:
            return self.unify_term(step, wanted)
        have = self.type_of(step)
        return have is UNKNOWN or unifies(have, wanted)

    # --- errors -------------------------------------------------------------------------------------------

    def _not_called(self, ref: Ref, at: int, known: Type) -> None:
        steps = ref.path
        if len(steps) > at and type(steps[-1]) is Var and not term_text(steps[-1]).strip("?"):
            steps = steps[:-1]
        name = term_text(Ref(ref.head, steps))
        message = f"function {name} used as reference, not called"
        lines = [name, "^" * len(_prefix(ref, at)), f"have: {type_text(known)}"]
        text = "\n\t".join([message, *lines])
        data = {"message": message, "details": lines}
        self.report(codes.NOT_CALLED, text, ref, data=data, help=f"call it: `{name}(…)`")

    def _unsupported(self, ref: Ref, i: int, known: Type) -> None:
        text = term_text(ref)
        lines = [text, "^" * len(_prefix(ref, i)), f"have: {type_text(known)}"]
        self._undefined(text, lines, ref)

    def _invalid(self, ref: Ref, i: int, have: Type | None, want: Type, one_of: Iterable[Any]) -> None:
        text = term_text(ref)
        pad = " " * (len(_prefix(ref, i)) + 1)
        step = ref.path[i]
        lines = [text, pad + "^"]
        lines.append(
            f"{pad}have (type): {type_text(have)}" if have is not None else f"{pad}have: {term_text(step)}"
        )
        names = [unkey(form) for form in one_of]
        known = " ".join(map(value_text, names))
        lines.append(f"{pad}want (one of): [{known}]" if known else f"{pad}want (type): {type_text(want)}")
        self._undefined(text, lines, ref, help=_nearest(step, names))

    def _undefined(self, text: str, lines: list[str], at: Node, *, help: str = "") -> None:
        message = f"undefined ref: {text}"
        data = {"message": message, "details": lines}
        self.report(codes.UNDEFINED_REF, "\n\t".join([message, *lines]), at, help=help, data=data)

    def unsupported(self, domain: Term, step: Term | None, known: Type) -> None:
        """``some … in`` over what has no items."""
        self._unsupported(_indexed(domain, step), _steps(domain), known)

    def invalid_key(self, domain: Term, step: Term, wanted: Type) -> None:
        """``some k, … in`` with a key that cannot be one."""
        self._invalid(_indexed(domain, step), _steps(domain), self.type_of(step), wanted, ())

    # --- types of terms -----------------------------------------------------------------------------------

    def type_of(self, term: Term) -> Type:
        """The type of a term, as far as it is known."""
        return _TYPES[type(term)](self, term)

    def scalar_type(self, term: Scalar) -> Type:
        """The type of a constant."""
        return of_value(term.value)

    def var_type(self, term: Var) -> Type:
        """The type of a variable; ``input`` and base data are anything."""
        if term.name == "input":
            return ANY
        if term.name == "data":
            return self.data.extent() if self.data.children else ANY
        return self.vars.get(term.name, UNKNOWN)

    def ref_type(self, ref: Ref) -> Type:
        """The type of what a reference gives."""
        head = ref.head
        if type(head) is Var:
            if head.name == "input":
                return ANY
            if head.name == "data":
                return self.data.select(_forms(ref.path)) or UNKNOWN
        known = self.type_of(head)
        if isinstance(known, Anything):
            return ANY
        if known is UNKNOWN:
            return UNKNOWN
        return select_all(known, _forms(ref.path)) or UNKNOWN

    def array_type(self, term: ArrayTerm) -> Type:
        """The type of ``[a, b]``."""
        if not term.items:
            return Array((), ANY)
        return bounded(Array(tuple([self.type_of(item) for item in term.items])))

    def set_type(self, term: SetTerm) -> Type:
        """The type of ``{a, b}``."""
        found: Type | None = None
        for item in term.items:
            found = either(found, self.type_of(item))
        return bounded(SetOf(ANY if found is None or found is UNKNOWN else found))

    def object_type(self, term: ObjectTerm) -> Type:
        """The type of ``{k: v}``: constant keys are properties."""
        static: dict[Any, Type] = {}
        dynamic: tuple[Type, Type] | None = None
        for k, v in term.pairs:
            form = self.constant_key(k)
            if form is None:
                dynamic = (self.type_of(k), self.type_of(v))
            else:
                static[form[0]] = self.type_of(v)
        if not static and dynamic is None:
            dynamic = (ANY, ANY)
        return bounded(Object(tuple(static.items()), dynamic))

    def remembered_type(self, term: Term) -> Type:
        """The type of a call or a comprehension that has been checked."""
        return self.types.get(id(term), UNKNOWN)

    @staticmethod
    def constant_key(term: Term) -> tuple[Any] | None:
        """A constant's ``values.key`` form, in a tuple; None for a term that is no constant."""
        if type(term) is Scalar:
            return (key(term.value),)
        value = constant(term)
        return None if value is _NONE else (key(value),)


_ROOTS: Final = frozenset({"input", "data"})
_NONE: Final = object()
_STRING: Final = of_value("")


def constant(term: Term) -> Value:
    """The value of a term without variables, references, calls and comprehensions; else a mark of its own."""
    if isinstance(term, Scalar):
        return term.value
    if isinstance(term, (ArrayTerm, SetTerm)):
        items = [constant(item) for item in term.items]
        if any(item is _NONE for item in items):
            return _NONE
        return items if isinstance(term, ArrayTerm) else Set.of(items)
    if isinstance(term, ObjectTerm):
        pairs = [(constant(k), constant(v)) for k, v in term.pairs]
        if any(k is _NONE or v is _NONE for k, v in pairs):
            return _NONE
        return {key(k): v for k, v in pairs}
    return _NONE


def first_type(term: Term) -> Type:
    """The type of a term before anything is known of variables."""
    value = constant(term)
    if value is not _NONE:
        return Array((), ANY) if value == [] else of_value(value)
    if isinstance(term, ArrayTerm):
        return Array(tuple([first_type(item) for item in term.items]))
    if isinstance(term, SetTerm):
        found: Type | None = None
        for item in term.items:
            found = either(found, first_type(item))
        return SetOf(found or ANY)
    if isinstance(term, ObjectTerm):
        static = [(constant(k), first_type(v)) for k, v in term.pairs]
        return Object(tuple((key(k), v) for k, v in static if k is not _NONE))
    root = term.head if isinstance(term, Ref) else term
    return ANY if isinstance(root, Var) and root.name in _ROOTS else UNKNOWN


def _nearest(step: Term, names: Iterable[Value]) -> str:
    """What a step that is not there was perhaps meant to be."""
    if not isinstance(step, Scalar) or not isinstance(step.value, str):
        return ""
    close = get_close_matches(step.value, [name for name in names if isinstance(name, str)], n=1)
    return f"did you mean `{close[0]}`?" if close else ""


def _forms(path: tuple[Term, ...]) -> list[Any]:
    return [key(step.value) if type(step) is Scalar else None for step in path]


def _prefix(ref: Ref, i: int) -> str:
    return term_text(Ref(ref.head, ref.path[:i])) if i else term_text(ref.head)


def _steps(domain: Term) -> int:
    return len(domain.path) if isinstance(domain, Ref) else 0


def _indexed(domain: Term, step: Term | None) -> Ref:
    last = step if step is not None else Var("$0", start=domain.start, end=domain.end)
    if isinstance(domain, Ref):
        return Ref(domain.head, (*domain.path, last), start=domain.start, end=domain.end)
    return Ref(domain, (last,), start=domain.start, end=domain.end)


def _properties(type: Type) -> list[Any]:
    """The names of the known properties of a type, in order."""
    found: dict[Any, None] = {}
    options = type.options if isinstance(type, Union) else (type,)
    for option in options:
        if isinstance(option, Object):
            found.update((k, None) for k, _ in option.static)
    ordered = sort_values([unkey(k) for k in found])
    return [key(value) for value in ordered]


_PREPARE: Final[dict[type, Callable[[References, Any], None]]] = {
    Ref: References.reference,
    ArrayTerm: References.parts,
    SetTerm: References.parts,
    ObjectTerm: References.pairs,
    Call: lambda self, term: self.call(term),
    ArrayComp: lambda self, term: self.comprehension(term),
    SetComp: lambda self, term: self.comprehension(term),
    ObjectComp: lambda self, term: self.comprehension(term),
}

_TYPES: Final[dict[type, Callable[[References, Any], Type]]] = {
    Scalar: References.scalar_type,
    Var: References.var_type,
    Ref: References.ref_type,
    ArrayTerm: References.array_type,
    SetTerm: References.set_type,
    ObjectTerm: References.object_type,
    Call: References.remembered_type,
    ArrayComp: References.remembered_type,
    SetComp: References.remembered_type,
    ObjectComp: References.remembered_type,
}
