"""The parser: a source in either dialect to a syntax tree, or to diagnostics with OPA's message texts."""

from __future__ import annotations

from collections.abc import Collection

from sekisho.diag import Diagnostic, DiagnosticError, Source, Span
from sekisho.rego import codes
from sekisho.rego.nodes import Body, Dialect, Module, Term, TermExpr
from sekisho.rego.parser.modules import Modules
from sekisho.rego.parser.state import SIZE

__all__ = ["parse_module", "parse_query", "parse_term"]


def parse_module(source: Source, *, dialect: Dialect, annotations: bool = True) -> Module:
    """The module that this source holds. DiagnosticError (REG1xx) if it holds none.

    ``annotations`` may be false for sources whose metadata blocks are nobody's business: then they are
    comments, and cannot be wrong.
    """
    return _parser(source, dialect, ()).module(annotations=annotations)


def parse_query(source: Source, *, dialect: Dialect, keywords: Collection[str] = ()) -> Body:
    """The query that this source holds: expressions separated by ``;`` or newlines; maybe none.

    ``keywords`` are the future keywords that are imported around it.
    """
    return _parser(source, dialect, keywords).whole_query()


def parse_term(text: str, *, dialect: Dialect = Dialect.V1) -> Term:
    """The one term that this text is."""
    source = Source("<term>", text)
    body = parse_query(source, dialect=dialect)
    statement = body[0].statement if len(body) == 1 else None
    if not isinstance(statement, TermExpr) or body[0].negated or body[0].withs:
        raise DiagnosticError(
            Diagnostic(code=codes.PARSE, message="expected exactly one term", at=Span(source, 0, len(text)))
        )
    return statement.term


def _parser(source: Source, dialect: Dialect, keywords: Collection[str]) -> Modules:
    if SIZE.exceeded_by(len(source.text)):
        raise DiagnosticError(Diagnostic(code=codes.TOO_LARGE, message=str(SIZE), at=Span(source, 0, 0)))
    return Modules(source, dialect, frozenset(keywords))
