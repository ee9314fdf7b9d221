"""What is special about kinds: what the server sets, what it refuses, what field selectors may ask."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from sekisho.apiserver.authz.validation import STRATEGIES as ACCESS
from sekisho.apiserver.custom.strategy import CustomResourceDefinitions
from sekisho.apiserver.names import timestamp
from sekisho.apiserver.services.strategy import Services
from sekisho.apiserver.types import Plain, Raw, Strategy
from sekisho.apiserver.webhooks.validation import STRATEGIES as WEBHOOKS


def _get(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, (dict, Mapping)) else None
    return value


class Selected(Plain):
    """A kind whose objects may be selected by more fields: selector path → where the value stands."""

    def __init__(self, **fields: tuple[str, ...]) -> None:
        self._fields = {name.replace("__", "."): path for name, path in fields.items()}

    def fields(self, value: Raw) -> Mapping[str, str]:
        """The values, as selectors compare them."""
        return {name: _text(_get(value, *path)) for name, path in self._fields.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


class Pods(Selected):
    """Pods begin Pending, and lose nothing but their status's first words."""

    def __init__(self) -> None:
        super().__init__(
            spec__nodeName=("spec", "nodeName"),
            spec__restartPolicy=("spec", "restartPolicy"),
            spec__schedulerName=("spec", "schedulerName"),
            spec__serviceAccountName=("spec", "serviceAccountName"),
            status__phase=("status", "phase"),
            status__podIP=("status", "podIP"),
            status__nominatedNodeName=("status", "nominatedNodeName"),
        )

    def fields(self, value: Raw) -> Mapping[str, str]:
        """With ``spec.hostNetwork``, which is false where it is absent."""
        network = "true" if _get(value, "spec", "hostNetwork") is True else "false"
        return {**super().fields(value), "spec.hostNetwork": network}

    def prepare_create(self, new: dict[str, Any]) -> None:
        """A new Pod is Pending."""
        new["status"] = {"phase": "Pending", "qosClass": qos_class(new)}


def qos_class(pod: Raw) -> str:
    """Guaranteed, Burstable or BestEffort (core/v1 helper qos)."""
    rows = [row for row in _get(pod, "spec", "containers") or () if isinstance(row, Mapping)]
    rows += [row for row in _get(pod, "spec", "initContainers") or () if isinstance(row, Mapping)]
    some = any(_get(row, "resources", "requests") or _get(row, "resources", "limits") for row in rows)
    if not some:
        return "BestEffort"
    for row in rows:
        limits, requests = _get(row, "resources", "limits") or {}, _get(row, "resources", "requests") or {}
        for name in ("cpu", "memory"):
            if name not in limits or requests.get(name, limits[name]) != limits[name]:
                return "Burstable"
    return "Guaranteed"


class Namespaces(Selected):
    """Namespaces are Active, carry their name as a label, and end through a finalizer of their own."""

    def __init__(self) -> None:
        super().__init__(status__phase=("status", "phase"))

    def prepare_create(self, new: dict[str, Any]) -> None:
        """Phase and finalizer."""
        new.setdefault("spec", {})["finalizers"] = ["kubernetes"]
        new["status"] = {"phase": "Active"}

    def prepare_update(self, new: dict[str, Any], old: Raw) -> None:
        """The finalizers of the spec change through ``finalize`` only."""
        new["spec"] = dict(_get(old, "spec") or {})


class Secrets(Selected):
    """Secrets write ``stringData`` into ``data`` and keep their type."""

    def __init__(self) -> None:
        super().__init__(type=("type",))

    def decoded(self, new: dict[str, Any]) -> None:
        """``stringData`` becomes ``data``."""
        _encode(new)

    def prepare_update(self, new: dict[str, Any], old: Raw) -> None:
        """The type stays what it was where it is left out."""
        new.setdefault("type", old.get("type", "Opaque"))


def _encode(new: dict[str, Any]) -> None:
    texts = new.pop("stringData", None)
    if isinstance(texts, Mapping) and texts:
        data = new.get("data")
        coded = {key: base64.b64encode(str(text).encode()).decode() for key, text in texts.items()}
        new["data"] = {**(data if isinstance(data, Mapping) else {}), **coded}


class Workloads(Plain):
    """Workloads, whose status is their controller's."""

    def prepare_create(self, new: dict[str, Any]) -> None:
        """Nobody else writes it."""
        new["status"] = {}


JOB_LABELS: Final = ("batch.kubernetes.io/controller-uid", "controller-uid")
JOB_NAMES: Final = ("batch.kubernetes.io/job-name", "job-name")


