"""The status page: what a guarded cluster looks like now, as plain HTML."""

from sekisho.audit.page.handler import Answer, Page
from sekisho.audit.page.model import Decision, Health, Lowered, Status, Violation, Waived, status_of
from sekisho.audit.page.render import render

__all__ = [
    "Answer",
    "Decision",
    "Health",
    "Lowered",
    "Page",
    "Status",
    "Violation",
    "Waived",
    "render",
    "status_of",
]
