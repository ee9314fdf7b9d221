"""Tokens for the rest of a list, as kube-apiserver writes and reads them (apiserver ``storage/continue.go``).

A token is JSON in base64 without padding: the version of the list, and the key after which it goes on.
"""

from __future__ import annotations

import base64
import posixpath
from typing import Any, Final

import orjson

from sekisho.apiserver import status
from sekisho.apiserver.gojson import kind_of, syntax_text
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import Place
from sekisho.lang.faults import BuiltinFault

VERSION: Final = "meta.k8s.io/v1"
NOT_VALID: Final = "continue key is not valid"
START: Final = f"incorrect encoded start resourceVersion (version {VERSION})"
EMPTY: Final = f"encoded start key empty (version {VERSION})"
FIELDS: Final = (("v", str, "string"), ("rv", int, "int64"), ("start", str, "string"))

Start = tuple[str, str]
"""Namespace and name of the last object of the page before."""


def token(version: int, last: Place) -> str:
    """The token for what comes after an object."""
    key = f"{last.namespace}/{last.name}" if last.namespace else last.name
    row = {"v": VERSION, "rv": version, "start": f"{key}\0"}
    return base64.urlsafe_b64encode(orjson.dumps(row)).decode().rstrip("=")


def read(text: str) -> tuple[int, Start]:
    """Version and start of a token. Raises ApiError (400)."""
    row = _decoded(text)
    if row.get("v", "") != VERSION:
        raise _invalid(f"server does not recognize this encoded version {row.get('v', '')}")
    if not row.get("rv"):
        raise _invalid(START)
    start = row.get("start") or ""
    if not start:
        raise _invalid(EMPTY)
    key = start if start.startswith("/") else f"/{start}"
    # No token leads out of the resource that it is for.
    if posixpath.normpath(key) != key or key.startswith("//"):
        raise _invalid(start)
    namespace, slash, name = key[1:].removesuffix("\0").rpartition("/")
    return row["rv"], (namespace if slash else "", name)


def _decoded(text: str) -> dict[str, Any]:
    from sekisho.lang.golang.base64text import decode_unpadded

    try:
        data = decode_unpadded(text, url=True)
    except BuiltinFault as fault:
        raise _invalid(str(fault)) from None
    try:
        row = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise _invalid(syntax_text(data)) from None
    if row is None:
        return {}
    if not isinstance(row, dict):
        raise _invalid(f"json: cannot unmarshal {kind_of(row)} into Go value of type storage.continueToken")
    for name, type, wanted in FIELDS:
        value = row.get(name)
        if value is not None and (not isinstance(value, type) or isinstance(value, bool)):
            where = f"Go struct field continueToken.{name} of type {wanted}"
            raise _invalid(f"json: cannot unmarshal {kind_of(value)} into {where}")
    return row


def _invalid(why: str) -> ApiError:
    return status.bad_request(f"invalid continue token: {NOT_VALID}: {why}")
