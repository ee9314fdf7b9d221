"""An installation by server-side apply: first what would change, then, if that is wanted, the change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sekisho.cluster.client import Client, Conflict, Refused
from sekisho.diag import Diagnostic, DiagnosticError, register
from sekisho.diag.code import Blame
from sekisho.kube.gvk import GVK

if TYPE_CHECKING:
    from sekisho.cluster.client import Resource

NOT_APPLIED: Final = register("CLI131", "an object could not be installed", blame=Blame.ENVIRONMENT)

SERVED_SECONDS: Final = 30.0
"""How long a definition may take until its kind is served."""

NOT_FOUND: Final = 404


class Step(NamedTuple):
    """What becomes of an object: ``create``, ``configure`` or ``unchanged``."""

    word: str
    kind: str
    name: str
    object: dict[str, Any]


async def plan(client: Client, objects: Iterable[dict[str, Any]]) -> list[Step]:
    """What an installation would do. Nothing is changed. Raises Refused, WebError."""
    found = []
    for row in objects:
        actual = await _actual(client, row)
        word = "create" if actual is None else "unchanged" if _within(row, actual) else "configure"
        found.append(Step(word, str(row["kind"]), _name(row), row))
    return found


async def carry_out(client: Client, steps: Iterable[Step]) -> AsyncIterator[Step]:
    """Apply what has to change, one after the other. Raises Refused, WebError, DiagnosticError (CLI131)."""
    for step in steps:
        if step.word == "unchanged":
            continue
        resource = await _served(client, step.object)
        written = await client.apply(resource, step.object, force=True)
        if isinstance(written, Conflict):
            message = f"{step.kind} {step.name} was not installed: {written.message}"
            raise DiagnosticError(Diagnostic(code=NOT_APPLIED, message=message))
        yield step


async def _actual(client: Client, row: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        resource = await client.resource(GVK.of(row["apiVersion"], row["kind"]))
    except Refused as error:
        if error.code == NOT_FOUND:
            return None
        raise
    metadata = row["metadata"]
    return await client.get(resource, metadata["name"], metadata.get("namespace", ""))


async def _served(client: Client, row: Mapping[str, Any]) -> Resource:
    """The resource of an object, whose kind may have been defined a moment ago."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SERVED_SECONDS
    while True:
        try:
            return await client.resource(GVK.of(row["apiVersion"], row["kind"]))
        except Refused as error:
            if error.code != NOT_FOUND or loop.time() > until:
                raise
        await asyncio.sleep(0.2)


def _within(wanted: Any, actual: Any) -> bool:
    """Whether everything that is wanted is there already; what the server adds does not count."""
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and all(_within(row, actual.get(key)) for key, row in wanted.items())
    if isinstance(wanted, list):
        same = isinstance(actual, list) and len(actual) == len(wanted)
        return same and all(_within(*pair) for pair in zip(wanted, actual, strict=True))
    return bool(wanted == actual) or (not wanted and actual is None)


def _name(row: Mapping[str, Any]) -> str:
    metadata = row["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])
