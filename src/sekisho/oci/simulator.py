"""A registry on the loopback, for demonstrations and tests: the distribution specification, and its troubles.

It holds what it was given in memory, takes what is pushed, and misbehaves as it is told: a ``Fault`` is about
one kind of question, and lasts for a number of answers.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qs

from sekisho.oci.content import INDEX, INDEXES, MANIFESTS, digest_of
from sekisho.web.server import Incoming, Outgoing, Server

MAX_BODY: Final = 256 * 1024 * 1024
PAGE: Final = 2
"""Entries of a page of a list, where pages are wanted: few, so that there are several."""

HUGE: Final = 1_000_000_000

_ROUTE: Final = re.compile(r"/v2/(.+)/(manifests|blobs|referrers|tags)/(.+)")
_REALM: Final = "/token"


@dataclass(slots=True, kw_only=True)
class Fault:
    """One way to misbehave. ``what`` is manifests, blobs, referrers, tags or token; ``times`` -1 is always.

    ``kind``: ``status`` (with ``status`` and perhaps ``retry_after``), ``wrong`` (other bytes),
    ``truncated``, ``slow`` (a byte at a time), ``hang`` (nothing), ``huge`` (a gigabyte), ``redirect`` (to
    ``to``), ``type`` (another media type), ``absent`` (404), ``garbage`` (no JSON).
    """

    what: str
    kind: str
    times: int = -1
    status: int = 500
    retry_after: str = ""
    to: str = ""


@dataclass(slots=True)
class Store:
    """What one repository holds: manifests and blobs by digest, tags."""

    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def referrers(self, subject: str) -> list[dict[str, Any]]:
        """The descriptors of what refers to a manifest."""
        rows = []
        for digest, (media_type, body) in self.manifests.items():
            value = json.loads(body)
            if (value.get("subject") or {}).get("digest") != subject:
                continue
            kind = value.get("artifactType") or (value.get("config") or {}).get("mediaType") or ""
            row = {"mediaType": media_type, "digest": digest, "size": len(body), "artifactType": kind}
            rows.append({**row, "annotations": value.get("annotations") or {}})
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What kind of registry it is.

    ``users`` (name → password) makes it ask for tokens; with ``anonymous`` they are given to nobody too.
    ``basic``: it asks for the password itself. ``pages``: lists come in pages.
    """

    users: Mapping[str, str] = field(default_factory=dict)
    tokens: bool = False
    anonymous: bool = True
    basic: bool = False
    referrers: bool = True
    pages: bool = False


