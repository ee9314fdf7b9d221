"""The same numbers, asserted by gator: suites of its own, run with their template and with ours."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from sekisho import manifest
from sekisho.policy.library import entry
from tests.conformance.library.cases import Case, Difference
from tests.conformance.library.compare import Both

FAILED = re.compile(r"^\s*--- FAIL: case-(\d+)\s")


def differences(cases: list[Case], both: Both, program: str) -> tuple[int, list[Difference]]:
    """How many cases were run, twice each, and those in which gator finds another number."""
    numbers = {index: both.number(case) for index, case in enumerate(cases)}
    found: list[Difference] = []
    for side in ("theirs", "ours"):
        with tempfile.TemporaryDirectory() as root:
            _write(cases, numbers, Path(root), ours=side == "ours")
            for index in _failed(Path(root), program):
                case = cases[index]
                text = f"gator does not find {numbers[index]} with {side}"
                found.append(Difference(case.kind, case.name, f"gator, {side}", text))
    return 2 * len(cases), found


def _failed(root: Path, program: str) -> list[int]:
    done = subprocess.run(
        [program, "verify", "-v", "--enable-k8s-native-validation=false", f"{root}/..."],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return [int(row[1]) for row in map(FAILED.match, done.stdout.splitlines()) if row]


def _write(cases: list[Case], numbers: dict[int, int | None], root: Path, *, ours: bool) -> None:
    """A folder a case, with a suite that asserts our number."""
    for index, case in enumerate(cases):
        folder = root / str(index)
        folder.mkdir()
        template = entry(case.kind).template if ours else case.template
        rows = [("template", template), ("constraint", case.constraint), ("object", case.object)]
        rows += [(f"inventory{at}", object) for at, object in enumerate(case.inventory)]
        for name, object in rows:
            (folder / f"{name}.yaml").write_text(manifest.dump(object.raw), encoding="utf-8")
        row = {
            "name": f"case-{index}",
            "object": "object.yaml",
            "inventory": [f"inventory{at}.yaml" for at in range(len(case.inventory))],
            "assertions": [{"violations": numbers[index] or 0}],
        }
        test = {"name": "test", "template": "template.yaml", "constraint": "constraint.yaml", "cases": [row]}
        suite = {
            "apiVersion": "test.gatekeeper.sh/v1alpha1",
            "kind": "Suite",
            "metadata": {"name": "suite"},
            "tests": [test],
        }
        (folder / "suite.yaml").write_text(manifest.dump(suite), encoding="utf-8")
