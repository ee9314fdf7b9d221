"""Random mutators and objects through ours and the real ``gator expand``.

    python -m tests.property.gator_expand [CASES] [SEED]

Prints the cases that differ, then the counts; ends with status 1 if there are any. What differs on purpose
(docs/guide/policy.md) is not generated; neither are numbers as keys of items, which gator reads as floats.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sekisho import manifest
from sekisho.diag import DiagnosticError, Source
from sekisho.kube.object import Object
from sekisho.policy.gatorexpand import expand_all
from sekisho.policy.mutation.location import Item, Location, parse_location

GATOR = os.environ.get("SEKISHO_GATOR") or shutil.which("gator") or "/opt/oracle/bin/gator"

FIELDS = ["a", "b", "c"]
TEXTS = ["x", "z"]
GADGET = {"groups": [""], "versions": ["v1"]}


def present() -> bool:
    return Path(GATOR).exists()


class Generator:
    """Makes small cases in which mutators often meet: few names, few values."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def case(self) -> list[dict[str, Any]]:
        """Some mutators, an object, and the template that expands it to what they mutate."""
        rows = [self._mutator(f"m{number}") for number in range(self._random.randint(1, 3))]
        return [*rows, self._widget(), EXPANSION]

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _some(self, rows: list[Any], most: int) -> list[Any]:
        return self._random.sample(rows, self._random.randint(0, most))

    def _value(self, depth: int) -> Any:
        roll = self._random.random()
        if depth > 3 or roll < 0.35:
            return self._random.choice([*TEXTS, "1", 1, 2, True, False])
        if roll < 0.65:
            return {field: self._value(depth + 1) for field in self._some(FIELDS, 3)}
        if roll < 0.9:
            return [self._item(depth + 1) for _ in range(self._random.randint(0, 3))]
        return [self._random.choice([*TEXTS, 1]) for _ in range(self._random.randint(0, 3))]

    def _item(self, depth: int) -> dict[str, Any]:
        made = {field: self._value(depth + 1) for field in self._some(FIELDS, 2)}
        return {**made, "k": self._random.choice(TEXTS)} if self._chance(0.8) else made

    def _texts_only(self, value: Any) -> Any:
        """A value without numbers in it."""
        if isinstance(value, dict):
            return {key: self._texts_only(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._texts_only(item) for item in value]
        return str(value) if type(value) is int else value

    def _widget(self) -> dict[str, Any]:
        child: dict[str, Any] = {"spec": {field: self._value(1) for field in self._some(FIELDS, 3)}}
        if self._chance(0.3):
            child["metadata"] = {"labels": {"a": "x"}}
        metadata = {"name": "w", "namespace": "default"}
        return {"apiVersion": "v1", "kind": "Widget", "metadata": metadata, "spec": child}

    def _location(self) -> str:
        out = "spec"
        for _ in range(self._random.randint(1, 3)):
            out += "." + self._random.choice(FIELDS)
            if self._chance(0.3):
                key = self._random.choice(["k", "k", "k", "a"])
                out += f"[{key}: {self._random.choice([*TEXTS, '1', '*', quoted('1')])}]"
        return out

    def _match(self) -> dict[str, Any]:
        rows: list[tuple[float, str, list[Any]]] = [
            (0.15, "labelSelector", [{"matchLabels": {"a": text}} for text in TEXTS]),
            (0.1, "source", ["All", "Original", "Generated"]),
            (0.1, "name", ["w*", "*gadget", "x", "w-gadget"]),
            (0.1, "namespaces", [["default"], ["d*"], ["other"]]),
            (0.1, "excludedNamespaces", [["default"], ["d*"], ["other"]]),
            (0.1, "scope", ["Cluster", "Namespaced", "x"]),
            (0.05, "namespaceSelector", [{"matchLabels": {"t": "u"}}]),
            (
                0.1,
                "kinds",
                [[{"apiGroups": g, "kinds": k}] for g in (["*"], [""], ["x"]) for k in (["*"], ["Gadget"])],
            ),
        ]
        return {name: self._random.choice(values) for share, name, values in rows if self._chance(share)}

    def _mutator(self, name: str) -> dict[str, Any]:
        kind = self._random.choice(
            ["Assign"] * 4 + ["AssignMetadata", "ModifySet", "ModifySet", "AssignImage"]
        )
        location = self._location()
        if kind == "AssignMetadata":
            location = (
                f"metadata.{self._random.choice(['labels', 'annotations'])}.{self._random.choice(FIELDS)}"
            )
        spec: dict[str, Any] = {"match": self._match(), "location": location}
        spec["parameters"] = getattr(self, f"_{kind.lower()}")(parse_location(location))
        if kind != "AssignMetadata":
            kinds = self._random.choice([["Gadget"], ["Gadget", "Widget"], ["Widget"]])
            spec["applyTo"] = [{**GADGET, "kinds": kinds}]
            if self._chance(0.15):
                words = self._random.choice([["CREATE"], ["*"], ["CREATE", "UPDATE"]])
                spec["applyTo"][0]["operations"] = words
        version = "v1alpha1" if kind == "AssignImage" else "v1"
        head = {"apiVersion": f"mutations.gatekeeper.sh/{version}", "kind": kind, "metadata": {"name": name}}
        return {**head, "spec": spec}

    def _tests(self, location: Location) -> list[dict[str, str]]:
        if not self._chance(0.4):
            return []
        path = Location(location.steps[: self._random.randint(1, len(location.steps))])
        return [{"subPath": str(path), "condition": self._random.choice(["MustExist", "MustNotExist"])}]

    def _assign(self, location: Location) -> dict[str, Any]:
        value = self._texts_only(self._value(1))
        last = location.steps[-1]
        if isinstance(last, Item) and self._chance(0.9):
            key = last.value if isinstance(last.value, str) else "x"
            value = {**self._texts_only(self._item(1)), last.key: key}
        assign: dict[str, Any] = {"value": value}
        if self._chance(0.1):
            assign = {"fromMetadata": {"field": self._random.choice(["name", "namespace"])}}
        return {"assign": assign, "pathTests": self._tests(location)}

    def _assignmetadata(self, location: Location) -> dict[str, Any]:
        return {"assign": {"value": self._random.choice(TEXTS)}}

    def _modifyset(self, location: Location) -> dict[str, Any]:
        operation = self._random.choice(["merge", "prune"])
        pool = [*TEXTS, 1, True, {"k": "x"}]
        tests = self._tests(location)
        if operation == "prune":
            tests = [{"subPath": str(location), "condition": "MustExist"}]
        values = [self._random.choice(pool) for _ in range(self._random.randint(1, 3))]
        return {"operation": operation, "values": {"fromList": values}, "pathTests": tests}

    def _assignimage(self, location: Location) -> dict[str, Any]:
        parts = {"assignDomain": ["", "r.example"], "assignPath": ["", "p/q"], "assignTag": ["", ":1"]}
        chosen = {field: word for field, words in parts.items() if (word := self._random.choice(words))}
        return {**(chosen or {"assignTag": ":2"}), "pathTests": self._tests(location)}


def quoted(text: str) -> str:
    return f'"{text}"'


EXPANSION: dict[str, Any] = {
    "apiVersion": "expansion.gatekeeper.sh/v1beta1",
    "kind": "ExpansionTemplate",
    "metadata": {"name": "widgets"},
    "spec": {
        "applyTo": [{**GADGET, "kinds": ["Widget"]}],
        "templateSource": "spec",
        "generatedGVK": {"group": "", "version": "v1", "kind": "Gadget"},
    },
}


def ours(rows: list[dict[str, Any]]) -> Any:
    """What we expand to, None where we refuse."""
    try:
        return [child.raw for child in expand_all(Object(row) for row in rows)]
    except DiagnosticError:
        return None


def theirs(rows: list[dict[str, Any]]) -> Any:
    """What gator expands to, None where it refuses."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("\n---\n".join(map(json.dumps, rows)))
        file.flush()
        command = [GATOR, "expand", "-n", file.name]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return None if run.returncode else [row.value for row in manifest.load(Source("gator", run.stdout))]


def main(cases: int, seed: int) -> int:
    generator = Generator(seed)
    failed = 0
    for number in range(cases):
        rows = generator.case()
        mine, other = ours(rows), theirs(rows)
        if json.dumps(mine, sort_keys=True) != json.dumps(other, sort_keys=True):
            failed += 1
            print(
                f"case {number} of seed {seed}:",
                json.dumps(rows, indent=2),
                "ours:",
                mine,
                "gator:",
                other,
                sep="\n",
            )
    print(f"{cases - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(arguments + [200, 1][len(arguments) :])))
