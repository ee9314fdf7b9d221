"""Runs Wycheproof's signature vectors: ``python -m tests.conformance.wycheproof PATH``.

PATH is a file or a folder in that suite's form. Vectors of algorithms that no policy can name (other curves,
hashes, moduli) are counted apart. Prints each failing case, then ``N passed, M failed`` on a line of its own.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sekisho.images.signing.algorithms import BY_NAME
from tests.conformance.wycheproof.cases import load_cases, run_case


def main(arguments: list[str]) -> int:
    """Run the cases; 0 when none fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.wycheproof")
    parser.add_argument("path", type=Path)
    options = parser.parse_args(arguments)
    passed = failed = other = 0
    for case in load_cases(options.path):
        if case.algorithm not in BY_NAME:
            other += 1
            continue
        problem = run_case(case)
        if problem is not None:
            print(f"FAILS: {case.label}: {problem}")
        passed, failed = passed + (problem is None), failed + (problem is not None)
    if other:
        print(f"{other} vectors are about algorithms that a policy cannot name")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
