"""From the table's names of handlers to the functions."""

from __future__ import annotations

from sekisho.sandbox.sentry.syscalls import (
    attributes,
    clocks,
    events,
    files,
    identity,
    messages,
    network,
    paths,
    process,
    system,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from sekisho.sandbox.sentry.server import Handler

FAMILIES = {
    "clocks": (clocks,),
    "events": (events,),
    "files": (files,),
    "identity": (identity,),
    "network": (network, messages),
    "paths": (paths, attributes),
    "process": (process,),
    "system": (system,),
}


def resolve(names: Mapping[int, str]) -> dict[int, Handler]:
    """The function of each handler (``family.function``). A name without one is a bug of ours."""
    found = {}
    for number, name in names.items():
        family, _, function = name.partition(".")
        found[number] = _find(family, function)
    return found


def _find(family: str, function: str) -> Handler:
    for module in FAMILIES[family]:
        handler: Handler | None = vars(module).get(function)
        if handler is not None:
            return handler
    raise LookupError(f"{family}.{function}")
