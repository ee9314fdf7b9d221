"""Events: what happened to an object, told to people by way of the API server.

``Recorder.record`` only puts a note into a queue, so it never blocks, and what does not fit is counted and
dropped. A task writes the queue. Many notes of one kind become one Event with a count, and a source that has
much to say about one object is cut off, by client-go's rules and figures (tools/record):

1. of one source about one object, ``BURST`` Events at once and one more in five minutes; the rest is dropped;
2. ``SIMILAR`` different messages with one reason within ten minutes become one: "(combined from similar
   events): …";
3. what was said before is not written again, but counted.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sekisho.cluster.client import Client, Raw, Refused, Resource
from sekisho.cluster.rates import Bucket, Rate
from sekisho.diag import DiagnosticError
from sekisho.kube.gvk import GVK
from sekisho.kube.names import dns_subdomain

_LOG: Final = logging.getLogger(__name__)

QUEUE: Final = 1000
"""Notes that wait to be written: client-go's figure. More would be told too late to help."""

REMEMBERED: Final = 4096
"""Objects and messages that are remembered; the oldest are forgotten first."""

BURST: Final = 25
REFILL: Final = 1 / 300
"""Events of a source about an object at once, and how many more in a second."""

SIMILAR: Final = 10
INTERVAL: Final = 600.0
"""Different messages of one reason, within how many seconds of one another, before they become one."""

TRIES: Final = 12
PAUSE: Final = 10.0
"""How often a note is tried to be written while the server cannot be reached, and seconds between."""

NOTE: Final = 1024
WORD: Final = 128
"""Bytes of a note, and of a reason, an action or an instance: what the API server accepts."""

COMBINED: Final = "(combined from similar events): "


class Type(Enum):
    """What kind of news it is."""

    NORMAL = "Normal"
    WARNING = "Warning"


class Form(Enum):
    """The API that Events are written by. In events.k8s.io the note of an Event never changes."""

    CORE = GVK("", "v1", "Event")
    EVENTS = GVK("events.k8s.io", "v1", "Event")


class Source(NamedTuple):
    """Who tells: the controller, and which process of it."""

    controller: str
    instance: str


