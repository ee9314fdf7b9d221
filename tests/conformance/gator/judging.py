"""Folders with policies and objects, judged by gator and by us: ``gator test``, the same lines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.gator.verifying import Outcome

SUFFIXES = (".yaml", ".yml", ".json")


def run_all(folder: Path, gator: str) -> Iterator[Outcome]:
    """Every folder below ``test/gator`` that holds manifests, and of a library every sample with its template."""
    for inputs in inputs_of(folder):
        name = " ".join(str(path.relative_to(folder)) for path in inputs)
        yield Outcome(f"test: {name}", _differs(inputs, gator))


def inputs_of(folder: Path) -> Iterator[tuple[Path, ...]]:
    """What to give to ``-f``, one run after the other."""
    base = folder / "test" / "gator" / "test" / "fixtures"
    policies = base / "policies"
    for path in sorted(base.rglob("*")) if base.exists() else ():
        if path.is_dir() and any(file.suffix in SUFFIXES for file in path.iterdir()):
            yield (path,)
            if policies not in path.parents:
                yield from ((path, policy) for policy in sorted(policies.iterdir()) if policy.is_dir())
    for template in sorted(folder.rglob("template.yaml")):
        samples = template.parent / "samples"
        yield from ((template, sample) for sample in sorted(samples.glob("*/")) if sample.is_dir())


def _differs(inputs: tuple[Path, ...], gator: str) -> str | None:
    flags = [flag for path in inputs for flag in ("-f", str(path))]
    want = _run([gator, "test", "--enable-k8s-native-validation=false", *flags])
    got = _run([sys.executable, "-m", "sekisho", "policy", "test", *flags])
    if got == want:
        return None
    return f"got {got[0]} {got[1][:300]!r}, want {want[0]} {want[1][:300]!r}"


def _run(command: list[str]) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout
