"""Whether sandboxes leave anything behind: ``python -m bench.leaks [--starts 10000] [--at-once 100]``.

Counts processes, mounts, descriptors, control groups and records of containers before and after: so many
containers at once, looked at while all of them run, and so many one after the other. Needs root, and runc and
gcc for a bundle. Ends with 1 if anything was left.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.sandbox import bundle, pss, quick

SETTLE = 5.0
"""Seconds that the kernel may take to bury what has ended."""
GROUPS = Path("/sys/fs/cgroup")


def ours(folder: Path) -> set[int]:
    """Processes of sandboxes that were started from a program in this folder."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command:
                found.add(int(entry.name))
    return found


def counts(folder: Path) -> dict[str, int]:
    """What there is now."""
    groups = [path for path, _, _ in os.walk(GROUPS) if "/sekisho/leaks-" in path]
    root = folder / "state"
    return {
        "processes": len(ours(folder)),
        "mounts": len(Path("/proc/self/mountinfo").read_text().splitlines()),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "cgroups": len(groups),
        "records": len(list(root.iterdir())) if root.is_dir() else 0,
    }


def settled(folder: Path, before: dict[str, int]) -> dict[str, int]:
    """What there is once the kernel had time to bury the dead."""
    end = time.monotonic() + SETTLE
    while (now := counts(folder)) != before and time.monotonic() < end:
        time.sleep(0.2)
    return now


def in_a_row(program: list[str], given: Path, number: int) -> None:
    """Start one container after the other."""
    quiet = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    begin = time.monotonic()
    for turn in range(number):
        command = [*program, "run", "--bundle", str(given), f"leaks-{turn}"]
        _, status = os.waitpid(os.posix_spawn(command[0], command, os.environ, file_actions=quiet), 0)
        if status:
            raise SystemExit(f"start {turn} failed with status {status}")
        if turn and turn % 1000 == 0:
            print(f"  {turn} starts, {(time.monotonic() - begin) / turn * 1000:.1f} ms each", flush=True)
    took = time.monotonic() - begin
    print(f"{number} starts in a row: {took:.0f} s, {took / max(number, 1) * 1000:.1f} ms each")


def at_once(program: list[str], given: Path, number: int) -> None:
    """Run many containers at the same time, whose programs wait; then end them all."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    begin = time.monotonic()
    names = [f"leaks-many-{os.getpid()}-{turn}" for turn in range(number)]
    try:
        for name in names:
            subprocess.run([*program, "run", "--detach", "--bundle", str(given), name], check=True, **quiet)
        took = time.monotonic() - begin
        listed = subprocess.run([*program, "list"], capture_output=True, text=True, check=True).stdout
        running, memory = listed.count("running"), sum(map(pss, ours(given.parent))) / max(number, 1)
    finally:
        for name in names:
            subprocess.run([*program, "delete", "--force", name], check=False, **quiet)
    print(f"{running} of {number} at once: made in {took:.1f} s, {memory:.1f} MB of PSS each", flush=True)
    if running != number:
        raise SystemExit("not all of them ran")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.leaks")
    parser.add_argument("--starts", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=100)
    options = parser.parse_args(arguments)
    if os.geteuid():
        print("needs root")
        return 3
    with tempfile.TemporaryDirectory(prefix="sekisho-leaks-") as name:
        folder, root = Path(name), Path(name, "state")
        short, waiting = bundle(folder / "true", "/bin/true"), bundle(folder / "wait", "/bin/true", "wait")
        if short is None or waiting is None:
            print("needs runc and gcc, for a bundle")
            return 3
        program = [quick(folder), "--root", str(root)]
        in_a_row(program, short, 2)  # what the first start writes is not a leak
        before = counts(folder)
        print("before: " + ", ".join(f"{value} {key}" for key, value in before.items()), flush=True)
        at_once(program, waiting, options.at_once)
        in_a_row(program, short, options.starts)
        after = settled(folder, before)
    print("after:  " + ", ".join(f"{value} {key}" for key, value in after.items()))
    left = {key: after[key] - before[key] for key in before if after[key] > before[key]}
    print(f"left behind: {left or 'nothing'}")
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
