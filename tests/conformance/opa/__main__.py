"""Runs compliance cases of the Open Policy Agent: ``python -m tests.conformance.opa DIR --dialect v1``.

Prints each failing case, then ``N passed, M failed`` on a line of its own. Works on any folder of JSON files in
that format. A case listed in ``expected.json`` counts as failed, but is only printed when it passes, which
is an error; so is a failure that is not listed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from sekisho.rego.dialect import Dialect
from tests.conformance.opa.cases import Case, load_cases, load_expected, run_case


def main(arguments: list[str]) -> int:
    """Run the cases; 0 when exactly the expected ones fail."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.opa")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dialect", choices=["v0", "v1"], required=True)
    parser.add_argument("--only", default="", help="only cases whose file or note contains this text")
    parser.add_argument("--slow", type=float, default=0, help="print cases that take longer, in seconds")
    options = parser.parse_args(arguments)
    dialect = Dialect(options.dialect)
    expected = load_expected(Path(__file__).with_name("expected.json"), options.dialect)
    passed = failed = surprises = 0
    for case in load_cases(options.folder):
        if options.only not in case.note and options.only not in case.file:
            continue
        start = time.perf_counter()
        problem = run_case(case, dialect)
        seconds = time.perf_counter() - start
        if options.slow and seconds > options.slow:
            print(f"{case.label}: {seconds:.2f} s")
        reason = expected.get(case.key)
        passed, failed = passed + (problem is None), failed + (problem is not None)
        surprises += _report(case, problem, reason)
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


__all__ = ["json", "main"]
