"""Hooks get the state, and their failures are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime.hooks import run
from sekisho.sandbox.spec import Hook

STATE = {"ociVersion": "1.0.2", "id": "web", "pid": 7, "status": "created"}


def shell(script: str, **more: object) -> Hook:
    return Hook(path="/bin/sh", args=("sh", "-c", script), **more)  # type: ignore[arg-type]


def test_state_arguments_and_environment(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("prestart", [shell(f'cat > {out}; echo "$A" >> {out}', env=("A=b",))], STATE)
    state, variable = out.read_text(encoding="utf-8").rsplit("}", 1)
    assert json.loads(f"{state}}}") == STATE
    assert variable.strip() == "b"


def test_order_and_the_first_failure(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(SandboxError, match=r"SBX115: prestart hook /bin/sh failed with status 3: it is late"):
        run(
            "prestart",
            [shell(f"echo 1 >> {out}"), shell("echo it is late >&2; exit 3"), shell(f"echo 3 >> {out}")],
            STATE,
        )
    assert out.read_text(encoding="utf-8") == "1\n"


@pytest.mark.parametrize(
    ("hook", "says"),
    [
        (Hook(path="/nowhere"), "cannot be run"),
        (shell("kill -9 $$"), "signal 9"),
        (shell("sleep 60", timeout=1), "did not end within 1 s"),
    ],
)
def test_failures(hook: Hook, says: str) -> None:
    with pytest.raises(SandboxError, match=says):
        run("poststart", [hook], STATE)


def test_a_hook_need_not_read() -> None:
    run("poststop", [Hook(path="/bin/true")], {**STATE, "annotations": {"a": "x" * 500_000}})
