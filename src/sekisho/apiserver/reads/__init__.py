"""Get, list and watch."""

from sekisho.apiserver.reads.reads import Reader

__all__ = ["Reader"]
