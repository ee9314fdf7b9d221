"""The complete result of an audit as PolicyReport objects (wgpolicyk8s.io/v1alpha2), as values.

Namespaces have PolicyReports, everything without a namespace has ClusterPolicyReports. A report has only so
many results and bytes, so that it can be stored and watched; the rest is in further ones, ``sekisho-audit-2``
and on. There is nothing in them that changes by itself: the same findings make the same reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sekisho.audit.model import Entry, Ledger
from sekisho.diag import Diagnostic, Limit
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Rung

API_VERSION: Final = "wgpolicyk8s.io/v1alpha2"
NAMESPACED: Final = GVK.of(API_VERSION, "PolicyReport")
CLUSTER: Final = GVK.of(API_VERSION, "ClusterPolicyReport")
REPORTS: Final = (NAMESPACED, CLUSTER)

NAME: Final = "sekisho-audit"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
SOURCE: Final = "sekisho"

RESULTS: Final = Limit(
    "the results of a PolicyReport", 1_000, "results", "whoever watches reports gets it whole"
)
BYTES: Final = Limit(
    "a PolicyReport", 512 * 1024, "bytes", "etcd takes 1.5 MB, and managed fields may double what we write"
)
MESSAGE: Final = Limit("a message in a PolicyReport", 1_024, "characters", "a report is read by people")

RESULT: Final[Mapping[Rung, str]] = {Rung.DENY: "fail", Rung.WARN: "warn", Rung.OBSERVE: "warn"}
"""The word for a finding, by the rung in force; one that is waived is skipped, one that failed an error."""

WORDS: Final = ("pass", "fail", "warn", "error", "skip")


class ReportKey(NamedTuple):
    """Which report: of a namespace (empty for the cluster's), and its name."""

    namespace: str
    name: str


def reports(ledger: Ledger) -> dict[ReportKey, dict[str, Any]]:
    """All reports of a ledger; namespaces in which nothing was found have none."""
    found: dict[str, list[dict[str, Any]]] = {}
    for key, entry in ledger.entries.items():
        if not entry.clean:
            rows = list(_results(entry))
            found.setdefault(key.namespace, []).extend(rows)
    made: dict[ReportKey, dict[str, Any]] = {}
    for namespace, rows in sorted(found.items()):
        for number, part in enumerate(_parts(sorted(rows, key=_place)), start=1):
            name = NAME if number == 1 else f"{NAME}-{number}"
            made[ReportKey(namespace, name)] = _report(namespace, name, part)
    return made


def is_ours(object: Object) -> bool:
    """Whether a report is one of an audit's."""
    return object.gvk in REPORTS and (object.name == NAME or object.name.startswith(f"{NAME}-"))


def _report(namespace: str, name: str, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": {MANAGED_BY: SOURCE}}
    if namespace:
        metadata["namespace"] = namespace
    counts = dict.fromkeys(WORDS, 0)
    for row in results:
        counts[row["result"]] += 1
    return {
        "apiVersion": API_VERSION,
        "kind": NAMESPACED.kind if namespace else CLUSTER.kind,
        "metadata": metadata,
        "summary": counts,
        "results": list(results),
    }


def _results(entry: Entry) -> Iterator[dict[str, Any]]:
    object = entry.object
    resource = {"apiVersion": object.api_version, "kind": object.kind, "name": object.name}
    if object.namespace:
        resource["namespace"] = object.namespace
    if object.uid:
        resource["uid"] = object.uid
    for finding in entry.findings():
        yield _of_finding(finding, resource)
    for failure in entry.failures():
        yield _of_failure(failure, resource)


def _of_finding(finding: Finding, resource: Mapping[str, str]) -> dict[str, Any]:
    result = RESULT[finding.rung]
    if finding.failed:
        result = "error"
    elif finding.waiver:
        result = "skip"
    properties = {
        "code": finding.diagnostic.code.id,
        "enforcementAction": finding.word,
        "rung": finding.rung.word,
        "waiver": finding.waiver,
        "bundle": finding.bundle,
        "because": "; ".join(finding.because),
    }
    kind, _, name = finding.policy.rpartition("/")
    return {
        "source": SOURCE,
        "policy": kind or name,
        "rule": name,
        "result": result,
        "scored": finding.rung is not Rung.OBSERVE,
        "message": _cut(finding.diagnostic.message),
        "properties": {key: value for key, value in properties.items() if value},
        "resources": [dict(resource)],
    }


def _of_failure(failure: Diagnostic, resource: Mapping[str, str]) -> dict[str, Any]:
    return {
        "source": SOURCE,
        "policy": failure.policy or "could-not-ask",
        "result": "error",
        "scored": False,
        "message": _cut(failure.message),
        "properties": {"code": failure.code.id},
        "resources": [dict(resource)],
    }


def _cut(message: str) -> str:
    return f"{message[: MESSAGE.value - 1]}…" if MESSAGE.exceeded_by(len(message)) else message


def _place(row: Mapping[str, Any]) -> tuple[str, ...]:
    resource = row["resources"][0]
    where = (resource["apiVersion"], resource["kind"], resource["name"])
    return (*where, row["policy"], row.get("rule", ""), row["message"])


def _parts(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The results in as many parts as the limits ask for."""
    import orjson

    part: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        more = len(orjson.dumps(row))
        if part and (len(part) >= RESULTS.value or size + more > BYTES.value):
            yield part
            part, size = [], 0
        part.append(row)
        size += more
    if part:
        yield part
