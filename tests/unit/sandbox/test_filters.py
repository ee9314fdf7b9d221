"""The files are what the table says, and reading them imports nothing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from sekisho.sandbox import filters
from sekisho.sandbox.table import Option, Profile, filter, handlers
from sekisho.sandbox.table.supervisor import supervisor_filter

ROOT = Path(__file__).parents[3]
SPEC = importlib.util.spec_from_file_location("make_filters", ROOT / "tools" / "make_filters.py")
assert SPEC is not None
assert SPEC.loader is not None
make_filters = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_filters)


def test_files_are_up_to_date() -> None:
    made = make_filters.files()
    kept = [
        file
        for file in make_filters.FOLDER.iterdir()
        if file.suffix in (".bpf", ".handlers", ".denials", ".names")
    ]
    assert {file.name: file.read_bytes() for file in kept} == made, "run tools/make_filters.py"


def test_loading() -> None:
    options = frozenset({"sysv-ipc", "sealed-network"})
    assert filters.load("strict", options) == filter(Profile.STRICT, frozenset(Option))
    assert filters.load_handlers() == handlers()
    assert filters.load_supervisor() == supervisor_filter()


def test_loading_is_cheap() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); from sekisho.sandbox import filters; "
    code += "filters.load(); filters.load_handlers(); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert not {"dataclasses", "typing", "re", "sekisho.diag", "pathlib"} & set(run.stdout.split())
