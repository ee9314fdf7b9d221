"""The driver of workload controllers: who owns what, and the writes that a plan asks for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.controllers.workloads.events import Recorder
from sekisho.apiserver.controllers.workloads.plan import (
    NODES,
    REVISIONS,
    Alter,
    Json,
    Make,
    Plan,
    Reconcile,
    Remove,
    Step,
    Tell,
    View,
    controller_of,
    owner_reference,
)
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import Event, Place, Row
from sekisho.diag import DiagnosticError
from sekisho.kube.gvk import parse_api_version
from sekisho.kube.selectors import Selector, label_selector

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One workload: the resource, what it makes, its reconcile function, what else it looks at.

    ``adopts``: objects that fit the selector and that nobody controls become its own.
    """

    name: str
    resource: tuple[str, str]
    kind: str
    makes: tuple[str, str]
    reconcile: Reconcile
    adopts: bool = True
    nodes: bool = False
    revisions: bool = False


LOST: Final = (404, 409)
"""Codes of writes that came too late: the newest state is looked at again."""


class Workload:
    """Drives one kind."""

    def __init__(self, kind: Kind, hand: Hand, clock: Clock = utc_now) -> None:
        self.name = kind.name
        self._kind = kind
        self._hand = hand
        self._clock = clock
        self._recorder = Recorder(hand, kind.name)

    def keys(self, event: Event) -> Iterable[Hashable]:
        """The workload itself, the owner of a child, or whoever may adopt it."""
        place, kind = event.row.place, self._kind
        if place.resource == kind.resource:
            yield place
        elif place.resource == kind.makes or (kind.revisions and place.resource == REVISIONS):
            yield from self._owners(event.row)
            if event.before is not None:
                yield from self._owners(event.before)
        elif kind.nodes and place.resource == NODES:
            yield from (row.place for row in self._hand.store.rows(kind.resource))

    def _owners(self, row: Row) -> Iterable[Place]:
        reference = controller_of(row.load()) if b'"ownerReferences"' in row.body else None
        namespace = row.place.namespace
        if reference is not None:
            group, _ = parse_api_version(str(reference.get("apiVersion") or ""))
            if (group, reference.get("kind")) == (self._kind.resource[0], self._kind.kind):
                yield Place(*self._kind.resource, namespace, str(reference.get("name")))
        elif self._kind.adopts:
            yield from (one.place for one in self._hand.store.rows(self._kind.resource, namespace))

    async def reconcile(self, key: Hashable) -> float | None:
        """Look, plan, and do it."""
        assert isinstance(key, Place)
        row = self._hand.get(key)
        if row is None:
            return None
        owner = row.load()
        view = View(
            owner=owner,
            children=await self._claimed(key, owner),
            now=self._clock(),
            nodes=[one.load() for one in self._hand.store.rows(NODES)] if self._kind.nodes else (),
            revisions=self._owned(REVISIONS, key.namespace, row.uid) if self._kind.revisions else (),
        )
        plan = self._kind.reconcile(view)
        problem: ApiError | None = None
        for step in plan.steps:
            try:
                await self._do(step, owner)
            except ApiError as error:
                problem = error
                break
        await self._note(key, plan, problem)
        if problem is not None:
            raise problem
        return plan.again

    async def _note(self, key: Place, plan: Plan, problem: ApiError | None) -> None:
        """The status, where it says something new. A lost race is no news."""
        if plan.status is None or (row := self._hand.get(key)) is None:
            return
        told = problem.message if problem is not None and problem.code not in LOST else ""
        status = plan.status(told)
        if status != (row.load().get("status") or {}):
            await self._hand.change(key, lambda old: {**old, "status": status}, "status")

    async def _do(self, step: Step, owner: Json) -> None:
        if isinstance(step, Make):
            await self._make(step, owner)
        elif isinstance(step, Remove):
            await self._remove(step)
        elif isinstance(step, Alter):
            await self._hand.change(step.place, step.change, step.subresource)
        told = step if isinstance(step, Tell) else step.told
        if told is not None:
            await self._recorder.tell(owner, told)

    async def _make(self, step: Make, owner: Json) -> None:
        if step.keep and self._hand.get(step.place) is not None:
            return
        try:
            await self._hand.create(step.place, step.value)
        except ApiError as error:
            if error.code not in LOST:
                text = f"Error creating: {error.message}"
                await self._recorder.tell(owner, Tell(reason=step.failed, message=text, type="Warning"))
            raise

    async def _remove(self, step: Remove) -> None:
        try:
            await self._hand.delete(
                step.place, {"propagationPolicy": "Background", "preconditions": {"uid": step.uid}}
            )
        except ApiError as error:
            if error.code not in LOST:
                raise

    # Who owns what.

    def _owned(self, resource: tuple[str, str], namespace: str, uid: str) -> list[Json]:
        mark = uid.encode()
        rows = (row.load() for row in self._hand.store.rows(resource, namespace) if mark in row.body)
        return [value for value in rows if (controller_of(value) or {}).get("uid") == uid]

    async def _claimed(self, key: Place, owner: Json) -> list[Json]:
        """What the workload controls, with what fits its selector and nobody controls."""
        uid = owner["metadata"]["uid"]
        owned = self._owned(self._kind.makes, key.namespace, uid)
        selector = _selector(owner) if self._kind.adopts else None
        if selector is None or owner["metadata"].get("deletionTimestamp"):
            return owned
        found = []
        for value in owned:
            if selector.matches(value["metadata"].get("labels") or {}):
                found.append(value)
            elif not value["metadata"].get("deletionTimestamp"):
                await self._hand.change(self._place(value), lambda old: _released(old, uid))
        for row in self._hand.store.rows(self._kind.makes, key.namespace):
            if not selector.matches(row.labels):
                continue
            value = row.load()
            if controller_of(value) is None and not value["metadata"].get("deletionTimestamp"):
                await self._hand.change(row.place, lambda old: _adopted(old, owner))
                adopted = self._hand.get(row.place)
                found += [adopted.load()] if adopted is not None else []
        return found

    def _place(self, value: Json) -> Place:
        metadata = value["metadata"]
        return Place(*self._kind.makes, metadata["namespace"], metadata["name"])


def _selector(owner: Json) -> Selector | None:
    """The selector of a workload; None where it selects nothing, or what it says is no selector."""
    raw = (owner.get("spec") or {}).get("selector")
    if not raw or not (raw.get("matchLabels") or raw.get("matchExpressions")):
        return None
    try:
        return label_selector(raw)
    except DiagnosticError:
        return None


def _adopted(value: Json, owner: Json) -> Json:
    metadata = value["metadata"]
    if controller_of(value) is not None:
        return value
    rows = [*(metadata.get("ownerReferences") or ()), owner_reference(owner)]
    return {**value, "metadata": {**metadata, "ownerReferences": rows}}


def _released(value: Json, uid: str) -> Json:
    metadata = value["metadata"]
    rows = [row for row in metadata.get("ownerReferences") or () if row.get("uid") != uid]
    return {**value, "metadata": {**metadata, "ownerReferences": rows}}
