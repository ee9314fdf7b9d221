"""Where a cluster on this machine is kept, where it listens, and where its log goes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, NamedTuple

import click

HOST: Final = "127.0.0.1"
PORT: Final = 6443


class Where(NamedTuple):
    """The options of ``where_options``; ``data`` and ``audit_log`` are None where nothing was said."""

    data: str | None
    host: str
    port: int
    audit_log: str | None


def where_options(function: Callable[..., int]) -> Callable[..., int]:
    """``--data``, ``--host``, ``--port`` and ``--audit-log``; the command gets them as ``where``."""

    @wraps(function)
    def wrapped(*, data: str | None, host: str, port: int, audit_log: str | None, **more: Any) -> int:
        return function(where=Where(data, host, port, audit_log), **more)

    for option in reversed(
        (
            click.option("--data", type=click.Path(), help="Folder of the cluster; kept between runs."),
            click.option("--host", default=HOST, show_default=True, help="Address to listen on."),
            click.option(
                "--port",
                type=click.IntRange(0, 65_535),
                default=PORT,
                show_default=True,
                help="Port to listen on; 0 for any free one.",
            ),
            click.option("--audit-log", type=click.Path(), help="File that gets a line for every request."),
        )
    ):
        wrapped = option(wrapped)
    return wrapped
