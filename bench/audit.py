"""A pure audit of 10,000 mixed objects by the policy library, two processes; again after 1 % changed.

``gator test`` gets the same policies and objects as one file each in the same run, and uses as many cores as
there are. The audit's time is without reading, as in a controller that has its objects already; reading and
judging by ``policy audit --summary`` is told beside it. Fields are not looked for: nothing counts them.
After the churn the
incremental ledger is compared with one from scratch.
"""

from __future__ import annotations

import copy
import os
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.check import measure
from bench.peers import program

from sekisho import audit, manifest, policy
from sekisho.cli.snapshot import snapshot_of
from sekisho.cli.wire import Findings, Verdicts
from sekisho.cli.workers import spread
from sekisho.diag import Source
from sekisho.kube.object import Object
from sekisho.manifest.write import dump_all
from sekisho.policy.compiler import compile_code
from sekisho.policy.library import entry, entry_names, files

ROOT = Path(__file__).parents[1]
OBJECTS = 10_000
NAMESPACES = 50
CHURN = 100
SECOND = 15
"""Templates with two constraints: 75 in all."""
UNREAD = ("Pod", "ConfigMap", "ClusterRole", "ClusterRoleBinding")
CLUSTER_SCOPED = ("ClusterRole", "ClusterRoleBinding", "PersistentVolume")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def policies() -> list[Object]:
    """Every template with a sample constraint, and the first ones with a second."""
    found: list[Object] = []
    for number, name in enumerate(entry_names()):
        row = entry(name)
        found.append(row.template)
        found += (row.sample(sample) for sample in row.samples[: 2 if number < SECOND else 1])
    return found


def samples() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The objects of all samples: those that their own policy allows, and the others."""
    rows: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for file in sorted(files.ROOT.glob("policies/*/samples/*/*.yaml")):
        if file.stem == "constraint":
            continue
        bad = file.stem.startswith("disallowed")
        for document in manifest.load(Source(file.name, file.read_text(encoding="utf-8"))):
            rows[bad].extend(
                [document.value] * (document.value["kind"] not in ("AdmissionReview", "Namespace"))
            )
    return rows


def objects() -> list[Object]:
    """Copies of the samples under other names, in many namespaces; those Namespaces first."""
    rows = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": f"team-{at}",
                "labels": {"owner": f"team-{at}"},
                "resourceVersion": "1",
                "uid": f"n{at}",
            },
        }
        for at in range(NAMESPACES)
    ]
    allowed, disallowed = samples()
    for number in range(OBJECTS - NAMESPACES):
        kinds = allowed if number % 10 else disallowed
        raw = copy.deepcopy(
            kinds[number // 10 % len(kinds)] if kinds is disallowed else kinds[number % len(kinds)]
        )
        metadata = raw.setdefault("metadata", {})
        metadata["name"] = f"{metadata.get('name', 'x')[:40]}-{number}"
        if metadata.get("namespace") or raw["kind"] not in (
            "ClusterRole",
            "ClusterRoleBinding",
            "PersistentVolume",
        ):
            metadata["namespace"] = f"team-{number % NAMESPACES}"
        _differ(raw, number)
        metadata |= {"uid": f"u{number}", "resourceVersion": "1"}
        rows.append(raw)
    return [Object(raw) for raw in rows]


def _differ(raw: dict[str, Any], number: int) -> None:
    """Services and Ingresses of a cluster do not all want the same: of fifty, one repeats another's."""
    spec = raw.get("spec")
    if not isinstance(spec, dict) or number % 50 == 0:
        return
    if raw["kind"] == "Service" and spec.get("selector"):
        spec["selector"] = {key: f"{value}-{number}" for key, value in spec["selector"].items()}
    for rule in spec.get("rules") or () if raw["kind"] == "Ingress" else ():
        if rule.get("host"):
            rule["host"] = f"{number}-{rule['host'].lstrip('*.')}"


def told(ledger: audit.Ledger) -> list[str]:
    return [row.message for row in ledger.diagnostics()]


def changed(before: list[Object], chance: random.Random, kinds: tuple[str, ...]) -> list[Object]:
    """A hundredth of the objects touched: a label and, as a server would, the version."""
    after = list(before)
    places = [at for at, row in enumerate(after) if not kinds or row.kind in kinds]
    for at in chance.sample(places, CHURN):
        raw = copy.deepcopy(dict(after[at].raw))
        metadata = raw["metadata"]
        metadata["labels"] = {**(metadata.get("labels") or {}), "touched": "yes"}
        metadata["resourceVersion"] = "2"
        after[at] = Object(raw)
    return after


def engine_of(rows: list[Object], world: list[Object]) -> policy.Engine:
    return policy.Engine.build(rows, inventory=world, compile=compile_code)


def main() -> None:
    rows, world = policies(), objects()
    engine = engine_of(rows, world)
    templates, constraints = len(engine.templates), len(engine.constraints)
    print(f"{len(world):,} objects, {templates} templates, {constraints} constraints")
    sources = [source for row in engine.templates.values() for source in row.program.sources]
    form = Verdicts(Findings([], sources))
    pace = audit.Pace(spread=lambda work, due: spread(work, due, form))
    start, cpu = time.perf_counter(), os.times()
    first = audit.scan(world, snapshot_of(engine, None, positions=False), now=NOW, pace=pace)
    seconds, used = time.perf_counter() - start, _cpu(cpu)
    found = sum(1 for _ in first.diagnostics())
    print(f"first audit: {seconds:.2f} s, {used:.2f} s of CPU, {found:,} findings")
    same = True
    for what, kinds in (("any objects", ()), ("objects that no referential policy reads", UNREAD)):
        later = changed(world, random.Random(1), kinds)
        start, cpu = time.perf_counter(), os.times()
        engine = engine.with_inventory(later)
        judging = snapshot_of(engine, None, positions=False)
        second = audit.scan(later, judging, now=NOW, previous=first, pace=pace)
        again, used_again = time.perf_counter() - start, _cpu(cpu)
        print(
            f"after {CHURN} changes of {what}: {again:.3f} s, {used_again:.3f} s of CPU "
            f"({used_again / used:.1%} of the first), {second.asked} verdicts"
        )
        scratch = audit.scan(later, judging, now=NOW, pace=pace)
        same &= told(second) == told(scratch)
    print(f"equal to audits from scratch: {same}")
    gator(rows, world, seconds)
    if not same:
        sys.exit(1)


def gator(rows: list[Object], world: list[Object], ours: float) -> None:
    """The same job by ``gator test``, and by our command with its reading."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, part in (("policies.yaml", rows), ("objects.yaml", world)):
            (folder / file).write_text(dump_all(dict(row.raw) for row in part), encoding="utf-8")
        environment = {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT / "src")}
        command = [
            sys.executable,
            "-m",
            "sekisho",
            "policy",
            "audit",
            "--summary",
            "-p",
            str(folder / "policies.yaml"),
        ]
        seconds, memory, _ = measure([*command, str(folder / "objects.yaml")], environment)
        print(f"sekisho policy audit, with reading: {seconds:.2f} s, {memory:.0f} MB")
        if peer := program("gator"):
            files_ = ["-f", str(folder / "policies.yaml"), "-f", str(folder / "objects.yaml")]
            seconds, memory, _ = measure([peer, "test", *files_], environment)
            print(f"gator test: {seconds:.2f} s, {memory:.0f} MB; {seconds / ours:.1f} times the first audit")


def _cpu(since: os.times_result) -> float:
    now = os.times()
    return sum(now[:4]) - sum(since[:4])


if __name__ == "__main__":
    main()
