"""Runs gVisor's system-call tests: ``python -m tests.conformance.gvisor_syscalls DIR``.

DIR has built programs of googletest (``build.py`` says how). Each case runs natively, in namespaces of its own,
and then, if it passed there, in a sandbox. Prints each case that fails inside, then ``N passed, M failed`` on a
line of its own. A case that ``expected.json`` has a pattern for fails for the reason given there; a pattern that
fits nothing, and a failure without one, are errors. Needs root.

--beside runsc   runs the cases that pass natively under Debian's runsc (ptrace) too, and prints its share
--only TEXT      programs whose names contain it
--seconds N      for one case (20)
--results FILE   writes how each case ended, as JSON; one that is there already is added to
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from tests.conformance.gvisor_syscalls.gtest import PASSED, Runner, names

SRC = Path(__file__).parents[3] / "src"

NOT_RUN: Final = {
    "cgroup": "changes the machine's control groups",
    "iptables": "changes the machine's packet filter tables",
    "ip6tables": "changes the machine's packet filter tables",
    "kcov": "needs a kernel that is built for coverage",
    "verity": "about a file system of gVisor's own",
    "fuse": "needs the machine's FUSE device",
    "tuntap": "needs the machine's tun device",
    "iouring": "about a facility that sandboxes do not have",
}
"""Programs, by the beginning of their names, that are left out, and why."""


def native() -> list[str]:
    """The command before a program that runs bare, but where a test cannot hurt the machine.

    Without capabilities, as in a sandbox: what takes one is not asked of it.
    """
    # Not as process 1, which signals do not end.
    inner = 'ip link set lo up; setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$0" "$@"; exit $?'
    outer = [
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount",
        "--mount-proc",
        "--net",
        "--ipc",
        "--uts",
    ]
    return [*outer, "sh", "-c", inner]


def inside(folder: Path) -> list[str]:
    """The command before a program that runs in a sandbox."""
    code = "from sekisho.cli.entry import main; main()"
    shown = ["--mount", f"{folder}:{folder}:ro"]
    wanted = [item for name in ("TEST_TMPDIR", "TEST_SRCDIR", "GTEST_FILTER") for item in ("--env", name)]
    return [sys.executable, "-c", code, "sandbox", "do", "--no-tty", *shown, *wanted, "--"]


def beside() -> list[str]:
    """The command before a program that runs under runsc."""
    return ["runsc", "--network=none", "--platform=ptrace", "do"]


def programs(folder: Path, only: str) -> list[Path]:
    """The programs that are run."""
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and os.access(path, os.X_OK)]
    return [path for path in found if only in path.name and not path.name.startswith(tuple(NOT_RUN))]


class Expected:
    """The failures that are expected, by patterns of ``program:case``."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = json.loads(
            Path(__file__).with_name("expected.json").read_text("utf-8")
        )
        self._used: set[str] = set()

    def reason(self, case: str) -> str | None:
        """Why a case fails; None if it should not."""
        for pattern, reason in self._reasons.items():
            if fnmatch.fnmatchcase(case, pattern):
                self._used.add(pattern)
                return reason
        return None

    def unused(self) -> list[str]:
        """Patterns that fitted no failure."""
        return [pattern for pattern in self._reasons if pattern not in self._used]


def main(arguments: list[str]) -> int:
    """Run the programs; 0 when exactly the expected cases fail."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.gvisor_syscalls")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--beside", choices=["runsc"])
    parser.add_argument("--results", type=Path)
    options = parser.parse_args(arguments)
    folder = options.folder.resolve()
    expected, counts = Expected(), Counter[str]()
    surprises = 0
    kept = json.loads(options.results.read_text()) if options.results and options.results.exists() else {}
    with tempfile.TemporaryDirectory(prefix="sekisho-gvisor-") as scratch:
        env = {
            **os.environ,
            "TEST_TMPDIR": "/tmp",
            "TEST_SRCDIR": f"{folder}/../files",
            "PYTHONPATH": str(SRC),
        }
        ways = {"native": Runner(native(), env, seconds=options.seconds)}
        ways["inside"] = Runner(inside(folder.parent), env, seconds=options.seconds)
        if options.beside:
            ways["beside"] = Runner(beside(), env, seconds=options.seconds)
        os.chdir(scratch)
        for program in programs(folder, options.only):
            if program.name not in kept:
                kept[program.name] = compare(program, ways, env)
                if options.results:
                    options.results.write_text(json.dumps(kept, indent=1))
            surprises += report(program.name, kept[program.name], expected, counts)
    if not options.only:
        for pattern in expected.unused():
            print(f"FITS NOTHING: {pattern}")
            surprises += 1
    return summary(counts) or int(surprises > 0)


def compare(program: Path, ways: dict[str, Runner], env: dict[str, str]) -> dict[str, dict[str, str]]:
    """How the cases of a program ended in each way; only those that pass natively go on to the others."""
    found = {"native": ways["native"].run(str(program), names([*native(), str(program)], env))}
    cases = [case for case, end in found["native"].items() if end == PASSED]
    for name, way in ways.items():
        if name != "native":
            found[name] = way.run(str(program), cases)
    return found


def report(name: str, found: dict[str, dict[str, str]], expected: Expected, counts: Counter[str]) -> int:
    """Print what failed of a program; how much of that was a surprise."""
    surprises = 0
    counts.update(f"native {end}" for end in found["native"].values())
    counts.update(f"beside {end}" for end in found.get("beside", {}).values())
    for case, end in found["inside"].items():
        counts[f"inside {end}"] += 1
        if end != PASSED:
            reason = expected.reason(f"{name}:{case}")
            surprises += reason is None
            told = f"fails as listed ({reason})" if reason else "FAILS"
            print(f"{told}: {name}:{case}: {end}", flush=True)
    return surprises


def summary(counts: Counter[str]) -> int:
    """Print the sums."""
    native_passed = counts["native passed"]
    for way, title in (("beside", "runsc (ptrace)"), ("inside", "inside")):
        total = sum(number for name, number in counts.items() if name.startswith(way))
        if total:
            ends = ", ".join(f"{n} {k.split()[1]}" for k, n in sorted(counts.items()) if k.startswith(way))
            share = counts[f"{way} passed"] / max(native_passed, 1)
            print(f"{title}: {share:.1%} of the {native_passed} cases that pass natively ({ends})")
    passed = counts["inside passed"]
    print(f"{passed} passed, {native_passed - passed} failed")
    return int(native_passed == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
