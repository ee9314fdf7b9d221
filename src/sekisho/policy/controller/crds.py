"""Definitions in the cluster: those that are shipped, and those of templates' constraints."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sekisho.cluster.client import Client, Refused, Resource, Selection
from sekisho.cluster.informer import Key
from sekisho.diag import Diagnostic, ObjectRef
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.policy.controller import codes, kinds
from sekisho.policy.controller.definitions import (
    SHIPPED_LABEL,
    constraint_definition,
    definition_name,
    of_library,
    shipped,
)
from sekisho.policy.controller.snapshot import Snapshot
from sekisho.policy.controller.watches import Watches
from sekisho.policy.status.pod import NAMESPACE
from sekisho.policy.template import is_template

Raw = dict[str, Any]

_LOG: Final = logging.getLogger(__name__)

CONFLICT: Final = 409
FORBIDDEN: Final = (401, 403)
SERVED_BY_SERVER: Final = "conversion"
"""The field of a definition's spec that the server fills in."""


async def install(client: Client, *, namespace: str = NAMESPACE, library: bool = True) -> None:
    """Install the definitions that are missing, and the guard's Namespace; what is there stays as it is.

    Without the permission to do so they have to be there: then this is told in the log and passed over.
    Raises DiagnosticError where the server cannot be asked.
    """
    resource = await client.resource(kinds.DEFINITION)
    rows, _ = await client.list_all(resource)
    there = {row["metadata"]["name"] for row in rows}
    await _install_namespace(client, namespace)
    wanted: Iterable[Raw] = (*shipped(), *(of_library() if library else ()))
    for row in wanted:
        if row["metadata"]["name"] in there:
            continue
        try:
            await client.create(resource, row)
        except Refused as error:
            if error.code in FORBIDDEN:
                _LOG.warning("definitions cannot be installed: %s", error.diagnostics[0].message)
                return
            if error.code != CONFLICT:
                raise


async def _install_namespace(client: Client, name: str) -> None:
    resource = await client.resource(kinds.NAMESPACE)
    if await client.get(resource, name) is not None:
        return
    try:
        await client.create(resource, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    except Refused as error:
        if error.code not in (*FORBIDDEN, CONFLICT):
            raise


class TemplateDefinitions:
    """Makes the definitions of templates' constraints what the templates say.

    ``faults`` has, by template, why its definition could not be written.
    """

    def __init__(self, client: Client, watches: Watches) -> None:
        self._client = client
        self._watches = watches
        self.watched: Mapping[GVK, Selection] = {}
        self.faults: dict[ObjectRef, tuple[Diagnostic, ...]] = {}

    async def follow(self, snapshot: Snapshot) -> float | None:
        """Write those that are missing or differ. Raises DiagnosticError where the server cannot be asked."""
        self.faults.clear()
        resource: Resource | None = None
        known = self._watches.objects(kinds.DEFINITION)
        for template in snapshot.objects:
            ref = template.ref()
            if not is_template(template) or ref in snapshot.faults:
                continue
            wanted = constraint_definition(template)
            current = known.get(Key("", wanted["metadata"]["name"]))
            made = wanted if current is None else _merged(current, wanted)
            if made is None:
                continue
            resource = resource or await self._client.resource(kinds.DEFINITION)
            try:
                await self._write(resource, made, new=current is None)
            except Refused as error:
                if error.code in (409, 429) or error.code >= 500:
                    raise
                self.faults[ref] = (_refused(template, error),)
        return None

    async def _write(self, resource: Resource, made: Raw, *, new: bool) -> None:
        if new:
            await self._client.create(resource, made)
        else:
            await self._client.replace(resource, made)


def _merged(current: Mapping[str, Any], wanted: Raw) -> Raw | None:
    """A definition as it should be; None where it is. One that was shipped is owned by nobody."""
    metadata = dict(current["metadata"])
    if metadata.get("deletionTimestamp"):
        return None  # it is made anew when it is gone
    labels = {**(metadata.get("labels") or {}), **wanted["metadata"]["labels"]}
    owners = wanted["metadata"].get("ownerReferences") or []
    if SHIPPED_LABEL in labels:
        owners = []
    spec = {key: value for key, value in current["spec"].items() if key != SERVED_BY_SERVER}
    same = (metadata.get("labels") or {}, metadata.get("ownerReferences") or [], spec)
    if same == (labels, owners, wanted["spec"]):
        return None
    metadata["labels"] = labels
    metadata["ownerReferences"] = owners
    return {**current, "metadata": metadata, "spec": wanted["spec"]}


def _refused(template: Object, error: Refused) -> Diagnostic:
    name = definition_name(str(template.get("spec", "crd", "spec", "names", "kind")))
    message = f"the definition {name} could not be written: {error.diagnostics[0].message}"
    return Diagnostic(code=codes.NO_DEFINITION, message=message, at=template.at("spec", "crd"))
