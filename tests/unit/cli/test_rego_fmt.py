"""``sekisho rego fmt --write``: files are replaced whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sekisho.cli.main import run
from sekisho.cli.rego.fmt import rewrite
from sekisho.diag import DiagnosticError

MESSY = "package a\np:=1\n"
TIDY = "package a\n\np := 1\n"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "a.rego"
    path.write_text(MESSY)
    path.chmod(0o640)
    return path


def test_write_keeps_the_mode(policy: Path) -> None:
    assert run(["rego", "fmt", "-w", str(policy)]) == 0
    assert policy.read_text() == TIDY
    assert policy.stat().st_mode & 0o777 == 0o640
    assert list(policy.parent.iterdir()) == [policy]


def test_write_follows_links(policy: Path) -> None:
    link = policy.parent / "link.rego"
    link.symlink_to(policy)
    assert run(["rego", "fmt", "-w", str(link)]) == 0
    assert link.is_symlink()
    assert policy.read_text() == TIDY


def test_a_file_that_changed_meanwhile_is_left_alone(policy: Path) -> None:
    with pytest.raises(DiagnosticError) as caught:
        rewrite(str(policy), "package b\n", TIDY)
    assert caught.value.diagnostics[0].code.id == "CLI108"
    assert policy.read_text() == MESSY
    assert list(policy.parent.iterdir()) == [policy]


def test_a_failed_write_leaves_the_file_alone(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert run(["rego", "fmt", "-w", str(policy)]) == 2
    assert policy.read_text() == MESSY
    assert list(policy.parent.iterdir()) == [policy]


def test_fail_writes_nothing(policy: Path) -> None:
    assert run(["rego", "fmt", "-w", "--fail", str(policy)]) == 2
    assert policy.read_text() == MESSY


def test_what_is_wrong_with_one_file_does_not_keep_others_from_it(policy: Path) -> None:
    (policy.parent / "Z.rego").write_text("package\n")
    assert run(["rego", "fmt", "-w", str(policy.parent)]) == 2
    assert policy.read_text() == TIDY
