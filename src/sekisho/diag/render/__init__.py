"""Renderers: the forms in which a report leaves the program."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Final

from sekisho.diag.render import data, github, html, junit, sarif, text
from sekisho.diag.report import Report

Renderer = Callable[[Report, IO[str]], None]

FORMS: Final[dict[str, Renderer]] = {
    "text": text.render,
    "json": data.render,
    "sarif": sarif.render,
    "junit": junit.render,
    "github": github.render,
    "html": html.render,
}


def render(report: Report, form: str, stream: IO[str]) -> None:
    """Write a report to a stream in one of ``FORMS``."""
    FORMS[form](report, stream)


__all__ = ["FORMS", "render"]
