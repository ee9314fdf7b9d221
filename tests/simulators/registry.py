"""The registry simulator beside a test that has no event loop: it runs in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sekisho.oci.content import MANIFEST
from sekisho.oci.simulator import Registry, Traits

TITLE = "org.opencontainers.image.title"


@contextmanager
def registry(traits: Traits | None = None) -> Iterator[Registry]:
    """A registry that answers as long as the body runs."""
    started, ended = threading.Event(), asyncio.Event()
    found = Registry(traits or Traits())
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        async with found:
            started.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    try:
        assert started.wait(10), "the registry does not start"
        yield found
    finally:
        loops[0].call_soon_threadsafe(ended.set)
        thread.join(10)


def put_files(into: Registry, repository: str, files: Mapping[str, bytes], tag: str = "v1") -> str:
    """An artifact of files, as `oras push` makes it: its digest."""
    rows = [
        {
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            **into.put_blob(repository, content),
            "annotations": {TITLE: name},
        }
        for name, content in files.items()
    ]
    config = {"mediaType": "application/vnd.oci.empty.v1+json", **into.put_blob(repository, b"{}")}
    value = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.example.policies",
        "config": config,
        "layers": rows,
    }
    return into.put_manifest(repository, value, tag=tag)
