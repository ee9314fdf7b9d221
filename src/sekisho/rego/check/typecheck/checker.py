"""The type checker: OPA's inference and checks over ordered rules.

Types are inferred from the first expression to the last. Variables are unique in a rule, so one dictionary
holds the types of all of them; types of calls and comprehensions are remembered by node. In the bodies of
``every`` and ``not`` only references are looked at, as OPA does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sekisho.rego import codes
from sekisho.rego.builtins.table import Builtin
from sekisho.rego.check.errors import Errors, Stage
from sekisho.rego.check.program import FunctionWith, Rule, TreeNode
from sekisho.rego.check.text import path_text
from sekisho.rego.check.typecheck.documents import DataNode
from sekisho.rego.check.typecheck.operands import operands_text, report_operands
from sekisho.rego.check.typecheck.ops import either, keys, select, type_text, unknown, values
from sekisho.rego.check.typecheck.references import References
from sekisho.rego.check.typecheck.unify import unifies
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Body,
    Call,
    Every,
    Expr,
    Module,
    Node,
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
from sekisho.rego.types import (
    ANY,
    UNKNOWN,
    Anything,
    Array,
    Function,
    Object,
    SetOf,
    Type,
    Union,
)


class TypeChecker(References):
    """Checks the rules of one tree, then queries against it."""

    __slots__ = ("_builtins", "_root")

    def __init__(self, root: TreeNode, builtins: Mapping[str, Builtin], errors: Errors) -> None:
        super().__init__(errors)
        self._root = root
        self._builtins = builtins

    # --- rules --------------------------------------------------------------------------------------------

    def rules(self, order: Iterable[TreeNode]) -> None:
        """Check the rules of these nodes, each after those it depends on, and give each node its type."""
        nodes = list(order)
        for node in nodes:
            found = node.rules if node.default is None else (node.default, *node.rules)
            for rule in found:
                for branch in rule.chain():
                    self._rule(branch)
        for node in nodes:
            known = self._at(node.path)
            if known is not None:
                node.type = known

    def _at(self, path: Sequence[str]) -> Type | None:
        node: DataNode | None = self.data
        for step in path:
            if node is None:
                return None
            node = node.children.get(step)
        return None if node is None else node.value

    def _rule(self, rule: Rule) -> None:
        self.module = rule.module
        self.vars = {}
        self.types = {}
        self.failed = False
        self.body(rule.body)
        heads = [*rule.suffix, rule.value] if rule.key is None else [*rule.suffix, rule.key, rule.value]
        for head in heads:
            if type(head) is not Scalar and type(head) is not Var:
                self._expression(head, head, ())
        if self.failed:
            self.data.put(rule.path, ANY)
            return
        type_ = self._rule_type(rule)
        if type_ is not None:
            self.data.insert(rule.path, type_)

    def _rule_type(self, rule: Rule) -> Type | None:
        if rule.args is not None:
            args = tuple([self._argument_type(arg) for arg in rule.args])
            return Function(args, self.type_of(rule.value))
        found: Type = self.type_of(rule.value if rule.key is None else rule.key)
        if found is UNKNOWN:
            return None
        if rule.key is not None:
            found = SetOf(found)
        for step in reversed(rule.suffix):
            key = self.type_of(step)
            if key is UNKNOWN:
                return None
            found = Object((), (key, found))
        return found

    def _argument_type(self, term: Term) -> Type:
        for var in _pattern_vars(term):
            self.vars.setdefault(var, ANY)
        return self.type_of(term)

    # --- queries ------------------------------------------------------------------------------------------

    def query(self, module: Module, body: Body) -> None:
        """Check an ordered query."""
        for node in self._root.below():
            if node.type is not ANY:
                self.data.put(node.path, node.type)
        self.module = module
        self.vars = {}
        self.types = {}
        self.body(body)

    # --- expressions --------------------------------------------------------------------------------------

    def body(self, body: Body) -> None:
        """Check the expressions of an ordered body."""
        for expr in body:
            statement = expr.statement
            if type(statement) is TermExpr:
                self._expression(statement.term, expr, expr.withs)
            else:
                self.prepared = True
                _STATEMENTS[type(statement)](self, statement, expr)
                self._withs(expr)

    def _expression(self, term: Term, at: Node, withs: tuple[Any, ...]) -> None:
        self.prepared = True
        if type(term) is Call:
            for arg in term.args:
                self.prepare(arg)
            if withs:
                self._with_values(withs)
            if type(term.name) is Var and term.name.name in _EQUALITIES and len(term.args) == 2:
                self._equation(term, at)
            else:
                self._call(term, at)
        else:
            self.prepare(term)
            if withs:
                self._with_values(withs)

    def _withs(self, expr: Expr) -> None:
        if expr.withs:
            self._with_values(expr.withs)

    def _with_values(self, withs: tuple[Any, ...]) -> None:
        for one in withs:
            if not isinstance(one, FunctionWith):
                self.prepare(one.value)
                continue
            if one.replacement is None:
                self.prepare(one.value)
                continue
            target, value = self._function(one.target), self._function(one.replacement)
            if isinstance(target, Function) and isinstance(value, Function) and not unifies(target, value):
                name = self._function_text(one.target)
                want = operands_text(name, target, result=False)
                self._operands_error(f"{name}: arity mismatch", one, value.args, want)

    def some_in(self, some: SomeIn, expr: Expr) -> None:
        """``some k, v in xs``: keys and values of what ``xs`` is."""
        self.prepare(some.domain)
        self.prepare(some.value)
        if not self.prepared:
            return
        domain = self.type_of(some.domain)
        if domain is UNKNOWN:
            domain = ANY
        known = keys(domain)
        if known is None:
            self.unsupported(some.domain, some.key, domain)
            return
        if some.key is not None:
            self.prepare(some.key)
            if not self._fits(some.key, known):
                self.invalid_key(some.domain, some.key, known)
                return
        found = values(domain) or UNKNOWN
        if type(some.value) is Var and some.value.name not in self.vars:
            self.vars[some.value.name] = found
            return
        left = self.type_of(some.value)
        if not self._unify_sides(some.value, left, some.domain, found):
            self._match_error(left, found, expr)

    def _fits(self, key: Term, known: Type) -> bool:
        if type(key) is Var:
            have = self.vars.get(key.name)
            if have is None:
                self.vars[key.name] = known
                return True
            return unifies(have, known)
        if isinstance(key, Scalar):
            return unifies(self.type_of(key), known)
        return self.unify_term(key, known)

    def every(self, every: Every, _expr: Expr) -> None:
        """``every``: what it goes through, and the references of its body."""
        self.prepare(every.domain)
        self._references_only(every.body)

    def not_body(self, statement: NotBody, _expr: Expr) -> None:
        """``not { body }``: the references of its body."""
        self._references_only(statement.body)

    def _references_only(self, body: Body) -> None:
        outer = self.checking
        self.checking = False
        for expr in body:
            statement = expr.statement
            for name in ("term", "domain", "key", "value"):
                part = getattr(statement, name, None)
                if part is not None:
                    if type(part) is Call:
                        for arg in part.args:
                            self.prepare(arg)
                    else:
                        self.prepare(part)
            if isinstance(statement, (Every, NotBody)):
                self._references_only(statement.body)
        self.checking = outer

    # --- calls --------------------------------------------------------------------------------------------

    def _equation(self, call: Call, at: Node) -> None:
        left, right = call.args
        if type(left) is Var and left.name not in self.vars:
            found = self.type_of(right)
            if not unknown(found):
                self.vars[left.name] = found
                return
        a, b = self.type_of(left), self.type_of(right)
        if not self._unify_sides(left, a, right, b):
            self._match_error(a, b, at)

    def _match_error(self, left: Type, right: Type, at: Node) -> None:
        if not self.prepared and (unknown(left) or unknown(right)):
            return
        lines = [f"left  : {type_text(left)}", f"right : {type_text(right)}"]
        message = "\n\t".join(["match error", *lines])
        data = {"message": "match error", "details": lines}
        self.report(codes.MATCH, message, at, data=data, help="the two sides never have the same type")

    def call(self, call: Call) -> None:
        """A call inside a term."""
        for arg in call.args:
            self.prepare(arg)
        if self.checking:
            self._call(call, call)

    def _function(self, name: Var | Ref) -> Type | None:
        if isinstance(name, Var):
            row = self._builtins.get(name.name)
            return None if row is None else row.type
        path = [step.value if isinstance(step, Scalar) else None for step in name.path]
        return self.data.select(path)

    @staticmethod
    def _function_text(name: Var | Ref) -> str:
        if isinstance(name, Var):
            return name.name
        return path_text([step.value for step in name.path if isinstance(step, Scalar)])

    def _call(self, call: Call, at: Node) -> None:
        signature = self._function(call.name)
        if not isinstance(signature, Function):
            if signature is None or not isinstance(signature, Anything):
                message = f"undefined function {self._function_text(call.name)}"
                self.report(codes.UNDEFINED_FUNCTION, message, at)
            return
        args = call.args
        wanted: tuple[Type, ...] = signature.args
        if signature.result is not None:
            self.types[id(call)] = signature.result
            if len(args) > len(wanted):
                wanted = (*wanted, signature.result)
        for i, arg in enumerate(args):
            want = wanted[i] if i < len(wanted) else signature.variadic
            if want is None:
                continue
            have = self.type_of(arg)
            fits = unknown(have) or unifies(have, want)
            if not fits or not self.unify_term(arg, want):
                self._call_error(call, signature, at)
                return

    def _call_error(self, call: Call, signature: Function, at: Node) -> None:
        have = [self.type_of(arg) for arg in call.args]
        if not self.prepared and any(map(unknown, have)):
            return
        name = self._function_text(call.name)
        if at is call and signature.result is not None and len(have) == len(signature.args):
            have.append(UNKNOWN)
        want = operands_text(name, signature, result=True)
        self._operands_error(f"{name}: invalid argument(s)", at, have, want)

    def _operands_error(self, message: str, at: Node, have: Iterable[Type], want: str) -> None:
        self.failed = True
        self.prepared = False
        report_operands(self.errors, Stage.TYPES, message, (self.module, at), have=have, want=want)

    # --- closures -----------------------------------------------------------------------------------------

    def comprehension(self, term: ArrayComp | SetComp | ObjectComp) -> None:
        """A comprehension: its body is checked, its type is that of what it collects."""
        outer = self.checking, self.failed, self.prepared
        self.checking, self.failed = True, False
        self.body(term.body)
        self.prepared = True
        heads = (term.key, term.value) if isinstance(term, ObjectComp) else (term.term,)
        for head in heads:
            if type(head) is not Scalar and type(head) is not Var:
                self._expression(head, head, ())
        failed = self.failed
        self.checking, self.failed, self.prepared = outer[0], outer[1] or failed, outer[2] and not failed
        self.types[id(term)] = UNKNOWN if failed else self._comprehension_type(term)

    def _comprehension_type(self, term: ArrayComp | SetComp | ObjectComp) -> Type:
        if isinstance(term, ObjectComp):
            return Object((), (self.type_of(term.key), self.type_of(term.value)))
        found = self.type_of(term.term)
        return Array((), found) if isinstance(term, ArrayComp) else SetOf(found)

    # --- unification of terms -----------------------------------------------------------------------------

    def _unify_sides(self, a: Term, left: Type, b: Term, right: Type) -> bool:
        """Whether two sides can be equal; variables without a type get one."""
        no_left, no_right = unknown(left), unknown(right)
        if no_left and not no_right:
            return self.unify_term(a, right)
        if no_right and not no_left:
            return self.unify_term(b, left)
        if not no_left:
            return unifies(left, right)
        if isinstance(a, ArrayTerm):
            return self._unify_arrays(a, b)
        if isinstance(a, ObjectTerm):
            return self._unify_objects(a, b)
        if isinstance(a, Var):
            if isinstance(b, Var):
                return self.unify_term(a, ANY) and self.unify_term(b, self.type_of(a))
            if isinstance(b, ArrayTerm):
                return self._unify_arrays(b, a)
            if isinstance(b, ObjectTerm):
                return self._unify_objects(b, a)
        if isinstance(a, Var) and left is UNKNOWN and right is not UNKNOWN:
            return self.unify_term(a, right)
        if isinstance(b, Var) and right is UNKNOWN and left is not UNKNOWN:
            return self.unify_term(b, left)
        return True  # what is not known on either side may be equal

    def _unify_arrays(self, a: ArrayTerm, b: Term) -> bool:
        if isinstance(b, ArrayTerm):
            return len(a.items) == len(b.items) and all(
                self._unify_sides(x, self.type_of(x), y, self.type_of(y))
                for x, y in zip(a.items, b.items, strict=True)
            )
        if isinstance(b, Var):
            return self.unify_term(a, ANY) and self.unify_term(b, self.type_of(a))
        return not isinstance(b, _SHAPED)

    def _unify_objects(self, a: ObjectTerm, b: Term) -> bool:
        if isinstance(b, ObjectTerm):
            others = {self.constant_key(k): v for k, v in b.pairs}
            if len(a.pairs) != len(b.pairs):
                return False
            for key, value in a.pairs:
                form = self.constant_key(key)
                if form is None or form not in others:
                    return False
                other = others[form]
                if not self._unify_sides(value, self.type_of(value), other, self.type_of(other)):
                    return False
            return True
        if isinstance(b, Var):
            return self.unify_term(a, ANY) and self.unify_term(b, self.type_of(a))
        return not isinstance(b, _SHAPED)

    def unify_term(self, term: Term, wanted: Type, *, union: bool = False) -> bool:
        """Whether a term can have a type; variables in it without a type get one."""
        kind = type(term)
        if kind is Var:
            return self._unify_var(term, wanted, union=union)  # type: ignore[arg-type]
        if kind is ArrayTerm or kind is ObjectTerm or kind is SetTerm:
            if isinstance(wanted, Anything):
                self._open(term)
                return True
            if isinstance(wanted, Union):
                # every option says something about the variables, so none is left out
                fits = [self.unify_term(term, option, union=True) for option in wanted.options]
                return any(fits)
            return self._unify_parts(term, wanted, union=union)
        if kind is Call:
            have = self.type_of(term)
            return have is UNKNOWN or unifies(have, wanted)
        return unifies(self.type_of(term), wanted)

    def _unify_var(self, var: Var, wanted: Type, *, union: bool) -> bool:
        if var.name in {"input", "data"}:
            return unifies(self.type_of(var), wanted)
        have = self.vars.get(var.name)
        if union:
            self.vars[var.name] = either(have, wanted)
        elif have is None or unknown(have):
            self.vars[var.name] = wanted
        else:
            return unifies(have, wanted)
        return True

    def _open(self, term: Term) -> None:
        """The parts of a term may be anything."""
        if isinstance(term, ObjectTerm):
            parts: Iterable[Term] = [part for pair in term.pairs for part in pair]
        else:
            assert isinstance(term, (ArrayTerm, SetTerm))
            parts = term.items
        for part in parts:
            self.unify_term(part, ANY, union=True)

    def _unify_parts(self, term: Term, wanted: Type, *, union: bool) -> bool:
        if isinstance(term, ArrayTerm):
            if not isinstance(wanted, Array):
                return False
            if len(term.items) != len(wanted.static) and wanted.dynamic is None:
                return False
            for i, item in enumerate(term.items):
                want = wanted.static[i] if i < len(wanted.static) else wanted.dynamic
                if want is None or not self.unify_term(item, want, union=union):
                    return False
            return True
        if isinstance(term, SetTerm):
            if not isinstance(wanted, SetOf):
                return False
            return all(self.unify_term(item, wanted.of, union=union) for item in term.items)
        assert isinstance(term, ObjectTerm)
        return isinstance(wanted, Object) and self._unify_pairs(term, wanted, union=union)

    def _unify_pairs(self, term: ObjectTerm, wanted: Object, *, union: bool) -> bool:
        if len(term.pairs) != len(wanted.static) and wanted.dynamic is None:
            return False
        for key, value in term.pairs:
            form = self.constant_key(key)
            if form is None:
                self.unify_term(value, ANY, union=union)
                continue
            child = select(wanted, form[0])
            if child is None or not self.unify_term(value, child, union=union):
                return False
        return True


def _pattern_vars(term: Term) -> Iterable[str]:
    if isinstance(term, Var):
        yield term.name
    elif isinstance(term, (ArrayTerm, SetTerm)):
        for item in term.items:
            yield from _pattern_vars(item)
    elif isinstance(term, ObjectTerm):
        for key, value in term.pairs:
            yield from _pattern_vars(key)
            yield from _pattern_vars(value)


_SHAPED: Final = (Scalar, ArrayTerm, ObjectTerm)
"""Terms whose shape says whether they can be equal, whatever is known of their parts."""

_EQUALITIES: Final = frozenset({"eq", "equal"})

_STATEMENTS: Final[dict[type, Callable[[TypeChecker, Any, Expr], None]]] = {
    SomeIn: TypeChecker.some_in,
    Every: TypeChecker.every,
    NotBody: TypeChecker.not_body,
}
