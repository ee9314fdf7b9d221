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
    exporting: Exporting | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporting:
    """Through which Connection violations go out, and under which name."""

    connection: str
    channel: str


def export_options(function: Callable[..., int]) -> Callable[..., int]:
    """Gatekeeper's flags of exporting: the command gets them as ``exporting``, None where it is off."""

    @wraps(function)
    def command(
        *, enable_violation_export: bool, audit_connection: str, audit_channel: str, **more: Any
    ) -> int:
        exporting = Exporting(connection=audit_connection, channel=audit_channel)
        return function(exporting=exporting if enable_violation_export else None, **more)

    for option in reversed(
        (
            click.option(
                "--enable-violation-export",
                is_flag=True,
                help="Export what audits find through a Connection.",
            ),
            click.option(
                "--audit-connection",
                default="audit-connection",
                show_default=True,
                metavar="NAME",
                help="The Connection, in the guard's Namespace.",
            ),
            click.option(
                "--audit-channel",
                default="audit-channel",
                show_default=True,
                metavar="NAME",
                help="The channel: the folder below the Connection's path.",
            ),
        )
    ):
        command = option(command)
    return command


def audit_options(function: Callable[..., int]) -> Callable[..., int]:
    """``--audit-interval``, ``--constraint-violations-limit``, ``--page-port``, ``--no-page``, and exporting.

    The command gets them as ``looking``.
    """

    @wraps(function)
    def command(
        *,
        audit_interval: float,
        constraint_violations_limit: int,
        page_port: int,
        no_page: bool,
        exporting: Exporting | None,
        **more: Any,
    ) -> int:
        looking = Looking(
            interval=audit_interval,
            violations=constraint_violations_limit,
            page=None if no_page else page_port,
            exporting=exporting,
        )
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
    return export_options(command)
