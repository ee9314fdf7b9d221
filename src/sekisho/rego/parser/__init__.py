"""The parser: a source in either dialect to a syntax tree, or to diagnostics with OPA's message texts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from sekisho.diag import Code, Diagnostic, DiagnosticError, Source, Span
from sekisho.rego import codes
from sekisho.rego.dialect import Dialect
from sekisho.rego.nodes import Body, Module, Term, TermExpr
from sekisho.rego.parser.modules import Modules
from sekisho.rego.parser.state import NESTING, SIZE

T = TypeVar("T")

__all__ = ["parse_module", "parse_query", "parse_term"]


def parse_module(source: Source, *, dialect: Dialect, annotations: bool = True) -> Module:
    """The module that this source holds. DiagnosticError (REG1xx) if it holds none.

    ``annotations`` may be false for sources whose metadata blocks are nobody's business: then they are
    comments, and cannot be wrong.
    """
    return _bounded(source, lambda: Modules(source, dialect, frozenset()).module(annotations=annotations))


def parse_query(source: Source, *, dialect: Dialect, keywords: Collection[str] = ()) -> Body:
    """The query that this source holds: expressions separated by ``;`` or newlines; maybe none.

    ``keywords`` are the future keywords that are imported around it.
    """
    return _bounded(source, lambda: Modules(source, dialect, frozenset(keywords)).whole_query())


def parse_term(text: str, *, dialect: Dialect = Dialect.V1) -> Term:
    """The one term that this text is."""
    source = Source("<term>", text)
    body = parse_query(source, dialect=dialect)
    statement = body[0].statement if len(body) == 1 else None
    if not isinstance(statement, TermExpr) or body[0].negated or body[0].withs:
        raise _refusal(source, codes.PARSE, "expected exactly one term", len(text))
    return statement.term


def _bounded(source: Source, parse: Callable[[], T]) -> T:
    """Parse unless the source is too large for it, or too little of the caller's stack is left."""
    if SIZE.exceeded_by(len(source.text)):
        raise _refusal(source, codes.TOO_LARGE, str(SIZE))
    try:
        return parse()
    except RecursionError:
        raise _refusal(source, codes.TOO_DEEP, str(NESTING)) from None


def _refusal(source: Source, code: Code, message: str, end: int = 0) -> DiagnosticError:
    return DiagnosticError(Diagnostic(code=code, message=message, at=Span(source, 0, end)))
