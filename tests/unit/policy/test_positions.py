"""Which field a violation points at, for real-world rules; the places were written by hand before the code.

Each folder of ``cases/positions`` has a policy, an object and ``want.txt``: a line ``file:line:column`` for each
violation. ``COARSE`` lists those that point elsewhere, each with the place and the reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.cli.judge import Options, judge
from sekisho.diag.report import span_of

CASES = Path(__file__).parents[2] / "cases" / "positions"
FOLDERS = sorted(folder for folder in CASES.iterdir() if folder.is_dir())

COARSE: dict[str, tuple[list[str], str]] = {}


def places(folder: Path) -> list[str]:
    report = judge(
        [str(folder / "object.yaml")], Options(policies=(str(folder / "policy.yaml"),), cache=False)
    )
    found = []
    for finding in report.findings:
        if finding.code.id == "POL100":
            span = span_of(finding.at)
            assert span is not None
            found.append(f"{Path(span.source.name).name}:{span.begins.line}:{span.begins.column}")
    return sorted(found)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_position(folder: Path) -> None:
    want = sorted((folder / "want.txt").read_text(encoding="utf-8").split())
    if folder.name in COARSE:
        assert COARSE[folder.name][0] != want, "it is exact now: remove it from COARSE"
        want = COARSE[folder.name][0]
    assert places(folder) == want
