"""Record what kstatus says of objects: `python tools/record_kstatus.py ORACLE`.

ORACLE is the program of tests/e2e/kstatus_oracle. Objects are made by chance, from a fixed seed, out of the
fields that kstatus looks at, some with values of wrong types. Of each answer a few are kept, in
tests/data/kube/kstatus.jsonl; `--check N` compares N objects with our own rules instead, and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sekisho.kube.status import compute

TABLE = Path(__file__).parents[1] / "tests" / "data" / "kube" / "kstatus.jsonl"
SEED = 7
KEPT = 1
MADE = 30_000

Raw = dict[str, Any]
Rows = list[tuple[str, str]]

KINDS: Rows = [
    ("v1", "Service"),
    ("v1", "Pod"),
    ("v1", "Secret"),
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("extensions/v1beta1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("extensions/v1beta1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("policy/v1", "PodDisruptionBudget"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("example.com/v1", "Thing"),
    ("example.com/v1", "Deployment"),
]

TYPES = {
    "Deployment": ["Progressing", "Available"],
    "ReplicaSet": ["ReplicaFailure"],
    "Job": ["Complete", "Failed"],
    "CustomResourceDefinition": ["NamesAccepted", "Established"],
    "Pod": ["Ready", "PodScheduled"],
}
REASONS = ["", "Why", "ProgressDeadlineExceeded", "NewReplicaSetAvailable", "Unschedulable", "Installing"]
COUNTS = {
    "StatefulSet": ["replicas", "readyReplicas", "currentReplicas", "updatedReplicas"],
    "Deployment": ["replicas", "readyReplicas", "availableReplicas", "updatedReplicas"],
    "ReplicaSet": ["replicas", "readyReplicas", "availableReplicas", "fullyLabeledReplicas"],
    "DaemonSet": [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberReady",
    ],
    "Job": ["succeeded", "active", "failed"],
}
SKIPPED = {"Unreadable", "Panic"}
"""What is no object at all, and where kstatus falls over."""

WRONG: list[Any] = [None, 1.5, "x", True, [], {}, [1]]


class Maker:
    """Makes objects by chance."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def chance(self, share: float) -> bool:
        """True as often as that."""
        return self.dice.random() < share

    def object(self) -> Raw:
        """An object of a kind."""
        version, kind = self.dice.choice(KINDS)
        value: Raw = {"apiVersion": version, "kind": kind, "metadata": self.metadata()}
        value["spec"] = self.spec(kind)
        if self.chance(0.95):
            value["status"] = self.status(kind)
        if self.chance(0.1):
            self.spoil(value)
        return value

    def metadata(self) -> Raw:
        found: Raw = {
            "name": "a",
            "creationTimestamp": self.dice.choice(["2000-01-01T00:00:00Z", "2999-01-01T00:00:00Z"]),
        }
        if self.chance(0.8):
            found["generation"] = self.dice.choice([1, 1, 1, 2])
        if self.chance(0.03):
            found["deletionTimestamp"] = self.dice.choice(["2026-01-01T00:00:00Z", ""])
        return found

    def spec(self, kind: str) -> Raw:
        found: Raw = {}
        if self.chance(0.7):
            found["replicas"] = self.dice.choice([0, 1, 2])
        if kind == "StatefulSet" and self.chance(0.5):
            found["updateStrategy"] = {"type": self.dice.choice(["RollingUpdate"] * 4 + ["OnDelete"])}
            if self.chance(0.4):
                found["updateStrategy"]["rollingUpdate"] = {"partition": self.dice.choice([0, 1, 5])}
        if kind == "Deployment" and self.chance(0.6):
            found["progressDeadlineSeconds"] = self.dice.choice([600, 2**31 - 1])
        if kind == "Service":
            found["type"] = self.dice.choice(["ClusterIP", "LoadBalancer"])
            if self.chance(0.5):
                found["clusterIP"] = self.dice.choice(["", "10.0.0.1"])
        if kind == "Job" and self.chance(0.5):
            found[self.dice.choice(["completions", "parallelism"])] = self.dice.choice([1, 3])
        return found

    def status(self, kind: str) -> Raw:
        top = self.dice.choice([1, 2])
        found: Raw = {
            name: self.dice.choice([top, top, top, 0, 1])
            for name in COUNTS.get(kind, [])
            if self.chance(0.93)
        }
        if self.chance(0.8):
            found["observedGeneration"] = 1
        if self.chance(0.85):
            found["conditions"] = [self.condition(kind) for _ in range(self.dice.choice([0, 1, 2, 2, 3]))]
        if kind in ("Pod", "PersistentVolumeClaim"):
            phases = ["Running", "Running", "Pending", "Pending", "Succeeded", "Failed", "Bound", "Odd", ""]
            found["phase"] = self.dice.choice(phases)
            waiting = [
                {
                    "name": name,
                    "state": {"waiting": {"reason": self.dice.choice(["CrashLoopBackOff", "Other"])}},
                }
                for name in "ab"
            ]
            if self.chance(0.5):
                found["containerStatuses"] = waiting
        if kind == "StatefulSet" and self.chance(0.5):
            found["currentRevision"] = "r1"
            found["updateRevision"] = self.dice.choice(["r1", "r2"])
        if kind == "Job" and self.chance(0.6):
            found["startTime"] = "2026-01-01T00:00:00Z"
        return found

    def condition(self, kind: str) -> Raw:
        general = ["Ready"] * 3 + ["Other", "Reconciling", "Stalled"]
        own = TYPES.get(kind)
        name = self.dice.choice(own if own and self.chance(0.9) else general)
        found: Raw = {"type": name, "status": self.dice.choice(["True", "True", "False", "Unknown", "Odd"])}
        if self.chance(0.8):
            found["reason"] = self.dice.choice(REASONS)
        if self.chance(0.8):
            found["message"] = "what it says"
        return found

    def spoil(self, value: Raw) -> None:
        """Give one of its fields a value of the wrong type."""
        here: Any = value
        while True:
            keys = [
                key
                for key in (here if isinstance(here, dict) else range(len(here)))
                if here is not value or key in ("spec", "status", "metadata")
            ]
            if not keys:
                return
            key = self.dice.choice(keys)
            child = here[key]
            if isinstance(child, (dict, list)) and child and self.chance(0.8):
                here = child
                continue
            if here is value and key == "metadata":
                return
            here[key] = self.dice.choice(WRONG)
            return


