"""An HTML page: one file, no scripts, nothing fetched."""

from __future__ import annotations

from importlib import resources
from typing import IO

import sekisho
from sekisho.diag.diagnostic import Level
from sekisho.diag.render.text import excerpt, place
from sekisho.diag.report import Report, span_of


def render(report: Report, stream: IO[str]) -> None:
    """Write the report as a page. All text is escaped by the template engine."""
    import jinja2

    text = resources.files("sekisho.diag.render").joinpath("report.html.jinja").read_text(encoding="utf-8")
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(text)
    rows = [
        {
            "finding": finding,
            "place": place(finding.at),
            "excerpt": "\n".join(excerpt(span)) if (span := span_of(finding.at)) else "",
            "notes": [(place(note.at), note.message) for note in finding.notes],
        }
        for finding in report.findings
    ]
    counts = {level.value: report.count(level) for level in Level}
    stream.write(template.render(rows=rows, counts=counts, report=report, version=sekisho.__version__))
    stream.write("\n")
