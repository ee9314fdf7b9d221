"""Expansion: Gatekeeper's own tables (pkg/expansion), in our words and values, and workloads without template."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from tests.unit.policy.mutation.made import mutator

from sekisho.diag import DiagnosticError
from sekisho.kube.object import Object
from sekisho.policy import expansion
from sekisho.policy.expansion import IMPLIED, Expansions, Resultant, load_expansion_template
from sekisho.policy.match import Subject
from sekisho.policy.mutation import Mutators, Occasion


def template(
    name: str = "expand",
    *,
    kinds: Any = (("apps", "v1", "Deployment"),),
    source: str = "spec.template",
    generated: Any = ("", "v1", "Pod"),
    action: str = "",
    version: str = "v1beta1",
) -> Object:
    apply_to = [{"groups": [g], "versions": [v], "kinds": [k]} for g, v, k in kinds]
    spec: dict[str, Any] = {"applyTo": apply_to, "templateSource": source}
    spec["generatedGVK"] = dict(zip(("group", "version", "kind"), generated, strict=True))
    if action:
        spec["enforcementAction"] = action
    return Object(
        {
            "apiVersion": f"expansion.gatekeeper.sh/{version}",
            "kind": "ExpansionTemplate",
            "metadata": {"name": name} if name else {},
            "spec": spec,
        }
    )


def numbered(name: str, old: int, new: int) -> Object:
    """A template that makes one made-up kind of another one."""
    return template(name, kinds=[gvk(old)], generated=gvk(new), source="spec.template")


def gvk(number: int) -> tuple[str, str, str]:
    return (f"group{number}", f"v{number}", f"Kind{number}")


SPEC = {"containers": [{"name": "web", "image": "shop/web:1"}]}


def deployment(name: str = "web", within: str = "shop", **metadata: Any) -> Object:
    where = {"namespace": within} if within else {}
    return Object(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, **where},
            "spec": {
                "replicas": 2,
                "template": {"metadata": {"labels": {"app": "web"}, **metadata}, "spec": SPEC},
            },
        }
    )


def pod(**metadata: Any) -> dict[str, Any]:
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": ""}
    made = {
        "labels": {"app": "web"},
        "name": "web-pod",
        "namespace": "shop",
        "ownerReferences": [owner],
        **metadata,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": SPEC}


def expand(
    object: Object, *rows: Object, namespace: str = "", implied: bool = False, **occasion: Any
) -> tuple[Resultant, ...]:
    built = Expansions.build(rows)
    mutators = Mutators.build(rows)
    assert not built.problems
    assert not mutators.problems
    around = (
        Object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        if namespace
        else None
    )
    subject = Subject(object=object, namespace=around)
    return built.expand(subject, mutators, Occasion(**occasion), implied=implied)


def raws(found: tuple[Resultant, ...]) -> list[Any]:
    return [child.object.raw for child in found]


# --- children ---------------------------------------------------------------------------------------------


def test_a_pod_of_a_deployment() -> None:
    object = deployment()
    kept = copy.deepcopy(object.raw)
    (child,) = expand(object, template())
    assert child.object.raw == pod()
    assert child.template.name == "expand"
    assert child.base == ("spec", "template")
    assert object.raw == kept
    assert child.object.raw["spec"] is SPEC


def test_nothing_expands_without_a_template() -> None:
    assert expand(deployment()) == ()
    assert expand(Object(pod()), template()) == ()


@pytest.mark.parametrize(
    ("own", "around", "written", "want"),
    [
        ("shop", "", None, "shop"),
        ("shop", "bank", None, "bank"),
        ("shop", "", "written", "shop"),
        ("", "", None, None),
        ("", "", "written", "written"),
    ],
)
def test_the_namespace(own: str, around: str, written: str | None, want: str | None) -> None:
    metadata = {"namespace": written} if written else {}
    (child,) = expand(deployment(within=own, **metadata), template(), namespace=around)
    assert child.object.raw["metadata"].get("namespace") == want


def test_names_are_in_lower_case() -> None:
    (child,) = expand(deployment("Web"), template())
    assert child.object.name == "web-pod"


def test_a_name_that_is_generated() -> None:
    object = deployment()
    raw = {**object.raw, "metadata": {"generateName": "web-", "namespace": "shop"}}
    (child,) = expand(Object(raw), template())
    assert child.object.name == "web-pod"
    assert child.object.owner_references == ()


def test_owners_that_are_there_stay_and_are_not_repeated() -> None:
    other = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "1"}
    own = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "7"}
    (child,) = expand(deployment(ownerReferences=[other]), template())
    assert [row["name"] for row in child.object.raw["metadata"]["ownerReferences"]] == ["n", "web"]
    (child,) = expand(deployment(ownerReferences=[own]), template())
    assert child.object.raw["metadata"]["ownerReferences"] == [own]


def test_a_template_without_metadata() -> None:
    raw = {**deployment().raw, "spec": {"template": {"spec": SPEC}}}
    (child,) = expand(Object(raw), template())
    assert child.object.labels == {}
    assert child.object.name == "web-pod"


PULL = {"assign": {"value": "Always"}}
PODS = [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}]


def pull(**more: Any) -> Object:
    location = "spec.containers[name: *].imagePullPolicy"
    return mutator("Assign", "pull", **{"location": location, "parameters": PULL, "applyTo": PODS, **more})


@pytest.mark.parametrize(
    ("rule", "applied"),
    [
        (pull(), True),
        (pull(match={"source": "All"}), True),
        (pull(match={"source": "Generated"}), True),
        (pull(match={"source": "Original"}), False),
        (pull(match={"name": "another"}), False),
        (pull(applyTo=[{**PODS[0], "operations": ["CREATE"]}]), False),
        (pull(applyTo=[{**PODS[0], "operations": ["CREATE", "UPDATE"]}]), True),
        (pull(applyTo=[{**PODS[0], "operations": ["*"]}]), True),
    ],
)
def test_children_are_mutated_as_generated(rule: Object, applied: bool) -> None:
    (child,) = expand(deployment(), template(), rule)
    assert ("imagePullPolicy" in child.object.raw["spec"]["containers"][0]) is applied
    assert "imagePullPolicy" not in SPEC["containers"][0]


def test_several_mutators() -> None:
    note = mutator(
        "AssignMetadata",
        location="metadata.annotations.by",
        parameters={"assign": {"value": "us"}},
        match={"source": "All"},
    )
    image = mutator(
        "AssignImage",
        location="spec.containers[name: web].image",
        parameters={"assignDomain": "registry.example", "assignTag": ":2"},
        applyTo=PODS,
    )
    (child,) = expand(deployment(), template(), note, image, pull())
    assert child.object.annotations == {"by": "us"}
    assert child.object.raw["spec"]["containers"] == [
        {"name": "web", "image": "registry.example/shop/web:2", "imagePullPolicy": "Always"}
    ]


def test_a_mutator_that_needs_a_namespace_that_is_not_at_hand() -> None:
    rule = pull(match={"namespaceSelector": {"matchLabels": {"a": "b"}}})
    with pytest.raises(DiagnosticError, match="POL042"):
        expand(deployment(), template(), rule)
    assert expand(deployment(), template(), rule, namespace="shop")


def cat(**spec: Any) -> Object:
    return Object(
        {
            "apiVersion": "cats.example/v1",
            "kind": "Cat",
            "metadata": {"name": "Tom", "namespace": "home"},
            "spec": spec,
        }
    )


def test_two_children_of_two_templates() -> None:
    kinds = [("cats.example", "v1", "Cat")]
    kitten = template(
        "kittens",
        kinds=kinds,
        source="spec.kitten",
        generated=("cats.example", "v1", "Kitten"),
        action="dryrun",
    )
    purr = template(
        "purrs", kinds=kinds, source="spec.purr", generated=("sounds.example", "v2", "Purr"), action="warn"
    )
    age = mutator(
        "Assign",
        location="spec.age",
        parameters={"assign": {"value": 10}},
        applyTo=[{"groups": ["cats.example"], "versions": ["v1"], "kinds": ["Kitten"]}],
    )
    found = expand(
        cat(kitten={"spec": {}}, purr={"spec": {"loud": True}}), purr, kitten, age, template("other")
    )
    assert [
        (row.object.kind, row.object.api_version, row.object.name, row.template.action) for row in found
    ] == [
        ("Kitten", "cats.example/v1", "tom-kitten", "dryrun"),
        ("Purr", "sounds.example/v2", "tom-purr", "warn"),
    ]
    assert [row.object.raw["spec"] for row in found] == [{"age": 10}, {"loud": True}]


def cron_job() -> Object:
    job = {"metadata": {"labels": {"a": "b"}}, "spec": {"template": {"metadata": {}, "spec": SPEC}}}
    return Object(
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "tidy"},
            "spec": {"jobTemplate": job},
        }
    )


def test_children_of_children() -> None:
    rows = [
        template(
            "cron",
            kinds=[("batch", "v1", "CronJob")],
            source="spec.jobTemplate",
            generated=("batch", "v1", "Job"),
        ),
        template("jobs", kinds=[("batch", "v1", "Job")]),
    ]
    found = expand(cron_job(), *rows)
    assert [(row.object.kind, row.object.name, row.template.name, row.base) for row in found] == [
        ("Pod", "tidy-job-pod", "jobs", ("spec", "jobTemplate", "spec", "template")),
        ("Job", "tidy-job", "cron", ("spec", "jobTemplate")),
    ]
    assert found[0].object.owner_references[0].name == "tidy-job"


MISSING = [
    ("there is no such field", template(source="spec.pattern"), deployment()),
    ("it is no object", template(source="spec.replicas"), deployment()),
    ("what is above is no object", template(source="spec.replicas.x"), deployment()),
    ("it is null", template(), Object({**deployment().raw, "spec": {"template": None}})),
]


@pytest.mark.parametrize(("rule", "object"), [row[1:] for row in MISSING], ids=[row[0] for row in MISSING])
def test_an_object_without_the_part(rule: Object, object: Object) -> None:
    with pytest.raises(DiagnosticError) as found:
        expand(object, rule)
    (problem,) = found.value.diagnostics
    assert problem.code.id == "POL063"
    assert "could not find source field" in problem.message


# --- templates --------------------------------------------------------------------------------------------

LONG = "a" * 64
REFUSED = [
    (template(""), "POL060", "ExpansionTemplate has empty name field"),
    (template(LONG), "POL060", "ExpansionTemplate name must be less than 64 characters"),
    (template(source=""), "POL060", "ExpansionTemplate expand has empty source field"),
    (template(generated=("", "", "")), "POL060", "ExpansionTemplate expand has empty generatedGVK field"),
    (template(kinds=[]), "POL060", "ExpansionTemplate expand must specify ApplyTo"),
    (
        template(kinds=[("", "v1", "Pod")]),
        "POL061",
        "generates GVK v1, Kind=Pod, but also applies to that same GVK",
    ),
    (
        template(action="block"),
        "POL022",
        'the enforcement action "block" is unknown; supported: deny, warn, dryrun',
    ),
    (template(action="scoped"), "POL022", 'the enforcement action "scoped" is unknown'),
    (template(version="v1"), "POL060", 'unsupported version "v1" for ExpansionTemplate "expand"'),
    (
        template(kinds=[("a", "v1", f"K{number}") for number in range(1001)]),
        "POL060",
        "limited to 1,000 kinds",
    ),
]


@pytest.mark.parametrize(("object", "code", "message"), REFUSED)
def test_templates_that_are_refused(object: Object, code: str, message: str) -> None:
    with pytest.raises(DiagnosticError) as found:
        load_expansion_template(object)
    (problem,) = found.value.diagnostics
    assert problem.code.id == code
    assert message in problem.message


def test_a_huge_product_of_kinds_is_refused_at_once() -> None:
    object = template()
    names = [f"n{number}" for number in range(5_000)]
    raw = {
        **object.raw,
        "spec": {**object.raw["spec"], "applyTo": [{"groups": names, "versions": names, "kinds": names}]},
    }
    with pytest.raises(DiagnosticError, match="limited to 1,000 kinds"):
        load_expansion_template(Object(raw))


@pytest.mark.parametrize("version", ["v1beta1", "v1alpha1"])
def test_versions(version: str) -> None:
    assert load_expansion_template(template(version=version)).source == ("spec", "template")


def test_all_kinds_of_apply_to_are_meant() -> None:
    object = template()
    rows = [
        {"groups": ["a", "b"], "versions": ["v1", "v2"], "kinds": ["K"]},
        {"groups": [""], "versions": ["v1"], "kinds": ["L"]},
    ]
    raw = {**object.raw, "spec": {**object.raw["spec"], "applyTo": rows}}
    assert len(load_expansion_template(Object(raw)).kinds) == 5


CYCLES: list[tuple[str, list[tuple[str, int, int]], set[str]]] = [
    ("none", [("t1-2", 1, 2)], set()),
    ("two of one kind", [("t1", 1, 2), ("t2", 1, 2)], set()),
    ("a chain", [("t1-2", 1, 2), ("t2-3", 2, 3)], set()),
    ("of two", [("t1-2", 1, 2), ("t2-1", 2, 1)], {"t1-2", "t2-1"}),
    ("of two, and one besides", [("t1-2", 1, 2), ("t2-1", 2, 1), ("t3-4", 3, 4)], {"t1-2", "t2-1"}),
    (
        "of three, and what leads out of it and past it",
        [("t1-2", 1, 2), ("t2-3", 2, 3), ("t3-1", 3, 1), ("t2-8", 2, 8), ("t5-6", 5, 6)],
        {"t1-2", "t2-3", "t3-1"},
    ),
    ("what leads into it", [("t0-1", 0, 1), ("t1-2", 1, 2), ("t2-1", 2, 1)], {"t1-2", "t2-1"}),
    (
        "two",
        [("t7-8", 7, 8), ("t8-7", 8, 7), ("t1-2", 1, 2), ("t2-1", 2, 1)],
        {"t7-8", "t8-7", "t1-2", "t2-1"},
    ),
    (
        "one that is mended, and one that is not",
        [("t7-8", 7, 8), ("t8-7", 8, 7), ("t1-2", 1, 2), ("t2-3", 2, 3), ("t3-4", 3, 4)],
        {"t7-8", "t8-7"},
    ),
    (
        "closed by two",
        [("t1-2", 1, 2), ("t2-3", 2, 3), ("t3-1", 3, 1), ("ta3-1", 3, 1)],
        {"t1-2", "t2-3", "t3-1", "ta3-1"},
    ),
    (
        "two that touch",
        [("t1-2", 1, 2), ("t2-1", 2, 1), ("t1-3", 1, 3), ("t3-1", 3, 1)],
        {"t1-2", "t2-1", "t1-3", "t3-1"},
    ),
]


@pytest.mark.parametrize(("rows", "cyclic"), [row[1:] for row in CYCLES], ids=[row[0] for row in CYCLES])
def test_cycles(rows: list[tuple[str, int, int]], cyclic: set[str]) -> None:
    for order in (rows, rows[::-1]):
        built = Expansions.build(numbered(*row) for row in order)
        assert {row.name for row in built.templates} == {name for name, _, _ in rows} - cyclic
        assert {problem.code.id for problem in built.problems} <= {"POL061"}
        assert len(built.problems) == len(cyclic)


def test_a_cycle_is_told_with_all_its_templates() -> None:
    built = Expansions.build([numbered("b", 1, 2), numbered("a", 2, 1)])
    assert [problem.message for problem in built.problems] == ["template forms expansion cycle: a, b"] * 2


def test_only_templates_without_cycle_apply() -> None:
    rows = [("t1-2", 1, 2), ("t2-3", 2, 3), ("t3-1", 3, 1), ("t4-5", 4, 5), ("t4-6", 4, 6)]
    built = Expansions.build(numbered(*row) for row in rows)
    from sekisho.kube.gvk import GVK

    assert [row.name for row in built.templates_for(GVK(*gvk(4)), implied=True)] == ["t4-5", "t4-6"]
    assert built.templates_for(GVK(*gvk(1)), implied=True) == ()


def test_the_last_of_two_with_one_name_holds() -> None:
    built = Expansions.build([numbered("a", 1, 2), numbered("a", 3, 4)])
    assert [row.generated.kind for row in built.templates] == ["Kind4"]
    assert [problem.code.id for problem in built.problems] == ["POL062"]


def test_a_chain_of_ten_thousand_templates_and_a_cycle_of_as_many() -> None:
    rows = [numbered(f"t{number}", number, number + 1) for number in range(10_000)]
    assert not Expansions.build(rows).problems
    built = Expansions.build([*rows, numbered("last", 10_000, 0)])
    assert len(built.problems) == 10_001
    assert max(len(problem.message) for problem in built.problems) < 200


# --- limits -----------------------------------------------------------------------------------------------


def nested(depth: int) -> Object:
    group, version, kind = gvk(0)
    spec: dict[str, Any] = {}
    for _ in range(depth):
        spec = {"template": {"spec": spec}}
    return Object({"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": "n"}, "spec": spec})


def test_less_than_thirty_levels() -> None:
    rows = [numbered(f"t{number:02}", number, number + 1) for number in range(40)]
    assert len(expand(nested(29), *rows[:29])) == 29
    with pytest.raises(DiagnosticError, match="maximum recursion depth of 30 reached"):
        expand(nested(30), *rows[:30])


def test_children_are_limited() -> None:
    rows = [numbered(f"t{number:02}{twin}", number, number + 1) for number in range(25) for twin in "ab"]
    with pytest.raises(DiagnosticError) as found:
        expand(nested(25), *rows)
    assert found.value.diagnostics[0].code.id == "POL064"
    assert "limited to 1,000 children" in found.value.diagnostics[0].message


def test_children_are_made_until_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "CHILDREN", expansion.Limit("expansion", 2, "children", "a test"))
    rows = [numbered(f"t{number}", 0, number) for number in (1, 2)]
    assert len(expand(nested(1), *rows)) == 2
    with pytest.raises(DiagnosticError, match="limited to 2 children"):
        expand(nested(1), *rows, numbered("t3", 0, 3))


# --- workloads without a template -------------------------------------------------------------------------

WORKLOADS = [
    ("v1", "PodTemplate", ("template",)),
    ("v1", "ReplicationController", ("spec", "template")),
    ("apps/v1", "DaemonSet", ("spec", "template")),
    ("apps/v1", "Deployment", ("spec", "template")),
    ("apps/v1", "ReplicaSet", ("spec", "template")),
    ("apps/v1", "StatefulSet", ("spec", "template")),
    ("batch/v1", "Job", ("spec", "template")),
]


@pytest.mark.parametrize(("version", "kind", "path"), WORKLOADS)
def test_workloads_make_pods(version: str, kind: str, path: tuple[str, ...]) -> None:
    raw: Any = {"metadata": {"labels": {"a": "b"}}, "spec": SPEC}
    for step in reversed(path):
        raw = {step: raw}
    object = Object({"apiVersion": version, "kind": kind, "metadata": {"name": "w", "namespace": "n"}, **raw})
    (child,) = expand(object, implied=True)
    assert (child.object.kind, child.object.name, child.base) == ("Pod", "w-pod", path)
    assert child.template.name == f"default-{kind.lower()}"
    assert child.object.labels == {"a": "b"}
    assert expand(object) == ()


def test_cron_jobs_make_jobs_which_make_pods() -> None:
    assert [(row.object.kind, row.base) for row in expand(cron_job(), implied=True)] == [
        ("Pod", ("spec", "jobTemplate", "spec", "template")),
        ("Job", ("spec", "jobTemplate")),
    ]


def test_pods_make_nothing() -> None:
    assert expand(Object(pod()), implied=True) == ()
    assert len(IMPLIED) == 8


def test_a_written_template_replaces_the_default() -> None:
    (child,) = expand(deployment(), template("mine"), implied=True)
    assert child.template.name == "mine"


def test_a_workload_without_a_template_has_no_children() -> None:
    for spec in ({}, {"template": None}, {"template": "x"}, "x"):
        raw = {**deployment().raw, "spec": spec}
        assert expand(Object(raw), implied=True) == ()


PLACES = [
    (("spec", "containers", 0, "image"), ("spec", "template", "spec", "containers", 0, "image")),
    (("metadata", "labels", "a"), ("spec", "template", "metadata", "labels", "a")),
    (("metadata",), ("spec", "template", "metadata")),
    ((), ("spec", "template")),
    (("apiVersion",), ("spec", "template")),
    (("kind",), ("spec", "template")),
    (("metadata", "name"), ("metadata", "name")),
    (("metadata", "namespace"), ("metadata", "namespace")),
    (("metadata", "ownerReferences", 0, "name"), ("spec", "template")),
]


@pytest.mark.parametrize(("path", "want"), PLACES)
def test_fields_of_a_child_are_fields_of_its_parent(path: Any, want: Any) -> None:
    object = deployment()
    (child,) = expand(object, implied=True)
    place = child.place(object, path)
    assert place.path == want
    assert str(place.ref) == "Deployment shop/web"
