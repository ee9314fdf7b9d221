"""The client: requests to an API server, raw objects in and out.

A refusal is a ``Refused`` with the server's Status; that the network or the server failed is a WebError. What
the server says of one moment (429, Retry-After) is waited for within the deadline; nothing else is asked
twice but reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from sekisho.cluster import codes
from sekisho.cluster.connection import Connection, Credentials
from sekisho.cluster.rates import Limiter, Rate
from sekisho.diag import Deadline, Diagnostic, DiagnosticError
from sekisho.kube.gvk import GVK, GVR
from sekisho.web import Request, Response, WebError
from sekisho.web.asyncclient import AsyncClient

Raw = dict[str, Any]

JSON: Final = "application/json"
MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
APPLY: Final = "application/apply-patch+yaml"

PAGE: Final = 500
"""Objects of one page of a list: kubectl's figure."""

SECONDS: Final = 30.0
"""How long a request may take that names no deadline."""

WATCH_SECONDS: Final = 300
"""Seconds that one watch lasts before it is begun anew; client-go takes five to ten minutes."""

IDLE: Final = 120.0
"""Seconds without a word after which a watch counts as broken: twice the server's bookmarks."""

WAITS: Final = 5
"""How often a server that asks for patience is asked again, where there is no deadline."""

LATER: Final = 10.0
"""Seconds that are waited at a time, whatever the server says: the API server says one."""

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

MAX_LINE: Final = 32 * 1024 * 1024
"""Bytes of one line of a watch: an object is at most a few megabytes."""


class Refused(DiagnosticError):
    """The server's no: a Status. ``reason`` and ``code`` are what programs match on."""

    def __init__(self, status: Mapping[str, Any], code: int, what: str) -> None:
        self.status = status
        self.code = code
        self.reason = str(status.get("reason") or "")
        message = str(status.get("message") or f"HTTP status {code}")
        data = {"reason": self.reason, "status": code}
        super().__init__(Diagnostic(code=codes.REFUSED, message=f"{what}: {message}", data=data))


class Event(NamedTuple):
    """A line of a watch: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR, and its object."""

    type: str
    object: Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Why an apply did not take place: who owns which field, in the server's words."""

    message: str
    causes: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind as the server serves it."""

    gvr: GVR
    kind: str
    namespaced: bool
    verbs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which objects of a kind: of a namespace (empty for all), by selectors of labels and fields as text."""

    namespace: str = ""
    labels: str = ""
    fields: str = ""

    def query(self) -> dict[str, str]:
        """The parameters."""
        rows = {"labelSelector": self.labels, "fieldSelector": self.fields}
        return {key: value for key, value in rows.items() if value}


EVERYTHING: Final = Selection()


@dataclass(slots=True)
class _Known:
    """What discovery has told, by group and version."""

    resources: dict[tuple[str, str], dict[str, Resource]] = field(default_factory=dict)


class _Ask(NamedTuple):
    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""
    headers: Mapping[str, str] = NO_HEADERS
    seconds: float = SECONDS


Listed = tuple[list[Raw], str]
"""The objects of a list, and its resource version."""


