"""Kills a server that eight clients write to, again and again: ``python -m tests.crash --times 200``.

After each ``kill -9`` the server starts anew on the same folder. Every acknowledged write must be there, every
write without an answer wholly or not at all, and nothing else. Prints what is not so, and how long starts took;
0 when all is right.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.crash.rounds import Outcome, percentiles, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(2**32)
    with tempfile.TemporaryDirectory() as name:
        outcome = run(Path(name) / "data", times=options.times, rng=random.Random(seed), tell=_tell)
    for row in outcome.wrong:
        print(row)
    starts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in percentiles(outcome.starts))
    print(
        f"seed {seed}: {outcome.rounds} kills, {outcome.writes:,} acknowledged writes, "
        f"{outcome.unanswered} without an answer, {len(outcome.wrong)} wrong; starts: {starts}"
    )
    return int(bool(outcome.wrong))


def _tell(outcome: Outcome) -> None:
    if outcome.rounds % 10 == 0:
        print(f"{outcome.rounds} kills, {outcome.writes:,} writes, {len(outcome.wrong)} wrong", flush=True)


if __name__ == "__main__":
    sys.exit(main())
