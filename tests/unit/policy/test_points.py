"""Enforcement actions by enforcement point, and the operations of templates (policy.md 1.4, 1.5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.policy.made import constraint, engine, pod, template

from sekisho.diag import Deadline, DiagnosticError
from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Outcome, Request, decide, to_admission_response
from sekisho.policy import AUDIT, GATOR, WEBHOOK, Ask, Engine, steps
from sekisho.policy.constraint import VAP, load_constraint

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def scoped(*rows: tuple[str, tuple[str, ...]]) -> dict[str, Any]:
    actions = [
        {"action": word, "enforcementPoints": [{"name": at} for at in points]} for word, points in rows
    ]
    return {"enforcementAction": "scoped", "scopedEnforcementActions": actions}


ALL = (WEBHOOK, AUDIT, GATOR, VAP)
ROWS: list[tuple[str, dict[str, Any], dict[str, tuple[str, ...]]]] = [
    ("deny is the default", {}, dict.fromkeys(ALL, ("deny",))),
    ("an empty action is the default", {"enforcementAction": ""}, dict.fromkeys(ALL, ("deny",))),
    ("warn", {"enforcementAction": "warn"}, dict.fromkeys(ALL, ("warn",))),
    ("dryrun", {"enforcementAction": "dryrun"}, dict.fromkeys(ALL, ("dryrun",))),
    ("one point each", scoped(("deny", (WEBHOOK,)), ("warn", (AUDIT,))), {WEBHOOK: ("deny",), AUDIT: ("warn",)}),
    ("every point", scoped(("dryrun", ("*",))), dict.fromkeys(ALL, ("dryrun",))),
    ("several actions at a point", scoped(("warn", (WEBHOOK,)), ("deny", ("*",))),
     {**dict.fromkeys(ALL, ("deny",)), WEBHOOK: ("warn", "deny")}),
    ("the same one twice", scoped(("warn", (GATOR, GATOR)), ("warn", (GATOR,))), {GATOR: ("warn",)}),
    ("no points", scoped(("deny", ())), {}),
    ("no rows", {"enforcementAction": "scoped"}, {}),
    ("rows without scoped are ignored",
     {**scoped(("warn", ("*",))), "enforcementAction": "deny"}, dict.fromkeys(ALL, ("deny",))),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "actions"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_actions(spec: dict[str, Any], actions: dict[str, tuple[str, ...]]) -> None:
    made = engine(template(), constraint(**spec))
    (found,) = made.constraints
    assert found.actions == actions
    for point in ALL:
        findings = made.review(Request.of(pod()), Ask(point=point))
        words = actions.get(point, ())
        assert [row.word for row in findings] == (
            [max(words, key=["dryrun", "warn", "deny"].index)] if words else []
        )


@pytest.mark.parametrize(
    "spec",
    [
        {"enforcementAction": "block"},
        scoped(("block", ("*",))),
        scoped(("deny", ("somewhere",))),
        scoped(("scoped", ("*",))),
    ],
)
def test_unknown_actions_and_points_are_refused_unless_gator_asks(spec: dict[str, Any]) -> None:
    loaded = engine(template()).templates["K8sThing"]
    with pytest.raises(DiagnosticError) as error:
        load_constraint(constraint(**spec), loaded)
    assert error.value.diagnostics[0].code.id == "POL022"
    assert load_constraint(constraint(**spec), loaded, any_action=True).warnings


@pytest.mark.parametrize(
    ("action", "outcome", "code"),
    [("deny", Outcome.DENY, 403), ("warn", Outcome.ALLOW, 299), ("dryrun", Outcome.ALLOW, 200)],
)
def test_what_the_webhook_answers(action: str, outcome: Outcome, code: int) -> None:
    made = engine(template(), constraint(enforcementAction=action), constraint("b", enforcementAction=action))
    verdict = decide(steps(made), Request.of(pod()), now=NOW, deadline=Deadline.after(5.0))
    response = to_admission_response(verdict, "u")
    assert verdict.outcome is outcome
    assert response["status"]["code"] == code
    lines = ["[b] no hostPID", "[thing] no hostPID"]
    assert response["status"].get("message") == ("\n".join(lines) if action == "deny" else None)
    assert response.get("warnings") == (lines if action == "warn" else None)


# --- operations of templates ------------------------------------------------------------------------------


def request(operation: Operation) -> Request:
    old = pod() if operation in (Operation.UPDATE, Operation.DELETE) else None
    new = None if operation is Operation.DELETE else pod()
    made = Request.of(pod(), operation=operation)
    raw = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": made.to_json()}
    raw["request"].update(object=new.raw if new else None, oldObject=old.raw if old else None)
    return Request.from_review(raw)


OPERATIONS = (Operation.CREATE, Operation.UPDATE, Operation.DELETE, Operation.CONNECT)


@pytest.mark.parametrize(
    ("operations", "asked"),
    [
        ([], {"CREATE", "UPDATE", "DELETE", "CONNECT"}),
        (["*"], {"CREATE", "UPDATE", "DELETE", "CONNECT"}),
        (["CREATE"], {"CREATE"}),
        (["UPDATE", "DELETE"], {"UPDATE", "DELETE"}),
        (["CONNECT"], {"CONNECT"}),
    ],
)
def test_operations_of_a_template(operations: list[str], asked: set[str]) -> None:
    made = engine(template(operations=operations), constraint())
    chain = steps(made)
    for operation in OPERATIONS:
        verdict = decide(chain, request(operation), now=NOW, deadline=Deadline.after(5.0))
        assert (verdict.outcome is Outcome.DENY) is (operation.value in asked), operation


@pytest.mark.parametrize("point", [AUDIT, GATOR])
def test_audit_and_gator_ask_every_template(point: str) -> None:
    made = engine(template(operations=["DELETE"]), constraint())
    assert made.review(Request.of(pod()), Ask(point=point))
    assert not made.review(Request.of(pod()), Ask(point=WEBHOOK))


def test_what_an_object_brings_about_has_its_operation() -> None:
    deployment = Object(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"template": {"spec": pod().raw["spec"]}},
        }
    )
    made = Engine.build([template(operations=["UPDATE"]), constraint()])
    assert not made.review(Request.of(deployment))
    assert made.review(Request.of(deployment, operation=Operation.UPDATE))
