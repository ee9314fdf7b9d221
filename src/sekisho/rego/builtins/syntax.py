"""rego.parse_module: the syntax tree of a module as a value, in the shape of OPA's ``ast.Module`` as JSON.

Terms are ``{"type", "value"}``. Members that are empty are left out, except where OPA keeps them. Items of
sets and members of objects stand in the order of OPA's ``ast.Compare``; the last of equal keys counts.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final

from sekisho.diag import Diagnostic, DiagnosticError, Limit, Position, Source, Span
from sekisho.rego import codes
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.dialect import Dialect
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Body,
    Call,
    Comment,
    Every,
    Expr,
    Head,
    Import,
    Module,
    NotBody,
    ObjectComp,
    ObjectTerm,
    Ref,
    Rule,
    RuleKind,
    Scalar,
    SetComp,
    SetTerm,
    SomeDecl,
    SomeIn,
    TemplateString,
    Term,
    TermExpr,
    Var,
    With,
)
from sekisho.rego.parser import parse_module
from sekisho.rego.types import ANY, STRING, Function, Object
from sekisho.rego.values import Value

Tree = dict[str, Any]

SIZE: Final = Limit("a module to parse", 200_000, "characters", "half a second that nothing interrupts")

_STEPS: Final = 50
"""What a character costs: two microseconds at worst."""


def _parse_module(context: EvalContext, name: Value, text: Value) -> Value:
    name, text = operands.string(name, 1), operands.string(text, 2)
    if SIZE.exceeded_by(len(text)):
        raise BuiltinFault(str(SIZE))
    context.meter.charge(_STEPS * len(text))
    try:
        module = parse_module(Source(name, text), dialect=Dialect.V1, annotations=False)
    except DiagnosticError as error:
        raise BuiltinFault(_told(error.diagnostics)) from None
    context.meter.build(2 * len(text))
    return module_tree(module)


def module_tree(module: Module) -> Tree:
    """A module as an object of Rego values."""
    return _Shaper(module).module()


def _term(kind: str, value: Any) -> Tree:
    return {"type": kind, "value": value}


def _path(head: str, steps: Iterable[str]) -> list[Tree]:
    return [_term("var", head), *(_term("string", step) for step in steps)]


class _Shaper:
    """Shapes the nodes of one module, in the order in which OPA reads them: that numbers the wildcards."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._wildcards: dict[str, str] = {}

    def module(self) -> Tree:
        module = self._module
        parts: dict[str, list[Tree]] = {
            "imports": [self._import(node) for node in module.imports],
            "rules": [self._rule(rule) for rule in module.rules],
            "comments": [self._comment(node) for node in module.comments],
        }
        package: Tree = {"path": _path("data", module.package.path)}
        return {"package": package} | {name: part for name, part in parts.items() if part}

    def _import(self, node: Import) -> Tree:
        tree: Tree = {"path": self._term(node.path)}
        return tree if node.alias is None else tree | {"alias": node.alias}

    def _comment(self, node: Comment) -> Tree:
        source = self._module.source
        at = source.position(node.start)
        text = base64.b64encode(node.text.encode()).decode()
        return {"Text": text, "Location": {"file": source.name, "row": at.line, "col": at.column}}

    # --- rules ---

    def _rule(self, rule: Rule) -> Tree:
        if self._module.source.text.startswith("{", rule.start):
            body = self._body(rule.body)  # a chained body is read before its head is made
            head = self._head(rule.head)
        else:
            head = self._head(rule.head)
            body = self._body(rule.body)
        if not rule.default:
            self._entry(rule, head)
        tree: Tree = {"head": head, "body": body}
        if rule.default:
            tree["default"] = True
        below = tree
        named = {"name": head["name"]} if "name" in head else {}
        while rule.orelse is not None:
            rule = rule.orelse
            following = {"head": self._head(rule.head) | named, "body": self._body(rule.body)}
            below["else"] = following
            below = following
        return tree

    def _head(self, head: Head) -> Tree:
        tree: Tree = {"ref": self._steps(head.ref)}
        if isinstance(head.ref, Var):
            tree["name"] = tree["ref"][0]["value"]
        if head.args:
            tree["args"] = self._terms(head.args)
        if head.key is not None:
            tree["key"] = self._term(head.key)
        if head.value is not None:
            tree["value"] = self._term(head.value)
        elif head.kind is not RuleKind.SET:
            tree["value"] = _term("boolean", True)
        if head.assign:
            tree["assign"] = True
        return tree

    def _entry(self, rule: Rule, tree: Tree) -> None:
        """The key and the name that the head of ``p[x]`` has for old times' sake."""
        head, ref = rule.head, tree["ref"]
        if head.kind is RuleKind.SET or len(ref) != 2:
            return
        name, step = ref
        plain, written = not head.args, bool(rule.body)
        if plain and (not written or step["type"] == "ref" or not _ground(step)):
            tree["key"] = step
        if head.value is not None if written else plain:
            tree["name"] = name["value"]

    def _body(self, body: Body) -> list[Tree]:
        """Expressions, each with its number; true for a body that was not written."""
        if not body:
            return [{"index": 0, "terms": _term("boolean", True)}]
        return [self._expr(expr, index) for index, expr in enumerate(body)]

    def _expr(self, expr: Expr, index: int) -> Tree:
        tree: Tree = {"index": index, "terms": self.STATEMENTS[type(expr.statement)](self, expr.statement)}
        if expr.negated:
            tree["negated"] = True
        if expr.withs:
            tree["with"] = [self._with(node) for node in expr.withs]
        return tree

    def _with(self, node: With) -> Tree:
        return {"target": self._term(node.target), "value": self._term(node.value)}

    def _statement(self, node: TermExpr) -> Any:
        return self._call(node.term) if isinstance(node.term, Call) else self._term(node.term)

    def _some(self, node: SomeDecl) -> Tree:
        return {"symbols": self._terms(node.names)}

    def _some_in(self, node: SomeIn) -> Tree:
        terms = self._terms(
            [node.value, node.domain] if node.key is None else [node.key, node.value, node.domain]
        )
        name = _term("ref", _path("internal", [f"member_{len(terms)}"]))
        return {"symbols": [_term("call", [name, *terms])]}

    def _every(self, node: Every) -> Tree:
        return {
            "key": None if node.key is None else self._term(node.key),
            "value": self._term(node.value),
            "domain": self._term(node.domain),
            "body": self._body(node.body),
        }

    def _not(self, node: NotBody) -> Tree:
        return {"type": "not", "explicit_body": True, "body": self._body(node.body)}

    # --- terms ---

    def _term(self, term: Term) -> Tree:
        return self.TERMS[type(term)](self, term)

    def _terms(self, terms: Iterable[Term]) -> list[Tree]:
        return [self._term(term) for term in terms]

    def _scalar(self, term: Scalar) -> Tree:
        value = term.value
        if value is None:
            return _term("null", {})
        if isinstance(value, bool):
            return _term("boolean", value)
        return _term("string" if isinstance(value, str) else "number", value)

    def _var(self, term: Var) -> Tree:
        tree = self._name(term)
        return _term("ref", [tree]) if term.name in {"input", "data"} else tree

    def _name(self, term: Var) -> Tree:
        name = term.name
        if term.wildcard:
            name = self._wildcards.setdefault(name, f"${len(self._wildcards)}")
        return _term("var", name)

    def _ref(self, term: Ref) -> Tree:
        return _term("ref", self._steps(term))

    def _steps(self, ref: Var | Ref) -> list[Tree]:
        """A reference's head and steps; the head is a variable even where it is ``input`` or ``data``."""
        if isinstance(ref, Var):
            return [self._name(ref)]
        head = self._name(ref.head) if isinstance(ref.head, Var) else self._term(ref.head)
        return [head, *self._terms(ref.path)]

    def _call(self, term: Call) -> list[Tree]:
        name = term.name
        if isinstance(name, Var) and "." in name.name:
            head, *steps = name.name.split(".")
            return [_term("ref", _path(head, steps)), *self._terms(term.args)]
        return [_term("ref", self._steps(name)), *self._terms(term.args)]

    def _called(self, term: Call) -> Tree:
        return _term("call", self._call(term))

    def _array(self, term: ArrayTerm) -> Tree:
        return _term("array", self._terms(term.items))

    def _set(self, term: SetTerm) -> Tree:
        ordered: dict[Any, Tree] = {}
        for item in self._terms(term.items):
            ordered.setdefault(_order(item), item)
        return _term("set", [ordered[place] for place in sorted(ordered)])

    def _object(self, term: ObjectTerm) -> Tree:
        ordered: dict[Any, list[Tree]] = {}
        for name, value in term.pairs:
            pair = [self._term(name), self._term(value)]
            ordered.setdefault(_order(pair[0]), pair)[1] = pair[1]
        return _term("object", [ordered[place] for place in sorted(ordered)])

    def _array_comp(self, term: ArrayComp) -> Tree:
        made = {"term": self._term(term.term), "body": self._body(term.body)}
        return _term("arraycomprehension", made)

    def _set_comp(self, term: SetComp) -> Tree:
        made = {"term": self._term(term.term), "body": self._body(term.body)}
        return _term("setcomprehension", made)

    def _object_comp(self, term: ObjectComp) -> Tree:
        key, value = self._term(term.key), self._term(term.value)
        return _term("objectcomprehension", {"key": key, "value": value, "body": self._body(term.body)})

    def _template(self, term: TemplateString) -> Tree:
        raw = self._module.source.text.startswith("$`", term.start)
        return _term(
            "templatestring", {"multi_line": raw, "parts": [self._part(part) for part in term.parts] or None}
        )

    def _part(self, part: str | Expr) -> Tree:
        if isinstance(part, str):
            return _term("string", part)
        statement = part.statement
        if isinstance(statement, TermExpr) and isinstance(statement.term, Scalar) and not part.withs:
            return self._scalar(statement.term)
        return self._expr(part, 0)

    STATEMENTS: ClassVar[dict[type, Callable[[_Shaper, Any], Any]]] = {
        TermExpr: _statement,
        SomeDecl: _some,
        SomeIn: _some_in,
        Every: _every,
        NotBody: _not,
    }
    TERMS: ClassVar[dict[type, Callable[[_Shaper, Any], Tree]]] = {
        Scalar: _scalar,
        Var: _var,
        Ref: _ref,
        ArrayTerm: _array,
        SetTerm: _set,
        ObjectTerm: _object,
        ArrayComp: _array_comp,
        SetComp: _set_comp,
        ObjectComp: _object_comp,
        Call: _called,
        TemplateString: _template,
    }


