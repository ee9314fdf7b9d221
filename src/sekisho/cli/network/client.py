"""The network client of a command: only for the hosts that the user names, and closed when it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sekisho.web import Client

F = TypeVar("F", bound=Callable[..., Any])


def network_option(help: str) -> Callable[[F], F]:
    """``--allow-network``: nothing is sent to any host that is not named."""
    return click.option("--allow-network", multiple=True, metavar="HOST", help=help)


def open_client(hosts: frozenset[str]) -> Client:
    """A client for these hosts, which is closed when the command ends."""
    from sekisho.web import Client

    client = Client(allowed=hosts)
    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(client.close)
    return client
