"""The chain, run both ways: ``decide`` over judges and ``review`` over reviewers give the same verdict."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sekisho.diag import Code, Deadline, Diagnostic, DiagnosticError, Level
from sekisho.diag.code import Blame
from sekisho.kube import patch
from sekisho.kube.breakglass import BreakGlass
from sekisho.kube.defaults import apply_defaults
from sekisho.kube.match import Match
from sekisho.kube.object import Object
from sekisho.kube.review import (
    ALLOWED,
    FailurePolicy,
    Finding,
    Judge,
    Operation,
    Outcome,
    PureReviewer,
    Request,
    Reviewer,
    Rules,
    Rung,
    Step,
    Verdict,
    decide,
    message,
    review,
    to_admission_response,
    to_admission_review,
)
from sekisho.kube.waiver import Waiver

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=10)
CODE = Code(id="POL101", title="t", blame=Blame.INPUT, finding=True)
ENVIRONMENT = Code(id="IMG900", title="t", blame=Blame.ENVIRONMENT)
POD = Object({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}})
RUNNING = POD.replaced({**POD.raw, "spec": {"containers": [{"name": "web", "image": "web:1"}]}})
REQUEST = Request.of(POD)
IGNORE = FailurePolicy.IGNORE


def finding(rung: Rung, name: str = "owner", text: str = "no owner") -> Finding:
    return Finding.of(
        Diagnostic(code=CODE, message=text, policy=f"K8sLabels/{name}", at=POD.at("spec")), rung
    )


DENY = Verdict.of([finding(Rung.DENY)])
WARN = Verdict.of([finding(Rung.WARN, "w", "careful")])
OBSERVE = Verdict.of([finding(Rung.OBSERVE, "o", "seen")])
UNREACHABLE = Diagnostic(code=ENVIRONMENT, message="the registry did not answer")
NO_ANSWER = Verdict.could_not_ask(UNREACHABLE)


def always(verdict: Verdict) -> Judge:
    def judge(request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        return verdict

    return judge


def raising(error: Exception) -> Judge:
    def judge(request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        raise error

    return judge


def step(answer: Verdict | Exception | Judge, name: str = "policy", **fields: Any) -> Step[Judge]:
    if isinstance(answer, Verdict):
        return Step(name=name, call=always(answer), **fields)
    if isinstance(answer, Exception):
        return Step(name=name, call=raising(answer), **fields)
    return Step(name=name, call=answer, **fields)


def patching(*operations: dict[str, Any]) -> Verdict:
    return Verdict(patch=operations)


def run(
    *steps: Step[Judge], request: Request = REQUEST, rules: Rules | None = None, seconds: float = 5
) -> Verdict:
    rules = rules or Rules()
    first = decide(steps, request, now=NOW, deadline=Deadline.after(seconds), rules=rules)
    reviewers: list[Step[Reviewer]] = [
        Step(name=item.name, call=PureReviewer(item.call), mutating=item.mutating, failure=item.failure)
        for item in steps
    ]
    second = asyncio.run(review(reviewers, request, now=NOW, deadline=Deadline.after(seconds), rules=rules))
    assert first == second
    return first


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([], Outcome.ALLOW),
        ([ALLOWED], Outcome.ALLOW),
        ([WARN, OBSERVE], Outcome.ALLOW),
        ([ALLOWED, DENY, ALLOWED], Outcome.DENY),
        ([NO_ANSWER], Outcome.COULD_NOT_ASK),
        ([ALLOWED, NO_ANSWER], Outcome.COULD_NOT_ASK),
        ([NO_ANSWER, DENY], Outcome.DENY),
        ([Verdict.could_not_ask(())], Outcome.COULD_NOT_ASK),
        ([Verdict(outcome=Outcome.DENY)], Outcome.DENY),
    ],
)
def test_outcomes(answers: list[Verdict], outcome: Outcome) -> None:
    verdict = run(*(step(answer) for answer in answers))
    assert verdict.outcome is outcome
    assert verdict.allowed is (outcome is Outcome.ALLOW)


def test_nothing_to_ask_allows() -> None:
    assert run().findings == ()


def test_the_failure_policy_ignore_passes_over_and_says_so() -> None:
    verdict = run(step(NO_ANSWER, "images", failure=IGNORE), step(WARN))
    assert verdict.outcome is Outcome.ALLOW
    assert verdict.warnings == ("IMG900: the registry did not answer",)
    assert verdict.audit_annotations == {"failed-open": "images"}
    assert [failure.level for failure in verdict.failures] == [Level.WARNING]


def test_a_reviewer_that_gives_no_reason_gets_one() -> None:
    verdict = run(step(Verdict.could_not_ask(()), "images"))
    assert [f"{failure.code} {failure.message}" for failure in verdict.failures] == [
        "KUB050 images could not judge the object"
    ]


def test_an_expected_failure_keeps_its_diagnostics() -> None:
    verdict = run(step(DiagnosticError(UNREACHABLE)))
    assert verdict.outcome is Outcome.COULD_NOT_ASK
    assert verdict.failures == (UNREACHABLE,)


def test_a_reviewer_that_raises_could_not_be_asked_and_its_words_stay_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        verdict = run(step(KeyError("the password"), "images"))
    assert verdict.outcome is Outcome.COULD_NOT_ASK
    (failure,) = verdict.failures
    assert failure.code.id == "KUB051"
    assert failure.code.blame is Blame.BUG
    assert failure.message == "images failed: KeyError"
    assert "the password" not in str(failure)
    assert "the password" in caplog.text


def test_a_reviewer_that_raises_may_be_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    assert run(step(ValueError(), failure=IGNORE)).outcome is Outcome.ALLOW
    assert caplog.records


def test_without_time_nobody_is_asked() -> None:
    verdict = run(step(ALLOWED), seconds=-1)
    assert verdict.outcome is Outcome.COULD_NOT_ASK
    assert [failure.code.id for failure in verdict.failures] == ["KUB052"]


class Slow:
    async def review(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        await asyncio.sleep(30)
        return ALLOWED


class TimesOut:
    async def review(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        raise TimeoutError


def ask(reviewer: Reviewer, seconds: float) -> Verdict:
    steps: list[Step[Reviewer]] = [Step(name="slow", call=reviewer)]
    return asyncio.run(review(steps, REQUEST, now=NOW, deadline=Deadline.after(seconds)))


def test_a_slow_reviewer_is_stopped_at_the_deadline() -> None:
    verdict = ask(Slow(), 0.05)
    assert verdict.outcome is Outcome.COULD_NOT_ASK
    assert [failure.message for failure in verdict.failures] == [
        "slow could not judge the object: no time was left"
    ]


def test_a_time_out_of_the_reviewers_own_is_its_failure(caplog: pytest.LogCaptureFixture) -> None:
    assert [failure.code.id for failure in ask(TimesOut(), 5).failures] == ["KUB051"]
    assert caplog.records


def test_validating_reviewers_run_at_the_same_time() -> None:
    barrier = asyncio.Barrier(2)

    class Meets:
        async def review(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
            await barrier.wait()
            return ALLOWED

    async def both() -> Verdict:
        steps: list[Step[Reviewer]] = [Step(name="a", call=Meets()), Step(name="b", call=Meets())]
        return await review(steps, REQUEST, now=NOW, deadline=Deadline.after(5))

    assert asyncio.run(both()).allowed


def label(name: str) -> Callable[..., Verdict]:
    def judge(request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        labels = request.subject.labels
        if not labels:
            return patching({"op": "add", "path": "/metadata/labels", "value": {name: "1"}})
        return patching({"op": "add", "path": f"/metadata/labels/{name}", "value": "1"})

    return judge


def test_mutating_reviewers_run_in_order_and_first() -> None:
    seen: list[Any] = []

    def look(request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        seen.append(request.subject.raw)
        return ALLOWED

    steps = [step(look, "look"), step(label("a"), "a", mutating=True), step(label("b"), "b", mutating=True)]
    verdict = run(*steps, request=REQUEST.with_object(apply_defaults(POD)))
    assert [item["metadata"]["labels"] for item in seen] == [{"a": "1", "b": "1"}] * 2
    assert "labels" not in POD.metadata
    assert verdict.patch == (
        {"op": "add", "path": "/metadata/labels", "value": {"a": "1"}},
        {"op": "add", "path": "/metadata/labels/b", "value": "1"},
    )


def adding(path: str, value: Any) -> Verdict:
    return patching({"op": "add", "path": path, "value": value})


def test_what_a_patch_adds_gets_its_defaults() -> None:
    seen: list[Any] = []

    def look(request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        seen.append(request.subject.raw["spec"])
        return ALLOWED

    request = REQUEST.with_object(apply_defaults(RUNNING))
    sidecar = adding("/spec/containers/-", {"name": "proxy", "image": "proxy:1"})
    verdict = run(step(sidecar, mutating=True), step(look), request=request)
    spec = seen[-1]
    assert spec["containers"][-1]["imagePullPolicy"] == "IfNotPresent"
    assert verdict.patch == sidecar.patch  # whoever applies it fills them in


def test_a_patch_of_defaults_follows_them() -> None:
    request = REQUEST.with_object(apply_defaults(RUNNING))
    volume = adding("/spec/volumes", [{"name": "s", "secret": {"secretName": "s"}}])
    mode = patching({"op": "replace", "path": "/spec/volumes/0/secret/defaultMode", "value": 256})
    verdict = run(step(volume, mutating=True), step(mode, mutating=True), request=request)
    assert verdict.allowed
    made = patch.apply(request.subject.raw, verdict.patch)
    assert made["spec"]["volumes"][0]["secret"] == {"secretName": "s", "defaultMode": 256}


def test_a_patched_object_keeps_its_origin() -> None:
    class Here:
        def locate(self, path: Any, *, key: bool = False) -> None:
            return None

    origin = Here()
    request = Request.of(Object(POD.raw, origin))

    def look(request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        assert request.subject.origin is origin
        return ALLOWED

    assert run(step(label("a"), mutating=True), step(look), request=request).allowed


BAD_PATCH = patching({"op": "remove", "path": "/nothing"})


@pytest.mark.parametrize(
    ("answer", "request_", "code"),
    [
        (BAD_PATCH, REQUEST, "KUB031"),
        (patching({"op": "add", "path": "", "value": 1}), REQUEST, "KUB031"),
        (BAD_PATCH, Request.of(POD, operation=Operation.DELETE), "KUB031"),
    ],
)
def test_a_patch_that_does_not_fit_is_a_failure(answer: Verdict, request_: Request, code: str) -> None:
    verdict = run(step(answer, mutating=True), request=request_)
    assert verdict.outcome is Outcome.COULD_NOT_ASK
    assert [failure.code.id for failure in verdict.failures] == [code]
    assert verdict.patch == ()


def test_a_failed_mutation_ends_the_chain() -> None:
    asked: list[str] = []

    def judge(request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        asked.append("x")
        return ALLOWED

    verdict = run(step(NO_ANSWER, "a", mutating=True), step(judge, "b", mutating=True), step(judge, "c"))
    assert verdict.outcome is Outcome.COULD_NOT_ASK
    assert asked == []


def test_a_mutation_that_may_fail_leaves_the_object_as_it_is() -> None:
    verdict = run(step(BAD_PATCH, mutating=True, failure=IGNORE), step(DENY))
    assert verdict.outcome is Outcome.DENY
    assert verdict.patch == ()


def test_the_patch_of_a_mutation_without_an_answer_is_not_applied() -> None:
    answer = replace(NO_ANSWER, patch=({"op": "add", "path": "/x", "value": 1},))
    assert run(step(answer, mutating=True, failure=IGNORE)).patch == ()


def test_a_mutating_reviewer_may_refuse_and_the_others_are_still_asked() -> None:
    verdict = run(step(DENY, mutating=True), step(WARN))
    assert verdict.outcome is Outcome.DENY
    assert len(verdict.findings) == 2


WAIVER = Waiver(
    name="w",
    reason="legacy",
    owner="alice",
    expires=LATER,
    policies=("K8sLabels/*",),
    match=Match(namespaces=("shop",)),
)


def test_waivers_are_applied_by_the_chain() -> None:
    verdict = run(step(DENY), rules=Rules(waivers=(WAIVER,)))
    assert verdict.outcome is Outcome.ALLOW
    assert verdict.audit_annotations == {"waived": "w"}
    assert verdict.expires == LATER


def test_a_refusal_without_a_finding_cannot_be_waived() -> None:
    refusal = Verdict(outcome=Outcome.DENY, failures=(UNREACHABLE,), findings=(finding(Rung.WARN),))
    rules = Rules(waivers=(WAIVER,), break_glass=(BreakGlass(name="g", reason="fire", expires=LATER),))
    verdict = run(step(refusal), rules=rules)
    assert verdict.outcome is Outcome.DENY
    assert message(verdict) == "IMG900: the registry did not answer"


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, Outcome.ALLOW),
        ({"expires": NOW}, Outcome.COULD_NOT_ASK),
        ({"policies": ("*",)}, Outcome.COULD_NOT_ASK),
        ({"match": Match(namespaces=("prod",))}, Outcome.COULD_NOT_ASK),
    ],
)
def test_break_glass_admits_what_could_not_be_judged(fields: dict[str, Any], outcome: Outcome) -> None:
    glass = BreakGlass(**{"name": "g", "reason": "fire", "expires": LATER, **fields})
    verdict = run(step(NO_ANSWER), rules=Rules(break_glass=(glass,)))
    assert verdict.outcome is outcome
    if outcome is Outcome.ALLOW:
        assert verdict.audit_annotations == {"break-glass": "g"}
        assert verdict.warnings == ("IMG900: the registry did not answer",)
        assert [failure.level for failure in verdict.failures] == [Level.WARNING]
        assert verdict.expires == LATER


def test_break_glass_is_recorded_for_findings_too() -> None:
    glass = BreakGlass(name="g", reason="fire", expires=LATER)
    verdict = run(step(DENY), rules=Rules(break_glass=(glass,)))
    assert verdict.outcome is Outcome.ALLOW
    assert verdict.audit_annotations == {"break-glass": "g"}
    assert verdict.lines(Rung.WARN) == ("[owner] no owner",)


def test_what_reviewers_say_besides_is_kept() -> None:
    first = Verdict(
        warnings=("a",),
        evidence=({"key": "k"},),
        reads=frozenset({"inventory"}),
        expires=LATER,
        snapshot="abc",
        audit_annotations={"x": "1", "y": "1"},
    )
    second = Verdict(warnings=("b",), expires=NOW, audit_annotations={"x": "2"})
    verdict = run(step(first, "one"), step(second, "two"))
    assert verdict.warnings == ("a", "b")
    assert verdict.evidence == ({"key": "k"},)
    assert verdict.reads == {"inventory"}
    assert verdict.expires == NOW
    assert verdict.audit_annotations == {"x": "1", "y": "1"}
    assert verdict.record is not None
    assert verdict.record.snapshots == {"one": "abc"}


def test_rules_that_ask_the_namespace_say_that_it_was_read() -> None:
    namespace = Object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    request = Request.of(POD, namespace_object=namespace)
    assert run(step(DENY), request=request, rules=Rules(waivers=(WAIVER,))).reads == {"labels shop"}
    assert run(step(DENY), request=request).reads == frozenset()


def test_the_record_of_a_decision() -> None:
    verdict = run(step(DENY), step(NO_ANSWER, failure=IGNORE), rules=Rules(waivers=(WAIVER,)))
    assert verdict.record is not None
    assert verdict.record.to_json() == {
        "uid": "",
        "at": "2026-06-01T00:00:00+00:00",
        "operation": "CREATE",
        "kind": "v1/Pod",
        "namespace": "shop",
        "name": "web",
        "subresource": "",
        "user": "",
        "dryRun": False,
        "outcome": "allow",
        "findings": [
            {
                "code": "POL101",
                "policy": "K8sLabels/owner",
                "message": "no owner",
                "path": "spec",
                "fingerprint": finding(Rung.DENY).diagnostic.fingerprint(),
                "asked": "deny",
                "rung": "observe",
                "word": "deny",
                "waiver": "w",
            }
        ],
        "failures": ["IMG900: the registry did not answer"],
        "snapshots": {},
    }


def test_a_finding_without_a_place_is_recorded_too() -> None:
    answer = Verdict.of([Finding.of(Diagnostic(code=CODE, message="m"), Rung.WARN)])
    record = run(step(answer)).record
    assert record is not None
    assert "path" not in record.findings[0]


def test_diagnostics_for_a_report() -> None:
    verdict = run(step(DENY), step(WARN), step(NO_ANSWER))
    assert [(d.code.id, d.level) for d in verdict.diagnostics()] == [
        ("POL101", Level.ERROR),
        ("POL101", Level.WARNING),
        ("IMG900", Level.ERROR),
    ]


def test_a_refusal_as_the_api_server_gets_it() -> None:
    answer = Verdict.of(
        [finding(Rung.DENY), finding(Rung.DENY, "b", "second"), finding(Rung.WARN, "w", "careful")]
    )
    assert to_admission_review(run(step(answer), step(label("a"), mutating=True)), "u1") == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": "u1",
            "allowed": False,
            "status": {"code": 403, "reason": "Forbidden", "message": "[owner] no owner\n[b] second"},
            "warnings": ["[w] careful"],
        },
    }


@pytest.mark.parametrize(
    ("verdict", "wanted"),
    [
        (ALLOWED, {"uid": "u", "allowed": True, "status": {"code": 200}}),
        (WARN, {"uid": "u", "allowed": True, "status": {"code": 299}, "warnings": ["[w] careful"]}),
        (OBSERVE, {"uid": "u", "allowed": True, "status": {"code": 200}}),
        (
            NO_ANSWER,
            {
                "uid": "u",
                "allowed": False,
                "status": {
                    "code": 500,
                    "reason": "InternalError",
                    "message": "IMG900: the registry did not answer",
                },
            },
        ),
        (
            Verdict.could_not_ask(()),
            {
                "uid": "u",
                "allowed": False,
                "status": {
                    "code": 500,
                    "reason": "InternalError",
                    "message": "the request could not be judged",
                },
            },
        ),
        (
            Verdict(outcome=Outcome.DENY),
            {
                "uid": "u",
                "allowed": False,
                "status": {"code": 403, "reason": "Forbidden", "message": "denied"},
            },
        ),
        (
            Verdict(audit_annotations={"waived": "w"}),
            {"uid": "u", "allowed": True, "status": {"code": 200}, "auditAnnotations": {"waived": "w"}},
        ),
    ],
)
def test_responses(verdict: Verdict, wanted: dict[str, Any]) -> None:
    assert to_admission_response(verdict, "u") == wanted


def test_a_patch_is_sent_when_it_is_allowed() -> None:
    response = to_admission_response(run(step(label("ä"), mutating=True)), "u")
    assert response["patchType"] == "JSONPatch"
    assert json.loads(base64.b64decode(response["patch"])) == [
        {"op": "add", "path": "/metadata/labels", "value": {"ä": "1"}}
    ]


def test_an_allowed_request_has_no_message() -> None:
    assert message(ALLOWED) == ""
