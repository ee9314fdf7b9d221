"""Runs the validation programs of opencontainers/runtime-tools: ``python -m tests.conformance.runtime_tools DIR``.

DIR is a checkout with its programs built (``make runtimetest validation-executables``): ``runtimetest``, the
archives ``rootfs-*.tar.gz``, and ``validation/*/*.t``; any other folder of such programs will do. Each program is
a case: it passes if it ends well and no line of its output says ``not ok``. Prints each failing case, then ``N
passed, M failed`` on a line of its own; a case listed in ``expected.json`` fails for the reason given there.
Needs root. ``--runtime PROGRAM`` runs another runtime beside ours, whose cases are not compared with the list.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SRC = Path(__file__).parents[3] / "src"
TIME = 180
"""Seconds for one program: the slowest makes and removes 112 containers."""

STARTER = """#!{python} -IS
import sys
sys.path.insert(0, {source!r})
sys.argv[1:1] = ["--root", {root!r}]
from sekisho.sandbox.oci_runtime.quick import main
main()
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One program: its name, how many lines said ok, and what was wrong, if anything."""

    name: str
    ok: int
    problem: str | None


def programs(folder: Path) -> list[Path]:
    """Every validation program below a folder."""
    return sorted(path for path in folder.rglob("*.t") if os.access(path, os.X_OK) and path.is_file())


def home_of(program: Path) -> Path:
    """Where a program must be started: the folder with the root's archive."""
    return next((at for at in program.parents if list(at.glob("rootfs-*.tar.gz"))), program.parent)


def run(program: Path, runtime: str) -> Outcome:
    """Run one program on a runtime."""
    name = program.stem
    # A group of its own, so that a program that hangs can be ended with all that it started.
    child = subprocess.Popen(
        [str(program)],
        cwd=home_of(program),
        env={**os.environ, "RUNTIME": runtime},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(timeout=TIME)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, 9)
        child.communicate()
        return Outcome(name, 0, f"did not end within {TIME} s")
    lines = output.decode("utf-8", "replace").splitlines()
    ok = sum(line.startswith("ok ") for line in lines)
    bad = [line for line in lines if line.startswith("not ok ") and "# TODO" not in line]
    if bad:
        return Outcome(name, ok, f"{bad[0]} (and {len(bad) - 1} more; {ok} ok)")
    if child.returncode:
        return Outcome(
            name, ok, (lines or ["no output"])[-1] if child.returncode == 1 else f"status {child.returncode}"
        )
    return Outcome(name, ok, None)


@contextlib.contextmanager
def our_runtime() -> Iterator[str]:
    """A program that runs this checkout's runtime with a root of its own; what is left in it goes at the end."""
    with tempfile.TemporaryDirectory(prefix="sekisho-runtime-tools-") as folder:
        starter = Path(folder, "sekisho-runtime")
        python = str(Path(sys.executable).resolve())
        starter.write_text(
            STARTER.format(python=python, source=str(SRC), root=f"{folder}/state"), encoding="utf-8"
        )
        starter.chmod(0o755)
        yield str(starter)
        left = subprocess.run([str(starter), "list", "--quiet"], capture_output=True, text=True, check=True)
        for id in left.stdout.split():
            subprocess.run([str(starter), "delete", "--force", id], check=False)


def main(arguments: list[str]) -> int:
    """Run the programs; 0 when exactly the expected ones fail."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.runtime_tools")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runtime", default="", help="another runtime, to compare with")
    parser.add_argument("--only", default="", help="only programs whose name contains this text")
    options = parser.parse_args(arguments)
    expected = (
        {} if options.runtime else json.loads(Path(__file__).with_name("expected.json").read_text("utf-8"))
    )
    passed = failed = surprises = 0
    with contextlib.nullcontext(options.runtime) if options.runtime else our_runtime() as runtime:
        for program in programs(options.folder):
            if options.only not in program.stem:
                continue
            outcome = run(program, runtime)
            reason = expected.get(outcome.name)
            passed, failed = passed + (outcome.problem is None), failed + (outcome.problem is not None)
            surprises += not options.runtime and (outcome.problem is None) != (reason is None)
            if outcome.problem is None and reason is not None:
                print(f"PASSES although listed ({reason}): {outcome.name}", flush=True)
            elif outcome.problem is not None:
                told = f"fails as listed ({reason})" if reason else "FAILS"
                print(f"{told}: {outcome.name}: {outcome.problem}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return int(surprises > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
