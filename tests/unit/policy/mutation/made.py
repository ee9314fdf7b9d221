"""Objects and mutators for the tables of this folder."""

from __future__ import annotations

from typing import Any

from sekisho.kube.object import Object
from sekisho.policy.match import Subject
from sekisho.policy.mutation import Mutation, Mutator, Mutators, Occasion, load_mutator

WIDGETS = [{"groups": [""], "versions": ["v1"], "kinds": ["Widget"]}]


def widget(spec: Any = None, **metadata: Any) -> Object:
    raw: dict[str, Any] = {"apiVersion": "v1", "kind": "Widget", "metadata": {"name": "cog", **metadata}}
    return Object(raw if spec is None else {**raw, "spec": spec})


def mutator(kind: str, name: str = "rule", *, version: str = "", **spec: Any) -> Object:
    version = version or ("v1alpha1" if kind == "AssignImage" else "v1")
    if kind != "AssignMetadata":
        spec.setdefault("applyTo", WIDGETS)
    return Object(
        {
            "apiVersion": f"mutations.gatekeeper.sh/{version}",
            "kind": kind,
            "metadata": {"name": name},
            "spec": spec,
        }
    )


def assign(location: str, value: Any, name: str = "rule", *, tests: Any = None, **spec: Any) -> Object:
    parameters = {
        "assign": {"value": value},
        "pathTests": [{"subPath": p, "condition": c} for p, c in tests or ()],
    }
    return mutator("Assign", name, location=location, parameters=parameters, **spec)


def loaded(kind: str, **spec: Any) -> Mutator:
    return load_mutator(mutator(kind, **spec))


def mutate(object: Object, *rows: Object, source: str = "Original", **occasion: Any) -> Mutation:
    system = Mutators.build(rows)
    assert not system.problems, system.problems
    return system.mutate(Subject(object=object, source=source), Occasion(**occasion))
