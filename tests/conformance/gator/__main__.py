"""Runs gator's own tests, from a copy of Gatekeeper's sources: ``python -m tests.conformance.gator DIR``.

Three things, each if DIR has it: the tables of ``pkg/gator`` (verify and sync test), every suite below
``DIR``, and with ``--gator PROGRAM`` the folders of ``test/gator/test``, judged by that program and by us, line
for line. Without ``pkg/gator``, any folder of suites will do. Prints each failing case, then ``N passed, M
failed`` on a line of its own; a case listed in ``expected.json`` fails for the reason given there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from sekisho.cli.policy.suitefiles import DiskFiles, find_suites
from sekisho.diag import DiagnosticError
from sekisho.policy.compiler import compile_code
from sekisho.policy.verify import Runner
from tests.conformance.gator import judging, syncing, verifying
from tests.conformance.gator.golang import constants
from tests.conformance.gator.verifying import Outcome


def outcomes(folder: Path, gator: str) -> Iterator[Outcome]:
    """Everything that there is to run."""
    package = folder / "pkg" / "gator"
    if (package / "fixtures" / "fixtures.go").exists():
        names = constants((package / "fixtures" / "fixtures.go").read_text(encoding="utf-8"), "fixtures.")
        names |= constants((package / "errors.go").read_text(encoding="utf-8"), "gator.")
        yield from verifying.run_all(package / "verify", names)
        yield from syncing.run_all(package / "sync" / "test", names)
    yield from suites(folder)
    if gator:
        yield from judging.run_all(folder, gator)


def suites(folder: Path) -> Iterator[Outcome]:
    """Every case of every suite below a folder."""
    runner = Runner(DiskFiles(), compile=compile_code)
    try:
        found = find_suites((f"{folder}/...",))
    except DiagnosticError as error:
        yield Outcome(f"suites of {folder}", str(error))
        return
    for suite in found:
        name = Path(suite.file).relative_to(folder).as_posix()
        for test in runner.run(suite).tests:
            if test.problem is not None or not test.cases:
                yield Outcome(f"{name}: {test.test.name}", test.problem and test.problem.message)
            for case in test.cases:
                problem = case.problem.message if case.problem else None
                yield Outcome(f"{name}: {test.test.name}//{case.case.name}", problem)


def main(arguments: list[str]) -> int:
    """Run the cases; 0 when exactly the expected ones fail."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.gator")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gator", default="", help="the program to compare with")
    parser.add_argument("--only", default="", help="only cases whose name contains this text")
    options = parser.parse_args(arguments)
    expected = json.loads(Path(__file__).with_name("expected.json").read_text(encoding="utf-8"))
    passed = failed = surprises = 0
    for outcome in outcomes(options.folder, options.gator):
        if options.only not in outcome.name:
            continue
        reason = expected.get(outcome.name)
        passed, failed = passed + (outcome.problem is None), failed + (outcome.problem is not None)
        surprises += (outcome.problem is None) != (reason is None)
        if outcome.problem is None and reason is not None:
            print(f"PASSES although listed ({reason}): {outcome.name}")
        elif outcome.problem is not None:
            print(
                f"fails as listed ({reason}): {outcome.name}"
                if reason
                else f"FAILS: {outcome.name}: {outcome.problem}"
            )
    print(f"{passed} passed, {failed} failed")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
