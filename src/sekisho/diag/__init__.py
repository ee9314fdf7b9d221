"""Findings: sources, spans, codes, diagnostics, limits, and how they are rendered."""

from sekisho.diag.code import Blame, Code, lookup, register, registered
from sekisho.diag.diagnostic import (
    Diagnostic,
    DiagnosticError,
    Level,
    Note,
    ObjectPath,
    ObjectRef,
    Origin,
    Path,
    path_text,
)
from sekisho.diag.limits import Deadline, Limit, Secret
from sekisho.diag.report import Report
from sekisho.diag.source import Embedding, Position, Source, Span

__all__ = [
    "Blame",
    "Code",
    "Deadline",
    "Diagnostic",
    "DiagnosticError",
    "Embedding",
    "Level",
    "Limit",
    "Note",
    "ObjectPath",
    "ObjectRef",
    "Origin",
    "Path",
    "Position",
    "Report",
    "Secret",
    "Source",
    "Span",
    "lookup",
    "path_text",
    "register",
    "registered",
]
