"""``sekisho demo``."""

from sekisho.cli.demo.command import command

__all__ = ["command"]
