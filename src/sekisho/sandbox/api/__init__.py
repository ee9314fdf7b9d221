"""Sandboxes from Python."""

from sekisho.sandbox.api.process import AsyncProcess, Process
from sekisho.sandbox.api.sandbox import Sandbox, run
from sekisho.sandbox.api.values import Change, Event

__all__ = ["AsyncProcess", "Change", "Event", "Process", "Sandbox", "run"]
