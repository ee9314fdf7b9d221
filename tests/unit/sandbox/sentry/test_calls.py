"""Calls made inside give what they give outside: each case of ``calls.py`` runs natively and in a sandbox."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.unit.sandbox.inside import PYTHON, do, needs_sandbox

from sekisho.sandbox.table import Klass, table

pytestmark = needs_sandbox
PROGRAM = Path(__file__).with_name("calls.py")


def case_names() -> list[str]:
    tree = ast.parse(PROGRAM.read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    return [node.name.rstrip("_") for node in functions]


@cache
def results() -> tuple[dict[str, Any], dict[str, Any]]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [PYTHON, "-I", "-S", str(PROGRAM), folder], capture_output=True, text=True, check=True, timeout=60
        )
    script = f"mkdir /tmp/calls && exec {PYTHON} -I -S /mnt/calls.py /tmp/calls"
    inside = do("/bin/sh", "-c", script, options=("--readonly", "--mount", f"{PROGRAM.parent}:/mnt"))
    assert inside.stderr == ""
    return json.loads(run.stdout), json.loads(inside.stdout)


@pytest.mark.parametrize("name", case_names())
def test_same_as_outside(name: str) -> None:
    native, inside = results()
    assert inside[name] == native[name]


INDIRECT = {
    "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "capset",
    # by libraries that the cases use
    "getsockname", "bind", "connect", "listen",
    "setxattr", "prctl", "ioctl", "process_vm_readv",
}  # fmt: skip


def test_every_call_that_the_sentry_answers_is_made() -> None:
    """By its number, in some case."""
    made = {int(number) for number in re.findall(r"call\((\d+)", PROGRAM.read_text(encoding="utf-8"))}
    wanted = {
        number: row.name
        for number, row in table().items()
        if row.default.klass is Klass.NOTIFIED or (row.default.klass is Klass.CHECKED and row.default.handler)
    }
    missing = {name for number, name in wanted.items() if number not in made}
    assert missing <= INDIRECT | {"umask", "openat2", "sendto", "sendmsg", "sendmmsg"}
