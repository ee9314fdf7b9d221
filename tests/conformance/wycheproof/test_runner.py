"""The vectors that lie beside the repository, where they do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.wycheproof.cases import load_cases, run_case

FOLDER = Path(__file__).parents[4] / "shared" / "conformance" / "signatures"


@pytest.mark.skipif(not FOLDER.is_dir(), reason="Wycheproof's vectors are not beside the repository")
def test_every_vector() -> None:
    problems = {case.label: run_case(case) for case in load_cases(FOLDER)}
    assert problems
    assert {label: why for label, why in problems.items() if why} == {}
