"""Runs the CEL specification's conformance cases: ``python -m tests.conformance.cel_spec DIR``.

DIR is any folder with files in the form of google/cel-spec's ``tests/simple/testdata/*.textproto``. Prints each
failing case, then ``N passed, M failed`` on a line of its own. A case listed in ``expected.json`` counts as
failed; it is an error if it passes, and so is a failure that is not listed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.conformance.cel_spec.cases import Case, libraries, load_cases, load_expected, run_case


def main(arguments: list[str]) -> int:
    """Run the cases; 0 when exactly the expected ones fail."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.cel_spec")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="only cases whose label contains this text")
    options = parser.parse_args(arguments)
    expected = load_expected(Path(__file__).with_name("expected.json"))
    known = libraries()
    passed = failed = surprises = 0
    for case in load_cases(options.folder):
        if options.only not in case.label:
            continue
        problem = run_case(case, known)
        passed, failed = passed + (problem is None), failed + (problem is not None)
        surprises += _report(case, problem, expected.get(case.key))
    print(f"{passed} passed, {failed} failed")
    return 1 if surprises else 0


def _report(case: Case, problem: str | None, reason: str | None) -> int:
    if problem is None and reason is None:
        return 0
    if problem is None:
        print(f"PASSES although listed ({reason}): {case.label}")
        return 1
    if reason is None:
        print(f"FAILS: {case.label}: {problem}")
        return 1
    print(f"fails as listed ({reason}): {case.label}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
