"""Pushing: blobs and manifests into a repository, as far as signing needs it.

What is there already is not sent again. A blob goes in one piece; signatures and attestations are small.
"""

from __future__ import annotations

from typing import Final, Protocol
from urllib.parse import quote

import orjson

from sekisho.diag import Deadline
from sekisho.oci import codes
from sekisho.oci.asking import Ask, not_asked
from sekisho.oci.content import INDEX as INDEX_TYPE
from sekisho.oci.content import Content, Descriptor, Index, digest_of, parse, problem
from sekisho.oci.registry import Repository

ACTIONS: Final = "pull,push"


class Sink(Protocol):
    """What takes content: a repository (``Remote``), or a layout in a folder (``layout.WritableLayout``)."""

    async def put_blob(self, body: bytes, media_type: str, *, deadline: Deadline) -> Descriptor:
        """Put a blob."""
        ...

    async def put_manifest(
        self, body: bytes, media_type: str, *, deadline: Deadline, tag: str = ""
    ) -> Content:
        """Put a manifest or an index, under its digest, and a tag where one is named."""
        ...


class Remote(Repository):
    """A repository that content is put into: a ``Source`` and a ``Sink``."""

    async def put_blob(self, body: bytes, media_type: str, *, deadline: Deadline) -> Descriptor:
        """Put a blob. Raises DiagnosticError (OCI003, OCI004)."""
        return await put_blob(self, body, media_type, deadline=deadline)

    async def put_manifest(
        self, body: bytes, media_type: str, *, deadline: Deadline, tag: str = ""
    ) -> Content:
        """Put a manifest or an index; see the function."""
        return await put_manifest(self, body, media_type, deadline=deadline, tag=tag)


async def put_blob(repository: Repository, body: bytes, media_type: str, *, deadline: Deadline) -> Descriptor:
    """Put a blob into a repository. Raises DiagnosticError (OCI003, OCI004)."""
    digest = digest_of(body)
    found = Descriptor(media_type=media_type, digest=digest, size=len(body))
    there = await repository.ask(
        Ask(path=f"{repository.name}/blobs/{digest}", method="HEAD", actions=ACTIONS), deadline=deadline
    )
    if there.status == 200:
        return found
    begun = await repository.ask(
        Ask(path=f"{repository.name}/blobs/uploads/", method="POST", actions=ACTIONS, absent=frozenset()),
        deadline=deadline,
    )
    place = begun.header("location")
    if begun.status != 202 or not place:
        raise not_asked(repository, f"an upload is begun with HTTP status {begun.status}")
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(body))}
    ask = Ask(
        path=f"{place}{'&' if '?' in place else '?'}digest={quote(digest)}",
        method="PUT",
        headers=headers,
        body=body,
        actions=ACTIONS,
        absent=frozenset(),
    )
    await repository.ask(ask, deadline=deadline)
    return found


async def put_manifest(
    repository: Repository, body: bytes, media_type: str, *, deadline: Deadline, tag: str = ""
) -> Content:
    """Put a manifest or an index, under its digest or a tag. Raises DiagnosticError (OCI003 to OCI006).

    What has a subject is put into the list of the tag schema too, where the registry has no referrers API.
    """
    content = Content.of(body, media_type)
    found = parse(content)
    ask = Ask(
        path=f"{repository.name}/manifests/{quote(tag or content.digest, safe=':')}",
        method="PUT",
        headers={"Content-Type": media_type},
        body=body,
        actions=ACTIONS,
        absent=frozenset(),
    )
    reply = await repository.ask(ask, deadline=deadline)
    if found.subject is not None and not reply.header("oci-subject"):
        row = Descriptor(
            media_type=media_type,
            digest=content.digest,
            size=len(body),
            artifact_type=found.artifact_type if isinstance(found, Index) else found.type,
            annotations=found.annotations,
        )
        await _list(repository, found.subject.digest, row, deadline)
    return content


async def _list(repository: Repository, subject: str, row: Descriptor, deadline: Deadline) -> None:
    """The tag schema: an index under the subject's digest lists what refers to it."""
    tag = subject.replace(":", "-")
    content = await repository.manifest(tag, deadline=deadline)
    listed = parse(content) if content is not None else None
    if listed is not None and not isinstance(listed, Index):
        raise problem(codes.BAD_CONTENT, f"{repository}:{tag} is no index, so nothing can be listed there")
    rows = [] if listed is None else [one for one in listed.manifests if one.digest != row.digest]
    value = {
        "schemaVersion": 2,
        "mediaType": INDEX_TYPE,
        "manifests": [one.raw() for one in (*rows, row)],
    }
    await put_manifest(repository, orjson.dumps(value), INDEX_TYPE, deadline=deadline, tag=tag)
