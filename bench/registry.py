"""What asking a registry costs: ``python -m bench.registry``.

A registry on the loopback holds an image with a signature of cosign's. Counted are the questions of a cold
decision (after the token), and those of a thousand askers at once; timed are our client, which computes every
digest, and what is remembered, both against bare aiohttp in the same run.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp

from sekisho.diag import Deadline
from sekisho.images.evidence.cosign import signature_tag
from sekisho.images.gather import Wanted, gather
from sekisho.oci.asking import Registries
from sekisho.oci.cached import Cached, Memory
from sekisho.oci.content import MANIFEST
from sekisho.oci.registry import Repository
from sekisho.oci.simulator import Registry, Traits
from sekisho.oci.source import Source

NAME = "shop/cart"
ROUNDS = 300
AT_ONCE = 1_000


def signed(registry: Registry) -> str:
    """Put an image and a signature: the image's digest."""
    config = {"mediaType": "application/x", **registry.put_blob(NAME, b"{}")}
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [config]}
    digest = registry.put_manifest(NAME, value, tag="v1")
    critical = {
        "identity": {"docker-reference": ""},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    payload = registry.put_blob(NAME, json.dumps({"critical": critical, "optional": None}).encode())
    layer = {
        "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
        **payload,
        "annotations": {"dev.cosignproject.cosign/signature": "c2lnbmF0dXJl"},
    }
    signature = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    registry.put_manifest(NAME, signature, tag=signature_tag(digest, "sig"))
    return digest


async def asked(registry: Registry, work: Callable[[], Awaitable[object]]) -> int:
    """How many questions the registry saw, but those that were refused for want of a token, and tokens."""
    registry.seen.clear()
    registry.shown.clear()
    await work()
    return sum(bool(shown) for shown in registry.shown)


async def evidence(source: Source, digest: str) -> None:
    """All evidence of an image by its digest."""
    found = await gather(source, digest, Wanted(), deadline=Deadline.after(30))
    assert isinstance(found.found, tuple), found
    assert len(found.found) == 1, found


async def counts() -> None:
    """The questions of a decision."""
    for referrers in (True, False):
        async with Registry(Traits(tokens=True, referrers=referrers)) as registry:
            digest = signed(registry)
            kind = "with" if referrers else "without"
            async with Registries() as registries:
                repository = Repository(registries, registry.host, NAME)
                cold = await asked(registry, lambda it=repository, which=digest: evidence(it, which))
                warm = await asked(registry, lambda it=repository, which=digest: evidence(it, which))
                print(
                    f"cold decision, {kind} referrers API: {cold} questions after the token (next one {warm})"
                )
            async with Registries() as registries:
                repository = Repository(registries, registry.host, NAME)
                source = Cached(repository, str(repository), Memory())

                async def all_at_once(it: Cached = source, which: str = digest) -> None:
                    await asyncio.gather(*(evidence(it, which) for _ in range(AT_ONCE)))

                many = await asked(registry, all_at_once)
                print(f"{AT_ONCE} decisions at once, {kind} referrers API: {many} questions")


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Microseconds of one, the best of five rounds."""
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(ROUNDS):
            await work()
        best = min(best, time.perf_counter() - begun)
    return best / ROUNDS * 1e6


async def times() -> None:
    """Our client beside bare aiohttp."""
    async with Registry() as registry, Registries() as registries, aiohttp.ClientSession() as session:
        digest = signed(registry)
        repository = Repository(registries, registry.host, NAME)
        source = Cached(repository, str(repository), Memory())
        url = f"http://{registry.host}/v2/{NAME}/manifests/{digest}"
        end = Deadline.after(600)

        async def bare() -> None:
            async with session.get(url, headers={"Accept": MANIFEST}) as answer:
                await answer.read()

        plain = await timed(bare)
        ours = await timed(lambda: repository.manifest(digest, deadline=end))
        kept = await timed(lambda: source.manifest(digest, deadline=end))
        print(
            f"a manifest by its digest: {ours:.0f} µs, {ours / plain:.2f} times bare aiohttp ({plain:.0f} µs)"
        )
        print(f"the same, remembered: {kept:.1f} µs, 1/{plain / kept:.0f} of bare aiohttp")


def main() -> int:
    """Print the figures."""
    asyncio.run(counts())
    asyncio.run(times())
    return 0


if __name__ == "__main__":
    sys.exit(main())
