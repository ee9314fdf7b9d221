"""Deployments: ReplicaSets of one template after another (controller/deployment)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from sekisho.apiserver.controllers.workloads.plan import (
    Alter,
    Json,
    Make,
    Plan,
    Remove,
    Step,
    Tell,
    View,
    condition,
    owner_reference,
    share,
)
from sekisho.apiserver.controllers.workloads.pods import bare, labelled, template_hash
from sekisho.apiserver.controllers.workloads.proportions import DESIRED, MOST, PREFIX, Part, Whole, sizes
from sekisho.kube.decode import parse_time

REPLICA_SETS: Final = ("apps", "replicasets")
REVISION: Final = f"{PREFIX}revision"
HISTORY: Final = f"{PREFIX}revision-history"
HASH: Final = "pod-template-hash"
NOT_COPIED: Final = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        HISTORY,
        DESIRED,
        MOST,
    }
)
NO_DEADLINE: Final = 2**31 - 1
"""The ``progressDeadlineSeconds`` that means none."""


class _Sets(NamedTuple):
    new: Json | None
    old: list[Json]

    @property
    def all(self) -> list[Json]:
        return [*self.old, *([self.new] if self.new is not None else [])]


def reconcile(view: View) -> Plan:
    """One step of the way to as many Pods of the newest template as are asked for."""
    sets = _sets(view)
    if view.going:
        return Plan(status=lambda _: _status(view, sets, ""))
    steps: list[Step] = []
    made = ""
    paused = view.spec.get("paused") is True
    if paused or _is_scaled(view, sets):
        steps += _scaled(view, sets)
    elif sets.new is None and _waits_for_old(view, sets):
        steps += [_scale(view, row, 0) for row in sets.old if _replicas(row)]
    elif sets.new is None:
        step = _make(view, sets)
        made = step.place.name
        steps += [step, *_numbered(view, _next(sets.old))]
    else:
        steps += _noted(view, sets.new, sets)
        steps += _rolled(view, sets.new, sets.old)
    if paused or _complete(view, sets):
        steps += _outdated(view, sets.old)
    return Plan(steps=steps, status=lambda _: _status(view, sets, made), again=_deadline(view, sets))


def _sets(view: View) -> _Sets:
    template = view.spec.get("template") or {}
    wanted, word = bare(template), _word(view)
    rows = sorted(view.children, key=_age)

    def is_new(row: Json) -> bool:
        return bare(row["spec"].get("template") or {}) == wanted or _label(row) == word

    new = next((row for row in rows if is_new(row)), None)
    return _Sets(new, [row for row in rows if row is not new])


def _word(view: View) -> str:
    return template_hash(view.spec.get("template") or {}, int(view.status.get("collisionCount") or 0))


def _label(row: Json) -> str:
    return str((row["metadata"].get("labels") or {}).get(HASH, ""))


def _age(row: Json) -> tuple[str, int, str]:
    return str(row["metadata"].get("creationTimestamp")), _revision(row), str(row["metadata"]["name"])


def _replicas(row: Json) -> int:
    return int((row.get("spec") or {}).get("replicas", 1))


def _count(row: Json, name: str) -> int:
    return int((row.get("status") or {}).get(name) or 0)


def _revision(row: Json) -> int:
    text = (row["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def _next(rows: Sequence[Json]) -> int:
    return max(map(_revision, rows), default=0) + 1


def _bounds(view: View) -> tuple[int, int, int]:
    """The replicas, how many more there may be, and how many fewer."""
    wanted = int(view.spec.get("replicas", 1))
    strategy = view.spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return wanted, 0, wanted
    rolling = strategy.get("rollingUpdate") or {}
    more = share(rolling.get("maxSurge", "25%"), wanted, up=True)
    fewer = share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    if more == 0 and fewer == 0:
        fewer = 1
    return wanted, more, min(fewer, wanted)


# Steps.


def _waits_for_old(view: View, sets: _Sets) -> bool:
    """Whether Pods of old templates are there that have to go first."""
    recreate = (view.spec.get("strategy") or {}).get("type") == "Recreate"
    return recreate and any(_replicas(row) or _count(row, "replicas") for row in sets.old)


def _first_size(view: View, old: Sequence[Json]) -> int:
    wanted, more, _ = _bounds(view)
    if (view.spec.get("strategy") or {}).get("type") == "Recreate":
        return wanted
    return max(0, min(wanted, wanted + more - sum(map(_replicas, old))))


def _make(view: View, sets: _Sets) -> Make:
    word = _word(view)
    name = f"{view.name}-{word}"
    template = labelled(view.spec.get("template") or {}, {HASH: word})
    selector = dict(view.spec.get("selector") or {})
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: word}
    size = _first_size(view, sets.old)
    value: Json = {
        "metadata": {
            "name": name,
            "namespace": view.namespace,
            "labels": template["metadata"]["labels"],
            "annotations": _annotations(view, {}, _next(sets.old)),
            "ownerReferences": [owner_reference(view.owner)],
        },
        "spec": {"replicas": size, "selector": selector, "template": template},
    }
    if view.spec.get("minReadySeconds"):
        value["spec"]["minReadySeconds"] = view.spec["minReadySeconds"]
    told = Tell(reason="ScalingReplicaSet", message=f"Scaled up replica set {name} from 0 to {size}")
    return Make(place=view.place(REPLICA_SETS, name), value=value, told=told, failed="ReplicaSetCreateError")


def _annotations(view: View, before: Json, number: int) -> Json:
    """The annotations of a ReplicaSet: the Deployment's, and what the controller notes."""
    wanted, more, _ = _bounds(view)
    own = view.owner["metadata"].get("annotations") or {}
    found = {**before, **{key: text for key, text in own.items() if key not in NOT_COPIED}}
    # Of a ReplicaSet that is there they change when it is scaled: until then they tell what it was a part of.
    found = {DESIRED: str(wanted), MOST: str(wanted + more), **found, REVISION: str(number)}
    last = before.get(REVISION)
    if last and last != str(number):
        found[HISTORY] = ",".join(filter(None, (before.get(HISTORY, ""), last)))
    return found


