"""GitHub workflow commands: one annotation a finding."""

from __future__ import annotations

from typing import IO, Final

from sekisho.diag.diagnostic import Diagnostic, Level
from sekisho.diag.report import Report, span_of

_COMMANDS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(report: Report, stream: IO[str]) -> None:
    """Write one workflow command a line."""
    for finding in report.findings:
        stream.write(_annotation(finding))


def _annotation(finding: Diagnostic) -> str:
    properties: dict[str, object] = {}
    span = span_of(finding.at)
    if span is not None:
        begins, ends = span.begins, span.ends
        properties = {
            "file": span.source.name,
            "line": begins.line,
            "col": begins.column,
            "endLine": ends.line,
        }
        if ends.line == begins.line:
            properties["endColumn"] = ends.column
    properties["title"] = f"{finding.code.id} {finding.policy or finding.code.title}"
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    message = finding.message + (f"\n{finding.help}" if finding.help else "")
    return f"::{_COMMANDS[finding.level]} {listed}::{_message(message)}\n"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
