"""A Kubernetes object: a read-only view over its raw JSON, which is never copied.

A view never fails: what has the wrong type reads as absent. ``load`` is the way in for what strangers wrote;
it checks the shape that everything else relies on (``apiVersion``, ``kind``, ``metadata``) first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, ObjectPath, ObjectRef, Origin, Path
from sekisho.kube import codes, fielderror
from sekisho.kube.gvk import GVK, well_formed_api_version
from sekisho.kube.names import generate_name_check, name_check

Raw = Mapping[str, Any]
"""A JSON object as it came from the wire."""

_EMPTY: Final[dict[str, Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerReference:
    """An entry of ``metadata.ownerReferences``."""

    api_version: str
    kind: str
    name: str
    uid: str = ""
    controller: bool = False

    @property
    def gvk(self) -> GVK:
        """The owner's kind."""
        return GVK.of(self.api_version, self.kind)


class Object:
    """A view over a raw object. ``origin`` knows where its paths stand in a file, if it came from one.

    ``raw`` is shared with whoever made it and stays as it is; a changed object is a new one (``replaced``).
    """

    __slots__ = ("gvk", "origin", "raw")

    def __init__(self, raw: Raw, origin: Origin | None = None) -> None:
        self.raw = raw
        self.origin = origin
        self.gvk = GVK.of(_text(raw, "apiVersion"), _text(raw, "kind"))

    def __repr__(self) -> str:
        return f"<{self.gvk.kind} {self.namespace}/{self.name}>"

    @property
    def api_version(self) -> str:
        """``v1`` or ``apps/v1``."""
        return self.gvk.api_version

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.gvk.kind

    @property
    def metadata(self) -> Raw:
        """``metadata``, empty when absent."""
        return _mapping(self.raw, "metadata")

    @property
    def name(self) -> str:
        """``metadata.name``; empty when the server will generate it."""
        return _text(self.metadata, "name")

    @property
    def generate_name(self) -> str:
        """``metadata.generateName``: the prefix of a name that the server makes up."""
        return _text(self.metadata, "generateName")

    @property
    def namespace(self) -> str:
        """``metadata.namespace``; empty for cluster-scoped objects and those that leave it out."""
        return _text(self.metadata, "namespace")

    @property
    def uid(self) -> str:
        """``metadata.uid``; empty for what no server has stored."""
        return _text(self.metadata, "uid")

    @property
    def resource_version(self) -> str:
        """``metadata.resourceVersion``; empty for what no server has stored."""
        return _text(self.metadata, "resourceVersion")

    @property
    def labels(self) -> Mapping[str, str]:
        """``metadata.labels``, empty when absent."""
        return _mapping(self.metadata, "labels")

    @property
    def annotations(self) -> Mapping[str, str]:
        """``metadata.annotations``, empty when absent."""
        return _mapping(self.metadata, "annotations")

    @property
    def owner_references(self) -> tuple[OwnerReference, ...]:
        """``metadata.ownerReferences``; malformed entries are left out."""
        rows = self.metadata.get("ownerReferences")
        return tuple(
            OwnerReference(
                api_version=_text(row, "apiVersion"),
                kind=_text(row, "kind"),
                name=_text(row, "name"),
                uid=_text(row, "uid"),
                controller=row.get("controller") is True,
            )
            for row in (rows if isinstance(rows, list) else ())
            if isinstance(row, Mapping)
        )

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that controls this object, if one does."""
        return next((owner for owner in self.owner_references if owner.controller), None)

    @property
    def is_namespace(self) -> bool:
        """Whether this is a Namespace, which several rules treat apart."""
        return self.gvk.kind == "Namespace" and self.gvk.group == ""

    def get(self, *path: str | int) -> Any:
        """The value at a path, None where it is absent (or null)."""
        return value_at(self.raw, path)

    def ref(self) -> ObjectRef:
        """Which object this is. One without a name goes by ``generateName``."""
        return ObjectRef(
            group_version=self.gvk.api_version,
            kind=self.gvk.kind,
            namespace=self.namespace,
            name=self.name or self.generate_name,
        )

    def at(self, *path: str | int, key: bool = False) -> ObjectPath:
        """A place inside this object, for a diagnostic; ``key`` points at the key instead of the value."""
        return ObjectPath(ref=self.ref(), path=path, origin=self.origin, key=key)

    def replaced(self, raw: Raw) -> Object:
        """A changed object from the same origin: patched, or with defaults."""
        return Object(raw, self.origin)


def value_at(value: Any, path: Path) -> Any:
    """The value at a path inside a JSON value, None where it is absent."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or not 0 <= step < len(value):
                return None
            value = value[step]
        elif isinstance(value, Mapping):
            value = value.get(step)
        else:
            return None
    return value


