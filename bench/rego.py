"""Rego, side by side: ``python -m bench.rego`` prints a table of times and ratios.

An evaluation is an object in and a result out: half of the objects break the rule. The peers are regorus
and regopy where their wheels are installed, and ``opa bench`` where there is an ``opa`` (on the path, or in
``$OPA``);
what is missing is said.
"""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import peers
from bench.rego_cases import Rule, rules

from sekisho import rego

QUERY = "data.template.violation"
ROUND = 0.15
"""Seconds of one measurement; the best of three counts."""


def timed(work: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    work()
    start = time.perf_counter()
    work()
    once = time.perf_counter() - start
    count = max(1, int(ROUND / max(once, 1e-9)))
    best = math.inf
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(count):
            work()
        best = min(best, (time.perf_counter() - start) / count)
    return best


def ours(rule: Rule) -> float:
    """Seconds an evaluation takes here."""
    entry = rego.compile({"template.rego": rule.text}).rule(QUERY)
    return sum(timed(lambda item=item: list(entry(item, rule.data))) for item in rule.inputs) / 2


def regorus(rule: Rule) -> float:
    """Seconds an evaluation takes with regorus, the object given to it each time."""
    from regorus import Engine

    engine = Engine()
    engine.add_policy("template.rego", rule.text)
    engine.add_data(rule.data)

    def evaluate(item: object) -> object:
        engine.set_input(item)
        return engine.eval_rule_as_json(QUERY)

    return sum(timed(lambda item=item: evaluate(item)) for item in rule.inputs) / 2


def regopy(rule: Rule) -> float:
    """Seconds an evaluation takes with regopy, from a bundle that it has compiled."""
    from regopy import Interpreter

    interpreter = Interpreter()
    interpreter.add_module("template.rego", rule.text.replace("\n", "\nimport rego.v1\n", 1))
    interpreter.add_data(rule.data)
    bundle = interpreter.build(QUERY)

    def evaluate(item: object) -> object:
        interpreter.set_input(item)
        return interpreter.query_bundle(bundle)

    return sum(timed(lambda item=item: evaluate(item)) for item in rule.inputs) / 2


def opa(rule: Rule) -> float:
    """Seconds an evaluation takes with OPA, as ``opa bench`` has it."""
    program = peers.program("opa")
    assert program
    total = 0.0
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "template.rego").write_text(rule.text, encoding="utf-8")
        (base / "data.json").write_text(json.dumps(rule.data), encoding="utf-8")
        for item in rule.inputs:
            (base / "input.json").write_text(json.dumps(item), encoding="utf-8")
            command = [program, "bench", "-f", "json", "--metrics=false", "--benchmem=false"]
            command += ["-d", str(base / "template.rego"), "-d", str(base / "data.json")]
            command += ["-i", str(base / "input.json"), "--count", "2", QUERY]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            best = math.inf
            decoder, text = json.JSONDecoder(), done.stdout.strip()
            while text:
                found, end = decoder.raw_decode(text)
                best = min(best, found["T"] / found["N"] * 1e-9)
                text = text[end:].strip()
            total += best
    return total / 2


def installed() -> dict[str, Callable[[Rule], float]]:
    """The peers that are here; says which are not."""
    found: dict[str, Callable[[Rule], float]] = {}
    for name, function in (("regorus", regorus), ("regopy", regopy)):
        if importlib.util.find_spec(name):
            found[name] = function
        else:
            print(
                f"{name} is not installed (tools/peers.sh does it): its figures are left out", file=sys.stderr
            )
    if peers.program("opa"):
        found["opa"] = opa
    return found


def main() -> int:
    """Measure and print."""
    others = installed()
    only = sys.argv[1:]
    ratios: dict[str, list[float]] = {name: [] for name in others}
    print(f"{'rule':16} {'here us':>9}" + "".join(f" {name + ' us':>11} {'ratio':>7}" for name in others))
    for rule in rules():
        if only and rule.name not in only:
            continue
        mine = ours(rule)
        line = f"{rule.name:16} {mine * 1e6:9.2f}"
        for name, measure in others.items():
            theirs = measure(rule)
            ratios[name].append(theirs / mine)
            line += f" {theirs * 1e6:11.2f} {theirs / mine:7.1f}"
        print(line, flush=True)
    means = {name: math.exp(sum(map(math.log, found)) / len(found)) for name, found in ratios.items()}
    print(f"{'geometric mean':26}" + "".join(f" {'':11} {mean:7.1f}" for mean in means.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
