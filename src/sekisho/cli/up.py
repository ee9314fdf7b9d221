"""``sekisho up``: a cluster on this machine, in one process and one folder."""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sekisho.cli.auditing.options import Looking, audit_options
from sekisho.cli.guard.options import Asked, guard_options
from sekisho.cli.nodes import NodeAsked, node_of, node_options
from sekisho.cli.where import Where, where_options

if TYPE_CHECKING:
    from sekisho import cel
    from sekisho.apiserver.admission import Guarding
    from sekisho.apiserver.cluster import Cluster, Settings
    from sekisho.cli.auditing.beside import Beside
    from sekisho.cli.guard.guard import Guard, Guarded
    from sekisho.cli.programs import CachedExpressions
    from sekisho.cluster.connection import Connection
    from sekisho.node import Node
    from sekisho.policy import Engine
    from sekisho.policy.expressions import Expression


@click.command(epilog="Example: sekisho up --data ./cluster --port 0")
@where_options
@node_options
@guard_options
@audit_options
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def command(
    *,
    where: Where,
    node: NodeAsked,
    asked: Asked | None,
    looking: Looking,
    output: str,
) -> int:
    """Run a guarded Kubernetes API on this machine, and write a kubeconfig for it.

    The policies in its API, and those that are asked for, judge every write: kubectl is told what they
    refuse. What cannot be judged is refused. What is there already is audited: the result stands in the
    status of constraints, in PolicyReports, and on the status page.

    Ends with ctrl-C. What was stored is there again the next time, policies too. Without --data the folder
    is $XDG_DATA_HOME/sekisho. With --no-guard it is the API alone, as a kube-apiserver is: its own
    ValidatingAdmissionPolicies and webhooks are asked, and no more.
    """
    import asyncio
    import threading

    from sekisho.web.ahead import import_ahead

    threading.Thread(target=import_ahead, daemon=True).start()
    from sekisho.apiserver.cluster import Settings

    folder = Path(where.data) if where.data else _folder()
    audit = Path(where.audit_log) if where.audit_log else None
    settings = Settings(folder=folder, host=where.host, port=where.port, audit=audit)
    guard = _guard(asked) if asked is not None else None
    beside = _beside(guard, looking) if guard is not None else None
    return asyncio.run(_run(settings, guard, beside, node_of(node, settings.folder), output))


def _folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or ""
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "sekisho"


async def _run(
    settings: Settings, guard: Guard | None, beside: Beside | None, node: Node | None, output: str
) -> int:
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
    guarding = guard.guarding() if guard is not None else _unguarded()
    guarding = beside.guarding(guarding) if beside is not None else guarding
    if node is None:
        cluster = await Cluster.start(settings, guarding)
    else:
        cluster = await Cluster.start(settings, guarding, runtime=node.serving, more=node.controllers)
    try:
        guarded = await guard.begin(cluster) if guard is not None else None
        if node is not None:
            await node.start()
        if beside is not None:
            await beside.begin(_connection(cluster), cluster.url)
        _announce(cluster, guarded, output, beside.url if beside is not None else "")
        await stopped.wait()
        if output == "text":
            print("stopping", file=sys.stderr)
    finally:
        if node is not None:
            await node.stop()
        if beside is not None:
            await beside.end()
        if guard is not None:
            await guard.end()
        await cluster.stop()
    return 0


def _guard(asked: Asked) -> Guard:
    from sekisho.cli.guard.guard import open_guard

    return open_guard(asked)


def _beside(guard: Guard, looking: Looking) -> Beside:
    """The audit and the page."""
    from sekisho.cli.auditing.beside import Beside, Wanted
    from sekisho.cli.auditing.compose import Auditing
    from sekisho.cli.auditing.export import Export
    from sekisho.cli.guard.guard import NAMESPACE, POD

    auditing = Auditing(interval=looking.interval, violations=looking.violations)
    if looking.exporting is not None:
        names = looking.exporting
        export = Export(namespace=NAMESPACE, pod=POD, connection=names.connection, channel=names.channel)
        auditing = replace(auditing, export=export)
    return Beside(Wanted(auditing=auditing, page=looking.page), lambda: _engine(guard))


def _engine(guard: Guard) -> Engine | None:
    """The engine that judges writes now."""
    snapshot = guard.snapshots.current
    return snapshot.engine if snapshot is not None else None


def _connection(cluster: Cluster) -> Connection:
    from sekisho.cli.guard.guard import connection

    return connection(cluster)


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


def _announce(cluster: Cluster, guarded: Guarded | None, output: str, page: str) -> None:
    """Say where the cluster is, once it answers, and what guards it."""
    if guarded is not None:
        _tell(guarded)
    if output == "json":
        rows = {
            "server": cluster.url,
            "kubeconfig": str(cluster.kubeconfig.absolute()),
            "data": str(cluster.folder.absolute()),
            "guarded": guarded.to_json() if guarded is not None else None,
            "page": page or None,
        }
        print(json.dumps(rows), flush=True)
        return
    print(
        f"The cluster answers at {cluster.url}; ctrl-C stops it.\n{_guarded(guarded)}\n\n"
        f"  export KUBECONFIG={shlex.quote(str(cluster.kubeconfig.absolute()))}\n"
        + (f"\nWhat is guarded, and what was found: {page}\n" if page else ""),
        flush=True,
    )


def _guarded(guarded: Guarded | None) -> str:
    """One line about what guards."""
    if guarded is None:
        return "Nothing of ours guards it."
    engine = guarded.snapshot.engine
    counted = (
        _count(len(engine.templates), "template"),
        _count(len(engine.constraints), "constraint"),
        *((_count(len(engine.mutators.mutators), "mutator"),) if engine.mutators.mutators else ()),
        *(f"bundle {name}" for name in guarded.asked.bundles),
    )
    return f"It is guarded by {', '.join(counted)}; what cannot be judged is refused."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _tell(guarded: Guarded) -> None:
    """What is wrong with the policies that were asked for."""
    if guarded.problems:
        from sekisho.diag import Report
        from sekisho.diag.render.text import format_finding, use_colour

        for problem in Report.of(guarded.problems).findings:
            sys.stderr.write(format_finding(problem, colour=use_colour(sys.stderr)))