def load(raw: Any, origin: Origin | None = None) -> Object:
    """The object that a document holds; raises DiagnosticError (KUB001-KUB003) if it is none."""
    problems = shape_problems(raw, origin)
    if problems:
        raise DiagnosticError(problems)
    return Object(raw, origin)


def shape_problems(raw: Any, origin: Origin | None = None) -> tuple[Diagnostic, ...]:
    """What keeps a document from being an object that can be judged at all."""
    if not isinstance(raw, dict):
        message = f"a Kubernetes object is a mapping, this is of type {fielderror.type_name(raw)}"
        at = ObjectPath(ref=ObjectRef(group_version="", kind=""), origin=origin)
        return (Diagnostic(code=codes.NOT_AN_OBJECT, message=message, at=at),)
    if not raw.get("apiVersion") and not raw.get("kind"):
        message = "this is no Kubernetes object: it has neither apiVersion nor kind"
        at = ObjectPath(ref=ObjectRef(group_version="", kind=""), origin=origin)
        return (Diagnostic(code=codes.NOT_AN_OBJECT, message=message, at=at),)
    object = Object(raw, origin)
    return (*_type_problems(object), *_metadata_problems(object))


def name_problems(object: Object) -> tuple[Diagnostic, ...]:
    """What the API server would refuse of the object's name; separate, since some inputs need no name."""
    name, generated = object.name, object.generate_name
    if not name and not generated:
        message = fielderror.required(("metadata", "name"), "name or generateName is required")
        return (_problem(codes.NO_NAME, object, ("metadata",), message),)
    if name:
        path: Path = ("metadata", "name")
        wrong = name_check(object.gvk)(name)
    else:
        path, name = ("metadata", "generateName"), generated
        wrong = generate_name_check(object.gvk)(name)
    return tuple(
        _problem(codes.BAD_NAME, object, path, fielderror.invalid(path, name, message)) for message in wrong
    )


def _type_problems(object: Object) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    for field in ("apiVersion", "kind"):
        value = object.raw.get(field)
        if value is None or value == "":
            found.append(_problem(codes.BAD_API_VERSION, object, (), f"{field} not set"))
        elif not isinstance(value, str):
            message = fielderror.wrong_type((field,), value, "string")
            found.append(_problem(codes.BAD_API_VERSION, object, (field,), message))
        elif field == "apiVersion" and not well_formed_api_version(value):
            message = f"unexpected GroupVersion string: {value}"
            found.append(_problem(codes.BAD_API_VERSION, object, (field,), message))
    return found


_METADATA_TYPES: Final[tuple[tuple[str, type, str], ...]] = (
    ("name", str, "string"),
    ("generateName", str, "string"),
    ("namespace", str, "string"),
    ("uid", str, "string"),
    ("resourceVersion", str, "string"),
    ("labels", dict, "object"),
    ("annotations", dict, "object"),
    ("ownerReferences", list, "array"),
)


def _metadata_problems(object: Object) -> list[Diagnostic]:
    raw = object.raw.get("metadata")
    if raw is None:
        return []
    if not isinstance(raw, dict):
        message = fielderror.wrong_type(("metadata",), raw, "object")
        return [_problem(codes.BAD_METADATA, object, ("metadata",), message)]
    found: list[Diagnostic] = []
    for field, wanted, word in _METADATA_TYPES:
        value = raw.get(field)
        if value is not None and not isinstance(value, wanted):
            path: Path = ("metadata", field)
            message = fielderror.wrong_type(path, value, word)
            found.append(_problem(codes.BAD_METADATA, object, path, message))
    for field in ("labels", "annotations"):
        for key, value in _mapping(raw, field).items():
            if not isinstance(value, str):
                path = ("metadata", field, key)
                message = fielderror.wrong_type(path, value, "string")
                found.append(_problem(codes.BAD_METADATA, object, path, message))
    return found


def _problem(code: Code, object: Object, path: Path, message: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, at=object.at(*path))


def _text(raw: Raw, field: str) -> str:
    value = raw.get(field)
    return value if isinstance(value, str) else ""


def _mapping(raw: Raw, field: str) -> Raw:
    value = raw.get(field)
    return value if isinstance(value, Mapping) else _EMPTY
