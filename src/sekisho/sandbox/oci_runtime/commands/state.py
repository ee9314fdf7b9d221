"""``state``: print the state, as the specification writes it."""

from __future__ import annotations

from sekisho.sandbox.oci_runtime import store, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context


def command(context: Context) -> int:
    """One JSON object."""
    record = context.store.load(context.call.words[0])
    context.out(text.write(store.state(context.store, record), "  "))
    return 0
