"""What match and applyTo let pass in silence: kinds that do not exist, and patterns that match nothing."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.diag import path_text
from sekisho.kube.gvk import BUILT_IN
from sekisho.kube.object import Object
from sekisho.kube.selectors import any_wildcard
from sekisho.policy.typos import MOST, covers, kind_warnings, match_warnings

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gears.factory.example"},
    "spec": {
        "group": "factory.example",
        "names": {"kind": "Gear", "plural": "gears"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True}],
    },
}


def constraint(match: Any) -> Object:
    return Object(
        {
            "apiVersion": "constraints.gatekeeper.sh/v1beta1",
            "kind": "K8sThing",
            "metadata": {"name": "c"},
            "spec": {"match": match},
        }
    )


def kinds(groups: list[str], *names: str, scope: str = "") -> Object:
    return constraint({"kinds": [{"apiGroups": groups, "kinds": list(names)}], "scope": scope})


KINDS: list[tuple[str, Object, list[str]]] = [
    ("a kind in its group", kinds([""], "Pod"), []),
    ("any kind", kinds(["apps"], "*"), []),
    ("any group", kinds(["*"], "Pod", "Gear", "Whatever"), []),
    ("one of the groups has it", kinds(["extensions", "networking.k8s.io"], "Ingress"), []),
    ("a group that is not known", kinds(["argoproj.io"], "Rollout"), []),
    ("a subresource", kinds([""], "PodExecOptions"), []),
    ("a custom kind", kinds(["factory.example"], "Gear"), []),
    ("a custom kind, misspelt", kinds(["factory.example"], "Gaer"), ["spec.match.kinds[0].kinds[0]"]),
    ("a plural", kinds(["*"], "deployments"), ["spec.match.kinds[0].kinds[0]"]),
    ("another group", kinds([""], "Pod", "Deployment"), ["spec.match.kinds[0].kinds[1]"]),
    ("core", kinds(["core"], "Pod"), ["spec.match.kinds[0].apiGroups[0]"]),
    ("a group without a dot", kinds(["Apps"], "Deployment"), ["spec.match.kinds[0].apiGroups[0]"]),
    ("a version", kinds(["v1"], "Pod"), ["spec.match.kinds[0].apiGroups[0]"]),
    ("no cluster-scoped kinds", kinds(["apps"], "Deployment", scope="Cluster"), ["spec.match.scope"]),
    ("no namespaced kinds", kinds([""], "Namespace", "Node", scope="Namespaced"), ["spec.match.scope"]),
    ("kinds of both scopes", kinds([""], "Pod", "Node", scope="Cluster"), []),
    ("an unknown kind may have any scope", kinds(["argoproj.io"], "Rollout", scope="Cluster"), []),
    ("malformed", constraint({"kinds": ["Pod", {"kinds": 3}]}), []),
    ("no match", constraint(None), []),
]


@pytest.mark.parametrize(("owner", "paths"), [row[1:] for row in KINDS], ids=[row[0] for row in KINDS])
def test_kinds(owner: Object, paths: list[str]) -> None:
    found = list(kind_warnings([owner], BUILT_IN.with_crds([CRD])))
    assert [path_text(row.at.path) for row in found] == paths  # type: ignore[union-attr]


def test_apply_to_is_looked_at_too() -> None:
    mutator = Object(
        {
            "apiVersion": "mutations.gatekeeper.sh/v1",
            "kind": "Assign",
            "metadata": {"name": "a"},
            "spec": {"applyTo": [{"groups": ["batch"], "versions": ["v1"], "kinds": ["Cronjob"]}]},
        }
    )
    (found,) = kind_warnings([mutator], BUILT_IN)
    assert (found.message, found.help) == ("there is no kind Cronjob", "write CronJob")


def test_many_of_them_are_one_mistake() -> None:
    assert len(list(kind_warnings([kinds([""], *["Deployment"] * 1_000)], BUILT_IN))) == MOST


PATTERNS: list[tuple[dict[str, Any], list[str]]] = [
    ({"namespaces": ["shop", "*", "kube-*", "*-test", "*-*"]}, []),
    ({"namespaces": [""]}, ["namespaces[0]"]),
    ({"excludedNamespaces": ["a:b"]}, ["excludedNamespaces[0]"]),
    ({"namespaces": ["-a", "a-", "-*", "*-", "*-a*"]}, ["namespaces[0]", "namespaces[1]", "namespaces[2]", "namespaces[3]"]),
    ({"namespaces": ["a" * 63, "a" * 64]}, ["namespaces[1]"]),
    ({"namespaces": ["shop-a"], "excludedNamespaces": ["kube-*", "*-a"]}, ["namespaces[0]"]),
    ({"namespaces": ["shop-*"], "excludedNamespaces": ["shop-a"]}, []),
    ({"namespaces": ["shop-*"], "excludedNamespaces": ["shop*"]}, ["namespaces[0]"]),
    ({"namespaces": ["*"], "excludedNamespaces": ["*"]}, ["namespaces[0]"]),
]  # fmt: skip


@pytest.mark.parametrize(("match", "paths"), PATTERNS)
def test_patterns(match: dict[str, Any], paths: list[str]) -> None:
    found = match_warnings(match, constraint(match))
    assert [path_text(row.at.path) for row in found] == [f"spec.match.{path}" for path in paths]  # type: ignore[union-attr]


NAMES = ["", "a", "b", "ab", "ba", "aa", "aab", "bab", "aba"]
WILD = ["*", "a", "a*", "*a", "*a*", "ab*", "*ab", "*ab*", "b*", "aba"]


def test_what_covers_a_pattern_matches_all_that_it_matches() -> None:
    for other in WILD:
        for pattern in WILD:
            if covers(other, pattern):
                assert all(any_wildcard([other], name) for name in NAMES if any_wildcard([pattern], name))
