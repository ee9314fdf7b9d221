"""Kritis' decisions, and its ways around them, closed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.images.signers import Signer

from sekisho.diag import Deadline
from sekisho.images.attest import Outcome
from sekisho.images.evidence.facts import Scan, Vulnerability
from sekisho.images.evidence.model import Attestation, Signature, Unanswered
from sekisho.images.evidence.simplesigning import google_payload
from sekisho.images.kritis.decide import Review, Sources, review
from sekisho.images.kritis.judge import KritisJudge
from sekisho.images.kritis.resources import Kritis, read_kritis
from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Request, Rung
from sekisho.oci import parse_reference

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
IMAGE = f"gcr.io/shop/cart@{DIGEST}"
CI, QA = Signer(), Signer()
SIGNERS = {"ci": CI, "qa": QA}
CLEAN = Scan(finished=True)


def resource(kind: str, name: str, spec: Mapping[str, Any], namespace: str = "shop") -> Object:
    metadata = {"name": name, "namespace": namespace}
    return Object(
        {"apiVersion": "kritis.grafeas.io/v1beta1", "kind": kind, "metadata": metadata, "spec": dict(spec)}
    )


def authority(name: str) -> Object:
    key = {
        "keyType": "PKIX",
        "pkixPublicKey": {"publicKey": SIGNERS[name].pem, "signatureAlgorithm": "ECDSA_P256_SHA256"},
    }
    return resource(
        "AttestationAuthority", name, {"noteReference": f"projects/p/notes/{name}", "publicKeys": [key]}
    )


def gap(name: str, *authorities: str, allow: tuple[str, ...] = (), namespace: str = "shop") -> Object:
    patterns = [{"namePattern": row} for row in allow]
    spec = {"attestationAuthorityNames": list(authorities), "admissionAllowlistPatterns": patterns}
    return resource("GenericAttestationPolicy", name, spec, namespace)


def isp(namespace: str = "shop", allow: tuple[str, ...] = (), **bounds: Any) -> Object:
    spec = {
        "imageAllowlist": list(allow),
        "packageVulnerabilityRequirements": bounds,
        "attestationAuthorityName": "ci",
    }
    return resource("ImageSecurityPolicy", "isp", spec, namespace)


def attestation(signer: Signer, image: str = "gcr.io/shop/cart", digest: str = DIGEST) -> Attestation:
    payload = google_payload(image, digest)
    return Attestation(
        where="occurrence", payload=payload, signatures=(Signature(value=signer.sign(payload)),)
    )


def sources(by: Mapping[str, Any] = {}, scan: Any = CLEAN) -> Sources:
    return Sources(attestations=lambda note, _: by.get(note.rpartition("/")[2], ()), scan=lambda _: scan)


def ask(objects: list[Object], asked: Sources, image: str = IMAGE, namespace: str = "shop") -> Review:
    kritis = read_kritis([authority("ci"), authority("qa"), *objects])
    return review(parse_reference(image), image, namespace, kritis, asked, now=NOW)


BY_CI = {"ci": (attestation(CI),)}
BY_BOTH = {**BY_CI, "qa": (attestation(QA),)}
DOWN = {"ci": Unanswered(reason="down")}


@pytest.mark.parametrize(
    ("policies", "by", "outcome"),
    [
        ([], {}, Outcome.ALLOW),
        ([gap("a", "ci")], {}, Outcome.DENY),
        ([gap("a", "ci")], BY_CI, Outcome.ALLOW),
        ([gap("a", "ci", "qa")], BY_CI, Outcome.DENY),
        ([gap("a", "ci", "qa")], BY_BOTH, Outcome.ALLOW),
        ([gap("a", "ci", "qa"), gap("b", "ci")], BY_CI, Outcome.ALLOW),
        ([gap("a", "ci")], {"ci": (attestation(QA),)}, Outcome.DENY),
        ([gap("a", "ci")], {"ci": (attestation(CI, image="gcr.io/other/cart"),)}, Outcome.DENY),
        ([gap("a", "ci")], {"ci": (attestation(CI, digest="sha256:" + "b" * 64),)}, Outcome.DENY),
        ([gap("a", "ci")], DOWN, Outcome.COULD_NOT_ASK),
        ([gap("a", "ci"), gap("b", "qa", allow=("gcr.io/shop/*",))], {}, Outcome.ALLOW),
        ([gap("a", "ci", allow=("gcr.io/other/*",))], {}, Outcome.DENY),
        ([gap("a", allow=("gcr.io/shop/*",))], BY_CI, Outcome.DENY),
        ([gap("a", "nobody")], BY_CI, Outcome.DENY),
        ([gap("a", "ci", namespace="other")], {}, Outcome.ALLOW),
        ([gap("a", "ci", allow=("gcr.io/n*x",))], BY_CI, Outcome.DENY),
    ],
)
def test_attestation_policies(policies: list[Object], by: Mapping[str, Any], outcome: Outcome) -> None:
    assert ask(policies, sources(by)).outcome is outcome


def test_the_words() -> None:
    found = ask([gap("a", "ci", "qa")], sources(BY_CI))
    assert found.message == (
        "1 images are not attested by all authorities in any GAP policy:\n"
        f"- image {IMAGE} is not attested by\n"
        '  - ["qa"] in gap a'
    )


def scan(severity: str, *, fixable: bool = True, finished: bool = True) -> Scan:
    found = Vulnerability(cve="CVE-1", severity=severity, fixable=fixable)
    return Scan(finished=finished, vulnerabilities=(found,))


@pytest.mark.parametrize(
    ("policy", "found", "outcome"),
    [
        (isp(), CLEAN, Outcome.ALLOW),
        (isp(), scan("CRITICAL"), Outcome.ALLOW),
        (isp(maximumSeverity="HIGH"), scan("CRITICAL"), Outcome.DENY),
        (isp(maximumSeverity="HIGH"), scan("CRITICAL", fixable=False), Outcome.ALLOW),
        (isp(maximumFixUnavailableSeverity="LOW"), scan("MEDIUM", fixable=False), Outcome.DENY),
        (isp(maximumSeverity="BLOCK_ALL"), scan("MINIMAL"), Outcome.DENY),
        (isp(maximumSeverity="ALLOW_ALL"), scan("CRITICAL"), Outcome.ALLOW),
        (isp(maximumSeverity="LOW", allowlistCVEs=["CVE-1"]), scan("CRITICAL"), Outcome.ALLOW),
        (isp(maximumSeverity="LOW"), scan("DREADFUL"), Outcome.DENY),
        (isp(allow=(IMAGE,), maximumSeverity="LOW"), scan("CRITICAL"), Outcome.ALLOW),
        (isp(maximumSeverity="LOW"), Unanswered(reason="down"), Outcome.COULD_NOT_ASK),
        (isp(maximumSeverity="LOW"), scan("LOW", finished=False), Outcome.COULD_NOT_ASK),
        (isp(namespace="other", maximumSeverity="LOW"), scan("CRITICAL"), Outcome.ALLOW),
        (isp(maximumSeverity="WORST"), CLEAN, Outcome.DENY),
    ],
)
def test_security_policies(policy: Object, found: Any, outcome: Outcome) -> None:
    assert ask([policy], sources(scan=found)).outcome is outcome


def test_an_attested_image_is_still_looked_at() -> None:
    found = ask([isp(maximumSeverity="LOW")], sources(BY_CI, scan("CRITICAL")))
    assert found.message.startswith(f"found violations in {IMAGE}")


def test_a_tag_is_not_fully_qualified() -> None:
    found = ask([isp()], sources(), image="gcr.io/shop/cart:v1")
    assert found.message == "gcr.io/shop/cart:v1 is not a fully qualified image"


def pod(image: str, **metadata: Any) -> Object:
    spec = {"containers": [{"name": "a", "image": image}]}
    return Object(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": "shop", **metadata},
            "spec": spec,
        }
    )


def judged(object: Object, old: Object | None = None) -> Any:
    judge = KritisJudge(kritis=read_kritis([authority("ci"), gap("a", "ci")]), sources=sources())
    operation = Operation.CREATE if old is None else Operation.UPDATE
    request = Request(kind=object.gvk, object=object, old_object=old, namespace="shop", operation=operation)
    return judge(request, now=NOW, deadline=Deadline.after(10))


def test_ways_around() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": True}
    assert not judged(pod(IMAGE, ownerReferences=[owner])).allowed
    assert not judged(pod(IMAGE, annotations={"kritis.grafeas.io/breakglass": "true"})).allowed
    other = "gcr.io/shop/other@" + DIGEST
    template = {"spec": {"containers": [{"name": "a", "image": IMAGE}]}}
    before = {"spec": {"containers": [{"name": "a", "image": other}]}}
    raw = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "shop"}}
    changed = judged(
        Object({**raw, "spec": {"template": template}}), Object({**raw, "spec": {"template": before}})
    )
    assert not changed.allowed
    (finding,) = judged(pod(IMAGE), pod(IMAGE)).findings
    assert finding.rung is Rung.WARN


def test_what_is_read_and_only_reported() -> None:
    objects = [
        resource("BuildPolicy", "b", {"builtFrom": ".*"}),
        resource("KritisConfig", "k", {"metadataBackend": "grafeas"}),
        resource(
            "VulnzSigningPolicy", "v", {"imageVulnerabilityRequirements": {"maximumFixableSeverity": "LOW"}}
        ),
    ]
    kritis = read_kritis(objects)
    assert {row.name for row in kritis.reported} == {"b", "k"}
    assert kritis.signing[0].bounds.fixable == "LOW"
    assert not kritis.any
    assert Kritis().problems == kritis.problems
