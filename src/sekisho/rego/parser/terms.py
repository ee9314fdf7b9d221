"""Terms: variables, references, calls and infix operators. The grammar stands in the docstrings."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from typing import Final

from sekisho.diag import Source
from sekisho.rego.dialect import Dialect
from sekisho.rego.lexer import IDENTIFIER, NUMBER, PART, PART_END, RAW_END, RAW_PART, STRING
from sekisho.rego.nodes import Call, Ref, Scalar, SetTerm, TemplateString, Term, Var
from sekisho.rego.parser.collections import Collections
from sekisho.rego.parser.literals import value_name
from sekisho.rego.parser.state import WORDS, Failure

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


class Terms(Collections, ABC):
    """The productions of terms."""

    __slots__ = ("longest",)

    def __init__(self, source: Source, dialect: Dialect, keywords: frozenset[str]) -> None:
        super().__init__(source, dialect, keywords)
        self.longest = 0  # links of the longest chain of operators or calls

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
