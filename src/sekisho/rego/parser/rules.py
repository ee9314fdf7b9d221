"""Rules: heads, bodies, else chains, defaults, and the rules without a body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sekisho.diag import Code, Limit, Source
from sekisho.rego import codes
from sekisho.rego.dialect import Dialect
from sekisho.rego.lexer import IDENTIFIER
from sekisho.rego.nodes import (
    ArrayTerm,
    Body,
    Call,
    ObjectTerm,
    Ref,
    Rule,
    SetTerm,
    SomeDecl,
    SomeIn,
    TemplateString,
    Term,
    TermExpr,
    Var,
)
from sekisho.rego.parser.heads import Draft, is_ground
from sekisho.rego.parser.literals import value_name
from sekisho.rego.parser.state import Failure
from sekisho.rego.parser.statements import Statements

ELSES: Final = Limit("an else chain", 200, "branches", "each is one level of the tree that later stages walk")

_OPERATORS: Final = frozenset(
    {"plus", "minus", "mul", "div", "rem", "and", "or", "equal", "neq", "gt", "gte", "lt", "lte"}
)


class HeadError(Exception):
    """A statement at the top level is no head of a rule, for this reason."""


class Rules(Statements):
    """The productions of rules. ``drafts`` remembers what was written, for the checks of v1."""

    __slots__ = ("drafts",)

    def __init__(self, source: Source, dialect: Dialect, keywords: frozenset[str]) -> None:
        super().__init__(source, dialect, keywords)
        self.drafts: list[tuple[Rule, Draft]] = []

    def rules(self) -> list[Rule] | None:
        """``["default"] head [["if"] (literal | "{" query "}")] {else} {"{" query "}"}``.

        None if there is no body: then the statement is read again as a query, and made a rule of.
        """
        i = self.i
        start = self.starts[i]
        if self.names_reference(i):
            self.kinds[i] = IDENTIFIER
        if self.kinds[i] == "default":
            return [self.default(start)]
        if self.kinds[i] != IDENTIFIER:
            return None
        draft = self.head()
        if draft is None:
            return None
        draft = self._settle(draft)
        body = self._body(draft)
        if body is None:
            return None
        if draft.bodiless:
            start = draft.start
        rule = Rule(draft.head(), body, start=start)
        if self.kinds[self.i] == "else" and not self.names_reference(self.i) and body:
            rule.orelse = self._first_else(draft)
        rule.end = self.ends[self.i - 1]
        self.drafts.append((rule, draft))
        rules = [rule]
        while self.kinds[self.i] == "{" and body:
            rules.append(self._chained(rule, draft))
        return rules

    def _settle(self, draft: Draft) -> Draft:
        """``p[x]`` before a body: with ``if`` an object entry, without it an element of the set ``p``."""
        if draft.has_contains or draft.args or len(draft.steps) != 1:
            return draft
        if self.kinds[self.i] == "if":
            return draft if draft.value is not None else replace(draft, implied=True)
        key = draft.steps[0]
        return replace(draft, key=key, steps=() if draft.value is None else draft.steps)

    def _body(self, draft: Draft) -> Body | None:
        """The body; None if there is none, and empty after a bare ``contains``."""
        kind = self.kinds[self.i]
        if kind == "if":
            draft.has_if = True
            self.i += 1
            return self._if_body()
        if kind == "{":
            self.i += 1
            return self.body("}")
        if draft.has_contains:
            draft.bodiless = True
            return ()
        return None

    def _if_body(self) -> Body:
        """``literal | "{" query "}"``. What could be an object or a comprehension is one, a set is a body."""
        if self.kinds[self.i] != "{":
            return (self.literal(),)
        mark = self.mark()
        try:
            expr = self.literal()
        except Failure:
            pass
        else:
            statement = expr.statement
            if not (isinstance(statement, TermExpr) and isinstance(statement.term, SetTerm)):
                return (expr,)
        self.back(mark)
        self.i += 1
        return self.body("}")

    def _chained(self, first: Rule, draft: Draft) -> Rule:
        """``"{" query "}"`` after a rule: another rule with the same head."""
        i = self.i
        if first.orelse is not None:
            self.report("expected else keyword", self.starts[i], self.ends[i], codes.ELSE)
            raise Failure
        start = self.starts[i]
        self.i += 1
        body = self.body("}")
        end = self.ends[self.i - 1]
        again = replace(draft, args=self._fresh(draft.args))
        head = again.head()
        head.start, head.end = start, end
        rule = Rule(head, body, start=start, end=end)
        self.drafts.append((rule, again))
        return rule

    def _fresh(self, args: tuple[Term, ...] | None) -> tuple[Term, ...] | None:
        """The arguments of another rule with this head: its wildcards are its own."""
        if args is None:
            return None
        return tuple(
            Var(self.wildcard(), start=arg.start, end=arg.end)
            if isinstance(arg, Var) and arg.wildcard
            else arg
            for arg in args
        )

    # --- else ---------------------------------------------------------------------------------------------

    def _first_else(self, draft: Draft) -> Rule:
        i = self.i
        message = ""
        if not all(map(is_ground, draft.steps)):
            message = "else keyword cannot be used on rules with variables in head"
        elif draft.key is not None:
            message = "else keyword cannot be used on multi-value rules"
        if message:
            self.report(message, self.starts[i], self.ends[i], codes.ELSE)
            raise Failure
        chain: list[tuple[Rule, Draft]] = []
        while self.kinds[self.i] == "else":
            chain.append(self._else(draft))
            if ELSES.exceeded_by(len(chain)):
                self.report(str(ELSES), self.starts[i], self.ends[i], codes.TOO_DEEP)
                raise Failure
            if chain[-1][1].bodiless:
                break
        self.drafts.extend(chain)
        end = self.ends[self.i - 1]
        for (rule, _), (following, _) in zip(reversed(chain[:-1]), reversed(chain[1:]), strict=True):
            rule.orelse = following
            rule.end = end
        return chain[0][0]

    def _else(self, draft: Draft) -> tuple[Rule, Draft]:
        """``"else" [("=" | ":=") infix] [["if"] (literal | "{" query "}")]``."""
        start = self.starts[self.i]
        self.i += 1
        own = replace(
            draft,
            args=self._fresh(draft.args),
            value=None,
            implied=True,
            has_if=False,
            start=start,
        )
        kind = self.kinds[self.i]
        if kind in {"assign", "eq"}:
            self.i += 1
            own.assign = kind == "assign"
            own.value, own.implied = self.infix(), False
        elif kind not in {"{", "if"}:
            raise self.unexpected("expected else value term or rule body", code=codes.ELSE)
        own.end = self.ends[self.i - 1]
        body: Body = ()
        own.has_if = self.kinds[self.i] == "if"
        if own.has_if:
            self.i += 1
        if self.kinds[self.i] == "{":
            self.i += 1
            body = self.body("}")
        elif not own.has_if:
            own.bodiless = True
        elif self.at_end:
            raise self.unexpected("rule body expected")
        else:
            body = (self.literal(),)
        return Rule(own.head(), body, start=start, end=self.ends[self.i - 1]), own

    # --- heads --------------------------------------------------------------------------------------------

    def head(self, *, default: bool = False) -> Draft | None:
        """``name [tail] ["contains" infix | ("=" | ":=") infix]``; None if it is no head."""
        start = self.starts[self.i]
        term: Term = self.variable()
        i = self.i
        if self.kinds[i] in _OPERATORS and self.touches(i):
            raise self.unexpected()
        if self.kinds[i] in {".", "[", "("}:
            term = self._spaced_reference(term)
        draft = _draft(term)
        if draft is None:
            return None
        draft.start = start
        kind = self.kinds[self.i]
        if kind == "contains":
            self._contains(draft)
        elif kind in {"assign", "eq"}:
            draft.assign = kind == "assign"
            self.i += 1
            draft.value = self._value(draft, default=default)
        elif len(draft.steps) != 1 or draft.args:
            draft.implied = True
        draft.end = self.ends[self.i - 1]
        return draft

    def _spaced_reference(self, term: Term) -> Term:
        """A head's name may stand apart from the rest of it: ``p [x]``."""
        i = self.i
        if self.touches(i):
            return self.reference(term)
        kept, self.ends[i - 1] = self.ends[i - 1], self.starts[i]
        try:
            return self.reference(term)
        finally:
            self.ends[i - 1] = kept

    def _contains(self, draft: Draft) -> None:
        name = self.text[draft.name.start : self.ends[self.i - 1]]
        if draft.args is not None:
            raise self.unexpected(
                "the contains keyword can only be used with multi-value rule definitions "
                f"(e.g., {name} contains <VALUE> {{ ... }})",
                code=codes.RULE_HEAD,
            )
        self.i += 1
        draft.has_contains = True
        draft.key = self.infix()

    def _value(self, draft: Draft, *, default: bool) -> Term:
        before = len(self.errors)
        at = self.i
        try:
            return self.infix()
        except Failure:
            if self.i != at or len(self.errors) != before + 1:
                raise
        name = self.text[draft.name.start : draft.steps[-1].end if draft.steps else draft.name.end]
        operator = self.lexemes[at - 1]
        if draft.args:
            note = f"expected function value term (e.g., {name}(...) {operator} <VALUE> {{ ... }})"
        elif default:
            note = f"expected default rule value term (e.g., default {name} {operator} <VALUE>)"
        else:
            note = f"expected rule value term (e.g., {name} {operator} <VALUE> {{ ... }})"
        error = self.errors[-1]
        if error.message.startswith("unexpected ") and ":" not in error.message:
            self.errors[-1] = error._replace(message=f"{error.message}: {note}")
        raise Failure

    # --- default rules ------------------------------------------------------------------------------------

    def default(self, start: int) -> Rule:
        """``"default" head``, whose value is constant and whose arguments are distinct variables."""
        self.i += 1
        if self.names_reference(self.i):
            self.kinds[self.i] = IDENTIFIER
        if self.kinds[self.i] != IDENTIFIER:
            raise self.unexpected("expected rule head name", code=codes.DEFAULT)
        draft = self.head(default=True)
        if draft is None:
            raise self.unexpected("expected rule head name", code=codes.DEFAULT)
        end = self.ends[self.i - 1]
        before = len(self.errors)
        if draft.value is None and not draft.implied:
            self._illegal_default("must have a value", start, end)
        elif draft.value is not None:
            for form in _variables(draft.value):
                self._illegal_default(f"value cannot contain {form}", start, end)
        self._default_arguments(draft, start, end)
        if len(self.errors) > before:
            raise Failure
        rule = Rule(draft.head(), (), True, start=start, end=end)
        self.drafts.append((rule, draft))
        return rule

    def _default_arguments(self, draft: Draft, start: int, end: int) -> None:
        seen: set[str] = set()
        for arg in draft.args or ():
            if not isinstance(arg, Var):
                self._illegal_default(f"arguments cannot contain {value_name(arg)}", start, end)
            elif arg.name in seen:
                self._illegal_default(f"arguments cannot be repeated {arg.name}", start, end)
            else:
                seen.add(arg.name)

    def _illegal_default(self, why: str, start: int, end: int) -> None:
        self.report(f"illegal default rule ({why})", start, end, codes.DEFAULT)

    # --- rules without a body -----------------------------------------------------------------------------

    def bare(self, body: Body) -> Rule:
        """The rule that a statement at the top level is: ``p := 1``, ``p[x]``, ``f(x) = y``, ``a.b.c``."""
        if len(body) != 1:
            raise HeadError("multiple expressions cannot be used for rule head")
        expr = body[0]
        if expr.withs:
            raise HeadError("expressions using with keyword cannot be used for rule head")
        if expr.negated:
            raise HeadError("negated expressions cannot be used for rule head")
        statement = expr.statement
        if isinstance(statement, (SomeDecl, SomeIn)):
            raise HeadError("'some' declarations cannot be used for rule head")
        if not isinstance(statement, TermExpr):
            raise HeadError("expression cannot be used for rule head")
        draft = _bare_draft(statement.term)
        draft.start, draft.end, draft.bodiless = expr.start, expr.end, True
        rule = Rule(draft.head(), (), start=expr.start, end=expr.end)
        self.drafts.append((rule, draft))
        return rule


