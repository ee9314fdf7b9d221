"""Terms: scalars, references, collections, comprehensions, calls and infix operators.

The grammar stands in the docstrings. Like OPA's, it prefers comprehensions: ``{a | b}`` is one, while
``{a | b, c}`` turns out to be a set with a union in it only at the comma. What is parsed twice because of
that is remembered by position, so hostile nesting costs no more than its length.
"""

from __future__ import annotations

import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from sekisho.diag import Source
from sekisho.rego import codes
from sekisho.rego.lexer import IDENTIFIER, NUMBER, PART, PART_END, RAW_END, RAW_PART, STRING
from sekisho.rego.nodes import (
    ArrayComp,
    ArrayTerm,
    Body,
    Call,
    Dialect,
    Every,
    Expr,
    ObjectComp,
    ObjectTerm,
    Ref,
    Scalar,
    SetComp,
    SetTerm,
    SomeDecl,
    SomeIn,
    TemplateString,
    Term,
    TermExpr,
    Var,
)
from sekisho.rego.parser.state import WORDS, Error, Failure, State
from sekisho.rego.values import Number

# Binary operators and how tightly they bind; all are left-associative. The names are the built-ins'.
_BINDING: Final = {
    "equal": 1,
    "neq": 1,
    "lt": 1,
    "gt": 1,
    "lte": 1,
    "gte": 1,
    "or": 2,
    "and": 3,
    "plus": 4,
    "minus": 4,
    "mul": 5,
    "div": 5,
    "rem": 5,
}
_TAILS: Final = frozenset({".", "[", "("})
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_PLAIN_DIGITS: Final = 4_000
"""Longer integers stay ``Number``: Python refuses to convert more than 4,300 digits."""

_LARGEST_EXPONENT: Final = 100_000
"""OPA's bound on a number's binary exponent: beyond it, printing takes quadratic time."""

_Memo = tuple[Term | None, int, tuple[Error, ...]]