class Registry:
    """The registry. ``async with`` runs it; ``seen`` are the questions, as method and path."""

    def __init__(self, traits: Traits = Traits()) -> None:
        self.traits = traits
        self.faults: list[Fault] = []
        self.repositories: dict[str, Store] = {}
        self.seen: list[str] = []
        self.shown: list[str] = []
        self.port = 0
        self._server = Server(self._handle, max_body=MAX_BODY)
        self._uploads: dict[str, bytes] = {}

    @property
    def host(self) -> str:
        """The registry's name in references."""
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Registry:
        self.port = await self._server.start("127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.stop()

    def store(self, repository: str) -> Store:
        """A repository, made if it is not there."""
        return self.repositories.setdefault(repository, Store())

    def put_blob(self, repository: str, body: bytes) -> dict[str, Any]:
        """Put a blob; its descriptor without a media type."""
        digest = digest_of(body)
        self.store(repository).blobs[digest] = body
        return {"digest": digest, "size": len(body)}

    def put_manifest(self, repository: str, value: Mapping[str, Any], tag: str = "") -> str:
        """Put a manifest or an index; its digest."""
        body = json.dumps(value).encode()
        digest = digest_of(body)
        store = self.store(repository)
        store.manifests[digest] = (str(value["mediaType"]), body)
        if tag:
            store.tags[tag] = digest
        return digest

    async def _handle(self, incoming: Incoming) -> Outgoing:
        self.seen.append(f"{incoming.method} {incoming.path}")
        self.shown.append(incoming.headers.get("Authorization", ""))
        if incoming.path == _REALM:
            return await self._faulty("token", lambda: self._token(incoming))
        if incoming.path == "/v2/":
            return self._refused(incoming, "") or _json({})
        route = _ROUTE.fullmatch(incoming.path)
        if route is None:
            return _error(404, "NAME_UNKNOWN")
        name, what, which = route.groups()
        refused = self._refused(incoming, name)
        if refused is not None:
            return refused
        return await self._faulty(what, lambda: self._answer(incoming, name, what, which))

    # Who asks.

    def _refused(self, incoming: Incoming, name: str) -> Outgoing | None:
        header = incoming.headers.get("Authorization", "")
        if self.traits.basic and not self._knows(header):
            return _error(401, "UNAUTHORIZED", ("WWW-Authenticate", 'Basic realm="registry"'))
        if not self.traits.tokens:
            return None
        want = "pull" if incoming.method in ("GET", "HEAD") else "push"
        if header.startswith("Bearer ") and want in _granted(header, name):
            return None
        actions = "pull" if want == "pull" else "pull,push"
        realm = f"http://{self.host}{_REALM}"
        challenge = f'Bearer realm="{realm}",service="{self.host}",scope="repository:{name}:{actions}"'
        return _error(401, "UNAUTHORIZED", ("WWW-Authenticate", challenge))

    def _knows(self, header: str) -> bool:
        scheme, _, text = header.partition(" ")
        if scheme != "Basic":
            return False
        user, _, password = base64.b64decode(text).decode().partition(":")
        return user in self.traits.users and self.traits.users[user] == password

    def _token(self, incoming: Incoming) -> Outgoing:
        """A token: what it is for, in plain text. It proves nothing; this is a simulator."""
        header = incoming.headers.get("Authorization", "")
        query = dict(incoming.query)
        if incoming.method == "POST":
            form = {key: rows[0] for key, rows in parse_qs((incoming.body or b"").decode()).items()}
            if form.get("refresh_token") not in self.traits.users.values():
                return _error(401, "UNAUTHORIZED")
            query = form
        elif (header and not self._knows(header)) or (not header and not self.traits.anonymous):
            return _error(401, "UNAUTHORIZED")
        granted = base64.urlsafe_b64encode(query.get("scope", "").encode()).decode()
        return _json({"token": granted, "expires_in": 300})

    # Troubles.

    async def _faulty(self, what: str, answer: Callable[[], Outgoing]) -> Outgoing:
        fault = next((row for row in self.faults if row.what == what and row.times != 0), None)
        if fault is None:
            return answer()
        fault.times -= 1
        if fault.kind == "hang":
            await asyncio.sleep(3600)
        if fault.kind == "status":
            later = [("Retry-After", fault.retry_after)] if fault.retry_after else []
            return _error(fault.status, "UNAVAILABLE", *later)
        if fault.kind == "absent":
            return _error(404, "UNKNOWN")
        if fault.kind == "redirect":
            return Outgoing(code=307, headers=[("Location", fault.to)])
        return _spoiled(fault.kind, answer())

    # Content.

    def _answer(self, incoming: Incoming, name: str, what: str, which: str) -> Outgoing:
        rows: dict[tuple[str, str], Callable[[Incoming, str, str], Outgoing]] = {
            ("GET", "manifests"): self._get_manifest,
            ("HEAD", "manifests"): self._get_manifest,
            ("PUT", "manifests"): self._put_manifest,
            ("GET", "blobs"): self._get_blob,
            ("HEAD", "blobs"): self._get_blob,
            ("POST", "blobs"): self._begin_upload,
            ("PATCH", "blobs"): self._upload,
            ("PUT", "blobs"): self._end_upload,
            ("GET", "referrers"): self._get_referrers,
            ("GET", "tags"): self._get_tags,
        }
        found = rows.get((incoming.method, what))
        return _error(405, "UNSUPPORTED") if found is None else found(incoming, name, which)

    def _get_manifest(self, _: Incoming, name: str, which: str) -> Outgoing:
        store = self.repositories.get(name, Store())
        digest = store.tags.get(which, which)
        found = store.manifests.get(digest)
        if found is None:
            return _error(404, "MANIFEST_UNKNOWN")
        headers = [("Content-Type", found[0]), ("Docker-Content-Digest", digest)]
        return Outgoing(headers=headers, body=found[1])

    def _put_manifest(self, incoming: Incoming, name: str, which: str) -> Outgoing:
        body, media_type = incoming.body or b"", incoming.headers.get("Content-Type", "")
        digest = digest_of(body)
        if media_type not in MANIFESTS | INDEXES or (":" in which and which != digest):
            return _error(400, "MANIFEST_INVALID")
        store = self.store(name)
        store.manifests[digest] = (media_type, body)
        if ":" not in which:
            store.tags[which] = digest
        subject = (json.loads(body).get("subject") or {}).get("digest")
        headers = [("Location", f"/v2/{name}/manifests/{digest}"), ("Docker-Content-Digest", digest)]
        if subject and self.traits.referrers:
            headers.append(("OCI-Subject", str(subject)))
        return Outgoing(code=201, headers=headers)

    def _get_blob(self, _: Incoming, name: str, which: str) -> Outgoing:
        body = self.repositories.get(name, Store()).blobs.get(which)
        if body is None:
            return _error(404, "BLOB_UNKNOWN")
        return Outgoing(headers=[("Content-Type", "application/octet-stream")], body=body)

    def _begin_upload(self, _: Incoming, name: str, which: str) -> Outgoing:  # noqa: ARG002 - a handler's form
        number = f"uploads/{len(self._uploads) + 1}"
        self._uploads[number] = b""
        return Outgoing(code=202, headers=[("Location", f"/v2/{name}/blobs/{number}?state=x")])

    def _upload(self, incoming: Incoming, name: str, which: str) -> Outgoing:
        if which not in self._uploads:
            return _error(404, "BLOB_UPLOAD_UNKNOWN")
        self._uploads[which] += incoming.body or b""
        range_ = f"0-{max(0, len(self._uploads[which]) - 1)}"
        return Outgoing(code=202, headers=[("Location", f"/v2/{name}/blobs/{which}"), ("Range", range_)])

    def _end_upload(self, incoming: Incoming, name: str, which: str) -> Outgoing:
        body = self._uploads.get(which, b"") + (incoming.body or b"")
        if dict(incoming.query).get("digest") != digest_of(body):
            return _error(400, "DIGEST_INVALID")
        self.put_blob(name, body)
        return Outgoing(code=201, headers=[("Location", f"/v2/{name}/blobs/{digest_of(body)}")])

    def _get_referrers(self, incoming: Incoming, name: str, which: str) -> Outgoing:
        if not self.traits.referrers:
            return _error(404, "UNSUPPORTED")
        query = dict(incoming.query)
        rows = self.store(name).referrers(which)
        kind = query.get("artifactType")
        headers = [("Content-Type", INDEX)]
        if kind:
            rows = [row for row in rows if row["artifactType"] == kind]
            headers.append(("OCI-Filters-Applied", "artifactType"))
        rows, more = self._page(rows, query)
        if more:
            headers.append(("Link", f'<{incoming.path}?n={PAGE}&last={more}>; rel="next"'))
        value = {"schemaVersion": 2, "mediaType": INDEX, "manifests": rows}
        return Outgoing(headers=headers, body=json.dumps(value).encode())

    def _get_tags(self, incoming: Incoming, name: str, which: str) -> Outgoing:
        if which != "list" or name not in self.repositories:
            return _error(404, "NAME_UNKNOWN")
        rows, more = self._page(sorted(self.repositories[name].tags), dict(incoming.query))
        answer = _json({"name": name, "tags": rows})
        link = [("Link", f'<{incoming.path}?n={PAGE}&last={more}>; rel="next"')] if more else []
        return Outgoing(headers=[*answer.headers, *link], body=answer.body)

    def _page(self, rows: list[Any], query: Mapping[str, str]) -> tuple[list[Any], int]:
        if not self.traits.pages:
            return rows, 0
        begin = int(query.get("last", "0"))
        end = begin + PAGE
        return rows[begin:end], end if end < len(rows) else 0


def _granted(header: str, name: str) -> list[str]:
    try:
        scope = base64.urlsafe_b64decode(header.removeprefix("Bearer ")).decode()
    except ValueError:
        return []
    head, _, actions = scope.rpartition(":")
    return actions.split(",") if head == f"repository:{name}" else []


def _spoiled(kind: str, answer: Outgoing) -> Outgoing:
    """An answer that is not what it should be."""
    if kind == "wrong":
        return Outgoing(headers=answer.headers, body=answer.body + b" ")
    if kind == "truncated":
        return Outgoing(headers=answer.headers, body=answer.body[:-1])
    if kind == "garbage":
        return Outgoing(headers=answer.headers, body=b"{not JSON")
    if kind == "type":
        rest = [row for row in answer.headers if row[0] != "Content-Type"]
        return Outgoing(headers=[*rest, ("Content-Type", INDEX)], body=answer.body)
    if kind == "slow":
        return Outgoing(headers=answer.headers, stream=_slowly(answer.body))
    if kind == "huge":
        return Outgoing(headers=answer.headers, stream=_hugely())
    raise AssertionError(f"no such fault: {kind}")


async def _slowly(body: bytes) -> AsyncIterator[bytes]:
    for at in range(len(body)):
        yield body[at : at + 1]
        await asyncio.sleep(0.1)


async def _hugely() -> AsyncIterator[bytes]:
    piece = b" " * 1_000_000
    for _ in range(HUGE // len(piece)):
        yield piece


def _error(status: int, code: str, *headers: tuple[str, str]) -> Outgoing:
    body = {"errors": [{"code": code, "message": code.lower().replace("_", " ")}]}
    return Outgoing(
        code=status, headers=[("Content-Type", "application/json"), *headers], body=json.dumps(body).encode()
    )


def _json(value: Mapping[str, Any]) -> Outgoing:
    return Outgoing(headers=[("Content-Type", "application/json")], body=json.dumps(value).encode())
