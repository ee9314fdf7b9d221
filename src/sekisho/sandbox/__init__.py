"""Runs code that nobody trusts, with a kernel of our own in front of the kernel.

``Sandbox`` and ``run`` are for Python programs. Nothing is imported before it is asked for: start-up is the
product, and each edge imports what it needs.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.api import AsyncProcess, Change, Event, Process, Sandbox, run

__all__ = ["AsyncProcess", "Change", "Event", "Process", "Sandbox", "run"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sekisho.sandbox import api

    return getattr(api, name)
