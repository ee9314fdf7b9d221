"""``sekisho serve``, composed: which parts run, on whose policies, and who of several leads."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from sekisho.admission import Edition
from sekisho.cli.inputs import read_objects
from sekisho.cli.serving.engines import build, edition_of
from sekisho.cli.serving.webhooks import Webhooks, ended
from sekisho.diag import Diagnostic, DiagnosticError, Level

if TYPE_CHECKING:
    from sekisho.cli.auditing.export import Export
    from sekisho.cli.serving.options import Serving
    from sekisho.cluster.client import Client
    from sekisho.cluster.leases import Elector

_LOG: Final = logging.getLogger(__name__)

LEASE: Final = "sekisho-controller"
HEADS: Final = 10.0
"""Seconds between two publications of the ends of decision logs: what is cut within them does not show."""

RETRY: Final = 5.0
"""Seconds until a part that failed is begun again."""


async def run(serving: Serving) -> int:
    """Serve until a signal says to stop."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        composed = Composed(serving, stopping, await _client(serving, stack))
        await composed.start(stack)
        await stopping.wait()
        await asyncio.sleep(serving.shutdown_delay)
    return 0


async def _client(serving: Serving, stack: AsyncExitStack) -> Client | None:
    if serving.live is None:
        return None
    from sekisho.cluster.client import Client
    from sekisho.cluster.kubeconfig import Wanted, load

    connection = load(serving.live.kubeconfig, Wanted(context=serving.live.context))
    return await stack.enter_async_context(Client(connection))


class Composed:
    """The parts of one ``serve``. Policies are those of files and those of the cluster, together."""

    def __init__(self, serving: Serving, stopping: asyncio.Event, client: Client | None) -> None:
        self._serving = serving
        self._stopping = stopping
        self._client = client
        self._webhooks = Webhooks(serving, stopping, client) if "webhook" in serving.only else None
        self._files: tuple[Edition, str] | None = None
        self._live: tuple[Edition, str] | None = None

    async def start(self, stack: AsyncExitStack) -> None:
        """Start all parts; the stack ends them in the opposite order."""
        ports = await self._webhooks.start(stack) if self._webhooks is not None else {}
        self._run(stack, "files", self._read_files)
        if self._client is not None:
            self._run_cluster(stack, self._client)
        if self._webhooks is not None:
            await self._webhooks.settled()
        print(json.dumps({"serving": ports, "parts": list(self._serving.only)}), flush=True)

    def _run(self, stack: AsyncExitStack, name: str, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.create_task(_again(name, work), name=name)
        stack.push_async_callback(ended, task)

    def _run_cluster(self, stack: AsyncExitStack, client: Client) -> None:
        """What needs a cluster: its policies, and the parts that one of all replicas does."""
        from sekisho.cli.serving.live import LivePolicies, own_pod
        from sekisho.cluster.leases import Candidate, Elector

        serving, webhooks = self._serving, self._webhooks
        webhook = serving.webhook
        namespace = serving.registered.namespace
        live = LivePolicies(
            client,
            self._live_changed,
            pod=own_pod(namespace),
            owner_key=webhook.owner_key,
            cache=webhook.cache,
        )
        self._run(stack, "policies of the cluster", live.run)
        identity = webhooks.instance if webhooks is not None else f"serve-{id(self):x}"

        def elector(name: str) -> Elector:
            return Elector(client, Candidate(namespace=namespace, name=name, identity=identity))

        if "status" in serving.only:
            self._run(stack, "status", lambda: elector(f"{LEASE}-status").run(live.write))
        if "audit" in serving.only:
            self._run(stack, "audit", lambda: elector(f"{LEASE}-audit").run(self._audit))
        if webhooks is not None and webhook.decisions:
            name = f"sekisho-decisions-{identity.lower()}"
            self._run(stack, "decision heads", lambda: self._publish_heads(elector(name), webhooks))

    async def _audit(self) -> None:
        from sekisho.cli.auditing.compose import Auditing, compose

        assert self._client is not None, "an audit has a cluster"
        composed = compose(
            self._client, Auditing(owner_key=self._serving.webhook.owner_key, export=self._export())
        )
        try:
            await composed.audit.run()
        finally:
            await composed.audit.close()

    def _export(self) -> Export | None:
        from sekisho.cli.auditing.export import Export
        from sekisho.cli.serving.live import own_pod

        names, namespace = self._serving.exporting, self._serving.registered.namespace
        if names is None:
            return None
        pod = own_pod(namespace).id
        return Export(namespace=namespace, pod=pod, connection=names.connection, channel=names.channel)

    async def _publish_heads(self, elector: Elector, webhooks: Webhooks) -> None:
        """Write the ends of the decision logs where whoever may cut a file cannot reach."""
        async with elector.holding():
            while True:
                await asyncio.sleep(HEADS)
                rows = {f"decisions.sekisho.dev/{name}": str(head) for name, head in webhooks.heads.items()}
                if rows:
                    await elector.annotate(rows)

    async def _read_files(self) -> None:
        """The policies of the files that were named; again at each SIGHUP.

        Files that cannot be read change nothing: the last good policies go on judging.
        """
        again = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, again.set)
        while True:
            inputs = await asyncio.to_thread(read_objects, self._serving.policies)
            _tell(inputs.problems)
            broken = any(row.level is Level.ERROR for row in inputs.problems)
            if not broken or self._files is None:
                edition = edition_of(inputs.objects)
                snapshot = await asyncio.to_thread(build, edition, self._serving.webhook.how())
                _tell(snapshot.told)
                self._files = edition, snapshot.digest
                self._publish()
            await again.wait()
            again.clear()

    def _live_changed(self, edition: Edition, digest: str) -> None:
        self._live = edition, digest
        self._publish()

    def _publish(self) -> None:
        """Give the workers what judges now; not before all there is has been read once."""
        missing = self._files is None or (self._client is not None and self._live is None)
        if missing or self._webhooks is None:
            return
        rows = [row for row in (self._files, self._live) if row is not None]
        policies = tuple(raw for edition, _ in rows for raw in edition.policies)
        inventory = tuple(raw for edition, _ in rows for raw in edition.inventory)
        digest = rows[0][1] if len(rows) == 1 else " ".join(digest for _, digest in rows)
        self._webhooks.publish(Edition(policies=policies, inventory=inventory), digest)


async def _again(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do some work for ever: where it fails, begin it again."""
    while True:
        try:
            await work()
        except (DiagnosticError, ExceptionGroup) as error:
            _LOG.error("%s: %s", name, _why(error))
        await asyncio.sleep(RETRY)


def _why(error: Exception) -> str:
    if isinstance(error, ExceptionGroup):
        return "; ".join(_why(row) for row in error.exceptions)
    return str(error)


def _tell(problems: Sequence[Diagnostic]) -> None:
    """What is wrong with policies goes to standard error."""
    from sekisho.diag.render.text import format_finding, use_colour

    for problem in dict.fromkeys(format_finding(row, colour=use_colour(sys.stderr)) for row in problems):
        sys.stderr.write(problem)
