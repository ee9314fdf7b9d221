"""A registry that is slow, down and lying at random: whatever it does, no answer is wrong, and none is late.

Questions are asked by many at once, through what is remembered. Each answer is the right content, or says that
the registry could not be asked, refuses, or sent something else; and it comes before its deadline.
"""

from __future__ import annotations

import asyncio
import json
import random
import time

import pytest

from sekisho.diag import Deadline, DiagnosticError
from sekisho.oci.asking import Registries
from sekisho.oci.cached import Ages, Cached, Memory
from sekisho.oci.content import MANIFEST
from sekisho.oci.registry import Repository
from sekisho.oci.simulator import Fault, Registry, Traits

NAME = "shop/cart"
SECONDS = 0.6
GRACE = 3.0
"""How long an answer may take, and how much later it may be on a machine that is busy with other things."""
IMAGES = 12
ASKERS = 200

WHAT = ("manifests", "blobs", "referrers", "tags", "token")
KINDS = ("status", "wrong", "truncated", "slow", "hang", "garbage")
STATUSES = (500, 502, 503, 429, 403)

TROUBLES = {"OCI003", "OCI004", "OCI005", "OCI006"}


def faults(dice: random.Random) -> list[Fault]:
    """Some troubles, each for some answers."""
    found = []
    for what in WHAT:
        for _ in range(6):
            kind = dice.choice(KINDS)
            later = dice.choice(["", "0", "1", "100"])
            found.append(
                Fault(
                    what=what,
                    kind=kind,
                    times=dice.randint(1, 6),
                    status=dice.choice(STATUSES),
                    retry_after=later,
                )
            )
    dice.shuffle(found)
    return found


@pytest.mark.parametrize("seed", range(2))
def test_no_answer_is_wrong_and_none_is_late(seed: int) -> None:
    dice = random.Random(seed)
    outcomes: dict[str, int] = {}

    async def main() -> None:
        async with Registry(Traits(tokens=True)) as registry, Registries() as registries:
            rows = []
            for number in range(IMAGES):
                layer = {"mediaType": "application/x", **registry.put_blob(NAME, b"%d" % number)}
                value = {
                    "schemaVersion": 2,
                    "mediaType": MANIFEST,
                    "config": layer,
                    "layers": [layer],
                    "annotations": {"n": str(number)},
                }
                rows.append(
                    (registry.put_manifest(NAME, value, tag=f"v{number}"), json.dumps(value).encode())
                )
            registry.faults = faults(dice)
            repository = Repository(registries, registry.host, NAME)
            memory = Memory()

            async def ask(number: int) -> None:
                digest, body = rows[number % IMAGES]
                source = Cached(repository, "r", memory, Ages(tag=0.2, list=0.2, absent=0.2, trouble=0.1))
                await asyncio.sleep(dice.uniform(0, 0.6))
                begun = time.monotonic()
                end = Deadline.after(SECONDS)
                try:
                    if number % 3 == 0:
                        found = await source.manifest(f"v{number % IMAGES}", deadline=end)
                        assert found is not None, "what is there was said not to be"
                        assert (found.digest, found.body) == (digest, body)
                    elif number % 3 == 1:
                        found = await source.manifest(digest, deadline=end)
                        assert found is not None, "what is there was said not to be"
                        assert found.body == body
                    else:
                        assert await source.referrers(digest, deadline=end) == ()
                    what = "right"
                except DiagnosticError as error:
                    what = error.diagnostics[0].code.id
                assert time.monotonic() - begun < SECONDS + GRACE, what
                outcomes[what] = outcomes.get(what, 0) + 1

            await asyncio.gather(*(ask(number) for number in range(ASKERS)))
            assert outcomes.keys() <= TROUBLES | {"right"}
            # What has passed leaves nothing behind.
            registry.faults.clear()
            outcomes.clear()
            await asyncio.sleep(0.3)
            await asyncio.gather(*(ask(number) for number in range(ASKERS)))
            assert outcomes == {"right": ASKERS}

    asyncio.run(main())
