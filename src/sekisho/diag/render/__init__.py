"""Renderers: the forms in which a report leaves the program."""

from __future__ import annotations

import importlib
from typing import IO, Final

from sekisho.diag.report import Report

FORMS: Final[dict[str, str]] = {
    "text": "text",
    "json": "data",
    "sarif": "sarif",
    "junit": "junit",
    "github": "github",
    "html": "html",
}
"""Forms, and the module of each; a module is imported when its form is asked for."""


def render(report: Report, form: str, stream: IO[str]) -> None:
    """Write a report to a stream in one of ``FORMS``."""
    module = importlib.import_module(f"sekisho.diag.render.{FORMS[form]}")
    module.render(report, stream)


__all__ = ["FORMS", "render"]
