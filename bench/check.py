"""``sekisho check`` on 5,000 objects by 30 constraints, against ``gator test`` on the same files.

``check`` does more: it validates every object by the API's schemas and finds the field of each violation.
Both run as processes; wall time and peak memory are the kernel's. Nine of ten objects are clean.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.peers import normal, program

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "src" / "sekisho" / "examples" / "shop"
OBJECTS = 5_000
COPIES = 3
"""Constraints a template: 30 in all."""


def write_policies(folder: Path) -> int:
    """The shop's templates, each with its constraint three times under other names."""
    count = 0
    for file in sorted((SHOP / "policies").glob("*.yaml")):
        template, constraint = file.read_text(encoding="utf-8").split("\n---\n")
        parts = [template]
        name = next(line for line in constraint.splitlines() if line.startswith("  name: "))
        for copy in range(COPIES):
            parts.append(constraint.replace(name, f"{name}-{copy}"))
            count += 1
        (folder / file.name).write_text("\n---\n".join(parts), encoding="utf-8")
    return count


def write_objects(folder: Path) -> int:
    """Copies of the shop's manifests under other names: one in ten as its teams wrote it, nine mended."""
    count = number = 0
    namespaces = (SHOP / "fixed" / "namespaces.yaml").read_text(encoding="utf-8")
    (folder / "namespaces.yaml").write_text(namespaces, encoding="utf-8")
    while count < OBJECTS:
        kind = "manifests" if number % 10 == 0 else "fixed"
        parts: list[str] = []
        for file in sorted((SHOP / kind).glob("*.yaml")):
            if file.name in ("namespaces.yaml", "ingress.yaml") and number:
                continue
            text = file.read_text(encoding="utf-8").replace(
                "imagePullPolicy: IfNotPresnt", "imagePullPolicy: Always"
            )
            text = text.replace("comand:", "command:")
            if file.name == "namespaces.yaml":
                continue
            for name in ("frontend", "payments", "reindex", "shop-deployer"):
                text = text.replace(f"  name: {name}\n", f"  name: {name}-{number}\n")
            parts.append(text)
            count += text.count("\nkind: ") + text.startswith("kind: ")
        (folder / f"shop-{number:04}.yaml").write_text("---\n".join(parts), encoding="utf-8")
        number += 1
    return count


def measure(command: list[str], environment: dict[str, str]) -> tuple[float, float, int]:
    """Wall seconds, peak megabytes and the exit status of one run."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**normal(), **environment}) as run:
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - start, usage.ru_maxrss / 1024, run.returncode


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        policies, objects = folder / "policies", folder / "objects"
        policies.mkdir()
        objects.mkdir()
        constraints, count = write_policies(policies), write_objects(objects)
        size = sum(file.stat().st_size for file in objects.iterdir())
        print(f"{count:,} objects ({size / 1e6:.1f} MB), {constraints} constraints")
        environment = {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT / "src")}
        base = [sys.executable, "-m", "sekisho"]
        runs = {
            "sekisho check, cold cache": [*base, "check", str(policies), str(objects)],
            "sekisho check": [*base, "check", str(policies), str(objects)],
            "sekisho policy test": [*base, "policy", "test", "-f", str(policies), "-f", str(objects)],
        }
        if gator := program("gator"):
            runs["gator test"] = [gator, "test", "-f", str(policies), "-f", str(objects)]
        figures = {title: measure(command, environment) for title, command in runs.items()}
        peer = figures.get("gator test")
        print(f"{'':28}{'seconds':>9}{'MB':>8}{'status':>8}{'of gator':>10}")
        for title, (seconds, memory, status) in figures.items():
            ratio = f"{seconds / peer[0]:.2f}" if peer else "-"
            print(f"{title:28}{seconds:9.2f}{memory:8.0f}{status:8}{ratio:>10}")


if __name__ == "__main__":
    main()
