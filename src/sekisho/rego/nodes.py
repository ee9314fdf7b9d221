"""The syntax tree of a Rego module.

Every node has ``start`` and ``end``, character offsets into its module's source. Wildcards (``_``) are
variables whose names begin with ``$``, each its own. The parser makes the tree; later stages return new
nodes or new tables, and never write into a tree that another stage may hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from sekisho.diag import Source, Span
from sekisho.rego.dialect import Dialect
from sekisho.rego.values import Value


@dataclass(slots=True, kw_only=True)
class Node:
    """What every node has: the offsets of its text."""

    start: int = 0
    end: int = 0


# --- terms ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Scalar(Node):
    """null, a boolean, a number (int or values.Number) or a string."""

    value: Value


@dataclass(slots=True)
class Var(Node):
    """A variable, or the first step of a reference. Wildcards are called ``$0``, ``$1``, …"""

    name: str

    @property
    def wildcard(self) -> bool:
        """Whether it was written ``_``."""
        return self.name.startswith("$")


@dataclass(slots=True)
class Ref(Node):
    """``head.a[b]``: a head (a Var, or any term that may be indexed) and one or more steps.

    A dotted step is a string Scalar.
    """

    head: Term
    path: tuple[Term, ...]


@dataclass(slots=True)
class ArrayTerm(Node):
    """``[a, b]``."""

    items: tuple[Term, ...]


@dataclass(slots=True)
class SetTerm(Node):
    """``{a, b}`` or ``set()``."""

    items: tuple[Term, ...]


@dataclass(slots=True)
class ObjectTerm(Node):
    """``{k: v}``."""

    pairs: tuple[tuple[Term, Term], ...]


@dataclass(slots=True)
class ArrayComp(Node):
    """``[term | body]``."""

    term: Term
    body: Body


@dataclass(slots=True)
class SetComp(Node):
    """``{term | body}``."""

    term: Term
    body: Body


@dataclass(slots=True)
class ObjectComp(Node):
    """``{key: value | body}``."""

    key: Term
    value: Term
    body: Body


@dataclass(slots=True)
class Call(Node):
    """A call of a built-in or a function. Infix operators are calls of their built-ins.

    ``name`` is the operator's reference: a Var (``count``) or a Ref (``data.lib.f``, ``io.jwt.decode``).
    Infix forms use the built-in's name (``plus``, ``equal``, ``internal.member_2``) and set ``infix`` to the
    operator as written.
    """

    name: Var | Ref
    args: tuple[Term, ...]
    infix: str = ""


@dataclass(slots=True)
class TemplateString(Node):
    """``$"a {x} b"``: strings and expressions; an expression is the Expr inside the braces."""

    parts: tuple[str | Expr, ...]


Term: TypeAlias = (
    Scalar
    | Var
    | Ref
    | ArrayTerm
    | SetTerm
    | ObjectTerm
    | ArrayComp
    | SetComp
    | ObjectComp
    | Call
    | TemplateString
)


# --- statements -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class With(Node):
    """``with target as value``; the target is a reference to input, data or a function."""

    target: Var | Ref
    value: Term


@dataclass(slots=True)
class TermExpr(Node):
    """A statement that is a term: it holds unless the term is undefined or false.

    ``=``, ``:=`` and comparisons are Calls of ``eq``, ``assign``, ``equal``, ``neq``, ``lt``, ….
    """

    term: Term


@dataclass(slots=True)
class SomeDecl(Node):
    """``some x, y``: declares variables."""

    names: tuple[Var, ...]


@dataclass(slots=True)
class SomeIn(Node):
    """``some v in xs`` or ``some k, v in xs``; key and value are patterns whose variables are declared."""

    key: Term | None
    value: Term
    domain: Term


@dataclass(slots=True)
class Every(Node):
    """``every k, v in xs { body }``."""

    key: Var | None
    value: Var
    domain: Term
    body: Body


@dataclass(slots=True)
class NotBody(Node):
    """``not { body }`` (future.keywords.not): holds when the body has no solution."""

    body: Body


Statement: TypeAlias = TermExpr | SomeDecl | SomeIn | Every | NotBody


@dataclass(slots=True)
class Expr(Node):
    """One expression of a body: a statement with its ``not`` and its ``with`` modifiers."""

    statement: Statement
    negated: bool = False
    withs: tuple[With, ...] = ()


Body: TypeAlias = tuple[Expr, ...]


# --- rules and modules ------------------------------------------------------------------------------------


class RuleKind(Enum):
    """What a rule defines."""

    COMPLETE = "complete"  # p := v, p if {...}, and a.b.c := v
    SET = "partial set"  # p contains v
    OBJECT = "partial object"  # p[k] := v, a.b[x].c := v (a variable somewhere in the reference)
    FUNCTION = "function"  # f(x) := v


@dataclass(slots=True)
class Head(Node):
    """A rule's head.

    ``ref`` is the whole reference as written: a Var alone, or a Ref whose head is a Var. For a partial
    object the key is the last step of ``ref``; for a partial set it is in ``key``. ``value`` is absent where
    the source has none (it is true then). ``assign`` is true for ``:=``.
    """

    ref: Var | Ref
    kind: RuleKind
    args: tuple[Term, ...] | None = None
    key: Term | None = None
    value: Term | None = None
    assign: bool = False


@dataclass(slots=True)
class Rule(Node):
    """One rule, or one link of an else chain. ``body`` is empty for a rule that holds unconditionally.

    A chained body (``{…} {…}``) is parsed into further rules with the same head.
    """

    head: Head
    body: Body = ()
    default: bool = False
    orelse: Rule | None = None
    annotations: tuple[Annotation, ...] = ()


@dataclass(slots=True)
class Import(Node):
    """``import path as alias``; the path is a reference to input, data, future.keywords or rego.v1."""

    path: Ref | Var
    alias: str | None = None


@dataclass(slots=True)
class Package(Node):
    """``package a.b``: the path without ``data``."""

    path: tuple[str, ...]


@dataclass(slots=True)
class Comment(Node):
    """A comment, without its ``#``."""

    text: str


@dataclass(slots=True)
class Annotation(Node):
    """A ``# METADATA`` block: its YAML as a value, and its scope (rule, document, package, subpackages)."""

    scope: str
    value: dict[str, Value]


@dataclass(slots=True)
class Module(Node):
    """A parsed source."""

    source: Source
    dialect: Dialect
    package: Package
    imports: tuple[Import, ...] = ()
    rules: tuple[Rule, ...] = ()
    comments: tuple[Comment, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    keywords: frozenset[str] = field(default_factory=frozenset)

    def span(self, node: Node) -> Span:
        """Where a node of this module stands."""
        return Span(self.source, node.start, node.end)
