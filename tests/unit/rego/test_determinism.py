"""Compiled code and results are equal under any hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SEEDS = 20

PROGRAM = """
import hashlib, marshal, pathlib, sys
from sekisho import rego
from sekisho.rego.jsontext import marshal as to_json
digest = hashlib.sha256()
objects = [{"review": {"object": {"kind": "Pod", "metadata": {"labels": {"b": "1", "a": "2"}},
            "spec": {"containers": [{"name": n, "image": n + ":latest"} for n in "cab"]}}}, "parameters": {}}]
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.rego")):
    program = rego.compile({file.name: file.read_text()})
    digest.update(marshal.dumps(program.image.row()))
    for item in objects:
        for result in program.query("x = data").eval(item, {}):
            digest.update(to_json(result["bindings"]["x"]).encode())
query = rego.compile({}).query('x = {k: [s | some s in {"b", "a", [1], {"c": 2}, null}] | some k in ["q", "p"]}')
digest.update(to_json(query.eval(None)[0]["bindings"]).encode())
print(digest.hexdigest())
"""


def test_twenty_hash_seeds_give_one_answer() -> None:
    folder = str(ROOT / "bench" / "policies")
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, folder],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT / "src")},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(SEEDS)
    ]
    answers = {run.communicate()[0] for run in runs}
    assert all(run.returncode == 0 for run in runs)
    assert len(answers) == 1
    assert len(answers.pop().strip()) == 64
