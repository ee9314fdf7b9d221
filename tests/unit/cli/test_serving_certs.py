"""Certificates in a folder: made, renewed, taken from others, and never replaced by what cannot be shown."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sekisho.admission.registration import Registered
from sekisho.cli.serving.certs import FolderStore, Keeper, Report
from sekisho.diag import DiagnosticError
from sekisho.web import Identity
from sekisho.web.authority import Authority


def keeper(folder: Path, shown: list[Identity]) -> Keeper:
    report = Report(ready=lambda: False, show=shown.append, told=lambda _, __: None)
    return Keeper(FolderStore(folder), Registered(), report, names=("localhost",))


def test_an_empty_folder_gets_a_certificate_that_stays(tmp_path: Path) -> None:
    shown: list[Identity] = []
    asyncio.run(keeper(tmp_path / "certs", shown).look())
    asyncio.run(keeper(tmp_path / "certs", shown).look())
    assert shown[0].chain == shown[1].chain
    assert all(row.stat().st_mode & 0o077 == 0 for row in (tmp_path / "certs").iterdir())


def write(folder: Path, chain: str, key: str) -> None:
    (folder / "tls.crt").write_text(chain)
    (folder / "tls.key").write_text(key)


def test_a_certificate_of_others_is_shown_and_only_read(tmp_path: Path) -> None:
    issued = [Authority.make("others").issue_server(["localhost"]) for _ in range(2)]
    shown: list[Identity] = []
    found = keeper(tmp_path, shown)
    for row in issued:
        write(tmp_path, row.chain, row.key.reveal())
        asyncio.run(found.look())
    assert [row.chain for row in shown] == [row.chain for row in issued]
    assert not (tmp_path / "ca.key").exists()


def test_one_that_cannot_be_shown_leaves_the_last_one(tmp_path: Path) -> None:
    first, second = (Authority.make("others").issue_server(["localhost"]) for _ in range(2))
    shown: list[Identity] = []
    found = keeper(tmp_path, shown)
    write(tmp_path, first.chain, first.key.reveal())
    asyncio.run(found.look())
    write(tmp_path, second.chain, first.key.reveal())
    with pytest.raises(DiagnosticError):
        asyncio.run(found.look())
    assert [row.chain for row in shown] == [first.chain]
