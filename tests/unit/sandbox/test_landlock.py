"""The second wall: what Landlock refuses a process that may only execute and list."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sekisho.sandbox import landlock_native, process_native
from sekisho.sandbox.spawn.init import second_wall

pytestmark = pytest.mark.skipif(not landlock_native.version(), reason="the kernel has no Landlock")

TRIES: list[tuple[str, Callable[[], object], bool]] = [
    ("list", lambda: [*Path().iterdir()], True),
    ("read", lambda: Path("file").read_text(), True),
    ("execute", lambda: os.spawnv(os.P_WAIT, "/bin/true", ["true"]) and os.abort(), True),
    ("write", lambda: Path("file").write_text("x"), False),
    ("make", lambda: Path("new").touch(), False),
    ("make a directory", lambda: Path("folder").mkdir(), False),
    ("remove", lambda: Path("file").unlink(), False),
    ("rename", lambda: Path("file").rename("other"), False),
    ("link", lambda: Path("linked").symlink_to("file"), False),
]


@pytest.mark.parametrize(("name", "function", "works"), TRIES, ids=[row[0] for row in TRIES])
def test_wall(name: str, function: Callable[[], object], works: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    child = os.fork()
    if child == 0:
        status = 2
        try:
            os.chdir(tmp_path)
            process_native.no_new_privileges()
            second_wall()
            function()
            status = 0
        except PermissionError:
            status = 1
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == (0 if works else 1), name


def test_a_descriptor_from_before_keeps_its_rights(tmp_path: Path) -> None:
    file = tmp_path / "file"
    child = os.fork()
    if child == 0:
        status = 2
        try:
            fd = os.open(file, os.O_CREAT | os.O_RDWR)
            process_native.no_new_privileges()
            second_wall()
            os.write(fd, b"written")
            os.ftruncate(fd, 3)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert file.read_bytes() == b"wri"
