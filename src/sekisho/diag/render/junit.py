"""JUnit XML: a suite for each file or object, a failing case for each error, a passing one for the rest."""

from __future__ import annotations

from typing import IO

from sekisho.diag.diagnostic import Diagnostic, Level, ObjectPath
from sekisho.diag.render.text import format_finding, place
from sekisho.diag.report import Report, span_of


def render(report: Report, stream: IO[str]) -> None:
    """Write the report as JUnit XML. Warnings and notes pass, with their text as output."""
    suites: dict[str, list[Diagnostic]] = {}
    for finding in report.findings:
        suites.setdefault(_suite(finding), []).append(finding)
    errors = report.count(Level.ERROR)
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(f'<testsuites name="sekisho" tests="{len(report.findings)}" failures="{errors}">\n')
    for name, findings in suites.items():
        failed = sum(finding.level is Level.ERROR for finding in findings)
        stream.write(f'  <testsuite name={attribute(name)} tests="{len(findings)}" failures="{failed}">\n')
        for finding in findings:
            stream.write(_case(finding))
        stream.write("  </testsuite>\n")
    stream.write("</testsuites>\n")


def _suite(finding: Diagnostic) -> str:
    span = span_of(finding.at)
    if span is not None:
        return span.source.name
    return str(finding.at.ref) if isinstance(finding.at, ObjectPath) else "sekisho"


def _case(finding: Diagnostic) -> str:
    title = finding.policy or finding.code.title
    name = f"{finding.code.id} {title} {place(finding.at)}".rstrip()
    head = f"    <testcase classname={attribute(finding.code.id)} name={attribute(name)}>\n"
    body = _escape(legal(format_finding(finding)))
    if finding.level is Level.ERROR:
        message = attribute(finding.message)
        return f"{head}      <failure message={message}>{body}</failure>\n    </testcase>\n"
    return f"{head}      <system-out>{body}</system-out>\n    </testcase>\n"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def attribute(text: str) -> str:
    """A text as an attribute's value, with its quotes; line breaks and tabs survive."""
    escaped = _escape(legal(text)).replace('"', "&quot;")
    for char in "\n\r\t":
        escaped = escaped.replace(char, f"&#{ord(char)};")
    return f'"{escaped}"'


def legal(text: str) -> str:
    """XML 1.0 cannot hold most control characters at all, not even escaped."""
    return "".join(
        char
        if char in "\t\n\r" or "\x20" <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff"
        else "\ufffd"
        for char in text
    )
