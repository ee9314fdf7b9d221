"""Compiling one library-sized template: cold, from the cache, and by OPA: ``python -m bench.compile``.

Cold and cached are in this process, the best of many; OPA's is its own figure for parsing and compiling the
module (``opa eval --metrics``), the best of several processes. Runs of both alternate.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import peers
from bench.rego_cases import POLICIES

from sekisho import rego
from sekisho.diag import Source

NAMES = ("limits", "host_paths", "capabilities", "privileged")
"""The first is the one that the figure is about; it has the size of the library's with their ``lib``."""

ROUNDS = 8
QUERY = "data.template.violation"


def best_of(count: int, work: Callable[[], object]) -> float:
    """Seconds of the fastest of several calls."""
    best = math.inf
    for _ in range(count):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def opa(program: str, file: Path) -> float:
    """Seconds that OPA says it took to parse and compile a module."""
    command = [program, "eval", "--metrics", "-f", "json", "-d", str(file), QUERY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    metrics = json.loads(done.stdout)["metrics"]
    return (metrics["timer_rego_module_parse_ns"] + metrics["timer_rego_module_compile_ns"]) * 1e-9


def measure(name: str, program: str | None, root: str) -> tuple[float, float, float]:
    """Cold, cached and OPA's seconds for one policy."""
    file = POLICIES / f"{name}.rego"
    source = Source(file.name, file.read_text(encoding="utf-8"))
    cache = rego.program_cache(root)

    def cold() -> rego.Program:
        return rego.compile({file.name: source})

    def cached() -> object:
        return rego.cached(cold, cache=cache, sources=[source]).rule(QUERY)

    cached()
    times = [math.inf] * 3
    for _ in range(ROUNDS):
        times[0] = min(times[0], best_of(5, cold))
        times[1] = min(times[1], best_of(50, cached))
        if program:
            times[2] = min(times[2], opa(program, file))
    return times[0], times[1], times[2]


def main() -> int:
    """Measure and print."""
    program = peers.program("opa")
    print(
        f"{'policy':16} {'cold ms':>9} {'cached ms':>10} {'of cold':>8}"
        + (f" {'opa ms':>8} {'ratio':>6}" if program else "")
    )
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o700)
        for name in NAMES:
            cold, cached, theirs = measure(name, program, root)
            line = f"{name:16} {cold * 1e3:9.2f} {cached * 1e3:10.3f} {cached / cold:8.3f}"
            print(line + (f" {theirs * 1e3:8.2f} {cold / theirs:6.1f}" if program else ""), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
