"""Waiting for objects: until they are Current, or gone, by the rules of kstatus.

``settle`` watches and tells what each object came to; that one failed, or that time ran out, is part of it.
``require`` is for callers that can do nothing about that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Final, NamedTuple

from sekisho.cluster import codes
from sekisho.cluster.client import Client, Refused, Selection
from sekisho.cluster.informer import Informer, Key
from sekisho.diag import Deadline, Diagnostic, DiagnosticError
from sekisho.kube.gvk import GVK
from sekisho.kube.status import Result, Status, compute

AGAIN: Final = 1.0
"""Seconds after which statuses are looked at again: some depend on the time, and kinds appear."""

SHOWN: Final = 10
"""Objects that a message names."""


class Target(NamedTuple):
    """An object that is waited for."""

    gvk: GVK
    namespace: str
    name: str

    def __str__(self) -> str:
        return (
            f"{self.gvk.kind} {self.namespace}/{self.name}"
            if self.namespace
            else f"{self.gvk.kind} {self.name}"
        )


class Goal(Enum):
    """What is waited for: the statuses that end it."""

    CURRENT = frozenset({Status.CURRENT, Status.FAILED})
    """Reconciled. One that failed is not waited for any longer."""
    GONE = frozenset({Status.NOT_FOUND})
    """Deleted, with all that holds it back."""


Results = Mapping[Target, Result]

_Group = tuple[GVK, str]


class _Watch:
    """The objects of one kind in one namespace, from when the kind is served on."""

    def __init__(self, client: Client, group: _Group, changed: asyncio.Event) -> None:
        self._client = client
        self._group = group
        self._changed = changed
        self._informer: Informer | None = None
        self._served = True
        self._failure: DiagnosticError | None = None

    async def run(self) -> None:
        gvk, namespace = self._group
        while self._informer is None:
            try:
                resource = await self._client.resource(gvk)
                self._served = True
                selection = Selection(namespace=namespace if resource.namespaced else "")
                self._informer = Informer(
                    self._client, resource, selection, handler=lambda _: self._changed.set()
                )
            except DiagnosticError as error:
                self._failure = error
                self._served = not (isinstance(error, Refused) and error.code == 404)
                self._changed.set()
                await asyncio.sleep(AGAIN)
        listed = asyncio.create_task(self._informer.synced.wait())
        listed.add_done_callback(lambda _: self._changed.set())
        try:
            await self._informer.run()
        finally:
            listed.cancel()

    def result(self, target: Target) -> Result:
        """What one of the objects is now."""
        if not self._served:
            return Result(status=Status.NOT_FOUND, message=f"The server serves no {target.gvk.kind}")
        informer = self._informer
        if informer is None or not informer.synced.is_set():
            failure = self._failure if informer is None else informer.failure
            return Result(status=Status.UNKNOWN, message=str(failure) if failure else "Not asked yet")
        return compute(informer.objects.get(Key(target.namespace, target.name)), now=datetime.now(UTC))


async def settle(
    client: Client,
    targets: Collection[Target],
    *,
    deadline: Deadline,
    goal: Goal = Goal.CURRENT,
    tell: Callable[[Target, Result], None] | None = None,
) -> Results:
    """Wait until each target has reached the goal, or the deadline has passed; what each is then.

    ``tell`` is called with each change of a status.
    """
    changed = asyncio.Event()
    watches = {
        group: _Watch(client, group, changed) for group in {(row.gvk, row.namespace) for row in targets}
    }
    tasks = [asyncio.create_task(watch.run()) for watch in watches.values()]
    told: dict[Target, Result] = {}
    try:
        while True:
            changed.clear()
            for row in targets:
                now = watches[row.gvk, row.namespace].result(row)
                if told.get(row) != now:
                    told[row] = now
                    if tell is not None:
                        tell(row, now)
            left = deadline.remaining()
            if left <= 0 or all(result.status in goal.value for result in told.values()):
                return told
            try:
                await asyncio.wait_for(changed.wait(), min(AGAIN, left))
            except TimeoutError:
                continue
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def require(
    client: Client, targets: Collection[Target], *, seconds: float, goal: Goal = Goal.CURRENT
) -> None:
    """Wait until each target is Current, or gone. Raises DiagnosticError (CLU027) where one is not."""
    found = await settle(client, targets, deadline=Deadline.after(seconds), goal=goal)
    wanted = Status.CURRENT if goal is Goal.CURRENT else Status.NOT_FOUND
    wrong = [(row, result) for row, result in found.items() if result.status is not wanted]
    if wrong:
        parts = [f"{row} is {result.status.value}: {result.message}" for row, result in wrong[:SHOWN]]
        parts += [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        message = f"after {seconds:g} s: " + "; ".join(parts)
        raise DiagnosticError(Diagnostic(code=codes.NOT_READY, message=message))
