"""The formatter: a module as `opa fmt` prints it (OPA 1.19, v1/format).

What a module means is never changed, and no comment is lost: the outcome is parsed again and compared.
"""

from __future__ import annotations

from typing import Final

from sekisho.diag import Diagnostic, DiagnosticError, Source, Span
from sekisho.rego import codes
from sekisho.rego.dialect import Dialect
from sekisho.rego.format.rules import Modules
from sekisho.rego.format.same import canonical
from sekisho.rego.nodes import Module
from sekisho.rego.parser import parse_module
from sekisho.rego.parser.state import NESTING

PASSES: Final = 4
"""A comment in the middle of an expression moves once; that may move what stands beside it once more."""

__all__ = ["format_module", "format_source"]


def format_module(module: Module) -> str:
    """The text of a module in the common form, in the dialect it was parsed in."""
    return Modules(module).whole()


def format_source(source: Source, *, dialect: Dialect) -> str:
    """The text of a source in the common form; formatting that text again gives the same.

    DiagnosticError (REG1xx) if the source holds no module, REG123 if the outcome would not mean the same.
    """
    module = parse_module(source, dialect=dialect)
    try:
        return _settled(module)
    except RecursionError:
        at = Span(source, 0, 0)
        raise DiagnosticError(Diagnostic(code=codes.TOO_DEEP, message=str(NESTING), at=at)) from None


def _settled(module: Module) -> str:
    source, dialect = module.source, module.dialect
    text = format_module(module)
    for _ in range(PASSES):
        try:
            again = parse_module(Source(source.name, text), dialect=dialect)
        except DiagnosticError as error:
            raise _refusal(module, str(error)) from error
        if canonical(again) != canonical(module):
            raise _refusal(module, "rules or comments would change")
        last, text = text, format_module(again)
        if text == last:
            return text
    raise _refusal(module, "it has no form that stays")


def _refusal(module: Module, why: str) -> DiagnosticError:
    return DiagnosticError(
        Diagnostic(
            code=codes.UNFORMATTED,
            message=f"this module cannot be formatted: {why}",
            at=Span(module.source, 0, 0),
        )
    )