class Client:
    """Asks one server for one user, in the event loop that it is made in."""

    def __init__(self, connection: Connection, *, manager: str = "sekisho", rate: Rate | None = None) -> None:
        self.connection = connection
        self._limiter = None if rate is None else Limiter(rate)
        self.manager = manager
        self._web = AsyncClient()
        self._known = _Known()

    async def close(self) -> None:
        """Close all connections."""
        await self._web.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # Kinds.

    async def resource(self, gvk: GVK) -> Resource:
        """How a kind is served. Raises Refused (404) if it is not, also after asking anew."""
        for fresh in (False, True):
            known = await self._resources(gvk.group, gvk.version, fresh=fresh)
            found = known.get(gvk.kind)
            if found is not None:
                return found
        status = {
            "reason": "NotFound",
            "message": f"the server serves no kind {gvk.kind} in {gvk.api_version}",
        }
        raise Refused(status, 404, "discovery")

    async def resources(self) -> list[Resource]:
        """Every kind that can be listed, each in the version that the server prefers, by group and name."""
        groups = [("", "v1")]
        for row in (await self.call("GET", "/apis")).get("groups") or ():
            preferred = (row.get("preferredVersion") or {}).get("version")
            if preferred:
                groups.append((str(row["name"]), str(preferred)))
        found = [
            resource
            for group, version in groups
            for resource in (await self._resources(group, version, fresh=True)).values()
            if "list" in resource.verbs
        ]
        return sorted(found, key=lambda row: (row.gvr.group, row.gvr.resource))

    async def _resources(self, group: str, version: str, *, fresh: bool) -> Mapping[str, Resource]:
        key = (group, version)
        if fresh or key not in self._known.resources:
            path = f"/apis/{group}/{version}" if group else f"/api/{version}"
            try:
                listed = await self.call("GET", path)
            except Refused as error:
                if error.code != 404:
                    raise
                listed = {"resources": []}
            self._known.resources[key] = {
                row["kind"]: Resource(
                    gvr=GVR(group, version, row["name"]),
                    kind=row["kind"],
                    namespaced=bool(row.get("namespaced")),
                    verbs=tuple(row.get("verbs") or ()),
                )
                for row in listed.get("resources") or ()
                if "/" not in row["name"]
            }
        return self._known.resources[key]

    # Objects.

    async def get(self, resource: Resource, name: str, namespace: str = "") -> Raw | None:
        """An object, None if there is none."""
        try:
            return await self.call("GET", path_of(resource, namespace, name))
        except Refused as error:
            if error.code == 404:
                return None
            raise

    async def list_all(
        self, resource: Resource, selection: Selection = EVERYTHING, *, version: str = ""
    ) -> Listed:
        """All objects, in pages, and the resource version of the list. A token that expired begins anew."""
        for _ in range(WAITS):
            try:
                return await self._pages(resource, selection, version)
            except Refused as error:
                if error.code != 410:
                    raise
                version = ""
        raise Refused({"reason": "Expired"}, 410, "list")

    async def _pages(self, resource: Resource, selection: Selection, version: str) -> Listed:
        found: list[Raw] = []
        async for page in self.pages(resource, selection, version=version):
            items, version = page
            found += items
        return found, version

    async def pages(
        self, resource: Resource, selection: Selection = EVERYTHING, *, version: str = "", size: int = PAGE
    ) -> AsyncIterator[Listed]:
        """The objects page by page, so that not all have to be held at once, with the list's version.

        Raises Refused (410) if the list takes so long that its token expires.
        """
        query = {**selection.query(), "limit": str(size)}
        if version:
            query["resourceVersion"] = version
        gvr = resource.gvr
        head = {"apiVersion": GVK(gvr.group, gvr.version, "").api_version, "kind": resource.kind}
        while True:
            page = await self.call("GET", path_of(resource, selection.namespace), query=query)
            metadata = page.get("metadata") or {}
            items = [{**head, **item} for item in page.get("items") or ()]
            yield items, str(metadata.get("resourceVersion") or "")
            token = metadata.get("continue")
            if not token:
                return
            query = {**selection.query(), "limit": str(size), "continue": token}

    async def watch(
        self, resource: Resource, version: str, selection: Selection = EVERYTHING
    ) -> AsyncIterator[Event]:
        """The changes after a version, until the server ends the watch; Refused (410) if it is too old."""
        query = {
            **selection.query(),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        if self._limiter is not None:
            await self._limiter.wait()
        request = self._request(_Ask("GET", path_of(resource, selection.namespace), query))
        async with self._web.open(request, idle=IDLE) as stream:
            if stream.status != 200:
                body = b"".join([piece async for piece in stream.pieces])[:MAX_LINE]
                raise _refusal(body, stream.status, "watch")
            async for line in _lines(stream.pieces):
                event = _event(line)
                if event.type == "ERROR":
                    raise Refused(event.object, int(event.object.get("code") or 500), "watch")
                yield event

    async def create(self, resource: Resource, value: Raw, *, dry_run: bool = False) -> Raw:
        """A new object."""
        path = path_of(resource, _namespace(value))
        return await self.call("POST", path, body=value, query=self._write_query(dry_run))

    async def replace(self, resource: Resource, value: Raw, *, subresource: str = "") -> Raw:
        """An object that exists, as it is to be; its resource version must be the newest."""
        name = str(value["metadata"]["name"])
        path = path_of(resource, _namespace(value), name, subresource)
        return await self.call("PUT", path, body=value, query=self._write_query(False))

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Any,
        *,
        namespace: str = "",
        kind: str = MERGE,
        subresource: str = "",
    ) -> Raw:
        """An object, changed by a patch of a kind."""
        path = path_of(resource, namespace, name, subresource)
        return await self.call("PATCH", path, body=patch, query=self._write_query(False), kind=kind)

    async def apply(
        self,
        resource: Resource,
        value: Raw,
        *,
        force: bool = False,
        dry_run: bool = False,
        subresource: str = "",
    ) -> Raw | Conflict:
        """Server-side apply; that others own the fields is a value."""
        name = str(value["metadata"]["name"])
        query = {**self._write_query(dry_run), "force": "true" if force else "false"}
        path = path_of(resource, _namespace(value), name, subresource)
        try:
            return await self.call("PATCH", path, body=value, query=query, kind=APPLY)
        except Refused as error:
            causes = (error.status.get("details") or {}).get("causes") or ()
            if error.code != 409 or not any(row.get("reason") == "FieldManagerConflict" for row in causes):
                raise
            return Conflict(message=str(error.status.get("message") or ""), causes=tuple(causes))

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        propagation: str = "Background",
    ) -> bool:
        """Delete an object, only if it has this uid where one is named; false if there is none."""
        options: Raw = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            await self.call("DELETE", path_of(resource, namespace, name), body=options)
        except Refused as error:
            if error.code == 404:
                return False
            raise
        return True

    def _write_query(self, dry_run: bool) -> dict[str, str]:
        return {"fieldManager": self.manager, **({"dryRun": "All"} if dry_run else {})}

    # Requests.

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        kind: str = JSON,
        deadline: Deadline | None = None,
    ) -> Raw:
        """One request, whatever it is. Raises Refused, WebError, and DiagnosticError for credentials."""
        sent = b"" if body is None else orjson.dumps(body)
        headers = {"Content-Type": kind} if body is not None else {}
        ask = _Ask(method, path, query or {}, sent, headers)
        response = await self._patiently(ask, deadline)
        if response.status >= 400:
            raise _refusal(response.body, response.status, f"{method} {path}")
        value = response.json()
        if not isinstance(value, dict):
            message = f"the answer to {method} {path} is no object"
            raise DiagnosticError(Diagnostic(code=codes.BAD_ANSWER, message=message))
        return value

    async def _patiently(self, ask: _Ask, deadline: Deadline | None) -> Response:
        """The answer. "Later" is obeyed until the deadline, or ``WAITS`` times where there is none."""
        renewed = False
        for asked in count(1):
            if self._limiter is not None:
                await self._limiter.wait(deadline)
            response = await self._web.send(self._request(ask), deadline=deadline)
            if response.status == 401 and not renewed:
                self.connection.credentials(True)
                renewed = True
                continue
            pause = _patience(response)
            if pause is None or (deadline is None and asked >= WAITS):
                return response
            if deadline is not None and deadline.remaining() < pause:
                return response
            await asyncio.sleep(pause)
        raise AssertionError("it goes on until it returns")

    def _request(self, ask: _Ask) -> Request:
        connection = self.connection
        shown: Credentials = connection.credentials(False)
        sent = {"Accept": JSON, "User-Agent": self.manager, **ask.headers}
        if shown.token is not None:
            sent["Authorization"] = f"Bearer {shown.token.reveal()}"
        trust = connection.trust
        if shown.identity is not None:
            trust = replace(trust, identity=shown.identity)
        return Request(
            url=f"{connection.server}{ask.path}{'?' + urlencode(ask.query) if ask.query else ''}",
            method=ask.method,
            headers=sent,
            more=tuple(connection.impersonate.headers()),
            body=ask.body,
            trust=trust,
            seconds=max(ask.seconds, 0.001),
            plain=connection.server.startswith("http://") and shown.token is None,
            repeatable=ask.method == "GET",
            proxy=connection.proxy,
        )


