"""The JSON form. Its shape is stable and documented in docs/reference/json.md."""

from __future__ import annotations

import json
from typing import IO, Any

from sekisho.diag.diagnostic import Diagnostic, Level, ObjectPath, path_text
from sekisho.diag.report import Report, span_of
from sekisho.diag.source import Span

VERSION = 1


def render(report: Report, stream: IO[str]) -> None:
    """Write the report as one JSON object, indented, ending in a line break."""
    json.dump(report_data(report), stream, indent=2, ensure_ascii=False, default=str)
    stream.write("\n")


def report_data(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "version": VERSION,
        "findings": [finding_data(finding) for finding in report.findings],
        "summary": {
            "errors": report.count(Level.ERROR),
            "warnings": report.count(Level.WARNING),
            "notes": report.count(Level.NOTE),
            "suppressed": report.suppressed,
            **report.facts,
        },
    }


def finding_data(finding: Diagnostic) -> dict[str, Any]:
    """One finding as plain data; keys that would be empty are left out, but for the first five."""
    out: dict[str, Any] = {
        "code": finding.code.id,
        "level": finding.level.value,
        "message": finding.message,
        "fingerprint": finding.fingerprint(),
        **place_data(finding.at),
    }
    if finding.code.alias:
        out["alias"] = finding.code.alias
    if finding.policy:
        out["policy"] = finding.policy
    if finding.notes:
        out["notes"] = [{"message": note.message, **place_data(note.at)} for note in finding.notes]
    if finding.help:
        out["help"] = finding.help
    if finding.data:
        out["data"] = dict(finding.data)
    return out


def place_data(at: Span | ObjectPath | None) -> dict[str, Any]:
    """File, line and column (from one) of both ends; for objects also ``object`` and ``path``."""
    out: dict[str, Any] = {}
    span = span_of(at)
    if span is not None:
        begins, ends = span.begins, span.ends
        out |= {
            "file": span.source.name,
            "line": begins.line,
            "column": begins.column,
            "endLine": ends.line,
            "endColumn": ends.column,
        }
    if isinstance(at, ObjectPath):
        out["object"] = {
            "apiVersion": at.ref.group_version,
            "kind": at.ref.kind,
            "namespace": at.ref.namespace,
            "name": at.ref.name,
        }
        out["path"] = path_text(at.path)
    return out
