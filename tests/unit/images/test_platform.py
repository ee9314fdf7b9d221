"""Platform policies: scopes, the seven checks, and what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.images.signers import Signer

from sekisho.images.evidence.facts import Build, Facts, Scan, Vulnerability, build_of
from sekisho.images.evidence.model import Unanswered
from sekisho.images.google.platform import read_platform_policy
from sekisho.images.platform import Conformance, ImageResult, evaluate, worst
from sekisho.kube.object import Object
from sekisho.oci import parse_reference

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IMAGE = parse_reference("gcr.io/shop/cart@sha256:" + "a" * 64)
YES, NO, UNKNOWN = Conformance.CONFORMANT, Conformance.NON_CONFORMANT, Conformance.ERROR
GOOGLE = "https://cloudbuild.googleapis.com/GoogleHostedWorker@v1"

NOTHING = Facts()


def ask(
    gke: dict[str, Any], facts: Facts = NOTHING, *, namespace: str = "shop", account: str = ""
) -> ImageResult:
    policy = read_platform_policy(Object({"gkePolicy": gke}))
    return evaluate(IMAGE, policy, facts, namespace=namespace, service_account=account, now=NOW)


def one(check: dict[str, Any], facts: Facts = NOTHING) -> Conformance:
    return ask({"checkSets": [{"displayName": "all", "checks": [check]}]}, facts).verdict


def scan(*rows: tuple[str, str, bool], finished: bool = True) -> Facts:
    found = tuple(
        Vulnerability(cve=cve, severity=severity, fixable=fixable) for cve, severity, fixable in rows
    )
    return Facts(scans={"projects/p": Scan(finished=finished, vulnerabilities=found)})


def grave(fixable: str, unfixable: str, **more: Any) -> dict[str, Any]:
    return {
        "vulnerabilityCheck": {
            "maximumFixableSeverity": fixable,
            "maximumUnfixableSeverity": unfixable,
            **more,
        }
    }


@pytest.mark.parametrize(
    ("check", "facts", "verdict"),
    [
        (grave("LOW", "HIGH"), scan(), YES),
        (grave("LOW", "HIGH"), scan(("C-1", "LOW", True), ("C-2", "HIGH", False)), YES),
        (grave("LOW", "HIGH"), scan(("C-1", "MEDIUM", True)), NO),
        (grave("LOW", "HIGH"), scan(("C-1", "CRITICAL", False)), NO),
        (grave("LOW", "HIGH", allowedCves=["C-1"]), scan(("C-1", "CRITICAL", False)), YES),
        (grave("ALLOW_ALL", "ALLOW_ALL", blockedCves=["C-1"]), scan(("C-1", "MINIMAL", True)), NO),
        (
            grave("ALLOW_ALL", "ALLOW_ALL", blockedCves=["C-1"], allowedCves=["C-1"]),
            scan(("C-1", "LOW", True)),
            YES,
        ),
        (grave("BLOCK_ALL", "ALLOW_ALL"), scan(("C-1", "MINIMAL", True)), NO),
        (grave("HIGH", "HIGH"), scan(("C-1", "DREADFUL", True)), NO),
        (grave("LOW", "LOW"), Facts(), UNKNOWN),
        (grave("LOW", "LOW"), scan(finished=False), UNKNOWN),
        (grave("LOW", "LOW"), Facts(scans={"projects/p": Unanswered(reason="down")}), UNKNOWN),
    ],
)
def test_vulnerabilities(check: dict[str, Any], facts: Facts, verdict: Conformance) -> None:
    assert one(check, facts) is verdict


@pytest.mark.parametrize(
    ("days", "uploaded", "verdict"),
    [
        (3, NOW - timedelta(days=3), YES),
        (3, NOW - timedelta(days=3, seconds=1), NO),
        (3, None, UNKNOWN),
        (3, Unanswered(reason="down"), UNKNOWN),
    ],
)
def test_freshness(days: int, uploaded: Any, verdict: Conformance) -> None:
    assert one({"imageFreshnessCheck": {"maxUploadAgeDays": days}}, Facts(uploaded=uploaded)) is verdict


@pytest.mark.parametrize(
    ("build", "verdict"),
    [
        (Build(builder=GOOGLE, sources=("github.com/shop/cart",), config_based=True), YES),
        (Build(builder=GOOGLE, sources=("github.com/shop/cart",)), NO),
        (Build(builder=GOOGLE, sources=("github.com/fork/cart",), config_based=True), NO),
        (Build(builder=GOOGLE, sources=("github.com/shop/cart", "github.com/fork/x"), config_based=True), NO),
        (Build(builder=GOOGLE, config_based=True), NO),
        (Build(builder=f"{GOOGLE[:-3]}Evil", sources=("github.com/shop/cart",), config_based=True), NO),
        (Build(builder="https://builder.example", sources=("github.com/shop/cart",), config_based=True), NO),
    ],
)
def test_provenance(build: Build, verdict: Conformance) -> None:
    rule = {
        "trustedBuilder": "GOOGLE_CLOUD_BUILD",
        "configBasedBuildRequired": True,
        "trustedSourceRepoPatterns": ["github.com/shop/*"],
    }
    assert one({"slsaCheck": {"rules": [rule]}}, Facts(builds={"projects/p": (build,)})) is verdict
    other = {**rule, "trustedSourceRepoPatterns": ["github.com/nobody/*"]}
    assert one({"slsaCheck": {"rules": [other, rule]}}, Facts(builds={"projects/p": (build,)})) is verdict


def test_provenance_of_both_versions() -> None:
    source = {"repository": "git+https://github.com/shop/cart.git", "path": "cloudbuild.yaml"}
    v1 = {
        "buildDefinition": {
            "externalParameters": {"buildConfigSource": source},
            "resolvedDependencies": [
                {"uri": "git+https://github.com/shop/cart@refs/heads/main"},
                {"uri": "pkg:x"},
            ],
        },
        "runDetails": {"builder": {"id": GOOGLE}},
    }
    v02 = {
        "builder": {"id": GOOGLE},
        "invocation": {"configSource": {"uri": "git+https://github.com/shop/cart@refs/heads/main"}},
    }
    for predicate in (v1, v02):
        build = build_of(predicate)
        assert (build.builder, build.sources, build.config_based) == (GOOGLE, ("github.com/shop/cart",), True)
    assert build_of({}) == Build(builder="")


def test_the_first_set_that_matches_is_the_only_one() -> None:
    deny = {"checks": [{"alwaysDeny": True}]}
    sets = [
        {"scope": {"kubernetesServiceAccount": "shop:till"}},
        {"scope": {"kubernetesNamespace": "shop"}, **deny},
        {"displayName": "everybody"},
    ]
    assert ask({"checkSets": sets}, account="till").verdict is YES
    assert ask({"checkSets": sets}).verdict is NO
    assert ask({"checkSets": sets}, namespace="other").verdict is YES


@pytest.mark.parametrize("gke", [{}, {"checkSets": [{"displayName": "all"}]}])
def test_nothing_to_check_allows(gke: dict[str, Any]) -> None:
    assert ask(gke).verdict is YES


def test_allowlists_at_three_levels() -> None:
    allow = {"imageAllowlist": {"allowPattern": ["gcr.io/shop/*"]}}
    deny = {"alwaysDeny": True}
    for gke in (
        {**allow, "checkSets": [{"displayName": "all", "checks": [deny]}]},
        {"checkSets": [{"displayName": "all", "checks": [deny], **allow}]},
        {"checkSets": [{"displayName": "all", "checks": [{**deny, **allow}]}]},
    ):
        assert ask(gke).verdict is YES
    assert ask({"checkSets": [{"displayName": "all", "checks": [{**deny, **allow}, deny]}]}).verdict is NO


def test_signatures_that_were_not_read() -> None:
    check = {
        "sigstoreSignatureCheck": {
            "sigstoreAuthorities": [{"publicKeySet": {"publicKeys": [{"publicKeyPem": Signer().pem}]}}]
        }
    }
    assert one(check) is NO
    assert one(check, Facts(signatures=Unanswered(reason="down"))) is UNKNOWN


def test_not_conformant_outranks_an_error() -> None:
    assert worst([YES, UNKNOWN, NO]) is NO
    assert worst([YES, UNKNOWN]) is UNKNOWN
    assert worst([]) is YES
