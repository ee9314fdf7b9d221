"""Get, list and watch: versions, selectors, pages, bookmarks, initial events.

A list is read from memory at one version. A continue token names that version and the last object of the
page; if the version can no longer be told apart from today's, the token has expired. Bodies are not decoded
where the client wants whole objects.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final, NamedTuple

import orjson

from sekisho.apiserver import status
from sekisho.apiserver.causes import forbidden, not_supported
from sekisho.apiserver.reads import pages
from sekisho.apiserver.represent import Form, Lines
from sekisho.apiserver.route import Call
from sekisho.apiserver.status import ApiError, Cause
from sekisho.apiserver.store import Event, Op, Row, Store, TooOld, Watcher
from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.versions import NoVersion, version_of
from sekisho.apiserver.writes import place_of
from sekisho.diag import DiagnosticError
from sekisho.kube.gvk import GVK
from sekisho.kube.selectors import Selector
from sekisho.kube.selectortext import FieldTerm, parse_field_selector, parse_selector
from sekisho.lang.golang.gotext import quote

BOOKMARK_SECONDS: Final = 60.0
"""How often a watch that allows it is told the version, when nothing else happens."""

MIN_TIMEOUT: Final = 1_800
"""Seconds after which a watch ends where the client names no time (apiserver's min-request-timeout)."""

COMMON_FIELDS: Final = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which objects: of a namespace (empty for all), of a name, by labels and by other fields."""

    namespace: str
    name: str
    labels: Selector | None
    fields: tuple[FieldTerm, ...]

    def matches(self, row: Row) -> bool:
        """Whether an object is one of them."""
        if self.namespace and row.place.namespace != self.namespace:
            return False
        if self.name and row.place.name != self.name:
            return False
        if self.labels is not None and not self.labels.matches(row.labels):
            return False
        return all((_value(row, term.field) == term.value) is term.equal for term in self.fields)

    @property
    def whole(self) -> bool:
        """Whether nothing but a namespace is selected."""
        return not self.name and self.labels is None and not self.fields


def _value(row: Row, field: str) -> str:
    if field == "metadata.name":
        return row.place.name
    return row.place.namespace if field == "metadata.namespace" else row.fields.get(field, "")


def filter_of(call: Call, type: ResourceType) -> Filter:
    """The selectors of a request; raises ApiError (400)."""
    try:
        labels = call.query.get("labelSelector", "")
        fields = call.query.get("fieldSelector", "")
        terms = parse_field_selector(fields).terms if fields else ()
        selector = parse_selector(labels) if labels else None
    except DiagnosticError as error:
        about = "" if fields and not call.query.get("labelSelector") else "unable to parse requirement: "
        told = error.diagnostics[0].message.rpartition("unable to parse requirement: ")[2]
        raise status.bad_request(about + told) from None
    _check_fields(terms, type)
    namespace = call.target.namespace if type.namespaced else ""
    return Filter(namespace=namespace, name=call.target.name, labels=selector, fields=terms)


def _check_fields(terms: Sequence[FieldTerm], type: ResourceType) -> None:
    known = {*COMMON_FIELDS, *type.strategy.fields({}), *type.selectable}
    for term in terms:
        key = term.field
        if key not in known:
            message = f"field label not supported: {key}"
            if type.custom is None and known == {*COMMON_FIELDS}:
                message = f'"{key}" is not a known field selector: only "metadata.name", "metadata.namespace"'
            raise status.bad_request(message)


class Reader:
    """Reads objects of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, call: Call, type: ResourceType) -> Row:
        """One object. Raises ApiError (404, 504)."""
        _wanted_version(call, self._store.version)
        row = self._store.get(place_of(call, type))
        if row is None:
            raise status.not_found(type.resource, call.target.name)
        [row] = await shown(type, [row])
        return row

    async def list(self, call: Call, type: ResourceType, form: Form) -> bytes:
        """A list, in the form that the client wants. Raises ApiError."""
        wanted = filter_of(call, type)
        check_match(call)
        limit = _number(call, "limit")
        version, after = self._store.version, None
        token = call.query.get("continue", "")
        if token:
            version, after = _start(token, self._store)
        else:
            asked = _wanted_version(call, version)
            if call.query.get("resourceVersionMatch") == "Exact" and asked != version:
                if self._changed_since(type, asked):
                    raise status.expired(f"The resourceVersion for the provided list is too old: {asked}")
                version = asked
        rows: Sequence[Row] = self._store.rows(type.key, wanted.namespace)
        if after is not None:
            rows = [row for row in rows if (row.place.namespace, row.place.name) > after]
        rows = await shown(type, rows)
        found = [row for row in rows if wanted.matches(row)]
        page = found[:limit] if limit else found
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if len(page) < len(found):
            last = page[-1].place
            metadata["continue"] = pages.token(version, last)
            if wanted.whole:
                metadata["remainingItemCount"] = len(found) - len(page)
        return form.list(type, metadata, page)

    def _changed_since(self, type: ResourceType, version: int) -> bool:
        try:
            watcher = self._store.hub.watch(type.key, version)
        except TooOld:
            return True
        changed = watcher.waits
        watcher.close()
        return changed

    async def watch(self, call: Call, type: ResourceType, form: Form) -> AsyncIterator[bytes]:
        """The lines of a watch. Raises ApiError before the first one; afterwards errors are lines."""
        wanted = filter_of(call, type)
        initial = call.query.get("sendInitialEvents")
        if initial is not None and call.query.get("resourceVersionMatch") != "NotOlderThan":
            raise _watch_list_error(
                "resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden for watch"
            )
        asked = _wanted_version(call, self._store.version)
        given = call.query.get("resourceVersion", "")
        everything = call.flag("sendInitialEvents") or (given in ("", "0") and initial is None)
        start = self._store.version if everything else asked
        try:
            watcher = self._store.hub.watch(type.key, start)
        except TooOld as error:
            raise status.too_old(start, error.oldest) from None
        rows: Sequence[Row] = self._store.rows(type.key, wanted.namespace) if everything else ()
        try:
            rows = await shown(type, rows)
        except ApiError:
            watcher.close()
            raise
        lines = form.watch(type)
        head: Iterable[bytes] = (lines.event(Op.ADDED, row) for row in rows if wanted.matches(row))
        bookmarks = call.flag("allowWatchBookmarks")
        if bookmarks and call.flag("sendInitialEvents"):
            head = chain(head, [lines.bookmark(start, initial_end=True)])
        seconds = _number(call, "timeoutSeconds") or MIN_TIMEOUT
        pace = _Pace(seconds, bookmarks)
        return self._stream(_Source(watcher, type), wanted, lines, head, pace)

    async def _stream(
        self, source: _Source, wanted: Filter, lines: Lines, head: Iterable[bytes], pace: _Pace
    ) -> AsyncIterator[bytes]:
        ends = time.monotonic() + pace.seconds
        try:
            for piece in _pieces(head):
                yield piece
            while (left := ends - time.monotonic()) > 0:
                try:
                    taken = await asyncio.wait_for(source.watcher.take(), min(left, BOOKMARK_SECONDS))
                except TimeoutError:
                    if pace.bookmarks:
                        yield lines.bookmark(self._store.version)
                    continue
                if not taken:
                    return
                try:
                    events = await source.shown(taken)
                except ApiError as error:
                    yield orjson.dumps({"type": "ERROR", "object": error.to_json()}) + b"\n"
                    return
                if chunk := b"".join(_lines(events, wanted, lines.event)):
                    yield chunk
        finally:
            source.watcher.close()


