"""Ladder, waivers and break-glass: the order, and that nothing is ever raised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.diag import Code, Diagnostic, Level
from sekisho.diag.code import Blame
from sekisho.kube.breakglass import BreakGlass
from sekisho.kube.match import Match
from sekisho.kube.object import Object
from sekisho.kube.review import Enforced, Finding, Request, Rules, Rung, UserInfo, enforce, subject_of
from sekisho.kube.rollout import Rollout
from sekisho.kube.subject import Subject
from sekisho.kube.waiver import Waiver

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=10)
EARLIER = NOW - timedelta(days=10)
CODE = Code(id="POL101", title="t", blame=Blame.INPUT, finding=True)
POD = Object({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}})
SUBJECT = Subject(object=POD, namespace="shop")


def finding(rung: Rung = Rung.DENY, policy: str = "K8sLabels/owner", **fields: Any) -> Finding:
    return Finding.of(
        Diagnostic(code=CODE, message="no owner", policy=policy, at=POD.at("spec")), rung, **fields
    )


def rollout(rung: Rung, name: str = "r", **fields: Any) -> Rollout:
    return Rollout(name=name, rung=rung, **{"policies": ("K8sLabels/*",), **fields})


def waiver(name: str = "w", expires: datetime = LATER, **fields: Any) -> Waiver:
    whole = {"policies": ("K8sLabels/*",), "match": Match(namespaces=("shop",)), **fields}
    return Waiver(name=name, reason="legacy", owner="alice", expires=expires, **whole)


def glass(name: str = "g", expires: datetime = LATER, **fields: Any) -> BreakGlass:
    return BreakGlass(name=name, reason="fire", expires=expires, **fields)


def run(*findings: Finding, subject: Subject = SUBJECT, **rules: Any) -> Enforced:
    return enforce(findings, subject, Rules(**{key: tuple(rows) for key, rows in rules.items()}), now=NOW)


def one(found: Enforced) -> Finding:
    (only,) = found.findings
    return only


def test_without_rules_nothing_changes() -> None:
    assert run(finding()) == Enforced(findings=(finding(),))
    assert run() == Enforced(findings=())


@pytest.mark.parametrize("rung", list(Rung))
@pytest.mark.parametrize("held", list(Rung))
def test_a_rollout_lowers_and_never_raises(rung: Rung, held: Rung) -> None:
    found = one(run(finding(rung), rollouts=[rollout(held)]))
    assert found.rung is min(rung, held)
    assert found.asked is rung
    assert bool(found.because) is (held < rung)


def test_the_lowest_of_several_rollouts_holds() -> None:
    rules = [
        rollout(Rung.WARN, "a"),
        rollout(Rung.OBSERVE, "b"),
        rollout(Rung.OBSERVE, "c"),
        rollout(Rung.DENY, "d"),
    ]
    for order in (rules, rules[::-1]):
        found = one(run(finding(), rollouts=order))
        assert found.rung is Rung.OBSERVE
        assert found.because == ("Rollout b holds it at observe",)


def test_a_rollout_says_since_when() -> None:
    found = one(run(finding(), rollouts=[rollout(Rung.WARN, since=EARLIER)]))
    assert found.because == ("Rollout r holds it at warn since 2026-05-22",)


def test_a_rollout_that_has_not_begun_only_sets_the_moment() -> None:
    found = run(finding(), rollouts=[rollout(Rung.WARN, since=LATER)])
    assert one(found).rung is Rung.DENY
    assert found.expires == LATER


def test_a_rollout_of_something_else_does_nothing() -> None:
    assert one(run(finding(), rollouts=[rollout(Rung.WARN, policies=("Other/*",))])).rung is Rung.DENY


def test_a_rollout_of_the_bundle() -> None:
    rules = [rollout(Rung.WARN, policies=(), bundles=("psp",))]
    assert one(run(finding(bundle="psp"), rollouts=rules)).rung is Rung.WARN
    assert one(run(finding(), rollouts=rules)).rung is Rung.DENY


def test_a_waived_finding_is_still_seen() -> None:
    found = run(finding(), waivers=[waiver()])
    assert one(found).rung is Rung.OBSERVE
    assert one(found).waiver == "w"
    assert one(found).because == ("Waiver w accepts it until 2026-06-11 00:00Z, owned by alice: legacy",)
    assert found.expires == LATER


def test_an_expired_waiver_is_mentioned_and_waives_nothing() -> None:
    found = run(finding(), waivers=[waiver(expires=NOW)])
    assert one(found).rung is Rung.DENY
    assert one(found).waiver == ""
    assert one(found).because == ("Waiver w accepted it until 2026-06-01 00:00Z, and expired",)
    assert found.expires is None


def test_the_waiver_that_lasts_longest_counts() -> None:
    rules = [waiver("a", EARLIER), waiver("b", LATER), waiver("c", LATER - timedelta(days=1))]
    assert one(run(finding(), waivers=rules)).waiver == "b"


def test_a_waiver_of_something_else_does_nothing() -> None:
    assert one(run(finding(), waivers=[waiver(policies=("Other/*",))])).because == ()


def test_break_glass_turns_a_refusal_into_a_warning() -> None:
    found = run(finding(), break_glass=[glass()])
    assert one(found).rung is Rung.WARN
    assert one(found).break_glass == "g"
    assert one(found).because == ("BreakGlass g admits it until 2026-06-11 00:00Z: fire",)
    assert found.expires == LATER


@pytest.mark.parametrize(
    "item",
    [
        glass(expires=NOW),
        glass(expires=EARLIER),
        glass(policies=("Other/*",)),
        glass(match=Match(namespaces=("prod",))),
        glass(users=("alice",)),
    ],
)
def test_a_break_glass_that_does_not_cover(item: BreakGlass) -> None:
    found = run(finding(), break_glass=[item])
    assert one(found).rung is Rung.DENY
    assert one(found).break_glass == ""
    assert found.expires is None


def test_break_glass_leaves_warnings_alone() -> None:
    found = one(run(finding(Rung.WARN), break_glass=[glass()]))
    assert found.break_glass == ""
    assert found.because == ()


def test_the_break_glass_that_lasts_longest_is_named() -> None:
    items = [glass("a", LATER), glass("b", LATER + timedelta(days=1)), glass("c", EARLIER)]
    assert one(run(finding(), break_glass=items)).break_glass == "b"


def test_the_order_is_ladder_then_waivers_then_break_glass() -> None:
    everything = {"rollouts": [rollout(Rung.WARN)], "waivers": [waiver()], "break_glass": [glass()]}
    found = one(run(finding(), **everything))
    assert found.rung is Rung.OBSERVE
    assert [line.split()[0] for line in found.because] == ["Rollout", "Waiver"]
    # Broken glass is not needed, so it is not recorded as used.
    assert found.break_glass == ""


def test_the_earliest_moment_counts() -> None:
    found = run(
        finding(policy="A/a"),
        finding(policy="B/b"),
        waivers=[waiver(policies=("A/a",), expires=LATER + timedelta(days=5))],
        break_glass=[glass()],
    )
    assert found.expires == LATER


@given(
    rung=st.sampled_from(Rung),
    held=st.lists(st.sampled_from(Rung), max_size=3),
    waived=st.lists(st.sampled_from([EARLIER, NOW, LATER]), max_size=2),
    broken=st.lists(st.sampled_from([EARLIER, NOW, LATER]), max_size=2),
)
def test_enforcement_only_lowers(
    rung: Rung, held: list[Rung], waived: list[datetime], broken: list[datetime]
) -> None:
    found = one(
        run(
            finding(rung),
            rollouts=[rollout(item, str(n)) for n, item in enumerate(held)],
            waivers=[waiver(str(n), item) for n, item in enumerate(waived)],
            break_glass=[glass(str(n), item) for n, item in enumerate(broken)],
        )
    )
    # A second implementation, without explanations.
    wanted = min([rung, *held])
    if LATER in waived:
        wanted = Rung.OBSERVE
    if LATER in broken and wanted is Rung.DENY:
        wanted = Rung.WARN
    assert found.rung is wanted
    assert found.rung <= found.asked is rung


def test_the_report_has_the_level_of_the_rung_and_says_why() -> None:
    found = one(run(finding(), waivers=[waiver()]))
    report = found.report()
    assert report.level is Level.NOTE
    assert [note.message for note in report.notes] == list(found.because)
    assert finding(Rung.WARN).report().level is Level.WARNING
    assert finding(Rung.DENY).report().level is Level.ERROR
    assert report.fingerprint() == finding().diagnostic.fingerprint()


def test_messages_are_gatekeepers() -> None:
    assert finding().message() == "[owner] no owner"
    assert finding(policy="").message() == "no owner"
    assert finding(line="as the original says it").message() == "as the original says it"


def test_words_of_the_originals_are_kept() -> None:
    assert finding(Rung.OBSERVE, word="dryrun").word == "dryrun"
    assert finding(Rung.WARN).word == "warn"


def test_the_subject_of_a_request() -> None:
    namespace = Object(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "shop", "labels": {"sekisho.dev/owner": "a"}},
        }
    )
    user = UserInfo(username="bob", groups=("dev",))
    request = Request(kind=POD.gvk, object=POD, namespace="shop", namespace_object=namespace, user=user)
    found = subject_of(request)
    assert found.namespace == "shop"
    assert found.namespace_labels == {"sekisho.dev/owner": "a"}
    assert (found.owner, found.username, found.groups) == ("a", "bob", ("dev",))
    assert subject_of(Request.of(POD)).namespace_labels is None
    assert subject_of(Request(kind=POD.gvk, object=POD)).namespace == "shop"


def test_a_namespace_is_its_own_namespace() -> None:
    namespace = Object(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"x": "y"}}}
    )
    found = subject_of(Request.of(namespace))
    assert found.namespace == "shop"
    assert found.namespace_labels == {"x": "y"}


def test_rules_know_whether_they_lower_anything() -> None:
    assert not Rules().any
    assert Rules(waivers=(waiver(),)).any
