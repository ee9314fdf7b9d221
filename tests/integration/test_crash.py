"""A few rounds of what ``python -m tests.crash`` does two hundred times."""

from __future__ import annotations

import random
from pathlib import Path

from tests.crash.rounds import run


def test_no_acknowledged_write_is_lost_by_a_crash(tmp_path: Path) -> None:
    outcome = run(tmp_path / "data", times=3, rng=random.Random(1))
    assert outcome.wrong == []
    assert outcome.writes > 0
