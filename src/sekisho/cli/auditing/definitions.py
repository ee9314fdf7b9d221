"""The definitions of PolicyReports, in which an audit writes down all that it found."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from sekisho import manifest
from sekisho.diag import Source
from sekisho.kube.gvk import GVK

if TYPE_CHECKING:
    from sekisho.cluster.client import Client

DEFINITION: Final = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")

TAKEN: Final = (401, 403, 409)
"""Somebody else made it meanwhile, or it may not be made: then it has to be there."""


def report_definitions() -> Iterator[dict[str, Any]]:
    """The two CustomResourceDefinitions."""
    file = resources.files("sekisho.audit").joinpath("crds", "policyreport.yaml")
    for document in manifest.load(Source("crds/policyreport.yaml", file.read_text(encoding="utf-8"))):
        yield document.value


async def install_reports(client: Client) -> None:
    """Install those that are missing. Raises Refused, WebError."""
    from sekisho.cluster.client import Refused

    resource = await client.resource(DEFINITION)
    for row in report_definitions():
        if await client.get(resource, row["metadata"]["name"]) is not None:
            continue
        try:
            await client.create(resource, row)
        except Refused as error:
            if error.code not in TAKEN:
                raise
