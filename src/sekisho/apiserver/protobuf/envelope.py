"""The envelope: ``k8s`` and a zero byte, then a ``runtime.Unknown`` with the kind and the object's bytes."""

from __future__ import annotations

from typing import Any, Final

from sekisho.apiserver.protobuf.message import Decoder
from sekisho.apiserver.protobuf.wire import Malformed, Raw, fields, text
from sekisho.apiserver.release import MINOR
from sekisho.apiserver.status import bad_request
from sekisho.kube.gvk import GVK, parse_api_version
from sekisho.kube.schema.store import store

MAGIC: Final = b"k8s\0"

_TYPE, _RAW, _ENCODING = 1, 2, 3
_API_VERSION, _KIND = 1, 2

OPTIONS: Final = {
    kind: f"k8s.io.apimachinery.pkg.apis.meta.v1.{kind}"
    for kind in (
        "CreateOptions",
        "DeleteOptions",
        "GetOptions",
        "ListOptions",
        "PatchOptions",
        "UpdateOptions",
    )
}
"""Kinds that every group has."""


def read_object(body: bytes) -> dict[str, Any]:
    """The object in a body, as its JSON would be. Raises ApiError (400)."""
    try:
        return _read(body)
    except Malformed as error:
        raise bad_request(f"the body cannot be decoded as protobuf: {error}") from None


def _read(body: bytes) -> dict[str, Any]:
    if not body.startswith(MAGIC):
        raise Malformed(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    rows = _by_number(body[len(MAGIC) :])
    type = {number: text(value) for number, value in _by_number(rows.get(_TYPE, b"")).items()}
    api_version, kind = type.get(_API_VERSION, ""), type.get(_KIND, "")
    if rows.get(_ENCODING):
        raise Malformed("the content is encoded")
    if not kind or not api_version:
        raise Malformed("the envelope does not name a kind")
    group, version = parse_api_version(api_version)
    message = message_of(GVK(group, version, kind))
    if not message:
        raise bad_request(f'no kind "{kind}" is registered for version "{api_version}"')
    value = Decoder().message(message, rows.get(_RAW, b""))
    return {"apiVersion": api_version, "kind": kind, **value}


def message_of(gvk: GVK) -> str:
    """The full name of a kind's message; empty for one that has none."""
    if gvk.kind in OPTIONS:
        return OPTIONS[gvk.kind]
    facts = store().kind(gvk.group, gvk.version, gvk.kind, MINOR)
    if facts is None:
        return ""
    name = facts.definition.removeprefix("io.k8s.").replace("-", "_")
    return f"k8s.io.{name}"


def _by_number(data: bytes) -> dict[int, bytes]:
    """The fields of bytes, the last of each number."""

    def checked(value: Raw) -> bytes:
        if not isinstance(value, bytes):
            raise Malformed("bytes were expected in the envelope")
        return value

    return {number: checked(value) for number, _, value in fields(data)}