def _noted(view: View, new: Json, sets: _Sets) -> list[Step]:
    """The newest ReplicaSet with the highest revision, and the Deployment with the same."""
    number = max(_revision(new), _next(sets.old))
    before = new["metadata"].get("annotations") or {}
    wanted = _annotations(view, before, number)
    seconds = view.spec.get("minReadySeconds") or 0
    steps: list[Step] = []
    if wanted != before or (new["spec"].get("minReadySeconds") or 0) != seconds:

        def change(old: Json) -> Json:
            metadata = {**old["metadata"], "annotations": wanted}
            return {**old, "metadata": metadata, "spec": {**old["spec"], "minReadySeconds": seconds}}

        steps.append(Alter(place=view.place(REPLICA_SETS, new["metadata"]["name"]), change=change))
    return [*steps, *_numbered(view, number)]


def _numbered(view: View, number: int) -> list[Step]:
    if (view.owner["metadata"].get("annotations") or {}).get(REVISION) == str(number):
        return []

    def change(old: Json) -> Json:
        annotations = {**(old["metadata"].get("annotations") or {}), REVISION: str(number)}
        return {**old, "metadata": {**old["metadata"], "annotations": annotations}}

    # Through the status: annotations written there are nothing that anybody wants, and count no generation.
    place = view.place(("apps", "deployments"), view.name)
    return [Alter(place=place, change=change, subresource="status")]


def _scale(view: View, row: Json, size: int) -> Alter:
    name, before = row["metadata"]["name"], _replicas(row)
    word = "up" if size > before else "down"
    message = f"Scaled {word} replica set {name} from {before} to {size}"

    wanted, more, _ = _bounds(view)

    def change(old: Json) -> Json:
        noted = {DESIRED: str(wanted), MOST: str(wanted + more)}
        annotations = {**(old["metadata"].get("annotations") or {}), **noted}
        metadata = {**old["metadata"], "annotations": annotations}
        return {**old, "metadata": metadata, "spec": {**old["spec"], "replicas": size}}

    told = Tell(reason="ScalingReplicaSet", message=message) if size != before else None
    return Alter(place=view.place(REPLICA_SETS, name), change=change, told=told)


def _is_scaled(view: View, sets: _Sets) -> bool:
    """Whether a ReplicaSet in use was last scaled for another number of Pods."""
    wanted = str(_bounds(view)[0])
    return any(_noted_count(row, DESIRED) not in ("", wanted) for row in sets.all if _replicas(row))


def _noted_count(row: Json, name: str) -> str:
    text = str((row["metadata"].get("annotations") or {}).get(name, ""))
    return text if text.isascii() and text.isdigit() else ""


