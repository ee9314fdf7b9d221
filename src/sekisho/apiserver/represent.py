"""The form of an answer: whole objects, their metadata alone, or a Table.

A client asks by its Accept header (``application/json;as=Table;v=v1;g=meta.k8s.io,application/json``); the
first form that there is is taken. Whole objects are the stored bytes, never decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

import orjson

from sekisho.apiserver.route import Call
from sekisho.apiserver.status import not_acceptable
from sekisho.apiserver.store import Op, Row
from sekisho.apiserver.tables import row_conditions, table_columns, table_row
from sekisho.apiserver.types import ResourceType

JSON: Final = "application/json"
META: Final = "meta.k8s.io"
ANY: Final = ("*/*", "application/*", JSON, "application/yaml")
FINAL_EVENT: Final = "k8s.io/initial-events-end"


class Lines(Protocol):
    """Writes the lines of one watch."""

    def event(self, op: Op, row: Row) -> bytes:
        """A change."""

    def bookmark(self, version: int, *, initial_end: bool = False) -> bytes:
        """Nothing but the version; ``initial_end`` marks the end of what was there before."""


class Form(Protocol):
    """How objects are written."""

    def object(self, type: ResourceType, value: dict[str, Any], body: bytes | None = None) -> bytes:
        """One object; ``body`` is its JSON where that is at hand."""

    def list(self, type: ResourceType, metadata: dict[str, Any], rows: Sequence[Row]) -> bytes:
        """A list."""

    def watch(self, type: ResourceType) -> Lines:
        """The writer of a watch."""


def form_of(call: Call) -> Form:
    """The form that a request asks for. Raises ApiError (406)."""
    wanted = call.accept or JSON
    for clause in wanted.split(","):
        name, *rows = (part.strip() for part in clause.split(";"))
        parameters = dict(row.partition("=")[::2] for row in rows)
        shape = parameters.get("as", "")
        if name not in ANY:
            continue
        if not shape:
            return Whole()
        if parameters.get("g") != META or parameters.get("v") not in ("v1", "v1beta1"):
            continue
        version = f"{META}/{parameters['v']}"
        if shape == "Table":
            return Table(version, call.query.get("includeObject", "Metadata"))
        if shape in ("PartialObjectMetadata", "PartialObjectMetadataList"):
            return Partial(version)
    raise not_acceptable(f"{JSON}, application/yaml, application/vnd.kubernetes.protobuf")


class Whole:
    """Whole objects."""

    def object(self, type: ResourceType, value: dict[str, Any], body: bytes | None = None) -> bytes:  # noqa: ARG002
        """The object as it is stored."""
        return body if body is not None else orjson.dumps(value)

    def list(self, type: ResourceType, metadata: dict[str, Any], rows: Sequence[Row]) -> bytes:
        """The stored bytes, joined. Items of built-in kinds do not say what they are: the list does."""
        head = {"kind": type.kind_of_list, "apiVersion": type.api_version, "metadata": metadata}
        bodies = (row.body for row in rows) if type.custom is not None else _untyped(type, rows)
        return orjson.dumps(head)[:-1] + b',"items":[' + b",".join(bodies) + b"]}\n"

    def watch(self, type: ResourceType) -> Lines:
        """Lines with whole objects."""
        return _WholeLines(type)


def _untyped(type: ResourceType, rows: Sequence[Row]) -> Iterator[bytes]:
    """Bodies without apiVersion and kind, which most of them begin with: those are never decoded."""
    names = {"apiVersion": type.api_version, "kind": type.kind}
    heads = [orjson.dumps({key: names[key] for key in keys})[:-1] + b"," for keys in _ORDERS]
    for row in rows:
        body = row.body
        head = next((head for head in heads if body.startswith(head)), None)
        if head is not None:
            yield b"{" + body[len(head) :]
        else:
            yield orjson.dumps({key: value for key, value in row.load().items() if key not in names})


_ORDERS: Final = (("apiVersion", "kind"), ("kind", "apiVersion"))
"""How clients begin objects."""


class _WholeLines:
    def __init__(self, type: ResourceType) -> None:
        self._type = type

    def event(self, op: Op, row: Row) -> bytes:
        return b'{"type":"' + op.value.encode() + b'","object":' + row.body + b"}\n"

    def bookmark(self, version: int, *, initial_end: bool = False) -> bytes:
        return _bookmark(self._type.kind, self._type.api_version, version, initial_end)


def _bookmark(kind: str, api_version: str, version: int, initial_end: bool, **more: Any) -> bytes:
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if initial_end:
        metadata["annotations"] = {FINAL_EVENT: "true"}
    object = {"kind": kind, "apiVersion": api_version, "metadata": metadata, **more}
    return orjson.dumps({"type": "BOOKMARK", "object": object}) + b"\n"


class Partial:
    """Metadata alone."""

    def __init__(self, version: str) -> None:
        self._version = version

    def object(self, type: ResourceType, value: dict[str, Any], body: bytes | None = None) -> bytes:  # noqa: ARG002
        """A PartialObjectMetadata."""
        return orjson.dumps(self._partial(value))

    def _partial(self, value: dict[str, Any]) -> dict[str, Any]:
        return {
            "kind": "PartialObjectMetadata",
            "apiVersion": self._version,
            "metadata": value.get("metadata") or {},
        }

    def list(self, type: ResourceType, metadata: dict[str, Any], rows: Sequence[Row]) -> bytes:  # noqa: ARG002
        """A PartialObjectMetadataList."""
        return orjson.dumps(
            {
                "kind": "PartialObjectMetadataList",
                "apiVersion": self._version,
                "metadata": metadata,
                "items": [self._partial(row.load()) for row in rows],
            }
        )

    def watch(self, type: ResourceType) -> Lines:  # noqa: ARG002 - the form is the same for all
        """Lines with metadata."""
        return _PartialLines(self._version, self._partial)


class _PartialLines:
    def __init__(self, version: str, partial: Any) -> None:
        self._version = version
        self._partial = partial

    def event(self, op: Op, row: Row) -> bytes:
        return orjson.dumps({"type": op.value, "object": self._partial(row.load())}) + b"\n"

    def bookmark(self, version: int, *, initial_end: bool = False) -> bytes:
        return _bookmark("PartialObjectMetadata", self._version, version, initial_end)


class Table:
    """What ``kubectl get`` prints. ``include`` is None, Metadata or Object: what comes with each row."""

    def __init__(self, version: str, include: str) -> None:
        self._version = version
        self._include = include

    def table(
        self,
        type: ResourceType,
        metadata: dict[str, Any],
        values: Sequence[dict[str, Any]],
        *,
        columns: bool = True,
    ) -> dict[str, Any]:
        """The Table of these objects; ``columns`` is false for later events of a watch."""
        return {
            "kind": "Table",
            "apiVersion": self._version,
            "metadata": metadata,
            "columnDefinitions": table_columns(type) if columns else None,
            "rows": [self._row(type, value) for value in values],
        }

    def _row(self, type: ResourceType, value: dict[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {"cells": table_row(type, value)}
        if conditions := row_conditions(type, value):
            row["conditions"] = conditions
        if self._include == "Object":
            row["object"] = value
        elif self._include != "None":
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": self._version,
                "metadata": value.get("metadata") or {},
            }
        return row

    def object(self, type: ResourceType, value: dict[str, Any], body: bytes | None = None) -> bytes:  # noqa: ARG002
        """A Table of one row."""
        version = (value.get("metadata") or {}).get("resourceVersion", "")
        return orjson.dumps(self.table(type, {"resourceVersion": version}, [value]))

    def list(self, type: ResourceType, metadata: dict[str, Any], rows: Sequence[Row]) -> bytes:
        """A Table of all rows."""
        return orjson.dumps(self.table(type, metadata, [row.load() for row in rows]))

    def watch(self, type: ResourceType) -> Lines:
        """Lines with Tables; the first one has the columns."""
        return _TableLines(self, type, self._version)


class _TableLines:
    def __init__(self, form: Table, type: ResourceType, version: str) -> None:
        self._form = form
        self._type = type
        self._version = version
        self._first = True

    def event(self, op: Op, row: Row) -> bytes:
        metadata = {"resourceVersion": str(row.version)}
        table = self._form.table(self._type, metadata, [row.load()], columns=self._first)
        self._first = False
        return orjson.dumps({"type": op.value, "object": table}) + b"\n"

    def bookmark(self, version: int, *, initial_end: bool = False) -> bytes:
        return _bookmark("Table", self._version, version, initial_end, columnDefinitions=None, rows=[])
