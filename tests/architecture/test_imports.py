"""The import contracts of ``.importlinter`` hold, and start-up imports nothing heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

HEAVY = (
    "aiohttp", "asyncio", "cryptography", "graphql", "jinja2", "jsonschema_rs", "multiprocessing", "re2", "rich",
    "sekisho.policy", "sekisho.rego", "yaml",
)  # fmt: skip


def test_contracts() -> None:
    run = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--config", ".importlinter", "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


def test_only_native_modules_are_excused() -> None:
    contract = (
        (ROOT / ".importlinter").read_text(encoding="utf-8").partition("[importlinter:contract:native]")[2]
    )
    excused = [line.strip() for line in contract.partition("\n[")[0].splitlines() if "->" in line]
    assert excused
    assert all(line.partition(" -> ")[0].endswith("_native") for line in excused)


def test_the_root_command_imports_nothing_heavy() -> None:
    code = "import sys, sekisho.cli.main; print(*sorted(sys.modules), sep='\\n')"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    loaded = set(run.stdout.split())
    assert not loaded & set(HEAVY)
