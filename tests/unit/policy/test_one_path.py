"""One decision path: ``check`` and a webhook say the same of an object, for every case of the tree."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sekisho import policy
from sekisho.cli.inputs import read_objects
from sekisho.diag import Deadline
from sekisho.kube.defaults import apply_defaults
from sekisho.kube.object import Object
from sekisho.kube.review import Request, Verdict, decide

TESTS = Path(__file__).parents[2]
EXAMPLES = TESTS.parent / "src" / "sekisho" / "examples" / "shop"
FOLDERS = [
    *sorted(file.parent for file in (TESTS / "cases" / "check").rglob("*.yaml") if file.name == "case.yaml"),
    *sorted(folder for folder in (TESTS / "cases" / "positions").iterdir() if folder.is_dir()),
    EXAMPLES,
]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def told(verdict: Verdict) -> list[tuple[str, str, str]]:
    return [(row.policy, row.diagnostic.message, row.rung.word) for row in verdict.findings]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(TESTS.parent).as_posix())
def test_check_and_webhook_agree(folder: Path) -> None:
    objects = read_objects([str(folder)]).objects
    engine = policy.Engine.build(objects, inventory=objects)
    steps = policy.steps(engine)
    for object in objects:
        namespace = engine.namespaces.get(object.namespace)
        offline = Request.of(apply_defaults(object), namespace_object=namespace)
        review = {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": offline.to_json(),
        }
        wired = Request.from_review(json.loads(json.dumps(review)), namespace_object=namespace)
        verdicts = [
            decide(steps, request, now=NOW, deadline=Deadline.after(1.0)) for request in (offline, wired)
        ]
        assert told(verdicts[0]) == told(verdicts[1])
        assert verdicts[0].outcome is verdicts[1].outcome


def test_a_check_does_not_change_what_it_reads() -> None:
    objects = read_objects([str(EXAMPLES)]).objects
    before = json.dumps([object.raw for object in objects])
    engine = policy.Engine.build(objects, inventory=objects)
    for object in objects:
        request = Request.of(Object(object.raw))
        decide(policy.steps(engine), request, now=NOW, deadline=Deadline.after(5.0))
    assert json.dumps([object.raw for object in objects]) == before
