"""What a function of a policy language raises when it refuses its operands."""

from __future__ import annotations


class BuiltinFault(Exception):
    """A function refuses its operands: the expression is undefined, or the evaluation fails.

    The message is the original's (OPA's, cel-go's, Go's), without the ``name: `` prefix that some callers
    add. ``kind`` tells errors apart where a language does (Rego: eval_builtin_error, eval_type_error).
    """

    def __init__(self, message: str, *, kind: str = "eval_builtin_error") -> None:
        super().__init__(message)
        self.kind = kind
