"""Values behave like frozen dataclasses, and importing them is cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.sandbox.spec import Limits, Process, Root, SandboxSpec, User, replace

SRC = Path(__file__).parents[3] / "src"
SPEC = SandboxSpec(id="a", process=Process(argv=("true",)), root=Root(path="/"))


def test_fields_and_defaults() -> None:
    assert SPEC.process.user == User(uid=0, gid=0)
    assert repr(Limits(pids=3)).startswith("Limits(memory=None, ")


def test_values_do_not_change() -> None:
    with pytest.raises(AttributeError):
        SPEC.id = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del SPEC.id
    with pytest.raises(AttributeError):
        SPEC.other = "b"  # type: ignore[attr-defined]


def test_a_changed_copy() -> None:
    changed = replace(SPEC, id="b")
    assert (changed.id, SPEC.id) == ("b", "a")
    assert changed != SPEC
    assert replace(changed, id="a") == SPEC


@pytest.mark.parametrize("fields", [{}, {"argv": (), "other": 1}])
def test_missing_and_unknown_fields(fields: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="missing or unknown"):
        Process(**fields)  # type: ignore[arg-type]


def test_equal_values_have_equal_hashes() -> None:
    assert hash(User(uid=1)) == hash(User(uid=1, gid=0))
    assert User() != Limits()


def test_importing_the_specification_is_cheap() -> None:
    code = f"import sys; sys.path.insert(0, {str(SRC)!r}); import sekisho.sandbox.spec; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert not {"dataclasses", "typing", "re", "inspect", "sekisho.diag"} & set(run.stdout.split())
