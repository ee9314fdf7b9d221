"""What one pod says of one policy: ConstraintTemplatePodStatus and its kin (policy.md 1.1).

Each pod writes an object of its own for each policy, so no two of them ever write the same one. Its name is
made of the pod's and the policy's, and labels say what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from sekisho.diag import Diagnostic, Span, path_text
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.policy import codes
from sekisho.policy.config import CONFIG
from sekisho.policy.constraint import GROUP as CONSTRAINTS
from sekisho.policy.constraint import VAP
from sekisho.policy.expansion import GROUP as EXPANSIONS
from sekisho.policy.external.kinds import GROUP as PROVIDERS
from sekisho.policy.mutation import GROUP as MUTATORS
from sekisho.policy.template import GROUP as TEMPLATES

API_VERSION: Final = "status.gatekeeper.sh/v1beta1"
NAMESPACE: Final = "gatekeeper-system"

OPERATIONS: Final = (
    *("audit", "generate", "mutation-controller", "mutation-status", "mutation-webhook", "status"),
    "webhook",
)
"""What a pod may do, in the order in which statuses list it; one that is told nothing does all of it."""

_LABEL: Final = "internal.gatekeeper.sh/"

POD_LABEL: Final = f"{_LABEL}pod"
"""The label of a status with the name of the pod that wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """Who writes: the pod's name, its uid, the namespace of all statuses, and what it does."""

    id: str
    uid: str = ""
    namespace: str = NAMESPACE
    operations: Sequence[str] = OPERATIONS


class State(Enum):
    """How far a ValidatingAdmissionPolicy or its binding has come. Gatekeeper's words."""

    GENERATED = "generated"
    WAITING = "waiting"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What became of a template's ValidatingAdmissionPolicy, or of a constraint's binding."""

    state: State
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """How statuses of one kind of policy are made.

    ``prefix`` begins the labels with the policy's name. ``uid`` is the field for the policy's uid, ``sound``
    the one that says that the policy is in force, empty where there is none. ``error`` makes a row of
    ``errors``.
    """

    kind: str
    prefix: str
    uid: str
    error: Callable[[Diagnostic], dict[str, Any]]
    sound: str = ""


def pod_status(
    object: Object,
    faults: Iterable[Diagnostic],
    pod: Pod,
    *,
    now: datetime | None = None,
    generated: Generated | None = None,
) -> dict[str, Any]:
    """The object that a pod writes about a policy, whose errors are ``faults``.

    The policy must be one that has statuses (``has_status``). ``now`` (aware) is when a provider was read or
    failed; other statuses have no times. ``generated`` is for templates and constraints that are to be
    enforced by the API server itself.
    """
    row = ROWS[_key(object.gvk)]
    faults = sorted(faults, key=_place)
    status: dict[str, Any] = {"id": pod.id, row.uid: object.uid, "operations": sorted(pod.operations)}
    if row.sound and not faults:
        status[row.sound] = True
    status["observedGeneration"] = object.metadata.get("generation", 0)
    status["errors"] = [row.error(fault) for fault in faults]
    if generated is not None:
        status |= _generation(object, generated)
    if now is not None and object.gvk.group == PROVIDERS:
        _stamp(status, now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    metadata: dict[str, Any] = {
        "name": _packed(pod.id, *_parts(object)),
        "namespace": pod.namespace,
        "labels": {**_labels(object, row), POD_LABEL: pod.id},
    }
    if pod.uid:
        owner = {"apiVersion": "v1", "kind": "Pod", "name": pod.id, "uid": pod.uid}
        metadata["ownerReferences"] = [owner]
    shown = {key: value for key, value in status.items() if value not in ("", 0, [])}
    return {"apiVersion": API_VERSION, "kind": row.kind, "metadata": metadata, "status": shown}


def has_status(object: Object) -> bool:
    """Whether pods write statuses about an object."""
    return _key(object.gvk) in ROWS


def uid_field(object: Object) -> str:
    """The field of a status that has the uid of the policy that it is about."""
    return ROWS[_key(object.gvk)].uid


def _key(gvk: GVK) -> tuple[str, str]:
    """The row's key: in groups where kinds are many, the group is all."""
    many = gvk.group in (CONSTRAINTS, MUTATORS)
    return gvk.group, "" if many else gvk.kind


def _generation(object: Object, generated: Generated) -> dict[str, Any]:
    row: dict[str, Any] = {"state": generated.state.value}
    generation = object.metadata.get("generation", 0)
    if generation:
        row["observedGeneration"] = generation
    if object.gvk.group == TEMPLATES:
        warning = {"warning": generated.message} if generated.message else {}
        return {"vapGenerationStatus": {**row, **warning}}
    message = {"message": generated.message} if generated.message else {}
    return {"enforcementPointsStatus": [{"enforcementPoint": VAP, **row, **message}]}


