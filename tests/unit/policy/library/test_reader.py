"""What the library answers when it is asked."""

from __future__ import annotations

import pytest

from sekisho.diag import DiagnosticError
from sekisho.kube.ladder import Rung
from sekisho.kube.object import Object
from sekisho.policy.library import at_rung, bundle, bundle_objects, entry
from sekisho.policy.library.entry import Parameter
from sekisho.policy.library.sync import sync_set


@pytest.mark.parametrize("name", ["k8srequiredlabels", "K8sRequiredLabels", "K8SREQUIREDLABELS"])
def test_a_policy_goes_by_its_kind_in_any_case(name: str) -> None:
    assert entry(name).kind == "K8sRequiredLabels"


def test_parameters_come_with_those_below_them() -> None:
    rows = entry("K8sRequiredLabels").parameters
    assert [(row.name, row.type) for row in rows] == [
        ("message", "string"),
        ("labels", "[object]"),
        ("labels[].key", "string"),
        ("labels[].allowedRegex", "string"),
    ]


def test_a_parameter_without_a_default_has_none() -> None:
    assert entry("K8sAllowedRepos").parameters == (
        Parameter(
            name="repos",
            type="[string]",
            description="What images may begin with. End entries in a slash, so that registry.example.com does "
            "not let registry.example.com.evil.org pass.",
        ),
    )


@pytest.mark.parametrize(
    ("ask", "code", "help"),
    [
        (lambda: entry("k8srequiredlabel"), "POL200", 'did you mean "k8srequiredlabels"?'),
        (lambda: entry("../policies/k8srequiredlabels"), "POL200", "did you mean"),
        (lambda: entry(""), "POL200", "there are: "),
        (lambda: bundle("owasp"), "POL201", "there are: "),
        (lambda: bundle("cis_kubernetes"), "POL201", 'did you mean "cis-kubernetes"?'),
        (lambda: bundle("../bundles/cis-kubernetes"), "POL201", "did you mean"),
    ],
)
def test_what_is_not_there_is_told(ask: object, code: str, help: str) -> None:
    assert callable(ask)
    with pytest.raises(DiagnosticError) as caught:
        ask()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code.id == code
    assert diagnostic.help.startswith(help)


def test_a_bundle_brings_each_template_once() -> None:
    objects = bundle_objects(["cis-kubernetes", "cis-kubernetes"])
    identities = [(row.kind, row.name) for row in objects]
    assert len(set(identities)) == len(identities)
    assert ("ConstraintTemplate", "k8spspautomountserviceaccounttokenpod") in identities


def test_a_template_of_the_same_name_stands() -> None:
    theirs = Object(
        {
            "apiVersion": "templates.gatekeeper.sh/v1",
            "kind": "ConstraintTemplate",
            "metadata": {"name": "k8spspautomountserviceaccounttokenpod"},
        }
    )
    objects = bundle_objects(["cis-kubernetes"], known=[theirs])
    assert theirs.name not in {row.name for row in objects if row.kind == "ConstraintTemplate"}
    assert "K8sPSPAutomountServiceAccountTokenPod" in {row.kind for row in objects}


def test_the_rung_is_the_enforcement_action() -> None:
    for rung, action in ((Rung.OBSERVE, "dryrun"), (Rung.WARN, "warn"), (Rung.DENY, "deny")):
        for constraint in bundle("cis-kubernetes").constraints(rung):
            assert constraint.raw["spec"]["enforcementAction"] == action


def test_without_a_rung_a_constraint_is_as_it_is() -> None:
    sample = entry("K8sRequiredLabels").sample("namespaces-have-an-owner")
    assert at_rung(sample, None) is sample


def test_what_policies_look_at_is_synced_once_and_only_if_it_is_served() -> None:
    names = ("K8sUniqueIngressHost", "K8sHorizontalPodAutoscaler", "K8sUniqueIngressHost", "K8sAllowedRepos")
    found = sync_set(map(entry, names))
    assert found is not None
    assert [(row["group"], row["version"], row["kind"]) for row in found.raw["spec"]["gvks"]] == [
        ("apps", "v1", "Deployment"),
        ("apps", "v1", "StatefulSet"),
        ("networking.k8s.io", "v1", "Ingress"),
    ]


def test_policies_that_look_at_nothing_need_no_sync_set() -> None:
    assert sync_set([entry("K8sAllowedRepos")]) is None


def test_a_constraint_says_which_bundle_it_is_of() -> None:
    for constraint in bundle("cis-kubernetes").constraints():
        assert constraint.labels == {"library.sekisho.dev/bundle": "cis-kubernetes"}
