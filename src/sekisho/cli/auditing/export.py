"""What an audit found, exported through a Connection: to files (driver ``disk``)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sekisho.audit.live.disk import BadConfigError, Disk
from sekisho.audit.live.kept import whole
from sekisho.diag import DiagnosticError
from sekisho.kube.gvk import GVK
from sekisho.policy.status.export import exported

if TYPE_CHECKING:
    from sekisho.audit.live import Pass
    from sekisho.cli.auditing.judging import PolicyJudging
    from sekisho.cluster.client import Client

CONNECTION: Final = GVK("connection.gatekeeper.sh", "v1alpha1", "Connection")
GONE: Final = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Through which Connection, and under which name. The names are those of Gatekeeper's flags.

    ``pod`` is who we are in the Connection's status.
    """

    namespace: str
    pod: str
    connection: str = "audit-connection"
    channel: str = "audit-channel"


class ExportWriter:
    """Exports every pass; what keeps it from that stands in the Connection's status."""

    def __init__(self, client: Client, judging: PolicyJudging, export: Export) -> None:
        self._client = client
        self._judging = judging
        self._export = export
        self._active = False

    async def __call__(self, result: Pass) -> None:
        """Export a pass, if there is a Connection. Raises DiagnosticError where it cannot be read or told."""
        from sekisho.cluster.client import Refused

        try:
            resource = await self._client.resource(CONNECTION)
            row = await self._client.get(resource, self._export.connection, self._export.namespace)
        except Refused as error:
            if error.code == GONE:
                return
            raise
        if row is None:
            return
        errors: list[dict[str, str]] = []
        try:
            disk = _disk(row.get("spec"))
        except BadConfigError as error:
            errors.append({"type": "UpsertConnection", "message": str(error)})
        else:
            try:
                await asyncio.to_thread(self._write, disk, result)
                self._active = True
            except DiagnosticError as problem:
                errors.append({"type": "Publish", "message": problem.diagnostics[0].message})
        await self._tell(resource, row, errors)

    def _write(self, disk: Disk, result: Pass) -> None:
        guilty = (entry for entry in result.ledger.entries.values() if not entry.clean)
        pairs = ((whole(entry.object), row) for entry in guilty for row in entry.findings())
        id = result.began.strftime("%Y-%m-%dT%H:%M:%SZ")
        disk.write(self._export.channel, id, exported(self._judging.engine, pairs, result.began))

    async def _tell(self, resource: Any, row: Any, errors: list[dict[str, str]]) -> None:
        metadata, status = row["metadata"], row.get("status") or {}
        own = {
            "id": self._export.pod,
            "connectionUID": metadata.get("uid", ""),
            "operations": ["audit"],
            "observedGeneration": metadata.get("generation", 0),
            "active": self._active,
            "errors": errors,
        }
        others = [entry for entry in status.get("byPod") or [] if entry.get("id") != self._export.pod]
        if [*others, own] == status.get("byPod"):
            return
        patch = {"status": {"byPod": [*others, own]}}
        await self._client.patch(
            resource, metadata["name"], patch, namespace=metadata["namespace"], subresource="status"
        )


def _disk(spec: Any) -> Disk:
    driver = spec.get("driver") if isinstance(spec, dict) else None
    if driver != "disk":
        raise BadConfigError(f"driver {driver} is not supported: violations are exported to disk")
    return Disk.of(spec.get("config"))