def _draft(term: Term) -> Draft | None:
    """The head that a term before a body begins; None if it cannot."""
    args: tuple[Term, ...] | None = None
    if isinstance(term, Call):
        args, term = term.args, term.name
    if isinstance(term, Var):
        return Draft(name=term, args=args)
    if isinstance(term, Ref) and isinstance(term.head, Var):
        return Draft(name=term.head, steps=term.path, args=args)
    return None


def _bare_draft(term: Term) -> Draft:
    if isinstance(term, Call) and term.infix in {"=", ":="}:
        left, right = term.args
        draft = _draft(left)
        if draft is None or (isinstance(left, Call) and left.infix):
            raise HeadError(_no_name(left))
        return replace(draft, value=right, assign=term.infix == ":=")
    if isinstance(term, Call):
        if term.infix:
            raise HeadError("rule name conflicts with built-in function")
        if not term.args:
            raise HeadError("rule argument list must take at least one argument")
    elif not isinstance(term, Ref):
        if isinstance(term, Var) and term.name in {"input", "data"}:
            raise HeadError("refs cannot be used for rule head")
        raise HeadError(f"{value_name(term)} cannot be used for rule name")
    draft = _draft(term)
    if draft is None:
        raise HeadError(_no_name(term))
    if not draft.args and len(draft.steps) == 1:
        return replace(draft, key=draft.steps[0], steps=())
    return replace(draft, implied=True)


