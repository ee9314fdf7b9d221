"""``sekisho up``: a cluster on this machine, in one process and one folder."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from sekisho.apiserver.cluster import Cluster, Settings

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
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def command(*, data: str | None, host: str, port: int, output: str) -> int:
    """Run a Kubernetes API on this machine, and write a kubeconfig for it.

    Ends with ctrl-C. What was stored is there again the next time. Without --data the folder is
    $XDG_DATA_HOME/sekisho.
    """
    import asyncio

    from sekisho.apiserver.cluster import Settings

    settings = Settings(folder=Path(data) if data else _folder(), host=host, port=port)
    return asyncio.run(_run(settings, output))


def _folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or ""
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "sekisho"


async def _run(settings: Settings, output: str) -> int:
    """Serve until a signal says to stop; a second one says at once."""
    import asyncio
    import signal

    from sekisho.apiserver.cluster import Cluster
    from sekisho.cli.guard.guard import open_guard

    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        stopped.set()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, stop)
    guard = open_guard()
    cluster = await Cluster.start(settings, guard.guarding())
    try:
        await guard.begin(cluster)
        _announce(cluster, output)
        await stopped.wait()
        if output == "text":
            print("stopping", file=sys.stderr)
    finally:
        await guard.end()
        await cluster.stop()
    return 0


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
