"""Statements, rules and modules as text."""

from __future__ import annotations

from dataclasses import dataclass

from sekisho.rego.dialect import Dialect
from sekisho.rego.format.terms import Terms, gap
from sekisho.rego.nodes import (
    Body,
    Call,
    Every,
    Expr,
    Head,
    Import,
    Module,
    NotBody,
    Ref,
    Rule,
    RuleKind,
    Scalar,
    SomeDecl,
    SomeIn,
    Term,
    TermExpr,
    Var,
    With,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How the heads of a module are written."""

    v1: bool
    ifs: bool
    contains: bool
    dotted: bool  # whether heads of two steps have a dot, as they do where another head has more


class Statements(Terms):
    """The forms of statements."""

    __slots__ = ()

    def body(self, body: Body) -> None:
        """Expressions, one a line, with the blank lines that stand between them."""
        self.lead(body[0].start)
        for at, expr in enumerate(body):
            if at and self.row(expr.start) > self.row(body[at - 1].end) + 1:
                self.blank_line()
            self.lead(expr.start)
            self.expression(expr)
            if at + 1 < len(body):
                self.end_line(body[at + 1].start)
        self.end_line(self.row_end(body[-1].end))

    def expression(self, expr: Expr) -> None:
        """``not`` statement ``with`` …"""
        self.reach(expr.start)
        if expr.negated:
            self.write("not ")
        statement = expr.statement
        match statement:
            case TermExpr():
                self._statement(statement.term)
            case SomeDecl():
                self._declaration(statement)
            case SomeIn():
                self.write("some ")
                args = (statement.value, statement.domain)
                self.operands(args if statement.key is None else (statement.key, *args), "in")
            case Every():
                self._every(statement, expr)
            case NotBody():
                self._negation(statement)
        self.reach(statement.end)
        self._modifiers(expr.withs, statement.end)
        self.reach(expr.end)

    def _statement(self, term: Term) -> None:
        if isinstance(term, Call) and term.infix == "in":
            self.operands(term.args, "in")
        elif isinstance(term, Call) and self.operator(term):
            self.outermost(term)
        else:
            self.term(term)

    def _declaration(self, node: SomeDecl) -> None:
        self.write("some ")
        row = self.row(node.start)
        for at, name in enumerate(node.names):
            if self.row(name.start) > row:
                self.end_line(name.start)
                self.level += 1
                self.lead(name.start)
                self.term(name)
                self.level -= 1
                row = self.row(name.start)
            else:
                self.write(" " if at else "")
                self.term(name)
            if at + 1 < len(node.names):
                self.write(",")

    def _every(self, node: Every, expr: Expr) -> None:
        self.write("every ")
        if node.key is not None:
            self.term(node.key)
            self.write(", ")
        self.term(node.value)
        self.write(" in ")
        self.term(node.domain, operand=self.operator(node.domain) == "in")
        self.write(" {")
        self._braced(node.body, expr.start, (node.start, node.end - 1))

    def _negation(self, node: NotBody) -> None:
        self.write("not ")
        at = node.start + len("not")
        at += len(gap(self.text, at))
        if self.text[at] != "{" or node.body[0].start == at:
            self.expression(node.body[0])
            return
        self.write("{")
        self.reach(at)
        self._braced(node.body, node.start, (at, node.end - 1))

    def _braced(self, body: Body, after: int, span: tuple[int, int]) -> None:
        inline = self.block(body, after, span)
        self.write(" }" if inline and len(body) == 1 else "}")

    def _modifiers(self, withs: tuple[With, ...], end: int) -> None:
        row = self.row(end)
        level = self.level
        for modifier in withs:
            here = self.row(modifier.start)
            if here > row:
                self.end_line(modifier.start)
                self.level = level + 1
                self.lead(modifier.start)
                row = here
            else:
                self.write(" ")
            self.write("with ")
            self.term(modifier.target)
            self.write(" as ")
            self.term(modifier.value)
            self.reach(modifier.end)
        self.level = level


class Rules(Statements):
    """The forms of rules."""

    __slots__ = ("style",)

    def __init__(self, module: Module) -> None:
        super().__init__(module)
        v1 = module.dialect is Dialect.V1
        self.style = Style(
            v1=v1,
            ifs=v1 or "if" in module.keywords,
            contains=v1 or "contains" in module.keywords,
            dotted=any(map(_is_long, module.rules)),
        )

    def rules(self, rules: list[Rule], limit: int) -> None:
        """Rules with a blank line between them, save one-liners that stand on successive lines."""
        for at, rule in enumerate(rules):
            following = rules[at + 1] if at + 1 < len(rules) else None
            self.lead(rule.start)
            self.rule(rule)
            self.end_line(following.start if following else limit)
            if following is None or not self._adjacent(rule, following):
                self.blank_line()

    def _adjacent(self, rule: Rule, following: Rule) -> bool:
        return (
            self._is_short(rule)
            and self._is_short(following)
            and self.row(following.start) == self.row(rule.start) + 1
        )

    def _is_short(self, rule: Rule) -> bool:
        return (
            len(rule.body) <= 1
            and not rule.default
            and self.style.ifs
            and (self.style.contains or rule.head.kind is not RuleKind.SET)
        )

    def rule(self, rule: Rule, *, is_else: bool = False) -> None:
        """``[default] head [body] [else]``. A body that is only ``true`` is left out."""
        if rule.default:
            self.write("default ")
        constant = rule.orelse is None and is_true(rule.body)
        self.head(rule, constant=constant, is_else=is_else)
        if not rule.body or constant:
            self.reach(rule.end)
            return
        head_end = rule.head.end
        if not is_else and rule.head.start == rule.start and rule.head.end == rule.end:
            head_end = rule.start  # a chained body: its head is written elsewhere
        if self._has_if(rule):
            self.write(" if")
            first = rule.body[0]
            if (
                len(rule.body) == 1
                and self.row(first.start) == self.row(head_end)
                and not (self.holds_comments(self.done, first.start))
            ):
                self.write(" ")
                self.expression(first)
                self._else(rule, inline=False)
                return
        self.write(" {")
        self.end_line(rule.body[0].start)
        self.level += 1
        self.body(rule.body)
        self.lead(self._closing(rule))
        self.level -= 1
        self.write("}")
        self.reach(self._closing(rule) + 1)
        self._else(rule, inline=True)

    def _has_if(self, rule: Rule) -> bool:
        return self.style.ifs and (self.style.contains or rule.head.kind is not RuleKind.SET)

    def _closing(self, rule: Rule) -> int:
        """The offset of the brace that closes a rule's body, or of its end if it has none."""
        end = rule.body[-1].end
        at = end + len(gap(self.text, end))
        return at if self.text[at : at + 1] == "}" else end - 1

    def _else(self, rule: Rule, *, inline: bool) -> None:
        following = rule.orelse
        if following is None:
            return
        line = self.source.line(self.row(following.start))
        above = self.holds_comments(self.done, following.start)
        if above or not inline or line.lstrip().startswith("else"):
            self.end_line(following.start)
            self.blank_line()
            self.lead(following.start)
        else:
            self.write(" ")
        self.write("else")
        self.reach(following.start)
        self.rule(following, is_else=True)

    # --- heads --------------------------------------------------------------------------------------------

    def head(self, rule: Rule, *, constant: bool, is_else: bool) -> None:
        """``name(args) contains key``, ``name[key] := value``; ``:= true`` only where it must be."""
        head = rule.head
        if not is_else:
            self._name(head)
            if head.args:
                self.items(head.args, "()", (head.ref.end, self._args_end(head)), self.item)
        if head.key is not None and self.style.contains:
            self.write(" contains ")
            self.term(head.key)
        elif head.key is not None:
            self.bracket(head.key)
        if head.kind is not RuleKind.SET and self._shows_value(rule, constant=constant, is_else=is_else):
            self.write(" := " if head.assign or self.style.v1 else " = ")
            if head.value is None:
                self.write("true")
            else:
                self.term(head.value)

    def _shows_value(self, rule: Rule, *, constant: bool, is_else: bool) -> bool:
        head = rule.head
        if head.value is None:
            return constant
        if not (isinstance(head.value, Scalar) and head.value.value is True):
            return True
        one_step = isinstance(head.ref, Ref) and len(head.ref.path) == 1 and not head.args
        keyed = not is_else and one_step and (not self.style.v1 or head.kind is RuleKind.OBJECT)
        return keyed or constant or rule.default or not rule.body

    def _name(self, head: Head) -> None:
        ref = head.ref
        if isinstance(ref, Var) or self.style.dotted or len(ref.path) != 1:
            self.term(ref)
            return
        self.term(ref.head)
        self.bracket(ref.path[0])
        self.reach(ref.end)

    def _args_end(self, head: Head) -> int:
        """Just past the parenthesis that closes a head's arguments."""
        assert head.args is not None
        end = head.args[-1].end
        while True:
            at = end + len(gap(self.text, end))
            if self.text[at] != ",":
                return at + 1
            end = at + 1


class Modules(Rules):
    """The form of a module."""

    __slots__ = ("module",)

    def __init__(self, module: Module) -> None:
        super().__init__(module)
        self.module = module

    def whole(self) -> str:
        """The text of the module."""
        module = self.module
        others: list[Import | Rule] = sorted([*module.imports, *module.rules], key=lambda node: node.start)
        self.lead(module.package.start)
        self.write("package ")
        first, *steps = module.package.path
        self.write(first)
        self._package_steps(steps)
        self.reach(module.package.end)
        end = len(self.text) + 1
        self.end_line(others[0].start if others else end)
        self.blank_line()
        at = 0
        while at < len(others):
            stop = at
            kind = type(others[at])
            while stop < len(others) and type(others[stop]) is kind:
                stop += 1
            limit = others[stop].start if stop < len(others) else end
            run = others[at:stop]
            if kind is Import:
                self._imports([node for node in run if isinstance(node, Import)], limit)
            else:
                self.rules([node for node in run if isinstance(node, Rule)], limit)
            at = stop
        for comment in self.comments[self.next :]:
            self.lines.append(f"#{comment.text}".rstrip())
        return "\n".join(self.lines).rstrip("\n") + "\n"

    def _package_steps(self, steps: list[str]) -> None:
        """The rest of a package's path; its text says which steps are quoted."""
        written = self.text[self.module.package.start : self.module.package.end]
        for name in steps:
            self.step(name, f'"{name}"' if f'"{name}"' in written else name)

    # --- imports ------------------------------------------------------------------------------------------

    def _imports(self, imports: list[Import], limit: int) -> None:
        """Imports, sorted within each group of successive lines, with the comments on their lines."""
        groups: list[list[Import]] = []
        for node in imports:
            if groups and self.row(node.start) - self.row(groups[-1][-1].start) <= 1:
                groups[-1].append(node)
            else:
                groups.append([node])
        for at, group in enumerate(groups):
            end = groups[at + 1][0].start if at + 1 < len(groups) else limit
            self.lead(group[0].start)
            self._group(group, end)
            self.blank_line()

    def _group(self, group: list[Import], limit: int) -> None:
        written = []
        for at, node in enumerate(group):
            if not self._is_needed(node):
                continue
            self.write("import ")
            self.term(node.path)
            if node.alias is not None:
                self.write(f" as {node.alias}")
            self.reach(node.end)
            self.end_line(group[at + 1].start if at + 1 < len(group) else limit)
            written.append((_order(node), self.lines.pop()))
        self.lines += [line for _, line in sorted(written)]

    def _is_needed(self, node: Import) -> bool:
        """Whether an import says more than ``rego.v1`` beside it."""
        steps = _order(node)[0]
        if steps[0] != "future" or not any(
            _order(other)[0] == ("rego", "v1") for other in self.module.imports
        ):
            return True
        return steps == ("future", "keywords", "not")


def _order(node: Import) -> tuple[tuple[str, ...], str]:
    path = node.path
    if isinstance(path, Var):
        return (path.name,), node.alias or ""
    head = path.head.name if isinstance(path.head, Var) else ""
    return (head, *(str(s.value) for s in path.path if isinstance(s, Scalar))), node.alias or ""


def _is_long(rule: Rule) -> bool:
    """Whether a head has more steps than brackets can show, or is a set at a path."""
    ref = rule.head.ref
    steps = len(ref.path) if isinstance(ref, Ref) else 0
    return steps > 1 or (steps == 1 and rule.head.kind is RuleKind.SET)


def is_true(body: Body) -> bool:
    """Whether a body is only ``true``."""
    if len(body) != 1 or body[0].negated or body[0].withs:
        return False
    statement = body[0].statement
    return (
        isinstance(statement, TermExpr)
        and isinstance(statement.term, Scalar)
        and statement.term.value is True
    )