def asked(oracle: str, objects: list[Raw]) -> list[Raw]:
    """The oracle's answers."""
    lines = "".join(json.dumps(row) + "\n" for row in objects)
    done = subprocess.run([oracle], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def ours(value: Raw) -> Raw:
    """Our answer, in the oracle's form."""
    result = compute(value, now=datetime.now(UTC))
    if result.status.value == "Unknown":
        return {"status": "Unknown", "message": "", "reason": ""}
    return {"status": result.status.value, "message": result.message, "reason": result.reason}


def main() -> int:
    """Record, or compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("oracle")
    parser.add_argument("--check", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    maker = Maker(options.seed)
    objects = [maker.object() for _ in range(options.check or MADE)]
    answers = asked(options.oracle, objects)
    rows = [row for row in zip(objects, answers, strict=True) if row[1]["status"] not in SKIPPED]
    if options.check:
        wrong = [(value, answer) for value, answer in rows if ours(value) != answer]
        for value, answer in wrong[:10]:
            print(json.dumps({"object": value, "kstatus": answer, "ours": ours(value)}))
        print(f"{len(rows) - len(wrong)} passed, {len(wrong)} failed")
        return int(bool(wrong))
    seen: Counter[tuple[str, str, str]] = Counter()
    kept = []
    for value, answer in rows:
        key = (value["kind"], answer["status"], answer["reason"] or answer["message"].split(":")[0])
        seen[key] += 1
        if seen[key] <= KEPT:
            kept.append(json.dumps({"object": value, **answer}))
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join(kept) + "\n")
    print(f"{TABLE}: {len(kept)} objects")
    return 0


if __name__ == "__main__":
    sys.exit(main())
