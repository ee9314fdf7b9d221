"""The audit of a running cluster: what is there, kept up to date, judged again where that is due."""

from sekisho.audit.live.kept import Lean, lean, whole
from sekisho.audit.live.model import Judging, Options, Pass, Writer
from sekisho.audit.live.pace import paced
from sekisho.audit.live.reports import REPORTS, reports
from sekisho.audit.live.rounds import LiveAudit
from sekisho.audit.live.writer import ReportWriter

__all__ = [
    "REPORTS",
    "Judging",
    "Lean",
    "LiveAudit",
    "Options",
    "Pass",
    "ReportWriter",
    "Writer",
    "lean",
    "paced",
    "reports",
    "whole",
]