def _scaled(view: View, sets: _Sets) -> list[Step]:
    """To another number of Pods: the one ReplicaSet in use, or all of them in proportion."""
    wanted, more, _ = _bounds(view)
    used = [row for row in sets.all if _replicas(row)]
    if len(used) <= 1:
        one = used[0] if used else sets.all[-1] if sets.all else None
        return [_scale(view, one, wanted)] if one is not None and _is_to_be_scaled(view, one, wanted) else []
    if sets.new is not None and _is_saturated(view, sets.new):
        return [_scale(view, row, 0) for row in sets.old if _replicas(row)]
    if (view.spec.get("strategy") or {}).get("type") == "Recreate":
        return []
    parts = [
        Part(
            str(row["metadata"]["name"]),
            _replicas(row),
            str(row["metadata"].get("creationTimestamp")),
            int(_noted_count(row, MOST) or 0),
        )
        for row in used
    ]
    there = int(view.status.get("replicas") or 0)
    found = sizes(parts, Whole(wanted=wanted, surge=more, there=there))
    steps = ((row, found[row["metadata"]["name"]]) for row in used)
    return [_scale(view, row, size) for row, size in steps if _is_to_be_scaled(view, row, size)]


def _is_to_be_scaled(view: View, row: Json, size: int) -> bool:
    """Whether a ReplicaSet has another size, or was scaled for another number of Pods."""
    wanted, more, _ = _bounds(view)
    noted = (_noted_count(row, DESIRED), _noted_count(row, MOST))
    return _replicas(row) != size or noted != (str(wanted), str(wanted + more))


def _is_saturated(view: View, new: Json) -> bool:
    """Whether the newest ReplicaSet has all Pods, and they serve."""
    wanted = _bounds(view)[0]
    serves = _replicas(new) == _count(new, "availableReplicas") == wanted
    return serves and _noted_count(new, DESIRED) == str(wanted)


def _rolled(view: View, new: Json, old: Sequence[Json]) -> list[Step]:
    """More of the newest, or fewer of the old ones; the next step follows from what then happens."""
    wanted, more, fewer = _bounds(view)
    size, total = _replicas(new), _replicas(new) + sum(map(_replicas, old))
    if (view.spec.get("strategy") or {}).get("type") == "Recreate":
        left = [row for row in old if _replicas(row)]
        if left:
            return [_scale(view, row, 0) for row in left]
        return (
            [_scale(view, new, wanted)]
            if size != wanted and not _waits_for_old(view, _Sets(new, [*old]))
            else []
        )
    if size > wanted:
        return [_scale(view, new, wanted)]
    up = min(wanted + more - total, wanted - size)
    if up > 0:
        return [_scale(view, new, size + up)]
    least = wanted - fewer
    sizes = {row["metadata"]["name"]: _replicas(row) for row in old}
    room = total - least - (size - _count(new, "availableReplicas"))
    for row in old:  # those that serve nobody first
        name = row["metadata"]["name"]
        down = min(max(0, room), sizes[name], max(0, _replicas(row) - _count(row, "availableReplicas")))
        sizes[name] -= down
        room -= down
    spare = sum(_count(row, "availableReplicas") for row in (*old, new)) - least
    for row in old:
        name = row["metadata"]["name"]
        down = min(max(0, spare), max(0, room), sizes[name])
        sizes[name] -= down
        spare, room = spare - down, room - down
    return [
        _scale(view, row, sizes[row["metadata"]["name"]])
        for row in old
        if sizes[row["metadata"]["name"]] != _replicas(row)
    ]


def _outdated(view: View, old: Sequence[Json]) -> list[Step]:
    """Old ReplicaSets without Pods beyond the limit of the history."""
    limit = int(view.spec.get("revisionHistoryLimit", 10))
    rows = sorted(old, key=_revision)
    found: list[Step] = []
    for row in rows[: max(0, len(rows) - limit)]:
        metadata = row["metadata"]
        if not _replicas(row) and not _count(row, "replicas") and not metadata.get("deletionTimestamp"):
            found.append(Remove(place=view.place(REPLICA_SETS, metadata["name"]), uid=metadata["uid"]))
    return found


# Status.


def _counts(view: View, sets: _Sets) -> Json:
    available = sum(_count(row, "availableReplicas") for row in sets.all)
    rows = {
        "replicas": sum(_count(row, "replicas") for row in sets.all),
        "updatedReplicas": _count(sets.new, "replicas") if sets.new else 0,
        "readyReplicas": sum(_count(row, "readyReplicas") for row in sets.all),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(map(_replicas, sets.all)) - available),
        "collisionCount": view.status.get("collisionCount") or 0,
    }
    return {name: value for name, value in rows.items() if value}