def _ground(tree: Tree) -> bool:
    """Whether a term has no variables."""
    kind, value = tree["type"], tree["value"]
    if kind == "object":
        return all(_ground(item) for pair in value for item in pair)
    if kind in {"array", "set", "ref"}:
        return all(map(_ground, value[1:] if kind == "ref" else value))
    return kind in {"null", "boolean", "number", "string"}


# --- order ---

_KINDS: Final = {
    kind: place
    for place, kind in enumerate(
        (
            *(
                "null",
                "boolean",
                "number",
                "string",
                "templatestring",
                "var",
                "ref",
                "array",
                "object",
                "set",
            ),
            *("arraycomprehension", "objectcomprehension", "setcomprehension", "call"),
        )
    )
}
_ORDERED: Final = ("term", "key", "value", "domain", "body")


def _order(term: Tree | None) -> tuple[Any, ...]:
    """A key that sorts terms as ``ast.Compare`` does."""
    if term is None:
        return (-1,)
    kind, value = term["type"], term["value"]
    place = _KINDS[kind]
    if kind == "null":
        return (place,)
    if kind == "templatestring":
        return (place, value["multi_line"], len(value["parts"]), *map(_order_part, value["parts"]))
    if isinstance(value, list):
        # An object's pairs are compared key by key, each with its value after it
        items = [item for pair in value for item in pair] if kind == "object" else value
        return (place, *map(_order, items))
    if isinstance(value, dict):
        return (
            place,
            *(_order(value[name]) for name in _ORDERED[:3] if name in value),
            _order_body(value["body"]),
        )
    return (place, value)


