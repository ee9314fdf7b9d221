"""The part about images: one is signed in a registry of the demo's own, its unsigned twin is refused."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

REPOSITORY: Final = "shop/cart"
START_SECONDS: Final = 20.0


def play(folder: Path) -> int:
    """Run it in a folder; how many steps did not do what they are there to show."""
    _write_keys(folder)
    with _registry() as (host, digest):
        signed, twin = f"{host}/{REPOSITORY}@{digest}", f"{host}/{REPOSITORY}:twin"
        commands = (
            ("Nobody has signed this image.", ("verify", "--key", "demo.pub", signed), 1),
            ("It is signed where it is.", ("sign", "--key", "demo.pem", signed), 0),
            ("Now it verifies, by its digest.", ("verify", "--key", "demo.pub", signed), 0),
            ("Its unsigned twin does not.", ("verify", "--key", "demo.pub", twin), 1),
        )
        return sum(not _done(folder, *row) for row in commands)


def _done(folder: Path, says: str, words: tuple[str, ...], status: int) -> bool:
    """Run one command and show it; whether it ended as it should."""
    click.echo(f"\n{says}\n$ sekisho images {' '.join(words)}")
    sys.stdout.flush()
    command = (sys.executable, "-m", "sekisho", "images", *words)
    done = subprocess.run(command, cwd=folder, check=False)  # noqa: S603
    click.echo(f"(exit status {done.returncode})")
    return done.returncode == status


def _write_keys(folder: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "demo.pem").write_bytes(private)
    (folder / "demo.pub").write_bytes(public)


@contextmanager
def _registry() -> Iterator[tuple[str, str]]:
    """A registry on the loopback with two images: its host, and the digest of one."""
    started, stop = threading.Event(), threading.Event()
    there: list[tuple[str, str]] = []

    async def serve() -> None:
        from sekisho.oci.simulator import Registry

        async with Registry() as registry:
            digests = [_put(registry, content, tag) for content, tag in ((b"{}", "v1"), (b'{"a":1}', "twin"))]
            there.append((registry.host, digests[0]))
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        if not started.wait(START_SECONDS):
            raise click.ClickException("the registry of the demo does not start")
        yield there[0]
    finally:
        stop.set()
        thread.join(START_SECONDS)


def _put(registry: object, config: bytes, tag: str) -> str:
    from sekisho.oci.content import MANIFEST
    from sekisho.oci.simulator import Registry

    assert isinstance(registry, Registry), "the caller's"
    described = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        **registry.put_blob(REPOSITORY, config),
    }
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []}
    return registry.put_manifest(REPOSITORY, value, tag=tag)
