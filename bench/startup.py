"""``sekisho check`` on one file, in multiples of ``python -I -c pass``, with a warm cache."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.peers import normal

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "src" / "sekisho" / "examples" / "shop"
RUNS = 15
BASELINE, RESTRICTED = "pod-security-baseline", "pod-security-restricted"


def best(command: list[str], environment: dict[str, str]) -> float:
    """The fastest of some runs, in seconds."""
    found = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**normal(), **environment},
            check=False,
        )
        found.append(time.perf_counter() - start)
    return min(found)


def main() -> None:
    with tempfile.TemporaryDirectory() as cache:
        environment = {"XDG_CACHE_HOME": cache, "PYTHONPATH": str(ROOT / "src")}
        base = best([sys.executable, "-I", "-c", "pass"], {})
        program = [sys.executable, "-m", "sekisho"]
        policies, file = str(SHOP / "policies"), str(SHOP / "fixed" / "frontend.yaml")
        runs = {
            "python -I -c pass": [sys.executable, "-I", "-c", "pass"],
            "sekisho --version": [*program, "--version"],
            "sekisho check, one file": [*program, "check", file],
            "sekisho check, one file, one policy": [
                *program,
                "check",
                "-p",
                f"{policies}/image-repos.yaml",
                file,
            ],
            "sekisho check, one file, ten policies": [*program, "check", "-p", policies, file],
            "sekisho check, one file, baseline": [*program, "check", "--bundle", BASELINE, file],
            "sekisho check, one file, restricted": [*program, "check", "--bundle", RESTRICTED, file],
        }
        print(f"{'':40}{'ms':>8}{'times':>8}")
        for title, command in runs.items():
            seconds = best(command, environment)
            print(f"{title:40}{seconds * 1000:8.0f}{seconds / base:8.1f}")


if __name__ == "__main__":
    main()