def _complete(view: View, sets: _Sets) -> bool:
    counts, wanted = _counts(view, sets), int(view.spec.get("replicas", 1))
    return sets.new is not None and all(
        counts.get(name, 0) == wanted for name in ("updatedReplicas", "replicas", "availableReplicas")
    )


def _status(view: View, sets: _Sets, made: str) -> Json:
    counts = _counts(view, sets)
    rows = list(view.status.get("conditions") or ())
    wanted, _, fewer = _bounds(view)
    enough = counts.get("availableReplicas", 0) >= wanted - fewer
    available = (
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        if enough
        else ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    )
    rows = _set(view, rows, "Available", available, moved=False)
    progress = _progress(view, sets, counts, made)
    if progress is not None:
        moved = _moved(view, counts) or bool(made)
        rows = _set(view, rows, "Progressing", progress, moved=moved)
    rows = [row for row in rows if row.get("type") != "ReplicaFailure"]
    failure = next(
        (
            row
            for one in sets.all
            if (row := condition((one.get("status") or {}).get("conditions") or (), "ReplicaFailure"))
        ),
        None,
    )
    if failure is not None:
        rows.append({**failure, "lastUpdateTime": failure["lastTransitionTime"]})
    return {"observedGeneration": view.generation, **counts, "conditions": rows}


def _progress(view: View, sets: _Sets, counts: Json, made: str) -> tuple[str, str, str] | None:
    before = condition(view.status.get("conditions") or (), "Progressing")
    if view.spec.get("paused"):
        return ("Unknown", "DeploymentPaused", "Deployment is paused")
    if made:
        return ("True", "NewReplicaSetCreated", f'Created new replica set "{made}"')
    if before is not None and before.get("reason") == "DeploymentPaused":
        return ("Unknown", "DeploymentResumed", "Deployment is resumed")
    if sets.new is None:
        return None
    name = f'ReplicaSet "{sets.new["metadata"]["name"]}"'
    if _complete(view, sets):
        return ("True", "NewReplicaSetAvailable", f"{name} has successfully progressed.")
    settled = before is not None and before.get("reason") == "NewReplicaSetAvailable"
    if settled and counts.get("replicas", 0) == counts.get("updatedReplicas", 0) and not _changed(view):
        return None  # what was complete once does not fail for a Pod that is lost later
    if _moved(view, counts) or before is None or _changed(view):
        return ("True", "ReplicaSetUpdated", f"{name} is progressing.")
    left = _left(view)
    if left is not None and left <= 0:
        return ("False", "ProgressDeadlineExceeded", f"{name} has timed out progressing.")
    return None


def _changed(view: View) -> bool:
    return int(view.status.get("observedGeneration") or 0) != view.generation


def _moved(view: View, counts: Json) -> bool:
    """Whether Pods have been replaced or become ready since the last look (DeploymentProgressing)."""
    old = view.status

    def outdated(row: Json) -> int:
        return int(row.get("replicas") or 0) - int(row.get("updatedReplicas") or 0)

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return any(counts.get(name, 0) > int(old.get(name) or 0) for name in grown) or (
        outdated(counts) < outdated(old)
    )


def _left(view: View) -> float | None:
    """Seconds until a rollout is too slow; None where it may take as long as it likes."""
    seconds = int(view.spec.get("progressDeadlineSeconds", 600))
    row = condition(view.status.get("conditions") or (), "Progressing")
    since = parse_time(str((row or {}).get("lastUpdateTime") or ""))
    if seconds >= NO_DEADLINE or since is None:
        return None
    return (since + timedelta(seconds=seconds) - view.now).total_seconds()


def _deadline(view: View, sets: _Sets) -> float | None:
    row = condition(view.status.get("conditions") or (), "Progressing")
    reason = (row or {}).get("reason")
    if view.spec.get("paused") or reason in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
        return None
    left = _left(view)
    return None if left is None or _complete(view, sets) else max(left, 0.0) + 1.0


def _set(view: View, rows: list[Json], type: str, said: tuple[str, str, str], *, moved: bool) -> list[Json]:
    """Conditions with one set. It is written anew only where it says something new, or things move."""
    status, reason, message = said
    old = condition(rows, type)
    if old and (old.get("status"), old.get("reason")) == (status, reason) and not moved:
        return rows
    same = old is not None and old.get("status") == status
    row = {
        "type": type,
        "status": status,
        "reason": reason,
        "message": message,
        "lastUpdateTime": view.time,
        "lastTransitionTime": old["lastTransitionTime"] if same and old else view.time,
    }
    return [*(one for one in rows if one is not old), row]
