"""Some seconds of what ``python -m tests.fuzz --part apiserver`` does for minutes."""

from __future__ import annotations

import random
from pathlib import Path

from tests.fuzz.apiserver import run

SECONDS = 5.0


def test_hostile_clients_neither_stop_the_server_nor_see_its_inside(tmp_path: Path) -> None:
    found = run(tmp_path / "data", seconds=SECONDS, rng=random.Random(1))
    assert found.failures == {}
    assert found.counts
