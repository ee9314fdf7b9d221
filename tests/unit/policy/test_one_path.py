"""One decision path: ``check``, a webhook and an audit say the same, for every case of the tree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sekisho import policy
from sekisho.audit import Pace, World, scan
from sekisho.audit.live import lean
from sekisho.audit.model import key_of
from sekisho.cli.auditing.judging import PolicyJudging
from sekisho.cli.inputs import read_objects
from sekisho.cli.snapshot import snapshot_of
from sekisho.diag import Deadline, Diagnostic
from sekisho.kube.defaults import apply_defaults
from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Request, decide

TESTS = Path(__file__).parents[2]
EXAMPLES = TESTS.parent / "src" / "sekisho" / "examples" / "shop"
FOLDERS = [
    *sorted(
        file.parent
        for part in ("check", "policy")
        for file in (TESTS / "cases" / part).rglob("*.yaml")
        if file.name == "case.yaml"
    ),
    *sorted(folder for folder in (TESTS / "cases" / "positions").iterdir() if folder.is_dir()),
    EXAMPLES,
]
SECONDS = 1.0
TIME = re.compile(r"[\d.e-]+ seconds")
"""How long an evaluation was given, which is not the same twice."""

NOW = datetime(2026, 1, 1, tzinfo=UTC)


Told = tuple[str, str, str]


def told(findings: Iterable[Finding]) -> list[Told]:
    return [(row.policy, TIME.sub("… seconds", row.diagnostic.message), row.rung.word) for row in findings]


def reasons(failures: Iterable[Diagnostic]) -> list[str]:
    return [f"{row.code} {row.message}" for row in failures]


def same_everywhere(engine: policy.Engine) -> bool:
    """Whether nothing asks for admission and audit to differ."""
    excluded = engine.settings.excluded
    return excluded.get("audit") == excluded.get("webhook") and all(
        row.actions.get(policy.AUDIT) == row.actions.get(policy.WEBHOOK) and not row.template.operations
        for row in engine.constraints
    )


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(TESTS.parent).as_posix())
def test_check_and_webhook_and_audit_agree(folder: Path) -> None:
    objects = read_objects([str(folder)]).objects
    engine = policy.Engine.build(objects, inventory=objects)
    steps = policy.steps(engine)
    judging = snapshot_of(engine, None, point=policy.AUDIT)
    audited = scan(objects, judging, now=NOW, pace=Pace(seconds=SECONDS)).entries
    for object in objects:
        namespace = engine.namespaces.get(object.namespace)
        offline = Request.of(apply_defaults(object), namespace_object=namespace)
        review = {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": offline.to_json(),
        }
        wired = Request.from_review(json.loads(json.dumps(review)), namespace_object=namespace)
        checked, admitted = (
            decide(steps, request, now=NOW, deadline=Deadline.after(SECONDS)) for request in (offline, wired)
        )
        assert told(checked.findings) == told(admitted.findings)
        assert checked.outcome is admitted.outcome
        entry = audited[key_of(object)]
        if entry.object is object and same_everywhere(engine):
            assert sorted(told(entry.findings())) == sorted(told(checked.findings))
            assert sorted(reasons(entry.failures())) == sorted(reasons(checked.failures))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(TESTS.parent).as_posix())
def test_the_audit_of_a_cluster_agrees_too(folder: Path) -> None:
    """Packed objects, judged as a live audit judges them, get the verdicts of a webhook's CREATE."""
    objects = read_objects([str(folder)]).objects
    engine = policy.Engine.build(objects, inventory=objects)
    steps = policy.steps(engine)
    keep = lean()
    held = [Object(keep(json.loads(json.dumps(row.raw)))) for row in objects]
    judging = PolicyJudging(lambda rows: policy.Engine.build(rows, inventory=rows))
    judging.update([row for row in held if judging.governs(row.gvk)])
    snapshot = judging.snapshot({key_of(row): row for row in held})
    subjects = [row for row in held if judging.judges(row.gvk)]
    audited = scan(subjects, snapshot, now=NOW, world=World.of(held), pace=Pace(seconds=SECONDS)).entries
    last = {key_of(row): row for row in objects}
    for key, object in last.items():
        request = Request.of(apply_defaults(object), namespace_object=engine.namespaces.get(object.namespace))
        rules = snapshot.rules
        admitted = decide(steps, request, now=NOW, deadline=Deadline.after(SECONDS), rules=rules)
        entry = audited.get(key)
        if same_everywhere(engine):
            found = sorted(told(entry.findings())) if entry is not None else []
            assert found == sorted(told(admitted.findings))
            failures = sorted(reasons(entry.failures())) if entry is not None else []
            assert failures == sorted(reasons(admitted.failures))


def test_a_check_does_not_change_what_it_reads() -> None:
    objects = read_objects([str(EXAMPLES)]).objects
    before = json.dumps([object.raw for object in objects])
    engine = policy.Engine.build(objects, inventory=objects)
    for object in objects:
        request = Request.of(Object(object.raw))
        decide(policy.steps(engine), request, now=NOW, deadline=Deadline.after(5.0))
    assert json.dumps([object.raw for object in objects]) == before
