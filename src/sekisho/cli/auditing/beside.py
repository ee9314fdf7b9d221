"""The audit and the status page beside an embedded cluster: one task, one client of the cluster's own API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sekisho.cli.auditing.compose import Auditing, Composed, compose
from sekisho.cli.auditing.decisions import Remembering
from sekisho.cli.auditing.definitions import install_reports
from sekisho.cli.auditing.served import ServedPage
from sekisho.cluster.client import Client
from sekisho.diag import DiagnosticError

if TYPE_CHECKING:
    from sekisho import policy
    from sekisho.apiserver.admission import Guarding
    from sekisho.audit.page import Health, Status
    from sekisho.cluster.connection import Connection
    from sekisho.diag import Diagnostic

_LOG: Final = logging.getLogger(__name__)

AGAIN: Final = 5.0
"""Seconds until what could not be begun is begun again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is offered beside the API: ``page`` is the port of the status page, None for none.

    ``auditing`` with an interval of 0 makes no audits.
    """

    auditing: Auditing = field(default_factory=Auditing)
    page: int | None = 0


class Beside:
    """Made before the cluster starts, since it hears what is decided; begun when the cluster answers."""

    def __init__(self, wanted: Wanted, current: Callable[[], policy.Engine | None]) -> None:
        self._wanted = wanted
        self._current = current
        self._remembering: Remembering | None = None
        self._client: Client | None = None
        self._composed: Composed | None = None
        self._task: asyncio.Task[None] | None = None
        self._page: ServedPage | None = None
        self._name = ""

    def guarding(self, guarding: Guarding) -> Guarding:
        """The same, with its decisions remembered."""
        self._remembering = Remembering(guarding.reviewers)
        return replace(guarding, reviewers=self._remembering)

    @property
    def url(self) -> str:
        """Where the page is; empty where there is none."""
        return self._page.url if self._page is not None else ""

    async def begin(self, connection: Connection, name: str) -> None:
        """Serve the page, and let audits begin. Raises DiagnosticError (CLI130)."""
        self._name = name
        if self._wanted.page is not None:
            self._page = await ServedPage.start(self.status, port=self._wanted.page)
        if self._wanted.auditing.interval:
            self._client = Client(connection, manager="sekisho-audit")
            auditing = replace(self._wanted.auditing, current=self._current)
            self._composed = compose(self._client, auditing)
            self._task = asyncio.create_task(self._audit(self._client, self._composed), name="audit")

    async def _audit(self, client: Client, composed: Composed) -> None:
        while True:
            try:
                await install_reports(client)
                break
            except DiagnosticError as error:
                _LOG.warning("reports cannot be defined: %s", error.diagnostics[0].message)
                await asyncio.sleep(AGAIN)
        await composed.audit.run()

    async def end(self) -> None:
        """Stop, before the cluster does."""
        if self._page is not None:
            await self._page.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._composed is not None:
            await self._composed.audit.close()
        if self._client is not None:
            await self._client.close()

    def status(self) -> Status:
        """What the page shows now."""
        from sekisho.audit.page import status_of

        engine = self._current()
        last = self._composed.audit.last if self._composed is not None else None
        return status_of(
            last,
            now=datetime.now(UTC),
            cluster=self._name,
            health=self._health(engine),
            policies=actions(engine),
            decisions=self._remembering.decisions() if self._remembering is not None else (),
            problems=faults(engine),
        )

    def _health(self, engine: policy.Engine | None) -> list[Health]:
        from sekisho.audit.page import Health

        rows = [Health(part="API", well=True, says=self._name)]
        loaded = len(engine.constraints) if engine is not None else 0
        says = f"{loaded} constraints in force" if engine is not None else "not loaded yet"
        rows.append(Health(part="Policies", well=engine is not None and not engine.faults, says=says))
        if self._composed is not None:
            failure = self._composed.audit.failure
            says = (
                failure.diagnostics[0].message if failure else f"every {self._wanted.auditing.interval:g} s"
            )
            rows.append(Health(part="Audit", well=failure is None, says=says))
        return rows


def actions(engine: policy.Engine | None) -> dict[str, str]:
    """The constraints in force, each with its action."""
    return {row.policy: row.action for row in engine.constraints} if engine is not None else {}


def faults(engine: policy.Engine | None) -> list[str]:
    """Why policies cannot be used."""
    if engine is None:
        return []
    found: list[Any] = [(ref, rows) for ref, rows in engine.faults.items() if rows]
    return [f"{ref.kind} {ref.name} cannot be used: {_first(rows)}" for ref, rows in found]


def _first(rows: Sequence[Diagnostic]) -> str:
    return rows[0].message