class Terms(State, ABC):
    """The productions of terms."""

    __slots__ = ("longest", "memo")

    def __init__(self, source: Source, dialect: Dialect, keywords: frozenset[str]) -> None:
        super().__init__(source, dialect, keywords)
        self.memo: dict[int, _Memo] = {}
        self.longest = 0  # links of the longest chain of operators or calls

    @abstractmethod
    def query(self, end: str) -> Body:
        """``literal {(";" | newline) literal}`` up to the token ``end``."""

    @abstractmethod
    def literal(self) -> Expr:
        """One statement of a body."""

    def body(self, end: str) -> Body:
        """``query end``, with the closing token consumed."""
        self.deeper()
        body = self.query(end)
        self.i += 1
        self.depth -= 1
        return body

    # --- operators ----------------------------------------------------------------------------------------

    def infix(self, left: Term | None = None, *, pair: bool = True) -> Term:
        """``relation ["," relation "in" relation] {"in" relation}``.

        ``left`` is a first term that has been read already. In lists (``pair`` false) a comma separates
        items, so ``k, v in xs`` needs parentheses there.
        """
        kinds = self.kinds
        start = self.starts[self.i] if left is None else left.start
        left = self.binary(self.term() if left is None else left, start)
        if pair and kinds[self.i] == ",":
            left = self._pair(left, start)
        if kinds[self.i] in WORDS and self.names_reference(self.i):
            kinds[self.i] = IDENTIFIER  # the next statement begins with it: ``with.x``
        links = 0
        while kinds[self.i] == "in":
            at = self.i
            self.i = at + 1
            right = self.binary(self.term())
            left = self._member("internal.member_2", (left, right), at, start)
            links += 1
            self.longest = max(self.longest, links)
        return left

    def _pair(self, key: Term, start: int) -> Term:
        mark = self.mark()
        self.i += 1
        try:
            value = self.binary(self.term())
        except Failure:
            self.back(mark)
            return key
        if self.kinds[self.i] != "in":
            self.back(mark)
            return key
        at = self.i
        self.i = at + 1
        domain = self.binary(self.term())
        return self._member("internal.member_3", (key, value, domain), at, start)

    def _member(self, name: str, args: tuple[Term, ...], at: int, start: int) -> Call:
        operator = Var(name, start=self.starts[at], end=self.ends[at])
        return Call(operator, args, "in", start=start, end=self.ends[self.i - 1])

    def binary(self, left: Term, start: int | None = None) -> Term:
        """``term {operator term}`` with the operators of ``_BINDING``, ordered by how tightly they bind."""
        kinds = self.kinds
        level = _BINDING.get(kinds[self.i])
        if level is None:
            return left
        operands: list[Term] = [left]
        begins: list[int] = [left.start if start is None else start]
        operators: list[tuple[int, int]] = []
        links = 0
        while True:
            while operators and (level is None or operators[-1][0] >= level):
                _, at = operators.pop()
                right = operands.pop()
                begins.pop()
                call = self._binary_call(at, operands.pop(), right, begins[-1])
                operands.append(call)
            if level is None:
                break
            operators.append((level, self.i))
            self.i += 1
            links += 1
            begins.append(self.starts[self.i])
            operands.append(self.term())
            level = _BINDING.get(kinds[self.i])
        self.longest = max(self.longest, links)
        return operands[0]

    def _binary_call(self, at: int, left: Term, right: Term, start: int) -> Call:
        name = Var(self.kinds[at], start=self.starts[at], end=self.ends[at])
        end = self.ends[self.i - 1]
        return Call(name, (left, right), self.lexemes[at], start=start, end=end)

    # --- single terms -------------------------------------------------------------------------------------

    def term(self) -> Term:
        """``scalar | var | ref | call | array | set | object | comprehension | "(" infix ")"``."""
        i = self.i
        kind = self.kinds[i]
        node: Term
        if kind == IDENTIFIER:
            node = self.variable()
        elif kind == STRING:
            node = self.string()
        else:
            production = _PRODUCTIONS.get(kind)
            if production is None:
                raise self.unexpected()
            node = production(self)
        i = self.i
        if self.kinds[i] in _TAILS and self.starts[i] == self.ends[i - 1]:
            return self.reference(node)
        return node

    def variable(self) -> Var:
        """``name``, or ``_``, which is a fresh variable each time."""
        i = self.i
        self.i = i + 1
        name = self.lexemes[i]
        if name == "_":
            name = self.wildcard()
        return Var(name, start=self.starts[i], end=self.ends[i])

    def string(self) -> Scalar:
        r"""``"text"`` with JSON's escapes, or a raw string between backquotes."""
        i = self.i
        self.i = i + 1
        lexeme = self.lexemes[i]
        value = lexeme[1:-1]
        if lexeme[0] == '"' and "\\" in value:
            unescaped = unescape(lexeme)
            if unescaped is None:
                message = f"illegal string literal: {lexeme}"
                self.report(message, self.starts[i], self.ends[i], codes.LEXICAL)
                raise Failure
            value = unescaped
        return Scalar(value, start=self.starts[i], end=self.ends[i])

    def constant(self) -> Scalar:
        """``null | true | false``."""
        i = self.i
        self.i = i + 1
        return Scalar(_CONSTANTS[self.kinds[i]], start=self.starts[i], end=self.ends[i])

    def negative(self) -> Term:
        """``"-" number``, or ``"-" ref``, which is ``0 - ref``."""
        i = self.i
        kind = self.kinds[i + 1]
        if kind not in {IDENTIFIER, "contains"}:
            return self.number()
        self.i = i + 1
        right = self.variable_term()
        start, end = self.starts[i], self.ends[i]
        name = Var("minus", start=start, end=end)
        zero = Scalar(0, start=start, end=end)
        return Call(name, (zero, right), "-", start=start, end=self.ends[self.i - 1])

    def variable_term(self) -> Term:
        """``var [tail]``, where a keyword counts as a variable."""
        node = self.variable()
        i = self.i
        if self.kinds[i] in _TAILS and self.touches(i):
            return self.reference(node)
        return node

    def number(self) -> Scalar:
        """``["-"] ["."] digits ["." digits] [exponent]``, exact."""
        first = self.i
        text = ""
        if self.kinds[self.i] == "minus":
            text = "-"
            self.i += 1
            if self.kinds[self.i] not in {NUMBER, "."}:
                raise self.unexpected("expected number")
        if self.kinds[self.i] == ".":
            text += "."
            self.i += 1
            if self.kinds[self.i] != NUMBER:
                raise self.unexpected("expected number")
        lexeme = self.lexemes[self.i]
        if not text.endswith(".") and len(lexeme) > 1 and lexeme[0] == "0" and lexeme[1] not in ".eE":
            raise self.unexpected("expected number without leading zero")
        value = number(text + lexeme)
        if isinstance(value, str):
            at = self.i
            self.report(value, self.starts[at], self.ends[at], codes.LEXICAL)
            raise Failure
        self.i += 1
        return Scalar(value, start=self.starts[first], end=self.ends[self.i - 1])

    def group(self) -> Term:
        """``"(" infix ")"``."""
        start = self.starts[self.i]
        self.deeper()
        self.i += 1
        node = self.infix()
        i = self.i
        if self.kinds[i] != ")":
            self.report("non-terminated expression", self.starts[i], self.ends[i])
            raise Failure
        self.i = i + 1
        self.depth -= 1
        if isinstance(node, Call) and node.infix:
            node.start, node.end = start, self.ends[i]
        return node

    # --- references and calls -----------------------------------------------------------------------------

    def reference(self, head: Term) -> Term:
        """``head {"." name | "[" infix "]" | "(" [list] ")"}``, without white space between."""
        kinds, starts, ends = self.kinds, self.starts, self.ends
        if isinstance(head, (Scalar, TemplateString)):
            message = f"illegal ref (head cannot be {value_name(head)})"
            self.report_at(message, head)
        start = head.start
        steps: list[Term] = []
        calls = 0
        while True:
            i = self.i
            kind = kinds[i]
            if kind not in _TAILS or starts[i] != ends[i - 1]:
                return Ref(head, tuple(steps), start=start, end=ends[i - 1]) if steps else head
            if kind == ".":
                steps.append(self.name_step())
            elif kind == "[":
                self.deeper()
                self.i = i + 1
                steps.append(self.infix())
                if kinds[self.i] != "]":
                    raise self.unexpected("expected [", help="close the reference with `]`")
                self.i += 1
                self.depth -= 1
            else:
                operator = Ref(head, tuple(steps), start=start, end=ends[i - 1]) if steps else head
                head, steps = self.call(operator), []
                calls += 1
                self.longest = max(self.longest, calls)

    def name_step(self) -> Scalar:
        """``"." name``; the name may be a keyword."""
        self.i += 1
        i = self.i
        if not self.touches(i):
            raise self.white_space("expected identifier")
        if self.kinds[i] != IDENTIFIER and not self.is_keyword(self.kinds[i]):
            raise self.unexpected("expected identifier")
        self.i = i + 1
        return Scalar(self.lexemes[i], start=self.starts[i], end=self.ends[i])

    def call(self, operator: Term) -> Term:
        """``operator "(" [list] ")"``; ``set()`` is the empty set."""
        self.deeper()
        self.i += 1
        args = self.items(")")
        end = self.ends[self.i]
        self.i += 1
        self.depth -= 1
        start = operator.start
        if isinstance(operator, Var):
            if operator.name == "set" and not args:
                return SetTerm((), start=start, end=end)
            return Call(operator, args, start=start, end=end)
        name = operator if isinstance(operator, Ref) else Ref(operator, (), start=start, end=operator.end)
        return Call(name, args, start=start, end=end)

    def items(self, end: str, first: tuple[Term, ...] = ()) -> tuple[Term, ...]:
        """``[infix {"," infix} [","]]`` up to the token ``end``, which is left."""
        kinds = self.kinds
        if kinds[self.i] == end:
            return first
        items = list(first)
        while True:
            items.append(self.infix(pair=False))
            kind = kinds[self.i]
            if kind == ",":
                self.i += 1
                if kinds[self.i] == end:
                    break
            elif kind == end:
                break
            else:
                raise self.unexpected(f'expected "," or "{end}"')
        return tuple(items)

    # --- collections --------------------------------------------------------------------------------------

    def remembered(self, production: Callable[[], Term]) -> Term:
        """Parse a bracketed term, or say again what was found when it was last parsed at this position."""
        at = self.i
        known = self.memo.get(at)
        if known is not None:
            node, self.i, errors = known
            self.errors.extend(errors)
            if node is None:
                raise Failure
            return node
        before = len(self.errors)
        self.deeper()
        try:
            node = production()
        except Failure:
            self.memo[at] = (None, self.i, tuple(self.errors[before:]))
            raise
        self.depth -= 1
        self.memo[at] = (node, self.i, tuple(self.errors[before:]))
        return node

    def array(self) -> Term:
        """``"[" [list] "]" | "[" term "|" query "]"``."""
        return self.remembered(self._array)

    def _array(self) -> Term:
        start = self.starts[self.i]
        self.i += 1
        leading = self._leading_comma()
        if self.kinds[self.i] == "]" and not leading:
            items: tuple[Term, ...] = ()
        else:
            head = self.term()
            if self.kinds[self.i] == "or" and not leading:
                body = self._comprehension("]")
                if body is not None:
                    return ArrayComp(head, body, start=start, end=self.ends[self.i - 1])
            items = self._rest(self.infix(head, pair=False), "]")
        self.i += 1
        return ArrayTerm(items, start=start, end=self.ends[self.i - 1])

    def set_or_object(self) -> Term:
        """``"{" [list] "}" | "{" pairs "}" | "{" term "|" query "}" | "{" infix ":" term "|" query "}"``."""
        return self.remembered(self._set_or_object)

    def _set_or_object(self) -> Term:
        start = self.starts[self.i]
        self.i += 1
        if self.kinds[self.i] == "}":
            self.i += 1
            return ObjectTerm((), start=start, end=self.ends[self.i - 1])
        leading = self._leading_comma()
        head = self.term()
        if self.kinds[self.i] == "or" and not leading:
            body = self._comprehension("}")
            if body is not None:
                return SetComp(head, body, start=start, end=self.ends[self.i - 1])
        head = self.infix(head, pair=False)
        kind = self.kinds[self.i]
        if kind == ":":
            return self._object(head, start, leading=leading)
        if kind not in {",", "}"}:
            raise self.unexpected("non-terminated set")
        items = self._rest(head, "}")
        self.i += 1
        return SetTerm(items, start=start, end=self.ends[self.i - 1])

    def _leading_comma(self) -> bool:
        """A comma before the first item is let pass, as OPA does; then it is no comprehension."""
        if self.kinds[self.i] != ",":
            return False
        self.i += 1
        return True

    def _rest(self, first: Term, end: str) -> tuple[Term, ...]:
        kind = self.kinds[self.i]
        if kind == ",":
            self.i += 1
            return self.items(end, (first,))
        if kind != end:
            raise self.unexpected(f'expected "," or "{end}"')
        return (first,)

    def _comprehension(self, end: str) -> Body | None:
        """``"|" query end``; None, and back at the bar, if a comma shows that the bar is an operator."""
        mark = self.mark()
        self.i += 1
        try:
            return self.body(end)
        except Failure:
            if self.kinds[self.i] != ",":
                raise
        self.back(mark)
        return None

    def _object(self, key: Term, start: int, *, leading: bool) -> Term:
        """The rest of an object or its comprehension, from the first colon."""
        kinds = self.kinds
        self.i += 1
        value = self.term()
        if kinds[self.i] == "or" and not leading:
            body = self._comprehension("}")
            if body is not None:
                return ObjectComp(key, value, body, start=start, end=self.ends[self.i - 1])
        value = self.infix(value, pair=False)
        pairs = [(key, value)]
        while kinds[self.i] == ",":
            self.i += 1
            if kinds[self.i] == "}":
                break
            key = self.infix(pair=False)
            if kinds[self.i] != ":":
                raise self.unexpected('expected ":"')
            self.i += 1
            pairs.append((key, self.infix(pair=False)))
        if kinds[self.i] != "}":
            raise self.unexpected("non-terminated object")
        self.i += 1
        return ObjectTerm(tuple(pairs), start=start, end=self.ends[self.i - 1])

    # --- template strings ---------------------------------------------------------------------------------

    def template_string(self) -> TemplateString:
        r"""``$"text {literal} text"``; ``\{`` is a brace. The lexer has cut it into parts."""
        start = self.starts[self.i]
        self.deeper()
        if self.dialect is Dialect.V0:
            message = "template strings are not supported by current capabilities"
            help = "template strings are v1: use `sprintf`, or write the module in v1"
            self.report(message, start, self.ends[self.i], codes.TEMPLATE_STRING, help)
            raise Failure
        parts: list[str | Expr] = []
        while True:
            kind = self.kinds[self.i]
            text = self._part(kind)
            if text:
                parts.append(text)
            self.i += 1
            if kind in {PART_END, RAW_END}:
                break
            parts.append(self._template_expression())
            i = self.i
            if self.kinds[i] != "}":
                message = "expected } to end template string expression"
                self.report(message, self.starts[i], self.ends[i], codes.TEMPLATE_STRING)
                raise Failure
            self.i = i + 1
            if self.kinds[self.i] not in {PART, PART_END, RAW_PART, RAW_END}:
                raise self.unexpected()
        self.depth -= 1
        return TemplateString(tuple(parts), start=start, end=self.ends[self.i - 1])

    def _part(self, kind: str) -> str:
        i = self.i
        text = self.lexemes[i].replace("\\{", "{") if "\\" in self.lexemes[i] else self.lexemes[i]
        if kind in {RAW_PART, RAW_END} or "\\" not in text:
            return text
        unescaped = unescape(f'"{text}"')
        if unescaped is None:
            written = self.text[self.starts[i] : self.ends[i]]
            message = f"illegal template-string part: {written}"
            self.report(message, self.starts[i], self.ends[i], codes.TEMPLATE_STRING)
            raise Failure
        return unescaped

    def _template_expression(self) -> Expr:
        expr = self.literal()
        statement = expr.statement
        what = ""
        if expr.negated:
            what = "negation ('not')"
        elif isinstance(statement, Every):
            what = "'every'"
        elif isinstance(statement, (SomeDecl, SomeIn)):
            what = "'some'"
        elif isinstance(statement, TermExpr) and isinstance(statement.term, Call):
            name = statement.term.infix
            what = {"=": "unification ('=')", ":=": "assignment (':=')"}.get(name, "")
        if what:
            message = f"unexpected {what} in template-string expression"
            self.report_at(message, expr, codes.TEMPLATE_STRING)
            raise Failure
        return expr


