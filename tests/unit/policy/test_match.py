"""Every row of Gatekeeper's own table for matching (pkg/mutation/match), in our words and values.

Each is asked of an object that is new, of one that was there before, and of both.
"""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.diag import DiagnosticError
from sekisho.kube.object import Object
from sekisho.policy.match import MatchError, Subject, compile_match

OWNER = Object(
    {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "K8sThing", "metadata": {"name": "c"}}
)
GEAR = "factory.example/v1"

ERROR = "error"
REFUSED = "refused"


def gear(name: str = "cog", namespace: str = "", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": GEAR,
        "kind": "Gear",
        "metadata": {"name": name, "namespace": namespace, **metadata},
    }


def generated(prefix: str) -> dict[str, Any]:
    return {"apiVersion": GEAR, "kind": "Gear", "metadata": {"generateName": prefix, "namespace": "shop"}}


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def kinds(*rows: tuple[list[str] | None, list[str] | None]) -> dict[str, Any]:
    made = [{"apiGroups": groups, "kinds": names} for groups, names in rows]
    return {"kinds": [{key: value for key, value in row.items() if value is not None} for row in made]}


SIZE = {"matchLabels": {"size": "big"}}
SIZE_AND_COLOUR = {"matchLabels": {"size": "big", "colour": "red"}}
UNKNOWN_OPERATOR = {"matchExpressions": [{"key": "size", "operator": "Is"}]}
SHOP_BIG = namespace("shop", size="big")

TABLE: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any] | None, str, bool | str]] = [
    ("nothing asked", {}, gear(), None, "Original", True),
    ("kinds: empty lists", kinds(([], [])), gear(), None, "Original", True),
    ("kinds: no kinds, any group", kinds((["*"], [])), gear(), None, "Original", True),
    ("kinds: no kinds, another group", kinds((["rbac"], [])), gear(), None, "Original", False),
    ("kinds: any kind, any group", kinds((["*"], ["*"])), gear(), None, "Original", True),
    (
        "kinds: the second row has no kinds",
        kinds((["*"], ["A", "B"]), (["*"], None)),
        gear(),
        None,
        "Original",
        True,
    ),
    ("kinds: kind without groups", kinds((None, ["Gear", "B"])), gear(), None, "Original", True),
    (
        "kinds: kind and group in the second row",
        kinds((["*"], ["A", "B"]), (["factory.example"], ["A", "Gear"])),
        gear(),
        None,
        "Original",
        True,
    ),
    (
        "kinds: kind, but of any group, in the second row",
        kinds((["*"], ["A", "B"]), (["*"], ["A", "Gear"])),
        gear(),
        None,
        "Original",
        True,
    ),
    (
        "kinds: kind in one row, group in no row",
        kinds((["*"], ["A", "B"]), (["another.example"], ["A", "Gear"])),
        gear(),
        None,
        "Original",
        False,
    ),
    (
        "namespaces: the object's",
        {"namespaces": ["a", "shop"]},
        gear("cog", "shop"),
        namespace("shop"),
        "Original",
        True,
    ),
    ("namespaces: a Namespace itself", {"namespaces": ["shop"]}, namespace("shop"), None, "Original", True),
    ("namespaces: another Namespace", {"namespaces": ["shop"]}, namespace("bank"), None, "Original", False),
    ("namespaces: no namespace", {"namespaces": ["a", "shop"]}, gear(), None, "Original", True),
    (
        "namespaces: a prefix",
        {"namespaces": ["a", "kube-*"]},
        gear("cog", "kube-system"),
        namespace("kube-system"),
        "Original",
        True,
    ),
    ("namespaces: not listed", {"namespaces": ["a", "b"]}, gear("cog", "shop"), None, "Original", False),
    ("scope: Cluster, with a namespace", {"scope": "Cluster"}, gear("cog", "shop"), None, "Original", False),
    (
        "scope: Namespaced, with a namespace",
        {"scope": "Namespaced"},
        gear("cog", "shop"),
        None,
        "Original",
        True,
    ),
    ("scope: a typo, with a namespace", {"scope": "cluster"}, gear("cog", "shop"), None, "Original", True),
    ("scope: a typo, without", {"scope": "namespaced"}, gear(), None, "Original", True),
    ("scope: Cluster, without a namespace", {"scope": "Cluster"}, gear(), None, "Original", True),
    ("scope: Namespaced, without a namespace", {"scope": "Namespaced"}, gear(), None, "Original", False),
    ("scope: Cluster, a Namespace", {"scope": "Cluster"}, namespace("shop"), None, "Original", True),
    ("scope: Namespaced, a Namespace", {"scope": "Namespaced"}, namespace("shop"), None, "Original", False),
    (
        "excluded: the object's",
        {"excludedNamespaces": ["shop"]},
        gear("cog", "shop"),
        None,
        "Original",
        False,
    ),
    (
        "excluded: a Namespace itself",
        {"excludedNamespaces": ["shop"]},
        namespace("shop"),
        None,
        "Original",
        False,
    ),
    (
        "excluded: another Namespace",
        {"excludedNamespaces": ["shop"]},
        namespace("bank"),
        None,
        "Original",
        True,
    ),
    ("excluded: no namespace", {"excludedNamespaces": ["shop"]}, gear(), None, "Original", True),
    (
        "excluded: a prefix",
        {"excludedNamespaces": ["kube-*"]},
        gear("cog", "kube-system"),
        namespace("kube-system"),
        "Original",
        False,
    ),
    ("labels: matching", {"labelSelector": SIZE}, gear(labels={"size": "big"}), None, "Original", True),
    ("labels: unknown operator", {"labelSelector": UNKNOWN_OPERATOR}, gear(), None, "Original", REFUSED),
    (
        "labels: one is missing",
        {"labelSelector": SIZE_AND_COLOUR},
        gear(labels={"size": "big"}),
        None,
        "Original",
        False,
    ),
    ("namespace's labels: matching", {"namespaceSelector": SIZE}, gear(), SHOP_BIG, "Original", True),
    (
        "namespace's labels: unknown operator",
        {"namespaceSelector": UNKNOWN_OPERATOR},
        gear(),
        SHOP_BIG,
        "Original",
        REFUSED,
    ),
    (
        "namespace's labels: one is missing",
        {"namespaceSelector": SIZE_AND_COLOUR},
        gear("cog", "shop"),
        SHOP_BIG,
        "Original",
        False,
    ),
    (
        "namespace's labels: no namespace",
        {"namespaceSelector": SIZE_AND_COLOUR},
        gear(),
        None,
        "Original",
        True,
    ),
    ("namespace's labels: of a Namespace", {"namespaceSelector": SIZE}, SHOP_BIG, None, "Original", True),
    (
        "namespace's labels: of a Namespace, not matching",
        {"namespaceSelector": SIZE},
        namespace("shop", size="small"),
        None,
        "Original",
        False,
    ),
    (
        "namespace's labels: not at hand",
        {"namespaceSelector": SIZE},
        gear("cog", "shop"),
        None,
        "Original",
        ERROR,
    ),
    ("name: exact", {"name": "cog-a"}, gear("cog-a"), None, "Original", True),
    ("name: a prefix", {"name": "cog-*"}, gear("cog-a"), None, "Original", True),
    ("name: no star", {"name": "cog-"}, gear("cog-a"), None, "Original", False),
    ("name: another", {"name": "cog-b"}, gear("cog-a"), None, "Original", False),
    (
        "name: right, namespace wrong",
        {"name": "cog", "namespaces": ["bank"]},
        gear("cog", "shop"),
        None,
        "Original",
        False,
    ),
    (
        "source: the same",
        {"name": "cog", "namespaces": ["shop"], "source": "Generated"},
        gear("cog", "bank"),
        namespace("shop"),
        "Generated",
        True,
    ),
    (
        "source: none asked",
        {"name": "cog", "namespaces": ["shop"]},
        gear("cog", "bank"),
        namespace("shop"),
        "Generated",
        True,
    ),
    ("source: any asked", {"source": "All"}, gear(), None, "Generated", True),
    ("source: another", {"name": "cog", "source": "Original"}, gear(), namespace("shop"), "Generated", False),
    ("source: nobody said", {"name": "cog", "source": "Original"}, gear(), namespace("shop"), "", ERROR),
    ("source: nobody said, any asked", {"source": "All"}, gear(), namespace("shop"), "", True),
    ("source: unknown", {"source": "Found"}, gear(), None, "Original", REFUSED),
    ("generated name: exact", {"name": "cog"}, generated("cog"), None, "Original", False),
    ("generated name: a prefix", {"name": "cog*"}, generated("cog-bar-"), None, "Original", True),
    ("generated name: another prefix", {"name": "cog*"}, generated("con-bar-"), None, "Original", False),
    ("generated name: a suffix", {"name": "*cog"}, generated("cog"), None, "Original", False),
    ("generated name: contained", {"name": "*-bar*"}, generated("cog-bar"), None, "Original", True),
    ("name: a prefix of another name", {"name": "cog*"}, gear("con"), None, "Original", False),
]

