"""The one noun for every finding.

A parse error, a schema error and a policy violation differ in their code, not in their class. A
diagnostic says where it is either by a span in a source or by an object and a path inside it; rendering
makes the second concrete by asking the object's origin.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sekisho.diag.code import Code
    from sekisho.diag.source import Source, Span

Path = tuple[str | int, ...]
"""A path into a JSON value: object keys and array indices."""

NO_DATA: Mapping[str, object] = MappingProxyType({})


class Level(Enum):
    """How grave a finding is. Errors make the exit status 1 or more; warnings and notes do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Origin(Protocol):
    """Where an object came from, able to say where a path of it stands (a manifest's document)."""

    def locate(self, path: Path, *, key: bool = False) -> Span | None:
        """The span of the value at ``path`` (or of its key), or of its deepest existing parent."""

    def embedded(self, path: Path) -> Source | None:
        """The string at ``path`` as a source of its own, whose positions resolve to this origin's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """Which object a finding is about. ``group_version`` is ``v1`` or ``apps/v1``."""

    group_version: str
    kind: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPath:
    """A path inside an object; concrete once ``origin`` locates it, else printed as it is."""

    ref: ObjectRef
    path: Path = ()
    origin: Origin | None = None
    key: bool = False

    def span(self) -> Span | None:
        """Where the path stands in a file, if the object came from one."""
        return self.origin.locate(self.path, key=self.key) if self.origin else None


@dataclass(frozen=True, slots=True)
class Note:
    """A further remark, with its own place if it has one."""

    message: str
    at: Span | ObjectPath | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding.

    ``policy`` names the rule that found it (``K8sRequiredLabels/must-have-owner``), empty for findings that
    are not a policy's. ``data`` is machine-readable detail, JSON-like, and never holds a secret.
    """

    code: Code
    message: str
    level: Level = Level.ERROR
    at: Span | ObjectPath | None = None
    notes: tuple[Note, ...] = ()
    help: str = ""
    policy: str = ""
    data: Mapping[str, object] = field(default_factory=lambda: NO_DATA)

    def fingerprint(self) -> str:
        """What stays the same when lines move: code, object identity, path and policy; 32 hex digits.

        Findings in a source that is no object are identified by the source's name and the message.
        """
        at = self.at
        if isinstance(at, ObjectPath):
            where = [
                at.ref.group_version,
                at.ref.kind,
                at.ref.namespace,
                at.ref.name,
                path_text(at.path),
            ]
        elif at is not None:
            where = [at.outermost().source.name, self.message]
        else:
            where = [self.message]
        parts = "\0".join([self.code.id, *where, self.policy])
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def with_note(self, message: str, at: Span | ObjectPath | None = None) -> Diagnostic:
        """The same finding with one more note."""
        return replace(self, notes=(*self.notes, Note(message, at)))


class DiagnosticError(Exception):
    """An expected failure that ends one step: it carries one or more diagnostics."""

    def __init__(self, diagnostics: Sequence[Diagnostic] | Diagnostic) -> None:
        items = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        assert items, "a DiagnosticError needs a diagnostic"
        self.diagnostics: tuple[Diagnostic, ...] = items
        super().__init__("; ".join(f"{d.code.id}: {d.message}" for d in items))


def path_text(path: Path) -> str:
    """A path as people write it: ``spec.containers[0].image``; odd keys are quoted."""
    out: list[str] = []
    for step in path:
        if isinstance(step, int):
            out.append(f"[{step}]")
        elif step and all(c.isalnum() or c in "-_" for c in step):
            out.append(f".{step}" if out else step)
        else:
            out.append(f'["{step}"]')
    return "".join(out)
