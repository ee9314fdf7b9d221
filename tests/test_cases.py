"""Runs every folder below ``cases``: a command on the files beside it, its output compared whole.

``case.yaml`` has ``run`` (the arguments after ``sekisho``), ``exit`` (the status, 0 if absent), and perhaps
``stdin`` (the name of a file), ``example`` (a folder of the examples to run in), ``files`` (files that cannot be
kept in a repository, by name: hex bytes) and ``mask`` (a pattern of what differs from run to run).
``expected.txt`` is standard output and ``expected-errors.txt`` standard error; one that is absent must be empty.
``SEKISHO_UPDATE=1`` writes what came out; read the difference before you commit.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sekisho.cli.main import run

CASES = Path(__file__).parent / "cases"
FOLDERS = sorted(file.parent for file in CASES.rglob("case.yaml"))
EXAMPLES = Path(__file__).parents[1] / "src" / "sekisho" / "examples"
UPDATE = os.environ.get("SEKISHO_UPDATE") == "1"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(CASES).as_posix())
def test_case(folder: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case: dict[str, Any] = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    work = tmp_path / "case"
    shutil.copytree(folder, work, symlinks=True, ignore=shutil.ignore_patterns("case.yaml", "expected*"))
    if "example" in case:
        shutil.copytree(EXAMPLES / case["example"], work, dirs_exist_ok=True)
    (work / ".git").mkdir()  # the search for sekisho.yaml ends here
    for name, content in (case.get("files") or {}).items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(bytes.fromhex(content))
    stdin = (folder / case["stdin"]).read_bytes() if "stdin" in case else b""
    monkeypatch.chdir(work)
    for name, value in {"XDG_CACHE_HOME": str(cache), "NO_COLOR": "1", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    streams = {
        name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for name in ("stdout", "stderr")
    }
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
    status = run(case["run"])
    monkeypatch.undo()
    output, errors = (masked(text_of(stream), case.get("mask")) for stream in streams.values())
    assert "Traceback" not in errors
    compare(folder / "expected.txt", output)
    compare(folder / "expected-errors.txt", errors)
    assert status == case.get("exit", 0), errors


def text_of(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode("utf-8")


def masked(text: str, pattern: str | None) -> str:
    return re.sub(pattern, "…", text) if pattern else text


def compare(file: Path, got: str) -> None:
    if UPDATE:
        if got or file.exists():
            file.write_text(got, encoding="utf-8")
        return
    wanted = file.read_text(encoding="utf-8") if file.exists() else ""
    assert got == wanted
