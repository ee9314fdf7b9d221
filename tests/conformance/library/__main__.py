"""Holds our policies against those of Gatekeeper's library: ``python -m tests.conformance.library DIR``.

DIR is a copy of that library, or any folder of suites with templates of the same kinds. In each case of its
suites, our template takes the place of the one that the suite names: the constraint has to be taken as it is,
the number of violations has to be the same, and the assertions of the case have to hold. ``--generated N``
makes N changes to the object of each case and compares the numbers again, where Kubernetes would take the
changed object. ``--gator PROGRAM`` has both numbers asserted by gator itself, with both templates.

Prints each case that differs, then ``N passed, M failed`` on a line of its own. What is listed in
``expected.json``, by kind and case, differs for the reason given there.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.conformance.library.cases import Case, Difference, find_cases
from tests.conformance.library.compare import Both
from tests.conformance.library.gator import differences
from tests.conformance.library.generate import variants

EXPECTED = Path(__file__).with_name("expected.json")


def compared(cases: list[Case], both: Both, generated: int) -> tuple[int, list[Difference]]:
    """How many comparisons were made, and what differed."""
    count, found = 0, []
    for case in cases:
        count += 1
        found += both.compare(case, case.object, "")
        for number, variant in enumerate(variants(case, generated)):
            count += 1
            found += both.compare(case, variant, f" #{number}")
    return count, found


def main(arguments: list[str]) -> int:
    """Compare; 0 when nothing differs but what is expected to."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.library")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--generated", type=int, default=0, help="changed objects for each case")
    parser.add_argument("--gator", default="", help="the program to compare with")
    parser.add_argument("--only", default="", help="only kinds whose name contains this text")
    options = parser.parse_args(arguments)
    cases = [case for case in find_cases(options.folder) if options.only in case.kind]
    both = Both()
    count, found = compared(cases, both, options.generated)
    if options.gator:
        more, others = differences(cases, both, options.gator)
        count, found = count + more, [*found, *others]
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    surprises = 0
    for difference in found:
        reason = expected.get(difference.kind, {}).get(difference.why)
        surprises += reason is None
        known = f"differs as listed ({reason})" if reason else "DIFFERS"
        print(f"{known}: {difference.kind}: {difference.name}: {difference.text}")
    print(f"{count - len(found)} passed, {len(found)} failed")
    return 1 if surprises or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
