"""Some seconds of what ``python -m tests.fuzz --part admission`` does for minutes."""

from __future__ import annotations

import random
import sys

import pytest

from tests.fuzz.admission import run

SECONDS = 5.0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_hostile_clients_neither_stop_the_webhook_nor_see_its_inside() -> None:
    found = run(seconds=SECONDS, rng=random.Random(1))
    assert found.failures == {}
    assert found.counts
