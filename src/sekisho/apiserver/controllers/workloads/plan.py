"""What a workload's reconcile function is given and what it asks for: pure values, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sekisho.apiserver import names
from sekisho.apiserver.store import Place

Json = dict[str, Any]

PODS: Final = ("", "pods")
NODES: Final = ("", "nodes")
REVISIONS: Final = ("apps", "controllerrevisions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """An Event about the workload."""

    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """Create an object; ``told`` once it is there. A refusal becomes a Warning and the plan's problem.

    ``keep``: one of that name that is there already will do.
    """

    place: Place
    value: Json
    told: Tell | None = None
    failed: str = "FailedCreate"
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Delete an object of a uid, if it is there still."""

    place: Place
    uid: str
    told: Tell | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alter:
    """Change an object by a function of its newest state."""

    place: Place
    change: Callable[[Json], Json]
    told: Tell | None = None
    subresource: str = ""


Step = Make | Remove | Alter | Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A workload and what it owns at one moment: ``children`` of the kind that it makes, Nodes, revisions."""

    owner: Json
    children: Sequence[Json]
    now: datetime
    nodes: Sequence[Json] = ()
    revisions: Sequence[Json] = ()

    @property
    def spec(self) -> Json:
        """The workload's spec."""
        found: Json = self.owner.get("spec") or {}
        return found

    @property
    def status(self) -> Json:
        """Its status as it is."""
        found: Json = self.owner.get("status") or {}
        return found

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.owner["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.owner["metadata"]["namespace"])

    @property
    def generation(self) -> int:
        """How often its spec has changed."""
        return int(self.owner["metadata"].get("generation", 0))

    @property
    def going(self) -> bool:
        """Whether it is being deleted: then nothing new is made."""
        return bool(self.owner["metadata"].get("deletionTimestamp"))

    @property
    def time(self) -> str:
        """The moment, as the API writes it."""
        return names.timestamp(self.now)

    def place(self, resource: tuple[str, str], name: str) -> Place:
        """A place beside the workload."""
        return Place(*resource, self.namespace, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps in their order, then the status; ``again`` is in how many seconds to look again.

    ``status`` is given what went wrong in the steps, empty if nothing did.
    """

    steps: Sequence[Step] = field(default_factory=list)
    status: Callable[[str], Json] | None = None
    again: float | None = None


Reconcile = Callable[[View], Plan]


def owner_reference(owner: Json) -> Json:
    """A reference to the object that controls."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(value: Json) -> Json | None:
    """The reference to the object that controls this one."""
    rows = value["metadata"].get("ownerReferences") or ()
    return next((row for row in rows if row.get("controller") is True), None)


def condition(rows: Sequence[Json], type: str) -> Json | None:
    """A condition by its type."""
    return next((row for row in rows if row.get("type") == type), None)


def with_condition(rows: Sequence[Json], new: Json, time: str) -> list[Json]:
    """Conditions with one set; the time of transition stays while the status does."""
    old = condition(rows, new["type"])
    moment = old["lastTransitionTime"] if old and old.get("status") == new["status"] else time
    row = {**new, "lastTransitionTime": moment}
    if old is None:
        return [*rows, row]
    return [row if one is old else one for one in rows]


def share(value: Any, of: int, *, up: bool) -> int:
    """A number, or a percentage of one, rounded up or down."""
    if isinstance(value, int):
        return value
    digits = str(value).removesuffix("%")
    part = int(digits) * of if digits.isdigit() else 0
    return -(-part // 100) if up else part // 100
