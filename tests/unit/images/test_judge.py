"""Images of objects, where they stand: every list, every way around."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.images.signers import Signer

from sekisho.diag import Deadline, ObjectPath, path_text
from sekisho.images.authorize import Trust
from sekisho.images.evidence.model import Unanswered
from sekisho.images.google.attestor import Attestor
from sekisho.images.google.policy import Enforcement, Mode, Policy, Rule, Scope
from sekisho.images.judge import Judge
from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Outcome, Request, Rung, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
DENY = Rule(mode=Mode.ALWAYS_DENY, enforcement=Enforcement.BLOCK)
ALLOW = Rule(mode=Mode.ALWAYS_ALLOW, enforcement=Enforcement.BLOCK)
DRY = Rule(mode=Mode.ALWAYS_DENY, enforcement=Enforcement.DRY_RUN)
QA = "projects/shop/attestors/qa"
ASK = Rule(mode=Mode.REQUIRE_ATTESTATION, enforcement=Enforcement.BLOCK, attestors=(QA,))
ATTESTOR = Attestor(name=QA, note="projects/shop/notes/qa", keys=(Signer().public(),))


def pod(*images: str, **lists: Any) -> Object:
    rows = [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]
    spec = {"containers": rows, **lists}
    return Object(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": spec}
    )


def judge(policy: Policy, found: Any = ()) -> Judge:
    return Judge(policy=policy, trust=Trust(attestors={QA: ATTESTOR}), look=lambda *_: found)


def ask(
    policy: Policy, object: Object, *, old: Object | None = None, found: Any = (), **more: Any
) -> Verdict:
    operation = Operation.UPDATE if old is not None else Operation.CREATE
    fields = {"namespace": "shop", "operation": operation, **more}
    request = Request(kind=object.gvk, object=object, old_object=old, **fields)
    return judge(policy, found)(request, now=NOW, deadline=Deadline.after(10))


def places(verdict: Verdict) -> list[str]:
    ats = [row.diagnostic.at for row in verdict.findings]
    return [path_text(at.path) for at in ats if isinstance(at, ObjectPath)]


def test_every_list_and_image_volumes() -> None:
    lists = {
        "initContainers": [{"name": "i", "image": "b"}],
        "ephemeralContainers": [{"name": "e", "image": "c"}],
        "volumes": [{"name": "v", "image": {"reference": "d"}}],
    }
    assert places(ask(Policy(default=DENY), pod("a", **lists))) == [
        "spec.initContainers[0].image",
        "spec.containers[0].image",
        "spec.ephemeralContainers[0].image",
        "spec.volumes[0].image.reference",
    ]


def test_what_makes_pods_is_asked_about_too() -> None:
    template = {"spec": {"containers": [{"name": "a", "image": "a"}]}}
    cron = {"jobTemplate": {"spec": {"template": template}}}
    object = Object({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"}, "spec": cron})
    assert ask(Policy(default=DENY), object).outcome is Outcome.DENY


@pytest.mark.parametrize(("rule", "rung"), [(DENY, Rung.DENY), (DRY, Rung.OBSERVE)])
def test_the_rung_is_the_rule_s(rule: Rule, rung: Rung) -> None:
    (finding,) = ask(Policy(default=rule), pod("nginx")).findings
    assert (finding.rung, finding.word) == (rung, rule.enforcement.value)
    assert "Denied by always_deny admission rule" in finding.message()


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        (Scope.NAMESPACE, "shop"),
        (Scope.SERVICE_ACCOUNT, "shop:till"),
        (Scope.ISTIO, "spiffe://cluster.local/ns/shop/sa/till"),
        (Scope.ISTIO, "cluster.local/ns/shop/sa/till"),
    ],
)
def test_specific_rules(scope: Scope, key: str) -> None:
    policy = Policy(default=DENY, scope=scope, specific={key: ALLOW})
    assert ask(policy, pod("nginx", serviceAccountName="till")).allowed
    other = ask(policy, pod("nginx"), namespace="other")
    assert not other.allowed


def test_a_reference_that_cannot_be_read_is_refused() -> None:
    verdict = ask(Policy(default=ALLOW), pod("gcr.io/Shop/cart"))
    assert [row.diagnostic.code.id for row in verdict.findings] == ["IMG101"]
    assert verdict.outcome is Outcome.DENY


def test_what_ran_before_goes_on_running_and_is_told() -> None:
    (finding,) = ask(Policy(default=DENY), pod("a"), old=pod("a")).findings
    assert finding.rung is Rung.WARN


@pytest.mark.parametrize(
    "old",
    [pod("b"), pod("b", "a"), pod("z", initContainers=[{"name": "i", "image": "a"}])],
)
def test_an_image_in_another_place_is_new(old: Object) -> None:
    assert ask(Policy(default=DENY), pod("a"), old=old).outcome is Outcome.DENY


def test_ephemeral_containers_are_asked_about() -> None:
    new = pod("a", ephemeralContainers=[{"name": "e", "image": "evil"}])
    verdict = ask(Policy(default=DENY), new, old=pod("a"), subresource="ephemeralcontainers")
    assert verdict.outcome is Outcome.DENY
    assert ask(Policy(default=DENY), new, old=pod("a"), subresource="status").allowed


def test_an_owner_is_no_excuse() -> None:
    raw = dict(pod("a").raw)
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": True}
    raw["metadata"] = {"name": "p", "namespace": "shop", "ownerReferences": [owner]}
    assert not ask(Policy(default=DENY), Object(raw)).allowed


def test_break_glass_labels_grant_nothing() -> None:
    raw = dict(pod("a").raw)
    raw["metadata"] = {"name": "p", "labels": {"image-policy.k8s.io/break-glass": "true"}}
    assert not ask(Policy(default=DENY), Object(raw)).allowed


def test_could_not_ask() -> None:
    image = f"gcr.io/shop/cart@{DIGEST}"
    verdict = ask(Policy(default=ASK), pod(image), found=Unanswered(reason="the store is down"))
    assert verdict.outcome is Outcome.COULD_NOT_ASK
    assert verdict.failures[0].code.id == "IMG102"
    refused = ask(Policy(default=ASK), pod(image, "nginx"), found=Unanswered(reason="the store is down"))
    assert refused.outcome is Outcome.DENY


def test_other_requests_are_not_about_images() -> None:
    config = Object({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})
    assert ask(Policy(default=DENY), config).allowed
    assert ask(Policy(default=DENY), pod("a"), operation=Operation.DELETE).allowed
