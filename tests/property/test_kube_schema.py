"""Laws of schemas and defaults: the fast path agrees with the slow one, nothing is changed in place."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.kube.defaults import defaulted, with_defaults, written
from sekisho.kube.schema import builtin, default, parse_schema, prune, validate
from sekisho.kube.schema.compile import checker
from sekisho.kube.schema.explain import conforms, explain

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.sampled_from(["a", "b", "c", "name", "spec"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([2**31, 2**63, 0.5, 1.0]),
    st.sampled_from(["", "a", "ab", "1", "10m", "x/y"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


FIXED = {"type", "x-kubernetes-int-or-string"}


def keywords(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of all types; each keyword may be there or not."""
    anything = {
        "nullable": st.booleans(),
        "enum": st.lists(SCALARS, min_size=1, max_size=3),
        "default": SCALARS,
        "anyOf": st.lists(inner, min_size=1, max_size=2),
        "not": inner,
    }
    by_type = [
        {
            "type": st.just("string"),
            "minLength": st.just(1),
            "maxLength": st.just(1),
            "pattern": st.just("^a"),
        },
        {"type": st.just("string"), "format": st.sampled_from(["ipv4", "byte", "odd"])},
        {
            "type": st.sampled_from(["integer", "number"]),
            "minimum": st.sampled_from([-1, 0.5, 1]),
            "maximum": st.sampled_from([1, 2.5]),
            "exclusiveMinimum": st.booleans(),
            "format": st.sampled_from(["int32", "int64", "double"]),
            "multipleOf": st.sampled_from([2, 0.5]),
        },
        {"type": st.just("boolean")},
        {
            "type": st.just("array"),
            "items": inner,
            "minItems": st.just(1),
            "uniqueItems": st.booleans(),
            "x-kubernetes-list-type": st.sampled_from(["atomic", "set"]),
        },
        {
            "type": st.just("object"),
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "required": st.lists(NAMES, max_size=2),
            "maxProperties": st.just(2),
            "x-kubernetes-preserve-unknown-fields": st.booleans(),
        },
        {"type": st.just("object"), "additionalProperties": inner},
        {"x-kubernetes-int-or-string": st.just(True), "pattern": st.just("^1")},
        {
            "x-kubernetes-preserve-unknown-fields": st.just(True),
            "minLength": st.just(1),
            "maximum": st.just(1),
            "format": st.sampled_from(["ipv4", "int32", "odd"]),
            "required": st.lists(NAMES, max_size=1),
            "items": inner,
            "additionalProperties": inner,
        },
    ]
    few = {name: row for name, row in anything.items() if name in ("nullable", "default")}
    return st.one_of(
        *(
            st.fixed_dictionaries(
                {name: row for name, row in rows.items() if name in FIXED},
                optional={name: row for name, row in rows.items() if name not in FIXED} | extra,
            )
            for rows in by_type
            for extra in ({}, few, anything)
        )
    )


SCHEMAS = st.recursive(st.just({"type": "string"}) | st.just({"type": "integer"}), keywords, max_leaves=5)


@QUICK
@given(SCHEMAS, VALUES)
def test_the_fast_path_passes_nothing_that_the_slow_one_complains_of(raw: dict[str, Any], value: Any) -> None:
    schema = parse_schema(raw)
    if checker(schema)(value):
        assert list(explain(schema, value)) == []


@QUICK
@given(SCHEMAS, VALUES)
def test_defaulting_is_idempotent_and_leaves_its_input_alone(raw: dict[str, Any], value: Any) -> None:
    schema, before, schema_before = parse_schema(raw), copy.deepcopy(value), copy.deepcopy(raw)
    once = default(value, schema)
    assert value == before
    assert raw == schema_before
    assert default(once, schema) == once


@QUICK
@given(SCHEMAS, VALUES)
def test_pruning_leaves_no_unknown_field_and_no_other_problem(raw: dict[str, Any], value: Any) -> None:
    schema, before = parse_schema(raw), copy.deepcopy(value)
    pruned = prune(value, schema)
    assert value == before
    assert prune(pruned, schema) is pruned
    unknown = [d for d in validate(pruned, schema) if d.code.id == "KUB100"]
    assert unknown == []
    if conforms(schema, value):
        assert pruned == value


