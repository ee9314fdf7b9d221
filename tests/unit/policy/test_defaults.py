"""What mutators add gets the defaults that kube-apiserver would give it before anything is judged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.unit.policy.made import constraint, engine, pod, template

from sekisho.diag import Deadline, ObjectPath, path_text
from sekisho.kube.defaults import apply_defaults
from sekisho.kube.object import Object
from sekisho.kube.review import Request, decide
from sekisho.policy import GATOR, Ask, Engine, steps

NO_POLICY = """
violation contains {"msg": c.name} if {
	some c in input.review.object.spec.containers
	not c.imagePullPolicy
}
"""
ALWAYS = """
violation contains {"msg": c.name} if {
	some c in input.review.object.spec.containers
	c.imagePullPolicy != "Always"
}
"""
SIDECAR = Object(
    {
        "apiVersion": "mutations.gatekeeper.sh/v1",
        "kind": "Assign",
        "metadata": {"name": "sidecar"},
        "spec": {
            "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}],
            "location": "spec.containers[name: proxy]",
            "parameters": {"assign": {"value": {"name": "proxy", "image": "proxy:1"}}},
        },
    }
)
DEPLOYMENT = Object(
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": pod().raw["spec"]}},
    }
)
ROLLOUT: dict[str, Any] = {**DEPLOYMENT.raw, "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
EXPANSION = Object(
    {
        "apiVersion": "expansion.gatekeeper.sh/v1beta1",
        "kind": "ExpansionTemplate",
        "metadata": {"name": "rollouts"},
        "spec": {
            "applyTo": [{"groups": ["argoproj.io"], "versions": ["v1alpha1"], "kinds": ["Rollout"]}],
            "templateSource": "spec.template",
            "generatedGVK": {"group": "", "version": "v1", "kind": "Pod"},
        },
    }
)


def told(made: Engine, object: Object) -> list[str]:
    request = Request.of(apply_defaults(object))
    verdict = decide(steps(made), request, now=datetime(2026, 1, 1, tzinfo=UTC), deadline=Deadline.after(5.0))
    return [row.diagnostic.message for row in verdict.findings]


def test_of_the_object_itself() -> None:
    assert told(engine(template(NO_POLICY), constraint(), SIDECAR), pod()) == []
    assert told(engine(template(ALWAYS), constraint(), SIDECAR), pod()) == ["proxy", "web"]


def test_of_what_it_brings_about() -> None:
    assert told(engine(template(NO_POLICY), constraint(), SIDECAR), DEPLOYMENT) == []
    implied = "[Implied by default-deployment]"
    assert told(engine(template(ALWAYS), constraint(), SIDECAR), DEPLOYMENT) == [
        f"{implied} proxy",
        f"{implied} web",
    ]


def test_of_the_pods_of_a_custom_kind() -> None:
    assert told(engine(template(NO_POLICY), constraint(), EXPANSION), Object(ROLLOUT)) == []
    made = engine(template(NO_POLICY), constraint(match={"kinds": [{"kinds": ["Pod"]}]}), EXPANSION, SIDECAR)
    assert told(made, Object(ROLLOUT)) == []


def test_a_finding_about_a_default_stands_where_somebody_wrote() -> None:
    made = engine(template(ALWAYS), constraint(match={"source": "Generated"}), EXPANSION)
    (finding,) = made.review(Request.of(Object(ROLLOUT)))
    assert isinstance(finding.diagnostic.at, ObjectPath)
    assert path_text(finding.diagnostic.at.path).startswith("spec.template.spec.containers[0]")


def test_gator_has_no_defaults() -> None:
    made = engine(template(NO_POLICY), constraint(match={"source": "Generated"}), EXPANSION)
    assert made.review(Request.of(Object(ROLLOUT)), Ask(point=GATOR))
