"""What rules allow, what they cover, how they are written."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.apiserver.authorize import Attributes
from sekisho.apiserver.authz.rules import EVERYTHING, Rule, compact, missing
from sekisho.kube.review import UserInfo

USER = UserInfo(username="u")


def rule(verbs: str, resources: str = "", groups: str = "", names: str = "", paths: str = "") -> Rule:
    return Rule(
        verbs=tuple(verbs.split()),
        resources=tuple(resources.split()),
        groups=tuple(group.strip("-") for group in groups.split()) if groups else ("",) if resources else (),
        names=tuple(names.split()),
        paths=tuple(paths.split()),
    )


def asks(verb: str, resource: str = "", name: str = "", group: str = "", path: str = "") -> Attributes:
    plural, _, sub = resource.partition("/")
    return Attributes(
        user=USER, verb=verb, resource=plural, subresource=sub, name=name, group=group, path=path
    )


@pytest.mark.parametrize(
    ("own", "question", "allowed"),
    [
        (rule("get", "pods"), asks("get", "pods"), True),
        (rule("get", "pods"), asks("list", "pods"), False),
        (rule("get", "pods"), asks("get", "pods/log"), False),
        (rule("get", "pods/log"), asks("get", "pods/log"), True),
        (rule("get", "pods/log"), asks("get", "pods"), False),
        (rule("get", "*/log"), asks("get", "pods/log"), True),
        (rule("get", "*/log"), asks("get", "log"), False),
        (rule("get", "*/scale"), asks("get", "deployments/status"), False),
        (rule("*", "*"), asks("delete", "pods/log"), True),
        (rule("*", "*"), asks("get", "deployments", group="apps"), False),
        (rule("*", "*", "*"), asks("get", "deployments", group="apps"), True),
        (rule("get", "pods", names="a b"), asks("get", "pods", "a"), True),
        (rule("get", "pods", names="a b"), asks("get", "pods", "c"), False),
        (rule("list", "pods", names="a"), asks("list", "pods"), False),
        (rule("get", paths="/healthz"), asks("get", path="/healthz"), True),
        (rule("get", paths="/healthz"), asks("get", path="/healthz/x"), False),
        (rule("get", paths="/healthz*"), asks("get", path="/healthz/x"), True),
        (rule("get", paths="*"), asks("get", path="/anything"), True),
        (rule("get", "pods"), asks("get", path="/pods"), False),
        (rule("*", "*", "*"), asks("get", path="/healthz"), False),
        (rule("get", paths="*"), asks("get", "pods"), False),
    ],
)
def test_what_a_rule_allows(own: Rule, question: Attributes, allowed: bool) -> None:
    assert own.allows(question) is allowed


@pytest.mark.parametrize(
    ("own", "wanted", "lacking"),
    [
        ([rule("get list", "pods")], rule("get", "pods"), []),
        ([rule("get", "pods"), rule("list", "pods")], rule("get list", "pods"), []),
        (
            [rule("get", "pods")],
            rule("get list", "pods services"),
            ["pods list", "services get", "services list"],
        ),
        ([rule("get", "*/log")], rule("get", "pods/log"), []),
        ([rule("get", "*/log")], rule("get", "pods"), ["pods get"]),
        ([rule("get", "pods")], rule("get", "*"), ["* get"]),
        ([rule("get", "pods", names="a")], rule("get", "pods"), ["pods get"]),
        ([rule("get", "pods", names="a b")], rule("get", "pods", names="a"), []),
        ([rule("get", "pods")], rule("get", "pods", names="a"), []),
        ([rule("*", "*", "*")], rule("get", paths="/x"), ["/x get"]),
        ([rule("get", paths="/x*")], rule("get", paths="/x/y"), []),
        ([rule("get", paths="/x/y")], rule("get", paths="/x/*"), ["/x/* get"]),
        (list(EVERYTHING), rule("bind", "clusterroles", "rbac"), []),
    ],
)
def test_what_is_missing(own: list[Rule], wanted: Rule, lacking: list[str]) -> None:
    found = missing(own, [wanted])
    assert [f"{(part.resources or part.paths)[0]} {part.verbs[0]}" for part in found] == lacking


def test_how_rules_are_written() -> None:
    parts = missing(
        [], [rule("get list", "pods", "-"), rule("get", paths="/x"), rule("get", "pods", "-", "a")]
    )
    assert [str(row) for row in compact(parts)] == [
        '{NonResourceURLs:["/x"], Verbs:["get"]}',
        '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
        '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["get"]}',
    ]


WORDS = st.lists(st.sampled_from(["*", "a", "b", "a/x", "*/x"]), max_size=3).map(tuple)
RULES = st.builds(
    Rule,
    verbs=WORDS,
    groups=WORDS,
    resources=WORDS,
    names=st.lists(st.sampled_from("ab"), max_size=2).map(tuple),
)
QUESTIONS = [
    asks(verb, resource, name, group)
    for verb, resource, name, group in itertools.product("ab", ["a", "b", "a/x", "b/x"], ["", "a", "b"], "ab")
]


@given(own=st.lists(RULES, max_size=3), wanted=RULES)
def test_what_is_covered_is_allowed(own: list[Rule], wanted: Rule) -> None:
    if missing(own, [wanted]):
        return
    for question in QUESTIONS:
        assert not wanted.allows(question) or any(row.allows(question) for row in own)
