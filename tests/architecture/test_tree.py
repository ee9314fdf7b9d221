"""What lies at the top of the repository is what a newcomer expects there, and nothing that was forgotten."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TOP = {
    ".ci",
    ".gitignore",
    ".importlinter",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "NOTICE",
    "README.md",
    "SECURITY.md",
    "bench",
    "docs",
    "pyproject.toml",
    "requirements",
    "src",
    "tests",
    "tools",
}


def test_nothing_was_forgotten_at_the_top() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert {row.split("/", 1)[0] for row in listed.stdout.splitlines()} <= TOP
