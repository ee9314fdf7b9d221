"""What a built-in raises when it refuses its operands."""

from __future__ import annotations


class BuiltinFault(Exception):
    """A built-in refuses its operands; the expression is undefined, or fails when errors are strict.

    The message is OPA's, without the ``name: `` prefix, which the caller adds. ``kind`` is
    ``eval_builtin_error`` or ``eval_type_error``.
    """

    def __init__(self, message: str, *, kind: str = "eval_builtin_error") -> None:
        super().__init__(message)
        self.kind = kind