async def shown(type: ResourceType, rows: Sequence[Row]) -> Sequence[Row]:
    """Stored objects as a version of their resource shows them. Raises ApiError where that is impossible."""
    return rows if type.conversion is None else await type.conversion.shown(rows)


class _Source(NamedTuple):
    """Where the changes of a watch come from, and as what they are shown."""

    watcher: Watcher
    type: ResourceType

    async def shown(self, events: Sequence[Event]) -> Sequence[Event]:
        """The changes, in the version that is watched."""
        conversion = self.type.conversion
        if conversion is None:
            return events
        rows = [event.row for event in events] + [
            event.before for event in events if event.before is not None
        ]
        seen = dict(zip(map(id, rows), await conversion.shown(rows), strict=True))
        return [
            replace(
                event,
                row=seen[id(event.row)],
                before=None if event.before is None else seen[id(event.before)],
            )
            for event in events
        ]


PIECE: Final = 256 * 1024
"""Bytes of what was there before that are sent at a time: a watch may not hold all objects once more."""


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines in pieces of a size that is sent well."""
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


class _Pace(NamedTuple):
    """How long a watch lasts, in seconds, and whether it is told the version while nothing happens."""

    seconds: int
    bookmarks: bool


def _lines(events: Iterable[Event], wanted: Filter, write: Callable[[Op, Row], bytes]) -> Iterable[bytes]:
    """What a watcher with selectors is told: what comes into its view is ADDED, what leaves it DELETED."""
    for event in events:
        now = event.op is not Op.DELETED and wanted.matches(event.row)
        # Of a change from before the start it is not known whether it was in view; to delete something that a
        # client does not have does no harm.
        before = event.op is not Op.ADDED if event.before is None else wanted.matches(event.before)
        if now:
            yield write(Op.MODIFIED if before else Op.ADDED, event.row)
        elif before and (event.before is not None or wanted.matches(event.row)):
            yield write(Op.DELETED, event.row)


def _wanted_version(call: Call, current: int) -> int:
    """The version of a request, today's where it names none. Raises ApiError (400, 504)."""
    text = call.query.get("resourceVersion", "")
    if text in ("", "0"):
        return current
    try:
        asked = version_of(text)
    except NoVersion as why:
        raise status.bad_request(
            f"invalid resource version: resourceVersion: Invalid value: {quote(text)}: {why}"
        ) from None
    if asked > current:
        raise status.too_large_version(asked, current)
    return asked


