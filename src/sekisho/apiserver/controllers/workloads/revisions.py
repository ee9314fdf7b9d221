"""Revisions of DaemonSets and StatefulSets: a ControllerRevision for each template (controller/history)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sekisho.apiserver.controllers.workloads.plan import (
    REVISIONS,
    Alter,
    Json,
    Make,
    Remove,
    Step,
    View,
    owner_reference,
)
from sekisho.apiserver.controllers.workloads.pods import bare, template_hash

HASH: str = "controller-revision-hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The revision of a workload's template: its full name, its hash, and what to do so that it is there."""

    name: str
    hash: str
    steps: Sequence[Step]


def current(view: View, in_use: set[str]) -> Current:
    """The revision of the template; old ones beyond the limit go unless a Pod is of them (hashes)."""
    template = view.spec.get("template") or {}
    word = template_hash(template)
    name = f"{view.name}-{word}"
    rows = sorted(view.revisions, key=lambda row: int(row.get("revision", 0)))
    newest = int(rows[-1].get("revision", 0)) if rows else 0
    found = next((row for row in rows if row["metadata"]["name"] == name), None)
    steps: list[Step] = []
    if found is None:
        steps.append(_make(view, name, word, newest + 1))
    elif int(found.get("revision", 0)) < newest:
        number = newest + 1
        steps.append(Alter(place=view.place(REVISIONS, name), change=lambda old: {**old, "revision": number}))
    limit = int(view.spec.get("revisionHistoryLimit", 10))
    old = [
        row
        for row in rows
        if row is not found and (row["metadata"].get("labels") or {}).get(HASH, "") not in in_use
    ]
    for row in old[: max(0, len(old) - limit)]:
        metadata = row["metadata"]
        steps.append(Remove(place=view.place(REVISIONS, metadata["name"]), uid=metadata["uid"]))
    return Current(name=name, hash=word, steps=steps)


def _make(view: View, name: str, word: str, number: int) -> Make:
    template = view.spec.get("template") or {}
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH: word}
    cause = (view.owner["metadata"].get("annotations") or {}).get("kubernetes.io/change-cause")
    annotations = {"annotations": {"kubernetes.io/change-cause": cause}} if cause else {}
    value: Json = {
        "metadata": {
            "name": name,
            "namespace": view.namespace,
            "labels": labels,
            "ownerReferences": [owner_reference(view.owner)],
            **annotations,
        },
        "data": {"spec": {"template": {**bare(template), "$patch": "replace"}}},
        "revision": number,
    }
    return Make(place=view.place(REVISIONS, name), value=value)
