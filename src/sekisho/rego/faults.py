"""What a built-in raises when it refuses its operands: what ``lang`` raises, too."""

from __future__ import annotations

from sekisho.lang.faults import BuiltinFault


class NetworkFault(BuiltinFault):
    """A transport's: nothing came back. ``http.send`` tells it apart where it gives errors as values."""


__all__ = ["BuiltinFault", "NetworkFault"]
