"""Runs every folder below ``cases``: a command on the files beside it, its output compared whole.

``case.yaml`` has ``run`` (the arguments after ``sekisho``), ``exit`` (the status, 0 if absent), and perhaps
``stdin`` (the name of a file) and ``example`` (a folder of the examples to run in). ``expected.txt`` is standard output, ``expected-errors.txt`` standard error (not
compared where it is absent, unless the case fails). A case ``files`` makes files that cannot be kept in a
repository, by name: hex bytes. ``SEKISHO_UPDATE=1`` writes what came out; read the difference before you commit.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CASES = Path(__file__).parent / "cases"
FOLDERS = sorted(file.parent for file in CASES.rglob("case.yaml"))
EXAMPLES = Path(__file__).parents[1] / "src" / "sekisho" / "examples"
UPDATE = os.environ.get("SEKISHO_UPDATE") == "1"
SECONDS = 60


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(CASES).as_posix())
def test_case(folder: Path, tmp_path: Path, cache: Path) -> None:
    case: dict[str, Any] = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    work = tmp_path / "case"
    shutil.copytree(folder, work, symlinks=True)
    if "example" in case:
        shutil.copytree(EXAMPLES / case["example"], work, dirs_exist_ok=True)
    (work / ".git").mkdir()  # the search for sekisho.yaml ends here
    for name, content in (case.get("files") or {}).items():
        (work / name).write_bytes(bytes.fromhex(content))
    stdin = (folder / case["stdin"]).read_bytes() if "stdin" in case else b""
    run = subprocess.run(
        [sys.executable, "-m", "sekisho", *case["run"]],
        cwd=work,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=SECONDS,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "NO_COLOR": "1", "COLUMNS": "100"},
    )
    output, errors = run.stdout.decode(), run.stderr.decode()
    assert "Traceback" not in errors
    compare(folder / "expected.txt", output)
    if errors or (folder / "expected-errors.txt").exists():
        compare(folder / "expected-errors.txt", errors)
    assert run.returncode == case.get("exit", 0), errors


def compare(file: Path, got: str) -> None:
    if UPDATE:
        if got or file.exists():
            file.write_text(got, encoding="utf-8")
        return
    wanted = file.read_text(encoding="utf-8") if file.exists() else ""
    assert got == wanted
