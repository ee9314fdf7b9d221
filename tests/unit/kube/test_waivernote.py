"""Waivers by annotation: what grants let them do, as of which time, and who wrote them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sekisho.diag import Code, Diagnostic
from sekisho.diag.code import Blame
from sekisho.kube.ladder import ANNOTATION
from sekisho.kube.match import Match
from sekisho.kube.object import Object
from sekisho.kube.review import Enforced, Finding, Request, Rules, Rung, UserInfo, enforce, subject_of
from sekisho.kube.review.rules import waiver_findings
from sekisho.kube.waiver import Waiver
from sekisho.kube.waivernote import WaiverGrant, annotator

END = datetime(2026, 6, 8, tzinfo=UTC)
NOW = END - timedelta(days=7)
CODE = Code(id="POL101", title="t", blame=Blame.INPUT, finding=True)
GRANT = WaiverGrant(
    name="g", policies=("K8sLabels/*",), namespaces=("shop", "team-*"), longest=timedelta(days=7)
)


def entry(**changes: Any) -> dict[str, Any]:
    whole = {
        "policies": ["K8sLabels/owner"],
        "reason": "moves",
        "owner": "shop",
        "expires": "2026-06-08T00:00:00Z",
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def pod(*entries: Any, namespace: str = "shop", text: str | None = None, **metadata: Any) -> Object:
    note = json.dumps(list(entries)) if text is None else text
    meta = {"name": "web", "namespace": namespace, "annotations": {ANNOTATION: note}, **metadata}
    return Object({"apiVersion": "v1", "kind": "Pod", "metadata": meta})


def run(object: Object, *, now: datetime = NOW, grants: tuple[WaiverGrant, ...] = (GRANT,)) -> Enforced:
    found = Finding.of(
        Diagnostic(code=CODE, message="no owner", policy="K8sLabels/owner", at=object.at("spec")), Rung.DENY
    )
    return enforce([found], subject_of(Request.of(object)), Rules(grants=grants), now=now)


def rung(enforced: Enforced) -> Rung:
    return enforced.findings[0].rung


def codes(enforced: Enforced) -> list[str]:
    return [row.diagnostic.code.id for row in enforced.findings[1:]]


def test_a_granted_annotation_waives_until_its_end_to_the_second() -> None:
    assert rung(run(pod(entry()))) is Rung.OBSERVE
    assert rung(run(pod(entry()), now=END - timedelta(seconds=1))) is Rung.OBSERVE
    assert rung(run(pod(entry()), now=END)) is Rung.DENY


def test_the_end_may_be_in_any_zone() -> None:
    noted = pod(entry(expires="2026-06-08T09:00:00+09:00"))
    assert rung(run(noted, now=END - timedelta(seconds=1))) is Rung.OBSERVE
    assert rung(run(noted, now=END)) is Rung.DENY


def test_an_end_too_far_away_waives_nothing_until_it_has_come_near() -> None:
    early = run(pod(entry()), now=NOW - timedelta(seconds=1))
    assert rung(early) is Rung.DENY
    assert codes(early) == ["KUB073"]
    assert early.expires == NOW


@pytest.mark.parametrize(
    "object",
    [
        pod(entry(), namespace="billing"),
        pod(entry(policies=["*"])),
        pod(entry(policies=["K8sLabels/owner", "K8sImages/digest"])),
        pod(entry(policies=["*/owner"])),
        pod(entry(policies=["K8s*"])),
    ],
)
def test_what_no_grant_covers_waives_nothing(object: Object) -> None:
    found = run(object)
    assert rung(found) is Rung.DENY
    assert codes(found) == ["KUB073"]


@pytest.mark.parametrize(
    ("pattern", "policies", "covered"),
    [
        ("a/b", ("a/b",), True),
        ("a/b", ("*",), True),
        ("*", ("a/*",), False),
        ("a/b*", ("a/*",), True),
        ("*/b", ("a/*",), False),
        ("*/b", ("*/b",), True),
        ("a/*", ("*/b",), False),
        ("a/b", ("*/b",), True),
        ("*ab*", ("*a*",), True),
        ("*a*", ("*ab*",), False),
        ("a*b", ("a*",), False),
    ],
)
def test_a_pattern_lies_within_a_grant_or_not(pattern: str, policies: tuple[str, ...], covered: bool) -> None:
    grant = WaiverGrant(name="g", policies=policies, namespaces=("*",), longest=timedelta(days=1))
    assert grant.covers([pattern], "shop") is covered


@pytest.mark.parametrize(
    "object",
    [
        pod(text="please"),
        pod(text="{}"),
        pod(text="[" * 100_000),
        pod(*[entry()] * 33),
        pod(entry(reason=None)),
        pod(entry(owner="")),
        pod(entry(expires="tomorrow")),
        pod(entry(policies=[])),
        pod(entry(approver="me")),
        pod(7),
    ],
)
def test_a_malformed_annotation_waives_nothing_and_says_so(object: Object) -> None:
    found = run(object)
    assert rung(found) is Rung.DENY
    assert codes(found)


def test_without_a_grant_an_annotation_waives_nothing() -> None:
    assert rung(run(pod(entry()), grants=())) is Rung.DENY


def test_the_writer_is_recorded() -> None:
    old, new = pod(entry(reason="older")), pod(entry())
    assert annotator(new, old, "eve") == "eve"
    assert annotator(new, None, "eve") == "eve"
    fields = {"f:metadata": {"f:annotations": {f"f:{ANNOTATION}": {}}}}
    managed = pod(entry(), managedFields=[{"manager": "kubectl", "fieldsV1": fields}])
    assert annotator(managed, managed, "eve") == "kubectl"
    request = Request(kind=new.gvk, object=new, user=UserInfo(username="eve"), namespace="shop")
    found = Finding.of(Diagnostic(code=CODE, message="m", policy="K8sLabels/owner"), Rung.DENY)
    (waived,) = enforce([found], subject_of(request), Rules(grants=(GRANT,)), now=NOW).findings
    assert "written by eve" in waived.because[0]


def test_an_error_of_evaluation_is_never_waived() -> None:
    failed = Finding.of(Diagnostic(code=CODE, message="m", policy="K8sLabels/owner"), Rung.DENY)
    failed = Finding(**{**{name: getattr(failed, name) for name in failed.__slots__}, "failed": True})
    waiver = Waiver(name="w", reason="r", owner="o", expires=END, policies=("*",), match=Match(names=("*",)))
    rules = Rules(waivers=(waiver,), grants=(GRANT,))
    (found,) = enforce([failed], subject_of(Request.of(pod(entry()))), rules, now=NOW).findings
    assert found.rung is Rung.DENY
    assert not found.because


def waiver(**changes: Any) -> Waiver:
    whole = {"policies": ("K8sLabels/owner",), "match": Match(names=("web",)), "expires": END, **changes}
    return Waiver(name="w", reason="r", owner="o", **whole)


@pytest.mark.parametrize(
    ("waiver", "used", "told"),
    [
        (waiver(), {"w"}, []),
        (waiver(), set(), ["KUB071"]),
        (waiver(expires=NOW), {"w"}, ["KUB070"]),
        (waiver(policies=("*",)), {"w"}, ["KUB072"]),
        (waiver(policies=("*/*",)), {"w"}, ["KUB072"]),
        (waiver(match=Match(names=("*",))), {"w"}, ["KUB072"]),
        (waiver(match=Match(owners=("shop",))), {"w"}, []),
        (waiver(expires=NOW + timedelta(days=180)), {"w"}, []),
        (waiver(expires=NOW + timedelta(days=180, seconds=1)), {"w"}, ["KUB072"]),
        (waiver(policies=(), fingerprints=("f",), match=Match()), {"w"}, []),
    ],
)
def test_waivers_are_looked_after(waiver: Waiver, used: set[str], told: list[str]) -> None:
    object = Object(
        {"apiVersion": "waivers.sekisho.dev/v1alpha1", "kind": "Waiver", "metadata": {"name": "w"}}
    )
    found = waiver_findings([(object, waiver)], used, NOW)
    assert [row.code.id for row in found] == told