def path_of(resource: Resource, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of a collection, an object, or a subresource of one."""
    gvr = resource.gvr
    steps = ["apis", gvr.group, gvr.version] if gvr.group else ["api", gvr.version]
    if resource.namespaced and namespace:
        steps += ["namespaces", namespace]
    steps += [gvr.resource, *(step for step in (name, subresource) if step)]
    return "/" + "/".join(quote(step, safe="") for step in steps)


def _namespace(value: Raw) -> str:
    return str(value["metadata"].get("namespace") or "")


def _patience(response: Response) -> float | None:
    """How long the server asks to wait, None if it does not. What failed with 5xx may have been done."""
    if response.status != 429:
        return None
    (text, *_) = (*response.headers.get("retry-after", ()), "1")
    return min(float(text), LATER) if text.isascii() and text.isdigit() else 1.0


def _refusal(body: bytes, code: int, what: str) -> Refused:
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = {}
    return Refused(status if isinstance(status, dict) else {}, code, what)


def _event(line: bytes) -> Event:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict) or not isinstance(value.get("object"), dict):
        message = "a line of a watch is no event"
        raise DiagnosticError(Diagnostic(code=codes.BAD_ANSWER, message=message))
    return Event(str(value.get("type")), value["object"])


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a stream; one that has no end is broken off."""
    rest: list[bytes] = []
    size = 0
    async for piece in pieces:
        *whole, last = piece.split(b"\n")
        for line in whole:
            yield b"".join((*rest, line))
            rest, size = [], 0
        rest.append(last)
        size += len(last)
        if size > MAX_LINE:
            message = f"a line of a watch is longer than {MAX_LINE} bytes"
            raise DiagnosticError(Diagnostic(code=codes.BAD_ANSWER, message=message))


__all__ = [
    "APPLY",
    "EVERYTHING",
    "JSON_PATCH",
    "MERGE",
    "STRATEGIC",
    "Client",
    "Conflict",
    "Event",
    "Refused",
    "Resource",
    "Selection",
    "WebError",
    "path_of",
]
