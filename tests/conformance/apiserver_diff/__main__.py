"""Replays what a real kube-apiserver answered: ``python -m tests.conformance.apiserver_diff [FILE ...]``.

Without files both recordings under ``tests/data/apiserver``. Prints each pair that differs, then
``N passed, M failed`` on a line of its own. A difference listed in ``expected.yaml`` counts as failed; it is an
error if there is none, and so is one that is not listed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.conformance.apiserver_diff.recording import DATA
from tests.conformance.apiserver_diff.replay import Outcome, replay

SHOWN = 6
"""Lines about one pair."""


def main(arguments: list[str]) -> int:
    """Replay; 0 when exactly the expected pairs differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.apiserver_diff")
    parser.add_argument("files", type=Path, nargs="*", default=sorted(DATA.glob("*.json.gz")))
    parser.add_argument("--only", default="", help="only scenarios whose name contains this text")
    options = parser.parse_args(arguments)
    passed = failed = surprises = 0
    for file in options.files:
        with tempfile.TemporaryDirectory() as folder:
            for outcome in replay(file, Path(folder), only=options.only):
                passed, failed = passed + (not outcome.lines), failed + bool(outcome.lines)
                surprises += _report(outcome)
    print(f"{passed} passed, {failed} failed")
    return 1 if surprises else 0


def _report(outcome: Outcome) -> int:
    if outcome.lines and outcome.reason is None:
        print(f"DIFFERS: {outcome.pair.label}")
        for line in outcome.lines[:SHOWN]:
            print(f"    {line}")
        return 1
    if outcome.lines:
        print(f"differs as listed ({outcome.reason}): {outcome.pair.label}")
    elif outcome.reason is not None:
        print(f"EQUAL although listed ({outcome.reason}): {outcome.pair.label}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
