"""``sekisho up``: a cluster on this machine, in one process and one folder."""

from __future__ import annotations

import json
import os
import shlex
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from sekisho import cel
    from sekisho.apiserver.admission import Guarding
    from sekisho.apiserver.cluster import Cluster, Settings
    from sekisho.cli.guard.guard import Guard
    from sekisho.cli.programs import CachedExpressions
    from sekisho.policy.expressions import Expression

HOST: Final = "127.0.0.1"
PORT: Final = 6443


@click.command(epilog="Example: sekisho up --data ./cluster --port 0")
@click.option("--data", type=click.Path(), help="Folder of the cluster; kept between runs.")
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    help="Port to listen on; 0 for any free one.",
)
@click.option(
    "--guard/--no-guard",
    "guarded",
    default=True,
    show_default=True,
    help="Whether the cluster's policies (ConstraintTemplates, mutators) judge its writes.",
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def command(*, data: str | None, host: str, port: int, guarded: bool, output: str) -> int:
    """Run a Kubernetes API on this machine, and write a kubeconfig for it.

    Ends with ctrl-C. What was stored is there again the next time. Without --data the folder is
    $XDG_DATA_HOME/sekisho. With --no-guard it is the API alone, as a kube-apiserver is: its own
    ValidatingAdmissionPolicies and webhooks are asked, and no more.
    """
    import asyncio
    import threading

    from sekisho.web.ahead import import_ahead

    threading.Thread(target=import_ahead, daemon=True).start()
    from sekisho.apiserver.cluster import Settings

    settings = Settings(folder=Path(data) if data else _folder(), host=host, port=port)
    return asyncio.run(_run(settings, output, guarded=guarded))


def _folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or ""
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "sekisho"


async def _run(settings: Settings, output: str, *, guarded: bool) -> int:
    """Serve until a signal says to stop; a second one says at once."""
    import asyncio
    import signal

    from sekisho.apiserver.cluster import Cluster

    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        stopped.set()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, stop)
    guard = _guard() if guarded else None
    cluster = await Cluster.start(settings, guard.guarding() if guard is not None else _unguarded())
    try:
        if guard is not None:
            await guard.begin(cluster)
        _announce(cluster, output)
        await stopped.wait()
        if output == "text":
            print("stopping", file=sys.stderr)
    finally:
        if guard is not None:
            await guard.end()
        await cluster.stop()
    return 0


def _guard() -> Guard:
    from sekisho.cli.guard.guard import open_guard

    return open_guard()


def _unguarded() -> Guarding:
    """What every Kubernetes API asks: its own policies and webhooks."""
    from sekisho.cli.admission.live import LivePolicies

    return LivePolicies(compile=_compiled).guarding()


def _compiled(expression: Expression, environment: cel.Environment) -> cel.Program:
    """Compile through this user's cache, which is opened for the first expression."""
    return _expressions()(expression, environment)


@cache
def _expressions() -> CachedExpressions:
    from sekisho.cli.programs import cached_expressions

    return cached_expressions()


def _announce(cluster: Cluster, output: str) -> None:
    """Say where the cluster is, once it answers."""
    if output == "json":
        rows = {
            "server": cluster.url,
            "kubeconfig": str(cluster.kubeconfig.absolute()),
            "data": str(cluster.folder.absolute()),
        }
        print(json.dumps(rows), flush=True)
        return
    print(
        f"The cluster answers at {cluster.url}; ctrl-C stops it.\n\n"
        f"  export KUBECONFIG={shlex.quote(str(cluster.kubeconfig.absolute()))}\n",
        flush=True,
    )
