"""What an audit found, in the ``status`` of constraints, as Gatekeeper writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sekisho.kube.gvk import GVK
from sekisho.policy.constraint import GROUP, VERSIONS
from sekisho.policy.status.audit import VIOLATIONS, audited

if TYPE_CHECKING:
    from sekisho.audit.live import Pass
    from sekisho.cli.auditing.judging import PolicyJudging
    from sekisho.cluster.client import Client

GONE: Final = 404


class StatusWriter:
    """Writes ``auditTimestamp``, ``totalViolations`` and the first ``violations``; the rest of a status
    stays.

    ``limit`` is Gatekeeper's ``--constraint-violations-limit``.
    """

    def __init__(self, client: Client, judging: PolicyJudging, *, limit: int = VIOLATIONS.value) -> None:
        self._client = client
        self._judging = judging
        self._limit = limit

    async def __call__(self, result: Pass) -> None:
        """Write the statuses of all constraints. Raises Refused, WebError."""
        from sekisho.cluster.client import Refused

        guilty = (entry for entry in result.ledger.entries.values() if not entry.clean)
        pairs = ((entry.object, row) for entry in guilty for row in entry.findings())
        found = audited(self._judging.engine, pairs, result.began, limit=self._limit)
        for policy, status in found.items():
            kind, _, name = policy.partition("/")
            # A list that is not there any more has to be taken away: a merge patch keeps what it does not
            # name.
            patch: dict[str, Any] = {"status": {"violations": None, **status}}
            try:
                resource = await self._client.resource(GVK(GROUP, VERSIONS[0], kind))
                await self._client.patch(resource, name, patch, subresource="status")
            except Refused as error:
                if error.code != GONE:
                    raise
