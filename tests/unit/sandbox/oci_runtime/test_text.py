"""The quick JSON reads and writes what the package ``json`` does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_round_trip(value: object) -> None:
    assert json.loads(text.write(value)) == value
    assert text.parse(json.dumps(value), "x") == value
    assert text.parse(text.write(value, "  "), "x") == value


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \n\\u'))
def test_what_is_refused(content: str) -> None:
    try:
        expected = json.loads(content)
    except (ValueError, RecursionError):
        with pytest.raises(SandboxError) as caught:
            text.parse(content, "x")
        assert caught.value.code == "SBX120"
    else:
        assert text.parse(content, "x") == expected


@pytest.mark.parametrize("content", ["", "   ", "NaN", "[Infinity]", "{} x", "[" * 100_000, '{"a": }'])
def test_odd_documents(content: str) -> None:
    with pytest.raises(SandboxError, match="SBX120"):
        text.parse(content, "x")


def test_places() -> None:
    with pytest.raises(SandboxError, match=r"line 2,? column 6"):
        text.parse('{"a": 1,\n "b" 2}', "x")


@pytest.mark.parametrize(
    "make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_bytes(b"\x00")]
)
def test_files_that_cannot_be_read(tmp_path: Path, make: object) -> None:
    path = tmp_path / "config.json"
    make(path)  # type: ignore[operator]
    with pytest.raises(SandboxError, match="SBX120"):
        text.parse_file(str(path))


def test_bytes_that_are_no_text_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b'["\xff"]')
    assert text.parse_file(str(path)) == ["\udcff"]


def test_start_up_imports_nothing_heavy() -> None:
    src = str(Path(__file__).parents[4] / "src")
    code = (
        f"import sys; sys.path.insert(0, {src!r}); from sekisho.sandbox.oci_runtime import lifecycle, main; "
    )
    code += "from sekisho.sandbox.spawn import launch; from sekisho.sandbox.oci_runtime.commands import exec, run; "
    code += "main.run(['features']); print(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "argparse",
        "asyncio",
        "dataclasses",
        "enum",
        "json",
        "pathlib",
        "re",
        "sekisho.diag",
        "socket",
        "typing",
    }
    assert not heavy & set(run.stderr.split())
