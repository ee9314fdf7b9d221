"""Reports in the cluster: those that changed are written, those that are not needed any more are removed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from sekisho.audit.live.kept import whole
from sekisho.audit.live.model import Pass
from sekisho.audit.live.reports import CLUSTER, NAMESPACED, REPORTS, ReportKey, is_ours, reports
from sekisho.audit.world import digest
from sekisho.cluster.client import Client, Refused
from sekisho.kube.object import Object

_LOG: Final = logging.getLogger(__name__)

OURS: Final = ("summary", "results")
"""The fields of a report that we write, besides its name and label."""

GONE: Final = 404


class ReportWriter:
    """Writes the reports of passes. A cluster that does not know the kind gets none, and that is told once.

    What is there is known from the pass itself, which holds reports like every other kind; the versions that
    were written here are known to be as they should.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[ReportKey, tuple[str, str]] = {}
        self._told = False

    async def __call__(self, result: Pass) -> None:
        """Bring the reports up to a pass. Raises Refused, WebError."""
        there = {ReportKey(row.namespace, row.name): row for row in result.objects if is_ours(row)}
        wanted = reports(result.ledger)
        try:
            resources = {kind: await self._client.resource(kind) for kind in REPORTS}
        except Refused as error:
            if error.code == GONE and not self._told:
                self._told = True
                _LOG.warning("the cluster has no PolicyReports (wgpolicyk8s.io): apply their definitions")
            if error.code == GONE:
                return
            raise
        for key, report in wanted.items():
            content = _content(report)
            if self._is_there(key, content, there.get(key)):
                continue
            resource = resources[NAMESPACED if key.namespace else CLUSTER]
            try:
                written = await self._client.apply(resource, report, force=True)
            except Refused as error:
                if error.code == GONE:
                    continue  # its namespace is going away
                raise
            if isinstance(written, dict):
                self._known[key] = (str(written["metadata"].get("resourceVersion")), content)
        for key, row in there.items():
            if key not in wanted:
                resource = resources[NAMESPACED if key.namespace else CLUSTER]
                await self._client.delete(resource, key.name, key.namespace, uid=row.uid)
                self._known.pop(key, None)

    def _is_there(self, key: ReportKey, content: str, there: Object | None) -> bool:
        """Whether a report needs no write. The watch may be behind: what it does not show is written
        again.
        """
        if there is None:
            return False
        version, known = self._known.get(key, ("", ""))
        if version != there.resource_version:
            known = _content(whole(there).raw)
            self._known[key] = (there.resource_version, known)
        return known == content


def _content(report: Mapping[str, Any]) -> str:
    return digest({name: report.get(name) for name in OURS})
