"""Config and SyncSet: what is left out of which process, and what nothing syncs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.policy.made import config, constraint, engine, pod, sync_set, template

from sekisho.diag import Deadline
from sekisho.kube.object import Object
from sekisho.kube.review import Request, Verdict, decide
from sekisho.policy import AUDIT, GATOR, WEBHOOK, Ask, Engine, steps
from sekisho.policy.config import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NODE = Object({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": {"hostPID": True}})
NAMESPACE = Object(
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}, "spec": {"hostPID": True}}
)


def entry(*processes: str, namespaces: tuple[str, ...] = ("shop",)) -> dict[str, Any]:
    return {"excludedNamespaces": list(namespaces), "processes": list(processes)}


def ask(engine: Engine, object: Object, point: str = WEBHOOK) -> Verdict:
    chain = steps(engine, point=point)
    return decide(chain, Request.of(object), now=NOW, deadline=Deadline.after(5.0))


@pytest.mark.parametrize(
    ("processes", "judged"),
    [
        ((), {WEBHOOK, AUDIT, GATOR}),
        (("webhook",), {AUDIT, GATOR}),
        (("audit",), {WEBHOOK, GATOR}),
        (("sync", "mutation-webhook"), {WEBHOOK, AUDIT, GATOR}),
        (("*",), {GATOR}),
    ],
)
def test_each_process_leaves_out_its_own_namespaces(processes: tuple[str, ...], judged: set[str]) -> None:
    made = engine(template(), constraint(), config(entry(*processes)))
    found = {point for point in (WEBHOOK, AUDIT, GATOR) if made.review(Request.of(pod()), Ask(point=point))}
    assert found == judged


@pytest.mark.parametrize(
    ("pattern", "object", "judged"),
    [
        ("shop", pod(), False),
        ("shop", pod(namespace="shop-a"), True),
        ("shop*", pod(namespace="shop-a"), False),
        ("shop", NAMESPACE, False),
        ("shop", NODE, True),
        ("*", NODE, False),
    ],
)
def test_wildcards_and_objects_in_no_namespace(pattern: str, object: Object, judged: bool) -> None:
    made = engine(template(), constraint(), config(entry("webhook", namespaces=(pattern,))))
    assert bool(made.review(Request.of(object))) is judged


def test_what_an_excluded_object_brings_about_is_not_judged_either() -> None:
    deployment = Object(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"template": {"spec": pod().raw["spec"]}},
        }
    )
    assert engine(template(), constraint()).review(Request.of(deployment))
    assert not engine(template(), constraint(), config(entry("webhook"))).review(Request.of(deployment))


def test_mutation_has_a_process_of_its_own() -> None:
    label = Object(
        {
            "apiVersion": "mutations.gatekeeper.sh/v1",
            "kind": "AssignMetadata",
            "metadata": {"name": "a"},
            "spec": {"location": "metadata.labels.team", "parameters": {"assign": {"value": "x"}}},
        }
    )
    assert ask(engine(label, config(entry("webhook"))), pod()).patch
    assert not ask(engine(label, config(entry("mutation-webhook"))), pod()).patch
    assert ask(engine(label, config(entry("mutation-webhook"))), pod(namespace="other")).patch


REFERS = 'violation contains {"msg": n} if data.inventory.namespace[_].v1.Pod[n].spec.hostPID'


def test_the_inventory_leaves_out_what_is_not_synced_on_purpose() -> None:
    pods = (pod("a"), pod("b", namespace="other"))
    made = engine(template(REFERS), constraint(), config(entry("sync")), inventory=pods)
    assert [row.diagnostic.message for row in made.review(Request.of(pod("c")))] == ["b"]
    again = made.with_inventory([pod("d"), pod("e", namespace="other")])
    assert [row.diagnostic.message for row in again.review(Request.of(pod("c")))] == ["e"]


POD = ("", "v1", "Pod")
UNSYNCED: list[tuple[list[Object], int]] = [
    ([], 0),
    ([sync_set(POD)], 0),
    ([config(sync={"syncOnly": [{"version": "v1", "kind": "Pod"}]})], 0),
    ([config()], 1),
    ([sync_set(("", "v1", "Service"))], 1),
    ([sync_set(("", "v1", "Service")), config(sync={"syncOnly": [{"version": "v1", "kind": "Pod"}]})], 0),
    ([config(name="other", sync={"syncOnly": [{"version": "v1", "kind": "Pod"}]})], 1),
]


@pytest.mark.parametrize(("objects", "count"), UNSYNCED)
def test_what_is_read_and_not_synced_is_told(objects: list[Object], count: int) -> None:
    problems = Engine.build([template(REFERS), constraint(), *objects]).problems
    assert sum(row.code.id == "POL144" for row in problems) == count


def test_two_configs() -> None:
    made = Settings.build([config(entry("audit")), config(entry("webhook"))])
    assert made.excluded == {"webhook": ("shop",)}
    assert [row.code.id for row in made.problems] == ["POL143"]
    assert not Settings.build([config(entry("audit")), config(entry("audit"))]).problems


def test_gator_does_not_heed_a_config() -> None:
    made = Engine.build(
        [template(REFERS), constraint(), config(entry("sync"))], config=False, inventory=[pod()]
    )
    assert made.review(Request.of(pod("c")), Ask(point=GATOR))
    assert not made.problems
