"""The whole policy library, loaded, and its samples reviewed: ``python -m bench.library [DIR]``.

DIR is another library in the same form (``template.yaml``, ``samples/*/constraint.yaml``), such as a copy of
Gatekeeper's. Reviews are those of ``sekisho policy bench`` and ``gator bench`` on the same files, with one
thread each, and must find the same number of violations. Our loading includes reading the files, gator's (its
own figure) does not; cold is with an empty cache. Rounds of both alternate; each figure is the best of them.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from bench.peers import normal, program

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "src" / "sekisho" / "library"
ROUNDS = 3
ITERATIONS = 3
LOADS = 7
FLAGS = ("-e", "rego", "-o", "json")
OURS = (sys.executable, "-m", "sekisho", "policy", "bench")

LOAD = """
import sys, time
from sekisho.cli.inputs import read_objects
from sekisho.cli.programs import cached_choice, cached_compile
from sekisho.diag import Level
from sekisho.policy import Engine
compile, choice = cached_compile(enabled=True), cached_choice(enabled=True, engine="rego")
for _ in range(int(sys.argv[1])):
    start = time.perf_counter()
    engine = Engine.build(read_objects(sys.argv[2:]).objects, compile=compile, choice=choice)
    print(time.perf_counter() - start)
    assert not [row for row in engine.problems if row.level is Level.ERROR]
"""


def collect(library: Path, into: Path) -> tuple[int, int, int]:
    """Copy templates, constraints and objects into folders of their kind; how many there are of each.

    Constraints get names of their own, for libraries that use one name twice. Objects are those that gator
    can judge without a request; each namespace that one is in gets a Namespace.
    """
    counts = {"templates": 0, "constraints": 0, "objects": 0}
    for name in counts:
        (into / name).mkdir(parents=True)
    namespaces: set[str] = set()
    known: set[str] = set()
    for file in sorted(library.rglob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        for value in yaml.safe_load_all(text):
            name = place(value, file)
            if name is None:
                continue
            counts[name] += 1
            if name == "constraints":
                value["metadata"]["name"] += f"-{counts[name]}"
            if name == "objects":
                namespaces.add(value["metadata"].get("namespace", "default"))
                known |= {value["metadata"]["name"]} if value["kind"] == "Namespace" else set()
            shown = text if name == "templates" else yaml.safe_dump(value)
            (into / name / f"{counts[name]:04}.yaml").write_text(shown, encoding="utf-8")
    for name in sorted(namespaces - known):
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        (into / "objects" / f"namespace-{name}.yaml").write_text(yaml.safe_dump(namespace), encoding="utf-8")
    return counts["templates"], counts["constraints"], counts["objects"]


def place(value: Any, file: Path) -> str | None:
    """The folder for a document of a library; None for what is not measured."""
    version = value.get("apiVersion", "") if isinstance(value, dict) else ""
    group = version.partition("/")[0]
    if file.name == "template.yaml":
        return "templates"
    if group == "constraints.gatekeeper.sh":
        return "constraints"
    inside = "samples" in file.parts and version and "metadata" in value
    return "objects" if inside and not group.endswith(("gatekeeper.sh", "admission.k8s.io")) else None


def bench(command: list[str], environment: dict[str, str]) -> tuple[dict[str, Any], float]:
    """What a bench says of itself, and the most memory that its process took, in MB."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with status {process.returncode}")
    return json.loads(output)[0], usage.ru_maxrss / 1024


def loads(count: int, paths: list[str], environment: dict[str, str]) -> list[float]:
    """Milliseconds of loads, one after the other in one process."""
    command = [sys.executable, "-c", LOAD, str(count), *paths]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [float(line) * 1e3 for line in done.stdout.split()]


def milliseconds(text: str) -> float:
    """A duration as Go writes it."""
    units = {"µs": 1e-3, "ms": 1.0, "ns": 1e-6}
    for unit, factor in units.items():
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    minutes, _, rest = text.rpartition("m")
    return ((float(minutes) if minutes else 0.0) * 60 + float(rest.removesuffix("s"))) * 1e3


@dataclass
class Figures:
    """The best of some rounds: milliseconds, reviews a second, MB."""

    cold: float = math.inf
    warm: float = math.inf
    reviews: float = 0.0
    p50: float = math.inf
    p99: float = math.inf
    memory: float = math.inf
    violations: int = 0

    def take(self, run: dict[str, Any], memory: float) -> None:
        """What a bench said of itself."""
        self.reviews = max(self.reviews, run["reviewsPerSecond"])
        self.p50 = min(self.p50, milliseconds(run["latencies"]["p50"]))
        self.p99 = min(self.p99, milliseconds(run["latencies"]["p99"]))
        self.memory = min(self.memory, memory)
        self.violations = run["violationCount"] // run["iterations"]


ROWS = {
    "loading, cold, ms": "cold",
    "loading, warm, ms": "warm",
    "reviews a second": "reviews",
    "a review, median, ms": "p50",
    "a review, 99th percentile, ms": "p99",
    "memory of the reviews, MB": "memory",
}


def measure(root: Path, peer: str | None) -> tuple[Figures, Figures]:
    """Ours and gator's figures; rounds of both alternate."""
    folders = [str(root / "library" / kind) for kind in ("templates", "constraints", "objects")]
    files = [flag for folder in folders for flag in ("-f", folder)]
    shared = {**normal(), "PYTHONPATH": str(ROOT / "src"), "GOMAXPROCS": "1"}
    ours, theirs = Figures(), Figures()
    for number in range(ROUNDS):
        cache = root / f"cache-{number}"
        cache.mkdir(mode=0o700)
        environment = {**shared, "XDG_CACHE_HOME": str(cache)}
        if peer:
            run, memory = bench([peer, "bench", "-n", "1", "--warmup", "0", *FLAGS, *files], environment)
            theirs.take(run, memory)
            theirs.cold = theirs.warm = min(theirs.cold, milliseconds(run["setupDuration"]))
        ours.cold = min(ours.cold, *loads(1, folders[:2], environment))
        ours.warm = min(ours.warm, *loads(LOADS, folders[:2], environment))
        run, memory = bench([*OURS, "-n", str(ITERATIONS), "--warmup", "1", *FLAGS, *files], environment)
        ours.take(run, memory)
    return ours, theirs


def main() -> int:
    library = Path(sys.argv[1]) if len(sys.argv) > 1 else LIBRARY
    peer = program("gator")
    with tempfile.TemporaryDirectory() as name:
        counts = collect(library, Path(name) / "library")
        ours, theirs = measure(Path(name), peer)
    if peer and theirs.violations != ours.violations:
        sys.exit(f"gator counts {theirs.violations} violations, we {ours.violations}")
    print("{} templates, {} constraints, {} objects, one thread".format(*counts))
    print(f"{'':32}{'ours':>10}" + (f"{'gator':>10}{'of gator':>10}" if peer else ""))
    for title, field in ROWS.items():
        our, their = getattr(ours, field), getattr(theirs, field)
        shown = f"{their:10.1f}{our / their:10.2f}" if peer else ""
        print(f"{title:32}{our:10.1f}{shown}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
