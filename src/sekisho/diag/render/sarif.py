"""SARIF 2.1.0 (OASIS), one run, one rule entry a code, exact regions."""

from __future__ import annotations

import json
from typing import IO, Any, Final
from urllib.parse import quote

import sekisho
from sekisho.diag.code import Code
from sekisho.diag.diagnostic import Diagnostic, Level, ObjectPath, path_text
from sekisho.diag.report import Report, span_of
from sekisho.diag.source import Span

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "note"}


def render(report: Report, stream: IO[str]) -> None:
    """Write the report as a SARIF log."""
    json.dump(sarif_log(report), stream, indent=2, ensure_ascii=False, default=str)
    stream.write("\n")


def sarif_log(report: Report) -> dict[str, Any]:
    """The log as plain data."""
    codes = sorted({finding.code.id: finding.code for finding in report.findings}.items())
    index = {id: at for at, (id, _) in enumerate(codes)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "sekisho",
                        "semanticVersion": _semantic(sekisho.__version__),
                        "rules": [_rule(code) for _, code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, index[finding.code.id]) for finding in report.findings],
            }
        ],
    }


def _semantic(version: str) -> str:
    return version.replace(".dev", "-dev.")


def _rule(code: Code) -> dict[str, Any]:
    page = code.page() or code.title
    rule: dict[str, Any] = {
        "id": code.id,
        "shortDescription": {"text": code.title},
        "help": {"text": page, "markdown": page},
    }
    if code.alias:
        rule["name"] = code.alias
    return rule


def _result(finding: Diagnostic, rule: int) -> dict[str, Any]:
    text = finding.message + (f"\n{finding.help}" if finding.help else "")
    properties: dict[str, Any] = {}
    if finding.policy:
        properties["policy"] = finding.policy
    if finding.data:
        properties["data"] = dict(finding.data)
    out: dict[str, Any] = {
        "ruleId": finding.code.id,
        "ruleIndex": rule,
        "level": _LEVELS[finding.level],
        "message": {"text": text},
        "partialFingerprints": {"sekisho/v1": finding.fingerprint()},
    }
    if (location := _location(finding.at)) is not None:
        out["locations"] = [location]
    related = [
        {**location, "id": at, "message": {"text": note.message}}
        for at, note in enumerate(finding.notes)
        if (location := _location(note.at)) is not None
    ]
    if related:
        out["relatedLocations"] = related
    if properties:
        out["properties"] = properties
    return out


def _location(at: Span | ObjectPath | None) -> dict[str, Any] | None:
    out: dict[str, Any] = {}
    span = span_of(at)
    if span is not None:
        begins, ends = span.begins, span.ends
        out["physicalLocation"] = {
            "artifactLocation": {"uri": _uri(span.source.name)},
            "region": {
                "startLine": begins.line,
                "startColumn": begins.column,
                "endLine": ends.line,
                "endColumn": ends.column,
            },
        }
    if isinstance(at, ObjectPath):
        out["logicalLocations"] = [
            {
                "fullyQualifiedName": f"{at.ref} {path_text(at.path)}".rstrip(),
                "kind": "resource",
            }
        ]
    return out or None


def _uri(name: str) -> str:
    """A relative or file URI; what was read from standard input is called ``stdin``."""
    if name == "<stdin>":
        return "stdin"
    path = quote(name.removeprefix("./"), safe="/-._~!$&'()*+,;=@")
    return f"file://{path}" if path.startswith("/") else path
