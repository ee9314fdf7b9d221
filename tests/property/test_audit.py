"""Audit and preview against plain second answers: a scan from scratch, and the webhook after the change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.audit.worlds import (
    config_map,
    constraint,
    engine_of,
    namespace,
    rules_of,
    snapshot,
    snapshot_of,
    waiver,
)

from sekisho import policy
from sekisho.audit import EMPTY, Ledger, compare, denied, preview, scan
from sekisho.cli.policy.preview import policies_in
from sekisho.diag import Deadline
from sekisho.kube.object import Object
from sekisho.kube.review import Request, decide

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAMESPACES = ("shop", "billing")

ACTIONS = st.sampled_from(["deny", "warn", "dryrun"])
CONSTRAINTS = st.tuples(
    st.builds(constraint, st.just("NeedsOwner"), ACTIONS),
    st.builds(constraint, st.just("UniqueHost"), ACTIONS),
    st.builds(
        lambda action, selected: constraint(
            "QuietZone", action, **({"namespaceSelector": {"matchLabels": {"tier": "a"}}} if selected else {})
        ),
        ACTIONS,
        st.booleans(),
    ),
)
OBJECT = st.builds(
    lambda name, where, owner, host, loud: config_map(
        name, where, owner, **({"host": host} if host else {}), **({"loud": "yes"} if loud else {})
    ),
    st.sampled_from(["a", "b", "c", "d", "e"]),
    st.sampled_from(NAMESPACES),
    st.sampled_from(["", "", "shop"]),
    st.sampled_from(["", "x.example", "y.example"]),
    st.booleans(),
)
NAMESPACE = st.builds(
    lambda name, zone, tier: namespace(name, zone, tier=tier),
    st.sampled_from(NAMESPACES),
    st.sampled_from(["", "quiet"]),
    st.sampled_from(["a", "b"]),
)
CHANGE = st.one_of(OBJECT, NAMESPACE, st.integers(0, 9))
RULES = st.lists(
    st.builds(
        lambda name, kind, where, expires: waiver(name, kind, expires, namespaces=[where]),
        st.sampled_from(["w", "v"]),
        st.sampled_from(["NeedsOwner", "UniqueHost"]),
        st.sampled_from(NAMESPACES),
        st.sampled_from(["2026-05-01T00:00:00Z", "2026-06-01T00:00:01Z", "2026-07-01T00:00:00Z"]),
    ),
    max_size=2,
)


def by_name(objects: list[Object]) -> dict[tuple[str, str, str], Object]:
    return {(row.kind, row.namespace, row.name): row for row in objects}


def told(ledger: Ledger) -> Any:
    return {
        key: sorted((row.report().message, row.policy, row.rung, row.waiver) for row in entry.findings())
        for key, entry in ledger.entries.items()
    }


@settings(max_examples=60, deadline=None)
@given(CONSTRAINTS, st.lists(OBJECT, max_size=8), st.lists(st.lists(CHANGE, max_size=3), max_size=4), RULES)
def test_an_incremental_ledger_equals_one_from_scratch(
    constraints: tuple[Object, ...], first: list[Object], rounds: list[list[Any]], rules: list[Object]
) -> None:
    world = by_name([*first, namespace("shop", tier="a"), namespace("billing")])
    ledger, now = EMPTY, NOW
    for changes in [[], *rounds]:
        for change in changes:
            if isinstance(change, int):
                keys = [key for key in world if key[0] != "Namespace"]
                if keys:
                    del world[keys[change % len(keys)]]
            else:
                world |= by_name([change])
        objects = list(world.values())
        judging = snapshot(list(constraints), objects, rules)
        ledger = scan(objects, judging, now=now, previous=ledger)
        assert told(ledger) == told(scan(objects, judging, now=now))
        now = now.replace(second=now.second + 1)


def test_what_did_not_change_is_not_judged_again() -> None:
    constraints = [constraint("NeedsOwner"), constraint("UniqueHost"), constraint("QuietZone")]
    objects = [namespace("shop"), *(config_map(f"m{number}", "shop") for number in range(50))]
    first = scan(objects, snapshot(constraints, objects), now=NOW)
    again = scan(objects, snapshot(constraints, objects), now=NOW, previous=first)
    assert again.asked == 0
    assert told(again) == told(first)
    objects[-1] = config_map("m49", "shop", "me")
    third = scan(objects, snapshot(constraints, objects), now=NOW, previous=again)
    # The changed one by both parts, and the others by the part that looks at other objects.
    assert third.asked == 51
    objects[0] = namespace("shop", "quiet")
    fourth = scan(objects, snapshot(constraints, objects), now=NOW, previous=third)
    assert fourth.asked == 50


@settings(max_examples=200, deadline=None)
@given(CONSTRAINTS, st.lists(OBJECT, max_size=8), st.lists(NAMESPACE, max_size=2), RULES)
def test_preview_names_exactly_what_is_refused_after_the_change(
    constraints: tuple[Object, ...], objects: list[Object], namespaces: list[Object], rules: list[Object]
) -> None:
    everything = list(by_name([namespace("shop"), namespace("billing"), *namespaces, *objects]).values())
    engine = engine_of(list(constraints), everything)
    loaded = rules_of(rules, everything)
    found = preview(snapshot_of(engine, loaded), policies_in(engine), everything, now=NOW)
    named = {row.object.ref() for row in next(v for k, v in found.effects.items() if k.word == "deny").denied}

    raised = [constraint(row.kind, "deny", **_selector(row)) for row in constraints]
    after = engine_of(raised, everything)
    refused = set()
    for object in everything:
        request = Request.of(object, namespace_object=after.namespaces.get(object.namespace))
        verdict = decide(
            policy.steps(after), request, now=NOW, deadline=Deadline.after(10), rules=loaded.rules
        )
        if not verdict.allowed:
            refused.add(object.ref())
    assert named == refused
    assert {row.object.ref() for row in found.today.denied} <= refused
    covered = {pair for way in found.ways for pair in way.covers}
    assert len(covered) == sum(row.denied for row in found.standings)


def _selector(object: Object) -> dict[str, Any]:
    selector = object.get("spec", "match", "namespaceSelector")
    return {"namespaceSelector": selector} if selector else {}


@settings(max_examples=30, deadline=None)
@given(CONSTRAINTS, CONSTRAINTS, st.lists(OBJECT, max_size=8))
def test_a_comparison_tells_what_two_scans_tell(
    old: tuple[Object, ...], new: tuple[Object, ...], objects: list[Object]
) -> None:
    everything = list(by_name([namespace("shop", tier="a"), namespace("billing"), *objects]).values())
    before, after = snapshot(list(old), everything), snapshot(list(new), everything)
    found = compare(before, after, everything, now=NOW)
    scans = scan(everything, before, now=NOW), scan(everything, after, now=NOW)
    assert (told(found.old), told(found.new)) == (told(scans[0]), told(scans[1]))
    newly = {
        key for key, entry in scans[1].entries.items() if denied(entry) and not denied(scans[0].entries[key])
    }
    assert {row.object.ref() for row in found.newly_denied()} == {
        scans[1].entries[key].object.ref() for key in newly
    }
    for row in found.differences:
        assert row.before != row.after


def test_break_glass_is_not_planned_with() -> None:
    glass = Object(
        {
            "apiVersion": "enforcement.sekisho.dev/v1alpha1",
            "kind": "BreakGlass",
            "metadata": {"name": "fire"},
            "spec": {"reason": "fire", "expires": "2026-07-01T00:00:00Z"},
        }
    )
    objects = [config_map("a", "shop")]
    engine = engine_of([constraint("NeedsOwner", "warn")], objects)
    judging = snapshot_of(engine, rules_of([glass], objects))
    found = preview(judging, policies_in(engine), objects, now=NOW)
    assert [row.denied for row in found.standings] == [1]
    assert replace(found.standings[0]).next is None
