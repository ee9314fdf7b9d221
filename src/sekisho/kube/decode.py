"""One declarative decoder for the custom resources of this project.

A kind is described by rows: field path, type, default. Decoding gives the frozen dataclass, or every
problem at once, each at its field: unknown fields (with the nearest known one), wrong types, missing
fields, values that are not allowed. ``Struct.schema`` is the same shape as an OpenAPI schema, which the tests
compare with the CRD file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, Generic, Protocol, TypeVar

from sekisho.diag import Code, Diagnostic, DiagnosticError, Path
from sekisho.kube import codes, fielderror
from sekisho.kube.object import Object
from sekisho.kube.selectors import Selector, label_selector, label_selector_problems

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=Enum)

REQUIRED: Final = object()
"""The default of a field that has none."""


class Refused(Exception):
    """A value was refused, and the problem is recorded."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One object being decoded, and what was found wrong so far."""

    object: Object
    problems: list[Diagnostic] = field(default_factory=list)

    def report(self, code: Code, path: Path, message: str, *, key: bool = False, help: str = "") -> None:
        """Record a problem at a path."""
        at = self.object.at(*path, key=key)
        self.problems.append(Diagnostic(code=code, message=message, at=at, help=help))

    def refuse(self, code: Code, path: Path, message: str) -> Refused:
        """Record a problem and give the exception to raise."""
        self.report(code, path, message)
        return Refused()


class Type(Protocol[T_co]):
    """How one JSON value is read."""

    def read(self, value: Any, path: Path, reading: Reading) -> T_co:
        """The decoded value; raises Refused once the problem is recorded."""

    def schema(self) -> dict[str, Any]:
        """The OpenAPI schema that accepts the same values."""


