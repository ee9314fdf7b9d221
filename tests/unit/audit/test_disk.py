"""Results of audits in files: whole or not at all, the newest few kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sekisho.audit.live.disk import BadConfigError, Disk
from sekisho.diag import DiagnosticError

ROWS = ({"message": "audit is started"}, {"message": "no"}, {"message": "audit is completed"})


def test_a_file_an_audit(tmp_path: Path) -> None:
    disk = Disk.of({"path": str(tmp_path / "out"), "maxAuditResults": 2})
    for number in range(4):
        file = disk.write("audit-channel", f"2026-01-01T00:00:0{number}Z", ROWS)
        os.utime(file, (number, number))
    folder = tmp_path / "out" / "audit-channel"
    assert sorted(row.name for row in folder.iterdir()) == [
        "2026-01-01T00_00_02Z.log",
        "2026-01-01T00_00_03Z.log",
    ]
    assert [json.loads(line) for line in file.read_text().splitlines()] == list(ROWS)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (None, "invalid config format"),
        ({"maxAuditResults": 1}, "missing or invalid 'path'"),
        ({"path": "", "maxAuditResults": 1}, "path cannot be empty"),
        ({"path": "/a/../b", "maxAuditResults": 1}, "dir traversal is not allowed"),
        ({"path": "/a"}, "missing or invalid 'maxAuditResults'"),
        ({"path": "/a", "maxAuditResults": True}, "missing or invalid 'maxAuditResults'"),
        ({"path": "/a", "maxAuditResults": -1}, "cannot be negative"),
        ({"path": "/a", "maxAuditResults": 6}, "cannot be greater than the maximum allowed audit runs: 5"),
    ],
)
def test_configurations_that_are_refused(config: Any, why: str) -> None:
    with pytest.raises(BadConfigError, match=why):
        Disk.of(config)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    disk = Disk.of({"path": str(tmp_path / "file"), "maxAuditResults": 1})
    with pytest.raises(DiagnosticError) as caught:
        disk.write("audit-channel", "now", ROWS)
    assert caught.value.diagnostics[0].code.id == "AUD003"


def test_what_is_half_written_is_not_left(tmp_path: Path) -> None:
    def rows() -> Any:
        yield ROWS[0]
        raise OSError(28, "No space left on device")

    disk = Disk.of({"path": str(tmp_path), "maxAuditResults": 1})
    with pytest.raises(DiagnosticError, match="No space left on device"):
        disk.write("audit-channel", "now", rows())
    assert list((tmp_path / "audit-channel").iterdir()) == []
