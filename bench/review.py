"""One review of one Pod by 40 constraints of 20 templates: ``sekisho policy bench`` and ``gator bench``.

    python -m bench.review

Both measure themselves, on the same files, one after the other, with one thread each. The figure of each is
the best of three runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.peers import normal, program
from bench.review_cases import PARAMETERS, constraints, pods, template

ROOT = Path(__file__).parents[1]
ROUNDS = 3
REVIEWS = 400


def write(folder: Path, objects: list[dict[str, Any]]) -> None:
    """Each object in a file of its own."""
    folder.mkdir()
    for number, item in enumerate(objects):
        (folder / f"{number:02}.json").write_text(json.dumps(item), encoding="utf-8")


def measure(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """The results of the best of some runs, as gator writes them."""
    flags = ["-n", str(REVIEWS), "--warmup", "20", "-o", "json"]
    runs = []
    for _ in range(ROUNDS):
        done = subprocess.run(
            [*command, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            check=True,
        )
        runs.append(json.loads(done.stdout)[0])
    return max(runs, key=lambda run: run["reviewsPerSecond"])


def figures(run: dict[str, Any]) -> str:
    """Reviews a second, and the 99th percentile of their latencies."""
    return f"{run['reviewsPerSecond']:9.0f}{run['latencies']['p99']:>12}"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        policies = [item for row in PARAMETERS for item in (template(row), *constraints(row))]
        write(folder / "policies", policies)
        environment = {
            **normal(),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "PYTHONPATH": str(ROOT / "src"),
            "GOMAXPROCS": "1",
        }
        peer = program("gator")
        print(f"{len(PARAMETERS)} templates, {len(policies) - len(PARAMETERS)} constraints, one thread")
        print(f"{'a Pod':12}{'violations':>11}{'ours/s':>9}{'p99':>12}{'gator/s':>10}{'p99':>12}{'ratio':>7}")
        for title, item in pods().items():
            subject = folder / title.replace(" ", "-")
            write(subject, [item])
            files = ["-f", str(folder / "policies"), "-f", str(subject)]
            ours = measure([sys.executable, "-m", "sekisho", "policy", "bench", *files], environment)
            row = f"{title:12}{ours['violationCount'] // REVIEWS:11}{figures(ours)}"
            if peer:
                run = measure([peer, "bench", "-e", "rego", *files], environment)
                ratio = ours["reviewsPerSecond"] / run["reviewsPerSecond"]
                row += f" {figures(run)}{ratio:7.1f}"
                if run["violationCount"] != ours["violationCount"]:
                    sys.exit(f"gator counts {run['violationCount']}, we {ours['violationCount']} violations")
            print(row)


if __name__ == "__main__":
    main()
