"""What the demo asks of kubectl, by our own client: for machines that have no kubectl.

``python -m sekisho.cli.demo.client apply -f FILE | get KIND[,KIND] [--field-selector KEY=VALUE]``
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sekisho import manifest
from sekisho.cluster import kubeconfig
from sekisho.cluster.client import Client, Conflict, Refused, Selection
from sekisho.kube.gvk import GVK

KINDS: Final = {
    "deployment": (GVK("apps", "v1", "Deployment"), "deployment.apps"),
    "replicaset": (GVK("apps", "v1", "ReplicaSet"), "replicaset.apps"),
    "pod": (GVK("", "v1", "Pod"), "pod"),
    "events": (GVK("", "v1", "Event"), "event"),
}
"""What can be asked for, and how it is named in the output."""

NAMESPACE: Final = "default"


def main(words: Sequence[str]) -> int:
    """Do what the words say; the exit status."""
    if words[0] == "apply":
        file = Path(words[2])
        documents = manifest.load(manifest.decode(str(file), file.read_bytes()))
        return asyncio.run(_apply([document.value for document in documents]))
    return asyncio.run(_get(words))


async def _get(words: Sequence[str]) -> int:
    async with Client(kubeconfig.load()) as client:
        selector = words[words.index("--field-selector") + 1] if "--field-selector" in words else ""
        for kind in words[1].split(","):
            await _list(client, kind, selector)
    return 0


async def _apply(values: Sequence[Mapping[str, Any]]) -> int:
    async with Client(kubeconfig.load()) as client:
        return max([await _apply_one(client, value) for value in values])


async def _apply_one(client: Client, value: Mapping[str, Any]) -> int:
    gvk = GVK.of(value["apiVersion"], value["kind"])
    resource = await client.resource(gvk)
    metadata = dict(value["metadata"])
    if resource.namespaced:
        metadata.setdefault("namespace", NAMESPACE)
    name = f"{gvk.kind.lower()}{'.' if gvk.group else ''}{gvk.group}/{metadata['name']}"
    try:
        done = await client.apply(resource, {**value, "metadata": metadata})
    except Refused as refused:
        print(f"Error from server: {refused.status.get('message')}")
        return 1
    print(f"{name} conflicts: {done.message}" if isinstance(done, Conflict) else f"{name} applied")
    return 0


async def _list(client: Client, kind: str, selector: str) -> None:
    gvk, title = KINDS[kind]
    selection = Selection(namespace=NAMESPACE, fields=selector)
    rows, _ = await client.list_all(await client.resource(gvk), selection)
    for row in rows:
        print(f"{title}/{row['metadata']['name']}  {_state(row)}")


def _state(row: Mapping[str, Any]) -> str:
    """What there is to say of an object in a line."""
    if row["kind"] == "Event":
        return f"{row.get('reason')}  {row.get('message')}"
    status = row.get("status") or {}
    return str(status.get("phase") or f"{status.get('replicas', 0)} Pods")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
