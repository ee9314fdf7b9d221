"""The verbs beside the programs that they stand for: the same lines and the same exit status.

Opt-in (``make e2e``): the programs come from ``tools/peers.sh``, the PATH, or the variables OPA and GATOR. One
that is not installed is skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench.peers import program

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "src" / "sekisho" / "examples"
POSITIONS = sorted(folder for folder in (ROOT / "tests" / "cases" / "positions").iterdir() if folder.is_dir())
POLICIES = sorted((ROOT / "bench" / "policies").glob("*.rego"))

pytestmark = pytest.mark.skipif(os.environ.get("SEKISHO_E2E") != "1", reason="make e2e runs these")


def run(command: list[str], folder: Path) -> tuple[int, str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout


def ours(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sekisho", *arguments]


def peer(name: str) -> str:
    found = program(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.mark.parametrize("folder", POSITIONS, ids=lambda path: path.name)
def test_policy_test_says_what_gator_says(folder: Path) -> None:
    arguments = ["test", "-f", "policy.yaml", "-f", "object.yaml"]
    status, lines = run([peer("gator"), *arguments], folder)
    assert run(ours("policy", *arguments), folder) == (status, lines)


@pytest.mark.parametrize("manifests", ["manifests", "fixed"])
def test_the_shop_is_judged_as_by_gator(manifests: str) -> None:
    arguments = ["test", "-f", "policies", "-f", manifests]
    status, lines = run([peer("gator"), *arguments], EXAMPLES / "shop")
    assert run(ours("policy", *arguments), EXAMPLES / "shop") == (status, lines)


@pytest.mark.parametrize("form", ["json", "pretty", "values", "raw"])
def test_rego_eval_says_what_opa_says(form: str) -> None:
    arguments = ["eval", "-d", "rbac.rego", "-i", "input.json", "-f", form, "data.rbac.allow"]
    status, lines = run([peer("opa"), *arguments], EXAMPLES / "rego")
    assert run(ours("rego", *arguments), EXAMPLES / "rego") == (status, lines)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda path: path.name)
def test_rego_fmt_has_the_form_of_opa_fmt(policy: Path) -> None:
    status, text = run([peer("opa"), "fmt", policy.name], policy.parent)
    assert run(ours("rego", "fmt", policy.name), policy.parent) == (status, text)
