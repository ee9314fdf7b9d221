"""Snapshots out of changes: what did not change is not read again, and the last good policy stands."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.policy.made import constraint, pod, template

from sekisho.kube.object import Object
from sekisho.kube.review import Request
from sekisho.policy.code import Code, Compiled
from sekisho.policy.compiler import compile_code
from sekisho.policy.controller import Builder, Making, Snapshot

BROKEN = 'violation contains {"msg": x} if true'
OTHER = 'violation contains {"msg": "other"} if input.review.object.spec.hostPID'
READS = """violation contains {"msg": name} if {
	some name
	data.inventory.cluster.v1.Node[name]
}"""


@pytest.fixture
def compiled() -> list[Code]:
    return []


@pytest.fixture
def builder(compiled: list[Code]) -> Builder:
    def compile(code: Code) -> Compiled:
        compiled.append(code)
        return compile_code(code)

    return Builder(Making(compile=compile))


def take(builder: Builder, *objects: Object, gone: bool = False) -> Snapshot:
    for object in objects:
        builder.take(object, gone=gone)
    return builder.build()


def said(snapshot: Snapshot) -> list[str]:
    return [row.diagnostic.message for row in snapshot.engine.review(Request.of(pod()))]


def with_status(object: Object, **status: Any) -> Object:
    metadata = {**object.metadata, "resourceVersion": "9", "managedFields": [{}]}
    return Object({**object.raw, "metadata": metadata, "status": status})


def test_the_order_in_which_they_come_makes_no_difference(builder: Builder) -> None:
    waiting = take(builder, constraint())
    (faults,) = waiting.faults.values()
    assert [row.message for row in faults] == ["this waits for the ConstraintTemplate of the kind K8sThing"]
    assert said(waiting) == []
    assert said(take(builder, template())) == ["no hostPID"]
    gone = take(builder, template(), gone=True)
    assert said(gone) == []
    assert list(gone.faults) == [constraint().ref()]
    assert said(take(builder, template())) == ["no hostPID"]


def test_only_what_changed_is_compiled(builder: Builder, compiled: list[Code]) -> None:
    first = take(builder, template(), template(kind="K8sOther"), constraint())
    assert len(compiled) == 2
    second = take(builder, template(OTHER, kind="K8sOther"))
    assert len(compiled) == 3
    assert second.engine.constraints[0] is first.engine.constraints[0]
    assert second.digest == first.digest, "no constraint asks the template that changed"


def test_a_status_is_no_change(builder: Builder) -> None:
    first = take(builder, template(), constraint())
    second = take(builder, with_status(template(), created=True), with_status(constraint(), byPod=[]))
    assert (second.number, second.engine) == (first.number, first.engine)


def test_a_broken_template_leaves_the_last_good_one(builder: Builder) -> None:
    take(builder, template(), constraint())
    broken = take(builder, template(BROKEN))
    assert said(broken) == ["no hostPID"]
    assert broken.stale == {template().ref()}
    assert [row.code.id for row in broken.faults[template().ref()]] == ["REG203"]
    mended = take(builder, template(OTHER))
    assert (said(mended), mended.faults, mended.stale) == (["other"], {}, frozenset())


def test_a_template_that_never_was_good_judges_nothing(builder: Builder) -> None:
    found = take(builder, template(BROKEN), constraint())
    assert said(found) == []
    assert [row.code.id for row in found.faults[constraint().ref()]] == ["POL026"]


def test_a_broken_constraint_leaves_the_last_good_one(builder: Builder) -> None:
    take(builder, template(), constraint())
    broken = take(builder, constraint(enforcementAction="shout"))
    assert said(broken) == ["no hostPID"]
    assert broken.stale == {constraint().ref()}
    assert said(take(builder, constraint(), gone=True)) == []


def test_the_inventory_is_what_is_there(builder: Builder) -> None:
    node = Object({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}})
    found = take(builder, template(READS), constraint())
    assert [(row.scope, row.group_version, row.kind) for row in found.reads] == [("cluster", "v1", "Node")]
    assert said(found) == []
    assert said(take(builder, node)) == ["n1"]
    assert said(take(builder, node, gone=True)) == []


def test_a_config_takes_namespaces_out_of_the_inventory(builder: Builder) -> None:
    reads = 'violation contains {"msg": n} if some n, _ in data.inventory.namespace.shop.v1.Pod'
    config = Object(
        {
            "apiVersion": "config.gatekeeper.sh/v1alpha1",
            "kind": "Config",
            "metadata": {"name": "config", "namespace": "gatekeeper-system"},
            "spec": {"match": [{"excludedNamespaces": ["shop"], "processes": ["sync"]}]},
        }
    )
    take(builder, template(reads), constraint(), pod("a"))
    assert said(builder.build()) == ["a"]
    assert said(take(builder, config)) == []
    assert said(take(builder, pod("b"))) == []
    assert said(take(builder, config, gone=True)) == ["a", "b"]


def test_rules_lower_what_policies_ask(builder: Builder) -> None:
    rollout = Object(
        {
            "apiVersion": "enforcement.sekisho.dev/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": "new"},
            "spec": {"policies": ["K8sThing/*"], "rung": "warn", "since": "2026-01-01T00:00:00Z"},
        }
    )
    before = take(builder, template(), constraint())
    after = take(builder, rollout)
    assert len(after.rules.rollouts) == 1
    assert after.digest != before.digest
