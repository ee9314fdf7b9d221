"""Policies of folders and bundles, applied to the cluster, so that ``kubectl get constraints`` shows them.

Folders are looked at again and again. What is no longer in them is deleted, but never for want of reading: a
folder with an error, or one in which nothing is left, deletes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sekisho.cli.guard.options import Asked
from sekisho.cli.inputs import Inputs, read_objects
from sekisho.cli.programs import cached_choice, cached_compile
from sekisho.cli.rules import is_rule
from sekisho.cluster.client import Client, Refused, Resource
from sekisho.diag import Deadline, Diagnostic, DiagnosticError, Level
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.policy import Engine, is_policy
from sekisho.policy.constraint import is_constraint
from sekisho.policy.controller import kinds
from sekisho.policy.library import bundle_objects
from sekisho.policy.template import is_template

_LOG: Final = logging.getLogger(__name__)

LABEL: Final = "policy.sekisho.dev/applied-by"
VALUE: Final = "sekisho-up"
"""The label of what was applied from a folder or a bundle, and may be deleted when it is there no more."""

LOOK: Final = 1.0
"""Seconds between two looks at the folders."""

SERVED: Final = 10.0
"""Seconds until a kind whose template was just applied must be served."""

AGAIN: Final = 0.05
GONE: Final = 404

NAMESPACE: Final = "gatekeeper-system"
"""Where a Config goes that names no namespace."""

Identity = tuple[GVK, str, str]


@dataclass(slots=True)
class Applied:
    """What became of the sources: what is wrong with them, and how many objects were applied."""

    problems: list[Diagnostic] = field(default_factory=list)
    objects: int = 0
    deleted: int = 0


class Sources:
    """Applies sources to a cluster. ``apply`` once, then ``watch`` as a task."""

    def __init__(self, client: Client, asked: Asked) -> None:
        self._client = client
        self._asked = asked
        self._seen: Mapping[str, tuple[int, int]] = {}

    async def apply(self) -> Applied:
        """Apply what there is. Raises DiagnosticError where a bundle is unknown, or the server away."""
        self._seen = await asyncio.to_thread(_looks, self._asked.paths)
        read = await asyncio.to_thread(self._read)
        applied = Applied(problems=[*read.problems])
        rows = sorted(read.objects, key=_order)
        for object in rows:
            try:
                await self._apply(object)
                applied.objects += 1
            except Refused as error:
                applied.problems.append(_refused(object, error))
        if rows and not any(row.level is Level.ERROR for row in applied.problems):
            applied.deleted = await self._prune({_identity(row) for row in rows})
        return applied

    async def watch(self) -> None:
        """Apply again whenever something in the folders changes, until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            if await asyncio.to_thread(_looks, self._asked.paths) == self._seen:
                continue
            try:
                applied = await self.apply()
            except DiagnosticError as error:
                _LOG.warning("policies were not applied: %s", error.diagnostics[0].message)
                continue
            _LOG.info("%d policies were applied, %d deleted", applied.objects, applied.deleted)
            for row in applied.problems:
                _LOG.warning("%s: %s", row.code, row.message)

    def _read(self) -> Inputs:
        """The policies in the sources, and what is wrong with them."""
        inputs = read_objects(self._asked.paths) if self._asked.paths else Inputs()
        found = Inputs(problems=inputs.problems)
        found.objects = [row for row in inputs.objects if is_policy(row) or is_rule(row)]
        found.objects += bundle_objects(self._asked.bundles, known=found.objects)
        engine = Engine.build(
            found.objects, compile=cached_compile(enabled=True), choice=cached_choice(enabled=True)
        )
        found.problems += engine.problems
        return found

    async def _apply(self, object: Object) -> None:
        """Apply one object; a constraint waits until its kind is served. Raises Refused."""
        deadline = Deadline.after(SERVED if is_constraint(object) else 0)
        while True:
            try:
                resource = await self._client.resource(object.gvk)
                await self._client.apply(resource, _marked(object, resource), force=True)
            except Refused as error:
                if error.code != GONE or deadline.passed():
                    raise
                await asyncio.sleep(AGAIN)
            else:
                return

    async def _prune(self, wanted: set[Identity]) -> int:
        """Delete what was applied before and is in no source now."""
        gone = 0
        for gvk in await self._kinds():
            resource = await self._client.resource(gvk)
            rows, _ = await self._client.list_all(resource)
            for raw in rows:
                object = Object(raw)
                mine = object.labels.get(LABEL) == VALUE
                if mine and _identity(object) not in wanted and not object.get("metadata", "ownerReferences"):
                    await self._client.delete(resource, object.name, object.namespace, uid=object.uid)
                    gone += 1
        return gone

    async def _kinds(self) -> list[GVK]:
        rows, _ = await self._client.list_all(await self._client.resource(kinds.DEFINITION))
        constraints = (
            kinds.constraint(row["spec"]["names"]["kind"])
            for row in rows
            if row["spec"]["group"] == "constraints.gatekeeper.sh"
        )
        return [*constraints, *kinds.POLICIES, *kinds.RULES, *kinds.GENERATED]


def _marked(object: Object, resource: Resource) -> dict[str, Any]:
    """The object as it is applied: with the label, and in a namespace if its kind has them."""
    metadata = {**object.metadata, "labels": {**object.labels, LABEL: VALUE}}
    if resource.namespaced and not object.namespace:
        metadata["namespace"] = NAMESPACE
    return {**object.raw, "metadata": metadata}


def _order(object: Object) -> int:
    """Templates first, constraints last: their kinds have to be served."""
    return 0 if is_template(object) else 2 if is_constraint(object) else 1


def _identity(object: Object) -> Identity:
    """Which object it is, whatever its version."""
    return GVK(object.gvk.group, "", object.kind), object.namespace, object.name


def _refused(object: Object, error: Refused) -> Diagnostic:
    found = error.diagnostics[0]
    return Diagnostic(code=found.code, message=found.message, at=object.at("metadata", "name"))


def _looks(paths: Sequence[str]) -> Mapping[str, tuple[int, int]]:
    """What can be seen of files from outside: when they were changed, and their size."""
    found: dict[str, tuple[int, int]] = {}
    for file in _files(paths):
        try:
            status = file.stat()
        except OSError:
            continue
        found[str(file)] = (status.st_mtime_ns, status.st_size)
    return found


def _files(paths: Sequence[str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from (row for row in path.rglob("*") if not row.is_dir())
        else:
            yield path