class Reference(NamedTuple):
    """The object that a note is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""
    version: str = ""
    path: str = ""

    @classmethod
    def of(cls, value: Mapping[str, Any], *, path: str = "") -> Reference:
        """The reference to an object; ``path`` is a field of it, as ``spec.containers{app}``."""
        metadata = value.get("metadata") or {}
        return cls(
            api_version=str(value.get("apiVersion") or ""),
            kind=str(value.get("kind") or ""),
            namespace=str(metadata.get("namespace") or ""),
            name=str(metadata.get("name") or ""),
            uid=str(metadata.get("uid") or ""),
            version=str(metadata.get("resourceVersion") or ""),
            path=path,
        )

    def raw(self) -> Raw:
        """The ObjectReference."""
        rows = {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "uid": self.uid,
            "resourceVersion": self.version,
            "fieldPath": self.path,
        }
        return {key: value for key, value in rows.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One piece of news. ``action`` is what was done, ``reason`` why, both one word in CamelCase."""

    about: Reference
    reason: str
    text: str
    type: Type = Type.NORMAL
    action: str = ""
    related: Reference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An Event that was written: its name, how often its note came, the first and the last time."""

    name: str
    count: int
    first: datetime
    last: datetime


class Told(NamedTuple):
    """What is to be written: a note, how often it came, and whether it is a new Event."""

    note: Note
    seen: Seen
    new: bool


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Remembered(Generic[K, V]):
    """The values of the keys that were used last."""

    def __init__(self) -> None:
        self._rows: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        found = self._rows.get(key)
        if found is not None:
            self._rows.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        self._rows[key] = value
        self._rows.move_to_end(key)
        if len(self._rows) > REMEMBERED:
            self._rows.popitem(last=False)

    def forget(self, key: K) -> None:
        self._rows.pop(key, None)


@dataclass(slots=True)
class _Group:
    texts: set[str] = field(default_factory=set)
    last: float = 0.0


class Correlator:
    """Makes few Events of many notes. Pure: the clocks are arguments."""

    def __init__(self) -> None:
        self._buckets: _Remembered[Hashable, Bucket] = _Remembered()
        self._groups: _Remembered[Hashable, _Group] = _Remembered()
        self._seen: _Remembered[Hashable, Seen] = _Remembered()

    def observe(self, note: Note, *, clock: float, now: datetime) -> tuple[Hashable, Told | None]:
        """What to write for a note, None for nothing, and the key that ``forget`` takes."""
        about = note.about._replace(version="")
        group = (about, note.type, note.reason, note.action)
        note, key = self._combined(note, group, clock)
        before = self._seen.get(key)
        name = _name(note.about.name, now) if before is None else before.name
        first = now if before is None else before.first
        seen = Seen(name=name, count=1 if before is None else before.count + 1, first=first, last=now)
        self._seen.put(key, seen)
        if not self._accepted((about._replace(path=""), note.type), clock):
            return key, None
        return key, Told(note, seen, new=before is None)

    def forget(self, key: Hashable) -> None:
        """The Event of this key is not there: the next note is a new one."""
        self._seen.forget(key)

    def _accepted(self, key: Hashable, clock: float) -> bool:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = Bucket(Rate(qps=REFILL, burst=BURST), now=clock)
            self._buckets.put(key, bucket)
        return bucket.accept(clock)

    def _combined(self, note: Note, key: Hashable, clock: float) -> tuple[Note, Hashable]:
        group = self._groups.get(key)
        if group is None or clock - group.last > INTERVAL:
            group = _Group()
            self._groups.put(key, group)
        group.texts.add(note.text)
        group.last = clock
        if len(group.texts) < SIMILAR:
            return note, (key, note.text)
        group.texts.pop()
        return replace(note, text=COMBINED + note.text), key


class Recorder:
    """Writes Events for one source. ``async with`` runs it; ``record`` may be called at any time."""

    def __init__(
        self,
        client: Client,
        source: Source,
        *,
        form: Form = Form.CORE,
        queue: int = QUEUE,
        pause: float = PAUSE,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.dropped = 0
        self._client = client
        self._source = source
        self._form = form
        self._pause = pause
        self._clock = clock
        self._now = now
        self._correlator = Correlator()
        self._queue: asyncio.Queue[tuple[Note, float, datetime]] = asyncio.Queue(queue)
        self._task: asyncio.Task[None] | None = None

    def record(self, note: Note) -> bool:
        """Tell a note; false if the queue is full, and the note is dropped. Never blocks."""
        try:
            self._queue.put_nowait((note, self._clock(), self._now()))
        except asyncio.QueueFull:
            self.dropped += 1
            return False
        return True

    async def run(self) -> None:
        """Write the queue until it is cancelled."""
        while True:
            note, clock, now = await self._queue.get()
            try:
                await self._tell(note, clock, now)
            finally:
                self._queue.task_done()

    async def flush(self, seconds: float) -> bool:
        """Wait until all is written; false if that takes longer."""
        try:
            await asyncio.wait_for(self._queue.join(), seconds)
        except TimeoutError:
            return False
        return True

    async def __aenter__(self) -> Recorder:
        self._task = asyncio.create_task(self.run(), name="events")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None, "it was entered"
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _tell(self, note: Note, clock: float, now: datetime) -> None:
        key, told = self._correlator.observe(note, clock=clock, now=now)
        for _ in range(TRIES if told else 0):
            assert told is not None, "else the range is empty"
            try:
                await self._write(told)
            except Refused as error:
                if error.code == 404 and not told.new:
                    # It has expired: begin a new one that goes on counting.
                    told = told._replace(new=True)
                    continue
                # What the server refuses once it refuses again.
                if error.reason != "AlreadyExists":
                    self._correlator.forget(key)
                _LOG.info("an Event was refused: %s", error)
                return
            except DiagnosticError as error:
                _LOG.info("an Event could not be written: %s", error)
            else:
                return
            await asyncio.sleep(self._pause * random.uniform(1.0, 1.25))  # noqa: S311 - no secret depends on it
        if told is not None:
            self.dropped += 1

    async def _write(self, told: Told) -> None:
        resource: Resource = await self._client.resource(self._form.value)
        namespace = told.note.about.namespace or "default"
        if told.new:
            value = _BODIES[self._form](told, self._source)
            metadata = {"name": told.seen.name, "namespace": namespace}
            head = {"apiVersion": self._form.value.api_version, "kind": "Event", "metadata": metadata}
            await self._client.create(resource, {**head, **value})
        else:
            patch = _PATCHES[self._form](told)
            await self._client.patch(resource, told.seen.name, patch, namespace=namespace)


def _core(told: Told, source: Source) -> Raw:
    note, seen = told.note, told.seen
    value: Raw = {
        "involvedObject": note.about.raw(),
        "reason": _cut(note.reason, WORD),
        "message": _cut(note.text, NOTE),
        "type": note.type.value,
        "source": {"component": source.controller, "host": source.instance},
        "reportingComponent": source.controller,
        "reportingInstance": _cut(source.instance, WORD),
        "count": seen.count,
        "firstTimestamp": _seconds(seen.first),
        "lastTimestamp": _seconds(seen.last),
    }
    optional = {"action": _cut(note.action, WORD), "related": note.related and note.related.raw()}
    return {**value, **{key: row for key, row in optional.items() if row}}


def _events(told: Told, source: Source) -> Raw:
    note, seen = told.note, told.seen
    value: Raw = {
        "regarding": note.about.raw(),
        "reason": _cut(note.reason, WORD),
        "note": _cut(note.text, NOTE),
        "type": note.type.value,
        "action": _cut(note.action or note.reason, WORD),
        "reportingController": source.controller,
        "reportingInstance": _cut(source.instance, WORD),
        "eventTime": _micro(seen.first),
    }
    if note.related is not None:
        value["related"] = note.related.raw()
    return {**value, **(_series(told) if seen.count > 1 else {})}


def _series(told: Told) -> Raw:
    return {"series": {"count": told.seen.count, "lastObservedTime": _micro(told.seen.last)}}


def _counted(told: Told) -> Raw:
    return {
        "count": told.seen.count,
        "lastTimestamp": _seconds(told.seen.last),
        "message": _cut(told.note.text, NOTE),
    }


_BODIES: Final[Mapping[Form, Callable[[Told, Source], Raw]]] = {Form.CORE: _core, Form.EVENTS: _events}
_PATCHES: Final[Mapping[Form, Callable[[Told], Raw]]] = {Form.CORE: _counted, Form.EVENTS: _series}


def _name(about: str, now: datetime) -> str:
    """The name of an Event: that of the object and the moment, as client-go makes it."""
    moment = f"{int(now.timestamp() * 1_000_000) * 1000:x}"
    name = f"{about}.{moment}"
    return f"event.{moment}" if dns_subdomain(name) else name


def _cut(text: str, limit: int) -> str:
    """The text, or as much of it as fits, in UTF-8."""
    content = text.encode("utf-8", "replace")
    return text if len(content) <= limit else content[: limit - 3].decode("utf-8", "ignore") + "..."


def _seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
