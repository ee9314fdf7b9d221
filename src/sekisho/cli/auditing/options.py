"""What ``sekisho up`` is asked for beside the API: how often to audit, and where to show what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """``interval`` in seconds, 0 for no audits; ``violations`` that a constraint's status lists.

    ``page`` is the port of the status page, None for no page.
    """

    interval: float = 60.0
    violations: int = 20
    page: int | None = 0


def audit_options(function: Callable[..., int]) -> Callable[..., int]:
    """``--audit-interval``, ``--constraint-violations-limit``, ``--page-port``, ``--no-page``.

    The command gets them as ``looking``.
    """

    @wraps(function)
    def command(
        *, audit_interval: float, constraint_violations_limit: int, page_port: int, no_page: bool, **more: Any
    ) -> int:
        page = None if no_page else page_port
        looking = Looking(interval=audit_interval, violations=constraint_violations_limit, page=page)
        return function(looking=looking, **more)

    for option in reversed(
        (
            click.option(
                "--audit-interval",
                type=click.FloatRange(min=0),
                default=60.0,
                show_default=True,
                metavar="SECONDS",
                help="Seconds between audits of what is there; 0 for none.",
            ),
            click.option(
                "--constraint-violations-limit",
                type=click.IntRange(min=0),
                default=20,
                show_default=True,
                metavar="COUNT",
                help="Violations that a constraint's status lists.",
            ),
            click.option(
                "--page-port",
                type=click.IntRange(0, 65_535),
                default=0,
                show_default=True,
                help="Port of the status page, on the loopback; 0 for any free one.",
            ),
            click.option("--no-page", is_flag=True, help="Serve no status page."),
        )
    ):
        command = option(command)
    return command