def _number(call: Call, name: str) -> int:
    text = call.query.get(name, "")
    try:
        return max(0, int(text)) if text else 0
    except ValueError:
        raise status.bad_request(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax") from None


def _start(text: str, store: Store) -> tuple[int, pages.Start]:
    """Where a page begins. Raises ApiError (400, 410)."""
    version, start = pages.read(text)
    if version < store.hub.oldest:
        raise status.expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a "
            "new list without the continue parameter, or use the continue token in this response to retrieve "
            "the remainder of the results. Continuing with the provided token results in an inconsistent "
            "list - objects that were created, modified, or deleted between the time the first chunk was "
            "returned and now may show up in the list."
        )
    return version, start


MATCHES: Final = ("Exact", "NotOlderThan", "")


def check_match(call: Call) -> None:
    """Raise ApiError (422) for a way of matching versions that a list does not have."""
    match = call.query.get("resourceVersionMatch")
    if match is None:
        return
    causes: list[Cause] = []
    version = call.query.get("resourceVersion", "")
    if match and not version:
        causes.append(forbidden(_MATCH, f"{_MATCH} is forbidden unless resourceVersion is provided"))
    if match not in MATCHES:
        causes.append(not_supported(_MATCH, match, MATCHES))
    elif match == "Exact" and version == "0":
        causes.append(forbidden(_MATCH, f'{_MATCH} "exact" is forbidden for resourceVersion "0"'))
    if causes:
        raise status.invalid(GVK("meta.k8s.io", "", "ListOptions"), "", causes)


_MATCH: Final = "resourceVersionMatch"


def _watch_list_error(field: str, message: str) -> ApiError:
    text = f'ListOptions.meta.k8s.io "" is invalid: {field}: {message}'
    return ApiError(422, "Invalid", text)