def _stamp(status: dict[str, Any], now: str) -> None:
    """The times of a provider's status."""
    for error in status["errors"]:
        error["errorTimestamp"] = now
    status["lastTransitionTime" if status["errors"] else "lastCacheUpdateTime"] = now


# --- names and labels -------------------------------------------------------------------------------------


def _parts(object: Object) -> tuple[str, ...]:
    """What a status's name has of the policy."""
    if object.gvk.group in (CONSTRAINTS, MUTATORS):
        return object.kind.lower(), object.name
    if _key(object.gvk) == CONFIG:
        return object.namespace or NAMESPACE, object.name
    return (object.name,)


def _packed(*parts: str) -> str:
    """Parts in one name: joined by hyphens, with their own doubled."""
    return "-".join(part.replace("-", "--") for part in parts)


def _labels(object: Object, row: _Row) -> dict[str, str]:
    labels = {f"{_LABEL}{row.prefix}-name": object.name}
    if object.gvk.group in (CONSTRAINTS, MUTATORS):
        labels[f"{_LABEL}{row.prefix}-kind"] = object.kind
    if object.gvk.group == CONSTRAINTS:
        labels[f"{_LABEL}constrainttemplate-name"] = object.kind.lower()
    return labels


# --- errors -----------------------------------------------------------------------------------------------


def _message(fault: Diagnostic) -> str:
    """The message, with the name that the field has for it."""
    return f"{fault.code.alias}: {fault.message}" if fault.code.alias else fault.message


def _location(fault: Diagnostic) -> str:
    """Where it is: a file's name, line and column, or a path in the policy."""
    if isinstance(fault.at, Span):
        span = fault.at.outermost()
        return f"{span.source.name}:{span.begins.line}:{span.begins.column}"
    return path_text(fault.at.path) if fault.at is not None else ""


def _place(fault: Diagnostic) -> tuple[str, int, str]:
    """Errors in order, so that a status does not change without need."""
    at = fault.at
    if isinstance(at, Span):
        return at.source.name, at.start, fault.message
    return path_text(at.path) if at is not None else "", 0, fault.message


def _with_code(code: str, message: str, fault: Diagnostic) -> dict[str, Any]:
    location = _location(fault)
    return {"code": code, "message": message, **({"location": location} if location else {})}


def _of_template(fault: Diagnostic) -> dict[str, Any]:
    """What the engine refuses is told apart from what never came to it."""
    if isinstance(fault.at, Span):
        return _with_code("ingest_error", f"Could not ingest Rego: {_message(fault)}", fault)
    return _with_code("create_error", _message(fault), fault)


def _of_constraint(fault: Diagnostic) -> dict[str, Any]:
    action = fault.code is codes.BAD_ACTION
    what = "could not validate enforcement actions" if action else "could not cache constraint"
    return _with_code(fault.code.id, f"{what}: {_message(fault)}", fault)


def _of_mutator(fault: Diagnostic) -> dict[str, Any]:
    if fault.code is codes.CONFLICT:
        return {"type": fault.code.alias, "message": fault.message}
    return {"message": _message(fault)}


def _of_provider(fault: Diagnostic) -> dict[str, Any]:
    return {"type": "UpsertCache", "message": _message(fault), "retryable": True}


def _plain(fault: Diagnostic) -> dict[str, Any]:
    return {"message": _message(fault)}


ROWS: Final[Mapping[tuple[str, str], _Row]] = {
    (TEMPLATES, "ConstraintTemplate"): _Row(
        kind="ConstraintTemplatePodStatus",
        prefix="constrainttemplate",
        uid="templateUID",
        error=_of_template,
    ),
    (CONSTRAINTS, ""): _Row(
        kind="ConstraintPodStatus",
        prefix="constraint",
        uid="constraintUID",
        error=_of_constraint,
        sound="enforced",
    ),
    (MUTATORS, ""): _Row(
        kind="MutatorPodStatus",
        prefix="mutator",
        uid="mutatorUID",
        error=_of_mutator,
        sound="enforced",
    ),
    (EXPANSIONS, "ExpansionTemplate"): _Row(
        kind="ExpansionTemplatePodStatus",
        prefix="expansiontemplate",
        uid="templateUID",
        error=_plain,
    ),
    CONFIG: _Row(kind="ConfigPodStatus", prefix="config", uid="configUID", error=_plain),
    (PROVIDERS, "Provider"): _Row(
        kind="ProviderPodStatus",
        prefix="provider",
        uid="providerUID",
        error=_of_provider,
        sound="active",
    ),
}
"""By group, and kind where the group does not say it: how statuses about a policy are made."""