def _expect(value: Any, kind: type, word: str, path: Path, reading: Reading) -> None:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        message = fielderror.wrong_type(path, value, word)
        raise reading.refuse(codes.WRONG_TYPE, path, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string, not empty unless ``empty``."""

    empty: bool = False

    def read(self, value: Any, path: Path, reading: Reading) -> str:
        """The string."""
        _expect(value, str, "string", path, reading)
        if not value and not self.empty:
            message = fielderror.in_body(path, value, "should be at least 1 chars long")
            raise reading.refuse(codes.BAD_VALUE, path, message)
        return str(value)

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        return {"type": "string"} if self.empty else {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class Choice(Generic[E]):
    """One word out of a list: spelling → value."""

    words: Mapping[str, E]

    def read(self, value: Any, path: Path, reading: Reading) -> E:
        """The value that the word stands for."""
        _expect(value, str, "string", path, reading)
        if value not in self.words:
            message = fielderror.not_supported(path, value, tuple(self.words))
            raise reading.refuse(codes.BAD_VALUE, path, message)
        return self.words[value]

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer:
    """A whole number within bounds, both included."""

    minimum: int
    maximum: int

    def read(self, value: Any, path: Path, reading: Reading) -> int:
        """The number."""
        _expect(value, int, "integer", path, reading)
        number = int(value)
        for bad, word, bound in (
            (number < self.minimum, "greater", self.minimum),
            (number > self.maximum, "less", self.maximum),
        ):
            if bad:
                detail = f"should be {word} than or equal to {bound}"
                message = fielderror.in_body(path, number, detail)
                raise reading.refuse(codes.BAD_VALUE, path, message)
        return number

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""

    def read(self, value: Any, path: Path, reading: Reading) -> bool:
        """The truth value."""
        _expect(value, bool, "boolean", path, reading)
        return bool(value)

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        return {"type": "boolean"}


_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Time:
    """A moment as RFC 3339 writes it, with its zone; read as an aware datetime in UTC."""

    def read(self, value: Any, path: Path, reading: Reading) -> datetime:
        """The moment."""
        _expect(value, str, "string", path, reading)
        moment = parse_time(value)
        if moment is None:
            detail = f"must be of type date-time: {fielderror.shown(value)}"
            raise reading.refuse(codes.BAD_VALUE, path, fielderror.in_body(path, value, detail))
        return moment

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        return {"type": "string", "format": "date-time"}


def parse_time(text: str) -> datetime | None:
    """An RFC 3339 time in UTC, None if it is none. Digits past the microsecond are dropped."""
    if not text.isascii() or not _TIME.fullmatch(text):
        return None
    text = re.sub(r"(\.\d{6})\d+", r"\1", text.upper())
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_DURATION: Final = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time of whole hours, minutes and seconds, as Go writes it: ``168h``, ``1h30m``."""

    def read(self, value: Any, path: Path, reading: Reading) -> timedelta:
        """The span; it is longer than nothing."""
        _expect(value, str, "string", path, reading)
        found = _DURATION.fullmatch(value)
        span = timedelta()
        if found:
            hours, minutes, seconds = (int(part or 0) for part in found.groups())
            span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if not span:
            detail = f"must be a duration such as 168h or 1h30m: {fielderror.shown(value)}"
            raise reading.refuse(codes.BAD_VALUE, path, fielderror.in_body(path, value, detail))
        return span

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        return {"type": "string", "pattern": "^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$"}


@dataclass(frozen=True, slots=True)
class ListOf(Generic[T]):
    """A list of values of one type, read as a tuple."""

    items: Type[T]
    minimum: int = 0

    def read(self, value: Any, path: Path, reading: Reading) -> tuple[T, ...]:
        """The items; every bad one is reported."""
        _expect(value, list, "array", path, reading)
        if len(value) < self.minimum:
            detail = f"should have at least {self.minimum} items"
            message = fielderror.in_body(path, value, detail)
            raise reading.refuse(codes.BAD_VALUE, path, message)
        found: list[T] = []
        for index, item in enumerate(value):
            try:
                found.append(self.items.read(item, (*path, index), reading))
            except Refused:
                continue
        if len(found) < len(value):
            raise Refused
        return tuple(found)

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        minimum = {"minItems": self.minimum} if self.minimum else {}
        return {"type": "array", "items": self.items.schema(), **minimum}


@dataclass(frozen=True, slots=True)
class MapOf(Generic[T]):
    """A mapping from any string to values of one type."""

    values: Type[T]

    def read(self, value: Any, path: Path, reading: Reading) -> Mapping[str, T]:
        """The entries; every bad one is reported."""
        _expect(value, dict, "object", path, reading)
        found: dict[str, T] = {}
        for key, item in value.items():
            try:
                found[key] = self.values.read(item, (*path, key), reading)
            except Refused:
                continue
        if len(found) < len(value):
            raise Refused
        return found

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        return {"type": "object", "additionalProperties": self.values.schema()}


@dataclass(frozen=True, slots=True)
class Labels:
    """A LabelSelector object."""

    def read(self, value: Any, path: Path, reading: Reading) -> Selector:
        """The selector."""
        problems = list(label_selector_problems(value, path))
        for at, message in problems:
            reading.report(codes.BAD_LABEL_SELECTOR, at, message)
        if problems:
            raise Refused
        return label_selector(value)

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        text = {"type": "string"}
        expression = {
            "type": "object",
            "properties": {
                "key": text,
                "operator": text,
                "values": {"type": "array", "items": text},
            },
            "required": ["key", "operator"],
        }
        return {
            "type": "object",
            "properties": {
                "matchLabels": {"type": "object", "additionalProperties": text},
                "matchExpressions": {"type": "array", "items": expression},
            },
        }


@dataclass(frozen=True, slots=True)
class Anything:
    """Any JSON value, as it is."""

    def read(self, value: Any, path: Path, reading: Reading) -> Any:  # noqa: ARG002 - the protocol's shape
        """The value."""
        return value

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        return {"x-kubernetes-preserve-unknown-fields": True}


@dataclass(frozen=True, slots=True)
class Field:
    """One row: the attribute of the dataclass, the path in the JSON, the type, and the default if any."""

    name: str
    path: str
    type: Type[Any]
    default: Any = REQUIRED

    @property
    def steps(self) -> tuple[str, ...]:
        """The path, step by step."""
        return tuple(self.path.split("."))


@dataclass(slots=True)
class _Node:
    """The fields known below one mapping."""

    fields: dict[str, Field] = field(default_factory=dict)
    nodes: dict[str, _Node] = field(default_factory=dict)

    def names(self) -> list[str]:
        return [*self.fields, *self.nodes]

    def needed(self) -> bool:
        here = any(row.default is REQUIRED for row in self.fields.values())
        return here or any(node.needed() for node in self.nodes.values())


Check = Callable[[T], Iterable[tuple[Path, str]]]
"""Rules over several fields: what is wrong, as path (from the struct) and message."""


class Struct(Generic[T]):
    """A mapping read as a dataclass. ``ignored`` are keys of its top that others look after."""

    def __init__(
        self,
        cls: type[T],
        *rows: Field,
        check: Check[T] | None = None,
        ignored: tuple[str, ...] = (),
    ) -> None:
        self._cls = cls
        self._rows = rows
        self._check = check
        self._ignored = ignored
        self._root = _Node()
        for row in rows:
            node = self._root
            for step in row.steps[:-1]:
                node = node.nodes.setdefault(step, _Node())
            node.fields[row.steps[-1]] = row

    def read(self, value: Any, path: Path, reading: Reading) -> T:
        """The dataclass; every problem below this mapping is reported."""
        return self.build(value, path, reading, {})

    def build(self, value: Any, path: Path, reading: Reading, known: Mapping[str, Any]) -> T:
        """The same, with attributes that come from elsewhere (the object's name)."""
        before = len(reading.problems)
        values = dict(known)
        self._walk(self._root, value, path, reading, values)
        if len(reading.problems) > before:
            raise Refused
        result = self._cls(**values)
        for at, message in self._check(result) if self._check else ():
            reading.report(codes.BAD_VALUE, (*path, *at), message)
        if len(reading.problems) > before:
            raise Refused
        return result

    def _walk(self, node: _Node, value: Any, path: Path, reading: Reading, values: dict[str, Any]) -> None:
        if not isinstance(value, dict):
            reading.report(codes.WRONG_TYPE, path, fielderror.wrong_type(path, value, "object"))
            return
        known = node.names()
        for key in value:
            if key not in known and not (node is self._root and key in self._ignored):
                message = fielderror.unknown_field((*path, key))
                reading.report(
                    codes.UNKNOWN_FIELD, (*path, key), message, key=True, help=_nearest(key, known)
                )
        for key, row in node.fields.items():
            self._read_field(row, value.get(key), (*path, key), reading, values)
        for key, inner in node.nodes.items():
            here = (*path, key)
            found = value.get(key)
            if found is None and inner.needed():
                reading.report(codes.MISSING_FIELD, here, fielderror.required(here))
            else:
                self._walk(inner, {} if found is None else found, here, reading, values)

    def _read_field(
        self, row: Field, value: Any, path: Path, reading: Reading, values: dict[str, Any]
    ) -> None:
        if value is None:
            if row.default is REQUIRED:
                reading.report(codes.MISSING_FIELD, path, fielderror.required(path))
            values[row.name] = row.default
            return
        try:
            values[row.name] = row.type.read(value, path, reading)
        except Refused:
            return

    def schema(self) -> dict[str, Any]:
        """As OpenAPI says it."""
        return _node_schema(self._root)


def _node_schema(node: _Node) -> dict[str, Any]:
    properties = {key: row.type.schema() for key, row in node.fields.items()}
    properties |= {key: _node_schema(inner) for key, inner in node.nodes.items()}
    required = [key for key, row in node.fields.items() if row.default is REQUIRED]
    required += [key for key, inner in node.nodes.items() if inner.needed()]
    needs = {"required": sorted(required)} if required else {}
    return {"type": "object", "properties": properties, **needs}


def _nearest(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    return f'did you mean "{close[0]}"?' if close else f"known fields: {', '.join(sorted(known))}"


class Resource(Generic[T]):
    """A kind of custom resource. The dataclass has ``name``, and ``namespace`` too if it is namespaced."""

    def __init__(self, api_version: str, kind: str, struct: Struct[T], *, namespaced: bool) -> None:
        self.api_version = api_version
        self.kind = kind
        self.struct = struct
        self.namespaced = namespaced

    def is_(self, object: Object) -> bool:
        """Whether an object is of this kind."""
        return object.kind == self.kind and object.api_version == self.api_version

    def decode(self, object: Object) -> T:
        """The value that an object of this kind means; raises DiagnosticError (KUB010, KUB040-KUB043)."""
        assert self.is_(object), "the caller looks at the kind first"
        reading = Reading(object)
        known = {"name": object.name}
        if self.namespaced:
            known["namespace"] = object.namespace
        if not object.name:
            path: Path = ("metadata", "name")
            reading.report(codes.MISSING_FIELD, path, fielderror.required(path))
        try:
            result = self.struct.build(object.raw, (), reading, known)
        except Refused:
            raise DiagnosticError(reading.problems) from None
        if reading.problems:
            raise DiagnosticError(reading.problems)
        return result


def resource(
    api_version: str,
    kind: str,
    cls: type[T],
    *rows: Field,
    check: Check[T] | None = None,
    namespaced: bool = False,
) -> Resource[T]:
    """Describe a kind: its rows, with paths from the root of the object (``spec.reason``)."""
    ignored = ("apiVersion", "kind", "metadata", "status")
    struct = Struct(cls, *rows, check=check, ignored=ignored)
    return Resource(api_version, kind, struct, namespaced=namespaced)