def _order_part(part: Tree) -> tuple[Any, ...]:
    return _order_expr(part) if "terms" in part else _order(part)


def _order_body(body: list[Tree]) -> tuple[Any, ...]:
    return tuple(map(_order_expr, body))


def _order_expr(expr: Tree) -> tuple[Any, ...]:
    terms = expr["terms"]
    negated = expr.get("negated", False)
    withs = tuple((_order(node["target"]), _order(node["value"])) for node in expr.get("with", ()))
    if isinstance(terms, list):
        return (100, 2, expr["index"], negated, tuple(map(_order, terms)), withs)
    if "symbols" in terms:
        return (100, 0, expr["index"], negated, tuple(map(_order, terms["symbols"])), withs)
    if "domain" in terms:
        every = (*(_order(terms[name]) for name in _ORDERED[1:4]), _order_body(terms["body"]))
        return (100, 3, expr["index"], negated, every, withs)
    if "body" in terms:
        return (100, 4, expr["index"], negated, _order_body(terms["body"]), withs)
    return (100, 1, expr["index"], negated, _order(terms), withs)


# --- errors ---

_BARE: Final = frozenset({codes.RULE_HEAD, codes.NEEDS_IF, codes.NEEDS_CONTAINS})
"""Errors that OPA tells without the line; and so with a missing package."""


