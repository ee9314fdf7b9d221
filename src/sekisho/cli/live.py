"""A running cluster as input: everything in it that may be listed, as if it came from files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from sekisho.cli.inputs import Inputs
from sekisho.diag import Diagnostic, Level, register
from sekisho.kube.object import Object

if TYPE_CHECKING:
    from sekisho.cluster.client import Client, Resource

NOT_READ: Final = register("CLI120", "objects of a cluster could not be read")

FORBIDDEN: Final = (401, 403, 405)

EXPIRED: Final = 410
TRIES: Final = 3
"""How often a list is begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Which cluster. ``kubeconfig`` and ``context`` are empty for those that kubectl would use."""

    kubeconfig: str = ""
    context: str = ""


def live_options(function: Callable[..., int]) -> Callable[..., int]:
    """``--cluster``, ``--context``, ``--kubeconfig``: the command gets them as ``live``, None without any.

    A command with these has ``paths``, and needs one of both.
    """

    @wraps(function)
    def command(*, cluster: bool, context: str, kubeconfig: str, **more: Any) -> int:
        asked = bool(cluster or context or kubeconfig)
        if not (asked or more["paths"]):
            raise click.UsageError("give PATH or --cluster")
        return function(live=Live(kubeconfig=kubeconfig, context=context) if asked else None, **more)

    for option in reversed(
        (
            click.option(
                "--cluster", is_flag=True, help="Read the objects of the cluster that kubectl would use."
            ),
            click.option("--context", default="", metavar="NAME", help="The kubeconfig's context."),
            click.option("--kubeconfig", default="", metavar="FILE", help="The kubeconfig."),
        )
    ):
        command = option(command)
    return command


def read_cluster(live: Live) -> Inputs:
    """The objects of a cluster, packed (``audit.live.whole``); what may not be listed is told.

    Raises DiagnosticError (CLU…).
    """
    import asyncio

    return asyncio.run(_read(live))


async def _read(live: Live) -> Inputs:
    from sekisho.audit.live.model import LEFT_OUT
    from sekisho.cluster.client import Client, Refused
    from sekisho.cluster.kubeconfig import Wanted, load

    inputs = Inputs()
    connection = load(live.kubeconfig, Wanted(context=live.context))
    async with Client(connection) as client:
        for resource in await client.resources():
            if resource.gvr.resource in LEFT_OUT:
                continue
            try:
                inputs.objects += await _objects(client, resource)
            except Refused as error:
                if error.code not in FORBIDDEN:
                    raise
                message = f"{resource.gvr.resource} were not read: {error.diagnostics[0].message}"
                problem = Diagnostic(code=NOT_READ, message=message, level=Level.WARNING)
                inputs.problems.append(problem)
    return inputs


async def _objects(client: Client, resource: Resource) -> list[Object]:
    """The objects of a kind. A list that takes longer than the server remembers begins anew."""
    from sekisho.audit.live.kept import lean
    from sekisho.cluster.client import Refused

    keep = lean()
    for left in reversed(range(TRIES)):
        found: list[Object] = []
        try:
            async for items, _ in client.pages(resource):
                found += (Object(keep(row)) for row in items)
        except Refused as error:
            if error.code != EXPIRED or not left:
                raise
            continue
        return found
    raise AssertionError("the last try returns or raises")
