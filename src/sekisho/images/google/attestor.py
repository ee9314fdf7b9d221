"""Attestors (``projects/*/attestors/*``, v1): a note, and the keys that may sign what is attached to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import DiagnosticError, Path
from sekisho.images import codes
from sekisho.images.signing.keys import BadKeyError, PublicKey, public_key
from sekisho.images.signing.pgp import PgpKey, pgp_key
from sekisho.kube.decode import Anything, Field, ListOf, Reading, Refused, Struct, Text
from sekisho.kube.object import Object

NOTE: Final = re.compile(r"projects/[A-Za-z0-9.:-]+/notes/[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestor:
    """Who attests. Any one key suffices; without keys nothing is ever verified."""

    name: str
    note: str
    keys: tuple[PublicKey, ...] = ()
    pgp_keys: tuple[PgpKey, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pkix:
    pem: str
    algorithm: str
    key_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    id: str
    comment: str
    pkix: _Pkix | None
    pgp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    name: str
    note: str
    keys: tuple[_Key, ...]
    description: str
    etag: str
    updated: Any
    account: str


def _check_key(key: _Key) -> Iterable[tuple[Path, str]]:
    if (key.pkix is None) == (not key.pgp):
        yield (), "a key is either pkixPublicKey or asciiArmoredPgpPublicKey"


_PKIX: Final = Struct(
    _Pkix,
    Field("pem", "publicKeyPem", Text()),
    Field("algorithm", "signatureAlgorithm", Text()),
    Field("key_id", "keyId", Text(empty=True), ""),
)
_KEY: Final = Struct(
    _Key,
    Field("id", "id", Text(empty=True), ""),
    Field("comment", "comment", Text(empty=True), ""),
    Field("pkix", "pkixPublicKey", _PKIX, None),
    Field("pgp", "asciiArmoredPgpPublicKey", Text(empty=True), ""),
    check=_check_key,
)
ATTESTOR: Final = Struct(
    _Written,
    Field("name", "name", Text()),
    Field("note", "userOwnedGrafeasNote.noteReference", Text()),
    Field("keys", "userOwnedGrafeasNote.publicKeys", ListOf(_KEY), ()),
    Field("account", "userOwnedGrafeasNote.delegationServiceAccountEmail", Text(empty=True), ""),
    Field("description", "description", Text(empty=True), ""),
    Field("etag", "etag", Text(empty=True), ""),
    Field("updated", "updateTime", Anything(), None),
)


def read_attestor(object: Object) -> Attestor:
    """The attestor that a document is; raises DiagnosticError (IMG004-IMG005, KUB040-KUB043)."""
    reading = Reading(object)
    try:
        written = ATTESTOR.read(object.raw, (), reading)
    except Refused:
        raise DiagnosticError(reading.problems) from None
    note: Path = ("userOwnedGrafeasNote",)
    if not NOTE.fullmatch(written.note):
        path = (*note, "noteReference")
        reading.report(codes.BAD_ATTESTOR, path, f"{written.note}: a note is projects/PROJECT/notes/NAME")
    keys: list[PublicKey] = []
    pgp_keys: list[PgpKey] = []
    for index, row in enumerate(written.keys):
        try:
            if row.pkix is None:
                pgp_keys.append(pgp_key(row.pgp))
            else:
                id = row.id or row.pkix.key_id
                keys.append(public_key(row.pkix.pem, algorithm=row.pkix.algorithm, id=id))
        except BadKeyError as error:
            at = (*note, "publicKeys", index)
            reading.report(codes.BAD_KEY, at, f"a key of {written.name} cannot be used: {error}")
    if reading.problems:
        raise DiagnosticError(reading.problems)
    return Attestor(
        name=written.name,
        note=written.note,
        keys=tuple(keys),
        pgp_keys=tuple(pgp_keys),
        description=written.description,
    )