class Jobs(Selected):
    """Jobs select their Pods by a label of their own uid, unless ``manualSelector`` says otherwise."""

    def __init__(self) -> None:
        super().__init__(status__successful=("status", "succeeded"))

    def prepare_create(self, new: dict[str, Any]) -> None:
        """An empty status, the selector, and the labels of the template."""
        new["status"] = {}
        spec, uid = dict(new.get("spec") or {}), _get(new, "metadata", "uid")
        if spec.get("manualSelector") is not True:
            template = dict(spec.get("template") or {})
            metadata = dict(template.get("metadata") or {})
            labels = dict.fromkeys(JOB_LABELS, uid)
            labels |= dict.fromkeys(JOB_NAMES, _get(new, "metadata", "name"))
            metadata["labels"] = {**labels, **(metadata.get("labels") or {})}
            wanted = dict(spec.get("selector") or {})
            wanted["matchLabels"] = {JOB_LABELS[0]: uid, **(wanted.get("matchLabels") or {})}
            spec["selector"] = wanted
            spec["template"] = {**template, "metadata": metadata}
            if not _get(new, "metadata", "labels"):
                # The original's defaults let a Job without labels share its template's.
                new["metadata"] = {**new["metadata"], "labels": metadata["labels"]}
        new["spec"] = spec


class StatefulSets(Workloads):
    """StatefulSets, whose templates of claims are objects of their kind."""

    def decoded(self, new: dict[str, Any]) -> None:
        """Each template says what it is."""
        rows = _get(new, "spec", "volumeClaimTemplates")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                row["kind"], row["apiVersion"] = "PersistentVolumeClaim", "v1"


class WithStatus(Plain):
    """A kind whose status is nobody's but its controller's; what it is in the beginning."""

    def __init__(self, **first: Any) -> None:
        self._first = first

    def prepare_create(self, new: dict[str, Any]) -> None:
        """Whatever the client sends of it is dropped."""
        new["status"] = dict(self._first)


class PersistentVolumes(Plain):
    """Volumes, which note since when they are what they are."""

    def prepare_create(self, new: dict[str, Any]) -> None:
        """They begin Pending."""
        new["status"] = {"phase": "Pending", "lastPhaseTransitionTime": timestamp()}


GENERATION: Final = "deprecated.daemonset.template.generation"
"""The annotation in which a DaemonSet counts its templates."""


class DaemonSets(Workloads):
    """DaemonSets, which count their templates in an annotation."""

    def decoded(self, new: dict[str, Any]) -> None:
        """The count is always written."""
        metadata = new["metadata"]
        annotations = metadata.get("annotations")
        metadata["annotations"] = {GENERATION: "0", **(annotations if isinstance(annotations, dict) else {})}

    def prepare_create(self, new: dict[str, Any]) -> None:
        """It begins with one."""
        super().prepare_create(new)
        self._count(new, "1")

    def prepare_update(self, new: dict[str, Any], old: Raw) -> None:
        """It goes on with every other template."""
        before = str(_get(old, "metadata", "annotations", GENERATION) or "0")
        same = _get(new, "spec", "template") == _get(old, "spec", "template")
        number = int(before) if before.isdecimal() else 0
        self._count(new, str(number if same else number + 1))

    def _count(self, new: dict[str, Any], number: str) -> None:
        metadata = new["metadata"]
        new["metadata"] = {
            **metadata,
            "annotations": {**(metadata.get("annotations") or {}), GENERATION: number},
        }


_EVENT_FIELDS: Final = (
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "type",
)


CORE: Final = "involvedObject"
"""What an Event of the core group calls what it is about."""


class Events(Plain):
    """Events are looked for by what they are about."""

    def __init__(self, about: str) -> None:
        self._about = about

    def fields(self, value: Raw) -> Mapping[str, str]:
        """The object that it is about, and who says what."""
        found = {}
        for name in _EVENT_FIELDS:
            head, _, tail = name.partition(".")
            written = f"{self._about}.{tail}" if tail else name
            found[written] = _text(_get(value, self._about if tail else head, *([tail] if tail else [])))
        if self._about != CORE:
            found["reportingController"] = _text(value.get("reportingController"))
            return found
        controller = value.get("reportingComponent")
        found["reportingComponent"] = _text(controller or _get(value, "source", "component"))
        found["source"] = _text(_get(value, "source", "component") or controller)
        return found


STRATEGIES: Final[Mapping[tuple[str, str], Strategy]] = {
    ("", "pods"): Pods(),
    ("", "namespaces"): Namespaces(),
    ("", "secrets"): Secrets(),
    ("", "services"): Services(),
    ("", "events"): Events(CORE),
    ("events.k8s.io", "events"): Events("regarding"),
    ("", "nodes"): Selected(spec__unschedulable=("spec", "unschedulable")),
    ("", "persistentvolumeclaims"): WithStatus(phase="Pending"),
    ("", "persistentvolumes"): PersistentVolumes(),
    ("", "replicationcontrollers"): Selected(status__replicas=("status", "replicas")),
    ("apps", "deployments"): Workloads(),
    ("apps", "replicasets"): Workloads(),
    ("apps", "daemonsets"): DaemonSets(),
    ("apps", "statefulsets"): StatefulSets(),
    ("batch", "jobs"): Jobs(),
    ("batch", "cronjobs"): WithStatus(),
    ("networking.k8s.io", "ingresses"): WithStatus(),
    ("policy", "poddisruptionbudgets"): WithStatus(),
    ("autoscaling", "horizontalpodautoscalers"): WithStatus(),
    ("apiextensions.k8s.io", "customresourcedefinitions"): CustomResourceDefinitions(),
    **ACCESS,
    **WEBHOOKS,
}
"""By group and plural; other kinds are plain."""