def _no_name(term: Term) -> str:
    if isinstance(term, (Ref, Call)) and not (isinstance(term, Call) and term.infix):
        return "invalid rule head"
    return f"{value_name(term)} cannot be used for rule name"


def _variables(term: Term) -> Iterator[str]:
    """What makes a default value no constant; comprehensions may hold anything."""
    if isinstance(term, (Var, Ref, Call)):
        yield value_name(term)
    elif isinstance(term, (ArrayTerm, SetTerm)):
        for item in term.items:
            yield from _variables(item)
    elif isinstance(term, ObjectTerm):
        for key, value in term.pairs:
            yield from _variables(key)
            yield from _variables(value)
    elif isinstance(term, TemplateString):
        for part in term.parts:
            if not isinstance(part, str) and isinstance(part.statement, TermExpr):
                yield from _variables(part.statement.term)


def v1_faults(rule: Rule, draft: Draft, words: frozenset[str]) -> Iterator[tuple[str, Code, str]]:
    """What v1 refuses in a rule that v0 lets pass: message, code and help."""
    name = draft.name.name
    if not draft.steps and name in words:
        yield f"{name} keyword cannot be used for rule name", codes.RULE_HEAD, "choose another name"
    if draft.bodiless and draft.implied and not draft.args:
        yield (
            f"{draft.word} must have value assignment and/or body declaration",
            codes.RULE_HEAD,
            "give it a value with `:=`, or a body after `if`",
        )
    if rule.body and not draft.has_if:
        yield (
            f"`if` keyword is required before {draft.word} body",
            codes.NEEDS_IF,
            "put `if` between the head and the body, or read the source as v0",
        )
    if not draft.args and draft.many and not draft.has_contains:
        yield (
            "`contains` keyword is required for partial set rules",
            codes.NEEDS_CONTAINS,
            f"write `{name} contains … if {{ … }}` instead of `{name}[…] {{ … }}`",
        )