def _told(errors: Sequence[Diagnostic]) -> str:
    """The errors as OPA's ``ast.Errors`` writes them."""
    texts = [_error(error) for error in errors]
    if errors[0].code is codes.EMPTY:
        return texts[0]
    if len(texts) == 1:
        return f"1 error occurred: {texts[0]}"
    return "\n".join([f"{len(texts)} errors occurred:", *texts])


def _error(error: Diagnostic) -> str:
    span = error.at
    text = f"{error.code.alias}: {error.message}"
    if not isinstance(span, Span):
        return text
    source, at = span.source, span.source.position(span.start)
    if error.code is codes.EMPTY:
        at = Position(0, 0)
    where = f"{source.name}:{at.line}" if source.name else f"{at.line}:{at.column}"
    if not at.line or error.code in _BARE or error.message == "package expected":
        return f"{where}: {text}"
    line, caret = _line(source.text, span.start)
    return f"{where}: {text}\n\t{line}\n\t{' ' * caret}^"


def _line(text: str, place: int) -> tuple[str, int]:
    """The line of a place without its leading tabs, and how far to the right the place is, in bytes.

    A place in white space means what stands before it.
    """
    place = min(place, len(text) - 1)
    while place > 0 and text[place].isspace():
        place -= 1
    start = max(text.rfind("\n", 0, place + 1), text.rfind("\r", 0, place + 1)) + 1
    end = min((at for at in (text.find("\n", place), text.find("\r", place)) if at != -1), default=len(text))
    line = text[start : max(start, end)]
    shown = line.lstrip("\t")
    return shown, max(len(text[start:place].encode()) - (len(line) - len(shown)), 0)


row(
    "rego.parse_module",
    Function((STRING, STRING), Object(dynamic=(STRING, ANY))),
    _parse_module,
    context=True,
)