TEXTS = st.sampled_from(["", "a", "web:1", "ClientIP", "RollingUpdate", "User", "Container", "LoadBalancer"])
KINDS = st.sampled_from(
    [
        ("v1", "Pod"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("v1", "Service"),
        ("v1", "LimitRange"),
        ("v1", "Namespace"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ]
)


def shaped(name: str, depth: int) -> st.SearchStrategy[Any]:
    """Values that look like those of a definition, with some that do not."""
    return of_schema(builtin().definition(name), depth)


def of_schema(node: Any, depth: int) -> st.SearchStrategy[Any]:
    node = node.resolved()
    if depth == 0 or not node.type:
        return st.sampled_from([None, 0, 1, "10m", "a"])
    if node.type == "object":
        if node.properties:
            fields = {name: of_schema(row, depth - 1) for name, row in node.properties.items()}
            chosen = st.lists(st.sampled_from(sorted(fields)), max_size=4, unique=True)
            odd = st.dictionaries(st.sampled_from(["odd", *sorted(fields)[:2]]), SCALARS, max_size=1)
            shaped = chosen.flatmap(
                lambda names: st.fixed_dictionaries({name: fields[name] for name in names})
            )
            return st.builds(lambda usual, more: {**usual, **more}, shaped, odd)
        inner = of_schema(node.additional, depth - 1) if node.additional else SCALARS
        return st.dictionaries(NAMES, inner, max_size=2)
    if node.type == "array":
        return st.lists(of_schema(node.items, depth - 1), max_size=2)
    if node.type == "string":
        return TEXTS | st.sampled_from(list(node.enum or ["x"]))
    return st.booleans() if node.type == "boolean" else st.integers(-1, 2)


DEFINITIONS = {
    ("v1", "Pod"): "io.k8s.api.core.v1.Pod",
    ("apps/v1", "Deployment"): "io.k8s.api.apps.v1.Deployment",
    ("apps/v1", "StatefulSet"): "io.k8s.api.apps.v1.StatefulSet",
    ("batch/v1", "Job"): "io.k8s.api.batch.v1.Job",
    ("batch/v1", "CronJob"): "io.k8s.api.batch.v1.CronJob",
    ("v1", "Service"): "io.k8s.api.core.v1.Service",
    ("v1", "LimitRange"): "io.k8s.api.core.v1.LimitRange",
    ("v1", "Namespace"): "io.k8s.api.core.v1.Namespace",
    ("networking.k8s.io/v1", "NetworkPolicy"): "io.k8s.api.networking.v1.NetworkPolicy",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
}
OBJECTS = KINDS.flatmap(
    lambda kind: shaped(DEFINITIONS[kind], 6).map(lambda raw: {**raw, "apiVersion": kind[0], "kind": kind[1]})
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every path of a value."""
    found = [path]
    if isinstance(value, dict):
        for key, item in value.items():
            found += paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += paths(item, (*path, index))
    return found


@QUICK
@given(OBJECTS)
def test_built_in_defaults_are_idempotent_and_tell_what_was_written(raw: dict[str, Any]) -> None:
    before = json.dumps(raw)
    once = with_defaults(raw)
    assert json.dumps(raw) == before
    assert with_defaults(once) is once
    old = set(paths(raw))
    for path in paths(once):
        assert defaulted(raw, path) is (path not in old)
        assert written(raw, path) in old


@QUICK
@given(OBJECTS)
def test_built_in_kinds_the_fast_path_agrees(raw: dict[str, Any]) -> None:
    kind = builtin().lookup(
        raw["apiVersion"].rpartition("/")[0], raw["apiVersion"].rpartition("/")[2], raw["kind"]
    )
    assert kind is not None
    if checker(kind.schema)(raw):
        assert list(explain(kind.schema, raw)) == []