OTHER = Object({"apiVersion": "v1", "kind": "Other", "metadata": {"name": "other", "namespace": "elsewhere"}})


def ask(match: dict[str, Any], *subjects: Subject) -> bool | str:
    try:
        compiled = compile_match(match, OWNER)
    except DiagnosticError:
        return REFUSED
    try:
        return compiled.matches_any(*subjects)
    except MatchError:
        return ERROR


@pytest.mark.parametrize(
    ("match", "raw", "around", "source", "want"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_match(
    match: dict[str, Any], raw: dict[str, Any], around: dict[str, Any] | None, source: str, want: bool | str
) -> None:
    subject = Subject(object=Object(raw), namespace=Object(around) if around else None, source=source)
    assert ask(match, subject) == want
    # An update that changes nothing, and one whose old or new object alone is the one in question.
    assert ask(match, subject, subject) == want
    nobody = Subject(object=OTHER, namespace=None, source=source)
    if want in (True, REFUSED) and ask(match, nobody) in (False, REFUSED):
        assert ask(match, nobody, subject) == want
        assert ask(match, subject, nobody) == want


WILDCARDS = [
    ("kube-system", "kube-system", True, False),
    ("kube-system", "shop-system", False, False),
    ("kube-*", "kube-system", True, True),
    ("kube-*", "shop-system", False, False),
    ("*-system", "kube-system", True, False),
    ("*-system", "kube-public", False, False),
    ("kube-", "kube-system", False, False),
    ("*-kube-*", "my-kube-set", True, True),
    ("*-kube-*", "my-dev-kube-dev-set", True, True),
    ("*-kube-*", "my-kub-set", False, False),
    ("*-kube-*", "my-manager-set", False, False),
    ("-kube-", "my-kube-set", False, False),
    ("*--*", "my--set", True, True),
    ("**", "my:set", True, True),
    ("*", "anything", True, True),
    ("", "", True, False),
]


@pytest.mark.parametrize(("pattern", "text", "name", "prefix"), WILDCARDS)
def test_wildcards(pattern: str, text: str, name: bool, prefix: bool) -> None:
    from sekisho.kube.selectors import wildcard_matches, wildcard_matches_generate_name

    assert wildcard_matches(pattern, text) is name
    assert wildcard_matches_generate_name(pattern, text) is prefix