_CONSTANTS: Final = {"null": None, "true": True, "false": False}

_PRODUCTIONS: Final[dict[str, Callable[[Terms], Term]]] = {
    "[": Terms.array,
    "{": Terms.set_or_object,
    "(": Terms.group,
    NUMBER: Terms.number,
    ".": Terms.number,
    "minus": Terms.negative,
    "null": Terms.constant,
    "true": Terms.constant,
    "false": Terms.constant,
    "contains": Terms.variable,
    PART: Terms.template_string,
    PART_END: Terms.template_string,
    RAW_PART: Terms.template_string,
    RAW_END: Terms.template_string,
}

_VALUE_NAMES: Final[dict[type, str]] = {
    Var: "var",
    Ref: "ref",
    ArrayTerm: "array",
    SetTerm: "set",
    ObjectTerm: "object",
    ArrayComp: "arraycomprehension",
    SetComp: "setcomprehension",
    ObjectComp: "objectcomprehension",
    Call: "call",
    TemplateString: "templatestring",
}


def value_name(term: Term) -> str:
    """What messages call a term of this form."""
    if not isinstance(term, Scalar):
        if isinstance(term, Var) and term.name in {"input", "data"}:
            return "ref"
        return _VALUE_NAMES[type(term)]
    value = term.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def number(text: str) -> int | Number | str:
    """The value of a decimal literal: an int where it is written as one, else exact; or why it is refused."""
    digits = text.lstrip("-")
    if digits.isdigit() and len(digits) <= _PLAIN_DIGITS and text != "-0":
        return int(text)
    mantissa, _, exponent = digits.lower().partition("e")
    if len(exponent.lstrip("+-0")) > 9:
        return "number too big"
    value = Number(text)
    if not value:
        return value
    leading = mantissa.replace(".", "").lstrip("0")[:17]
    binary = (value.adjusted() + math.log10(int(leading)) - len(leading) + 1) / math.log10(2)
    return "number too big" if abs(math.floor(binary) + 1) > _LARGEST_EXPONENT else value


def unescape(literal: str) -> str | None:
    """The text that a quoted literal with escapes denotes; None if an escape is malformed.

    Half a surrogate pair becomes U+FFFD, as in Go.
    """
    try:
        text = json.loads(literal)
    except ValueError:
        return None
    assert isinstance(text, str)
    return _SURROGATE.sub("\ufffd", text)
