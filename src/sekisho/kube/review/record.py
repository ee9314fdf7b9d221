"""The decision record: what the decision log keeps of an answer. No object, no secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sekisho.diag import ObjectPath, path_text
from sekisho.kube.review.request import Request
from sekisho.kube.review.verdict import DecisionRecord, Finding, Verdict


def record_of(
    request: Request, verdict: Verdict, now: datetime, snapshots: Mapping[str, str]
) -> DecisionRecord:
    """The record of a verdict as of ``now``; ``snapshots`` are the digests of what judged, by reviewer."""
    return DecisionRecord(
        uid=request.uid,
        at=now,
        operation=request.operation.value,
        kind=f"{request.kind.api_version}/{request.kind.kind}",
        namespace=request.namespace,
        name=request.name or request.subject.name or request.subject.generate_name,
        subresource=request.subresource,
        user=request.user.username,
        dry_run=request.dry_run,
        outcome=verdict.outcome,
        findings=tuple(_finding(finding) for finding in verdict.findings),
        failures=tuple(f"{failure.code}: {failure.message}" for failure in verdict.failures),
        snapshots=dict(snapshots),
    )


def _finding(finding: Finding) -> dict[str, str]:
    at = finding.diagnostic.at
    row = {
        "code": finding.diagnostic.code.id,
        "policy": finding.policy,
        "message": finding.diagnostic.message,
        "path": path_text(at.path) if isinstance(at, ObjectPath) else "",
        "fingerprint": finding.diagnostic.fingerprint(),
        "asked": finding.asked.word,
        "rung": finding.rung.word,
        "word": finding.word,
        "waiver": finding.waiver,
        "breakGlass": finding.break_glass,
    }
    return {key: value for key, value in row.items() if value}
