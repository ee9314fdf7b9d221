"""What is special about kinds: what the server sets, what it refuses, what field selectors may ask."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sekisho.apiserver.authz.validation import STRATEGIES as ACCESS
from sekisho.apiserver.custom.strategy import CustomResourceDefinitions
from sekisho.apiserver.services.strategy import Services
from sekisho.apiserver.status import Cause
from sekisho.apiserver.types import Plain, Raw, Strategy
from sekisho.apiserver.webhooks.validation import STRATEGIES as WEBHOOKS
from sekisho.lang.golang.gotext import quote


def _get(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
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

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:
        """Nearly nothing of a Pod's spec may change once it is there."""
        if old is None:
            return
        before, after = _mutable_out(old), _mutable_out(new)
        if before != after:
            yield Cause(
                reason="FieldValueForbidden",
                message=(
                    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
                    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
                    "`spec.tolerations` (only additions to existing tolerations),"
                    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
                    "negative)"
                ),
                field="spec",
            )


def _mutable_out(pod: Raw) -> Any:
    """A Pod's spec without what may change."""
    spec = dict(_get(pod, "spec") or {})
    for name in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName"):
        spec.pop(name, None)
    for name in ("containers", "initContainers", "ephemeralContainers"):
        rows = spec.pop(name, None)
        if name != "ephemeralContainers":
            spec[name] = [
                {
                    key: value
                    for key, value in row.items()
                    if key not in ("image", "resources", "resizePolicy")
                }
                for row in rows or ()
                if isinstance(row, Mapping)
            ]
    gates = spec.pop("schedulingGates", None)
    return spec, bool(gates) and not gates


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

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:
        """An immutable one stays as it is; the type never changes."""
        if old is not None and new.get("type") != old.get("type"):
            yield _immutable("type", new.get("type"))
        yield from _unchanged(new, old)


def _encode(new: dict[str, Any]) -> None:
    texts = new.pop("stringData", None)
    if isinstance(texts, Mapping) and texts:
        data = new.get("data")
        coded = {key: base64.b64encode(str(text).encode()).decode() for key, text in texts.items()}
        new["data"] = {**(data if isinstance(data, Mapping) else {}), **coded}


class ConfigMaps(Plain):
    """ConfigMaps may be immutable."""

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:
        """An immutable one stays as it is."""
        return _unchanged(new, old)


def _unchanged(new: Raw, old: Raw | None) -> Iterator[Cause]:
    if old is None or old.get("immutable") is not True:
        return
    if new.get("immutable") is not True:
        yield Cause(
            reason="FieldValueForbidden",
            message="Forbidden: field is immutable when `immutable` is set",
            field="immutable",
        )
    for name in ("data", "binaryData"):
        if new.get(name) != old.get(name):
            yield Cause(
                reason="FieldValueForbidden",
                message="Forbidden: field is immutable when `immutable` is set",
                field=name,
            )


def _immutable(field: str, value: Any) -> Cause:
    import json

    shown = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Cause(
        reason="FieldValueInvalid", message=f"Invalid value: {shown}: field is immutable", field=field
    )


class Workloads(Plain):
    """Workloads whose selector must fit their template and never changes."""

    def __init__(self, *immutable: tuple[str, ...]) -> None:
        self._immutable = immutable

    def prepare_create(self, new: dict[str, Any]) -> None:
        """Nobody but its controller writes the status."""
        new["status"] = {}

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:
        """Selector and template agree; what may not change has not."""
        selector = _get(new, "spec", "selector", "matchLabels") or {}
        labels = _get(new, "spec", "template", "metadata", "labels") or {}
        if any(labels.get(key) != value for key, value in selector.items()):
            yield Cause(
                reason="FieldValueInvalid",
                message=f"Invalid value: {_go_map(labels)}: `selector` does not match template `labels`",
                field="spec.template.metadata.labels",
            )
        for path in self._immutable if old is not None else ():
            if _get(new, *path) != _get(old, *path):
                yield _immutable(".".join(path), _get(new, *path))


def _go_map(labels: Mapping[str, Any]) -> str:
    """Labels as ``%#v`` prints them."""
    if not labels:
        return "map[string]string(nil)"
    rows = ", ".join(f"{quote(key)}:{quote(str(value))}" for key, value in sorted(labels.items()))
    return f"map[string]string{{{rows}}}"


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
        if spec.get("manualSelector") is not True and not _get(spec, "selector", "matchLabels"):
            template = dict(spec.get("template") or {})
            metadata = dict(template.get("metadata") or {})
            labels = dict.fromkeys(JOB_LABELS, uid)
            labels |= dict.fromkeys(JOB_NAMES, _get(new, "metadata", "name"))
            metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
            spec["selector"] = {"matchLabels": {JOB_LABELS[0]: uid}}
            spec["template"] = {**template, "metadata": metadata}
        new["spec"] = spec

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:
        """Selector, template and completions stay as they are (suspended Jobs that never began apart)."""
        if old is None:
            return
        fixed = ["selector", "completionMode"]
        if not (_get(old, "spec", "suspend") is True and not _get(old, "status", "startTime")):
            fixed.append("template")
        if _get(new, "spec", "completionMode") != "Indexed":
            fixed.append("completions")
        for name in fixed:
            if _get(new, "spec", name) != _get(old, "spec", name):
                yield _immutable(f"spec.{name}", _get(new, "spec", name))


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
        controller = value.get("reportingComponent") or value.get("reportingController")
        found["reportingComponent"] = _text(controller or _get(value, "source", "component"))
        found["source"] = _text(_get(value, "source", "component") or controller)
        return found


_SELECTOR: Final = ("spec", "selector")

STRATEGIES: Final[Mapping[tuple[str, str], Strategy]] = {
    ("", "pods"): Pods(),
    ("", "namespaces"): Namespaces(),
    ("", "secrets"): Secrets(),
    ("", "configmaps"): ConfigMaps(),
    ("", "services"): Services(),
    ("", "events"): Events("involvedObject"),
    ("events.k8s.io", "events"): Events("regarding"),
    ("", "nodes"): Selected(spec__unschedulable=("spec", "unschedulable")),
    ("", "persistentvolumeclaims"): WithStatus(phase="Pending"),
    ("", "persistentvolumes"): WithStatus(phase="Pending"),
    ("", "replicationcontrollers"): Selected(status__replicas=("status", "replicas")),
    ("apps", "deployments"): Workloads(_SELECTOR),
    ("apps", "replicasets"): Workloads(_SELECTOR),
    ("apps", "daemonsets"): DaemonSets(_SELECTOR),
    ("apps", "statefulsets"): StatefulSets(_SELECTOR),
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
