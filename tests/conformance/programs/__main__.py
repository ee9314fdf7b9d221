"""Runs unmodified programs natively and in a sandbox: ``python -m tests.conformance.programs [NAME...]``.

Each row of ``rows.py`` is a case: it passes if its script ends well natively, and prints the same inside. Prints each
failing case with the lines that differ, then ``N passed, M failed`` on a line of its own. ``expected.json`` lists
lines that differ and why. NAMEs choose rows that contain them. Needs root, and what the rows need; a row whose
programs are not installed is skipped, and says so.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conformance.programs.rows import PROGRAMS, Program

SRC = Path(__file__).parents[3] / "src"
SHOWN = 12
"""Lines that differ which are printed."""


def sandboxed(folder: Path, given: Path) -> list[str]:
    """The command that runs a script of ours inside, in a folder that is its own alone."""
    code = "from sekisho.cli.entry import main; main()"
    options = ["--no-tty", "--mount", f"{given}:{given}:ro", "--env", "GIVEN", "--env", "LC_ALL"]
    options += ["--tmpfs", str(folder), "--cwd", str(folder)]
    return [sys.executable, "-c", code, "sandbox", "do", *options, "--", "sh", "-c"]


def run(command: list[str], folder: Path, env: dict[str, str], seconds: int) -> tuple[str, str, float]:
    """What a command prints and how it ended, and how long it took."""
    start = time.perf_counter()
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output = child.communicate(timeout=seconds)[0].decode("utf-8", "replace")
        ended = f"status {child.returncode}"
    except subprocess.TimeoutExpired:
        output, ended = "", f"did not end within {seconds} s"
    finally:
        with contextlib.suppress(ProcessLookupError):  # nothing was left behind
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
    return output, ended, time.perf_counter() - start


def compare(program: Program, scratch: Path) -> tuple[list[str], float, float]:
    """The lines that differ between the native result and the one inside, and both times."""
    given, bare = scratch / "given", scratch / "bare"
    work = scratch / "work"
    for folder in (given, bare, work):
        folder.mkdir()
    env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "USER")}
    env |= {"GIVEN": str(given), "LC_ALL": "C.UTF-8"}
    if program.ready:
        made = subprocess.run(
            ["sh", "-ec", program.ready], cwd=given, env=env, capture_output=True, text=True, check=False
        )
        if made.returncode:
            return [f"- it could not be made ready: {made.stdout}{made.stderr}"], 0, 0
    # Both have the same path, a file system in memory, no network but loopback and no capability: what differs
    # is the sandbox.
    make = f"mount -t tmpfs -o mode=1777 none {work} && cd {work} && ip link set lo up"
    bare_rights = 'exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs sh -c "$1"'
    spaces = [
        "unshare",
        "--mount",
        "--net",
        "--ipc",
        "--uts",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]
    script = ["sh", "-c", f"{make} && {bare_rights}", "sh", program.script]
    native, ended, native_seconds = run([*spaces, *script], work, env, program.seconds)
    env["PYTHONPATH"] = str(SRC)
    inside, ended_inside, seconds = run(
        [*sandboxed(work, given), program.script], work, env, program.seconds * 2
    )
    lines = difflib.unified_diff(
        [*native.splitlines(), ended],
        [*inside.splitlines(), ended_inside],
        "native",
        "inside",
        lineterm="",
        n=0,
    )
    differ = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    if ended != "status 0":
        differ.insert(0, f"- natively it does not end well: {ended}")
    return differ, native_seconds, seconds


def main(wanted: list[str]) -> int:
    """Run the rows; 0 when all give the native result, but for what is listed."""
    if os.geteuid():
        print("needs root")
        return 3
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background ignores it, and so would they
    expected: dict[str, dict[str, str]] = json.loads(
        Path(__file__).with_name("expected.json").read_text("utf-8")
    )
    passed = failed = 0
    for program in PROGRAMS:
        if wanted and not any(name in program.name for name in wanted):
            continue
        missing = [name for name in program.needs if shutil.which(name) is None]
        if missing:
            print(f"SKIPPED {program.name}: {', '.join(missing)} not installed")
            continue
        with tempfile.TemporaryDirectory(prefix="sekisho-programs-") as scratch:
            differ, native, inside = compare(program, Path(scratch))
        listed = expected.get(program.name, {})
        odd = [line for line in differ if not any(text in line for text in listed)]
        passed, failed = passed + (not odd), failed + bool(odd)
        print(
            f"{'FAILS' if odd else 'ok':6}{program.name}: native {native:.1f} s, inside {inside:.1f} s",
            flush=True,
        )
        for text, reason in listed.items():
            if any(text in line for line in differ):
                print(f"      differs as listed: {text} ({reason})")
        for line in odd[:SHOWN]:
            print(f"      {line}")
        if len(odd) > SHOWN:
            print(f"      and {len(odd) - SHOWN} more lines")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
