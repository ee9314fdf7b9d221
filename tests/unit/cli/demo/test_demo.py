"""The demo, as its users start it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.cli.demo.parts import PARTS

SRC = str(Path(__file__).parents[4] / "src")


@pytest.mark.parametrize("part", ["cluster"])
def test_a_part_does_what_it_is_there_to_show_without_kubectl(tmp_path: Path, part: str) -> None:
    environment = {**os.environ, "PYTHONPATH": SRC, "PATH": str(tmp_path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "sekisho", "demo", part],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "images need a version of their own" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_every_part_has_its_folder_of_examples() -> None:
    for part in PARTS.values():
        assert (Path(SRC) / "sekisho" / "examples" / part.folder).is_dir()
