"""What an element stands on: the reads of its derivation, in order, missing ones too."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho import rego

POD = {
    "object": {
        "spec": {
            "containers": [
                {"name": "a", "image": "x/a", "resources": {"limits": {"cpu": "1"}}},
                {"name": "b", "image": "y/b"},
            ]
        },
        "labels": {"app": "web", "team": "shop"},
    },
    "repos": ["x/"],
}


def reads(module: str, document: Any = POD) -> list[tuple[Any, list[str]]]:
    program = rego.compile({"t.rego": f"package t\n\n{module}"})
    found = program.explain_reads("data.t.p", document)
    return [(element, [shown(read) for read in reads]) for element, reads in found]


def shown(read: rego.Read) -> str:
    path = ".".join(map(str, read.path))
    marks = [
        mark for mark, on in (("missing", read.missing), ("not", read.negated), ("all", read.gathered)) if on
    ]
    return " ".join([path, *marks])


CONTAINERS = "object.spec.containers"

CASES: list[tuple[str, str, Any, list[str]]] = [
    ("a path is one read", "p contains x if x := input.object.labels.app", "web", ["object.labels.app"]),
    (
        "only the turn that led to the element counts",
        'p contains c.name if { c := input.object.spec.containers[_]; c.image == "y/b" }',
        "b",
        [CONTAINERS, f"{CONTAINERS}.1", f"{CONTAINERS}.1.image", f"{CONTAINERS}.1.name"],
    ),
    (
        "what is missing under not is read",
        "p contains c.name if { c := input.object.spec.containers[_]; not c.resources.limits }",
        "b",
        [CONTAINERS, f"{CONTAINERS}.1", f"{CONTAINERS}.1.resources missing not", f"{CONTAINERS}.1.name"],
    ),
    (
        "a function under not shows all that it tried",
        (
            "p contains c.name if { c := input.object.spec.containers[_]; not ok(c) }\n\n"
            "ok(c) if startswith(c.image, input.repos[_])"
        ),
        "b",
        [
            CONTAINERS,
            f"{CONTAINERS}.1",
            "repos not",
            "repos.0 not",
            f"{CONTAINERS}.1.image not",
            f"{CONTAINERS}.1.name",
        ],
    ),
    (
        "a function that holds shows only the definition that did",
        (
            "p contains c.name if { c := input.object.spec.containers[_]; bad(c) }\n\n"
            'bad(c) if c.image == "z"\n\nbad(c) if c.name == "b"'
        ),
        "b",
        [CONTAINERS, f"{CONTAINERS}.1", f"{CONTAINERS}.1.name", f"{CONTAINERS}.1.name"],
    ),
    (
        "an element of a set carries its own reads",
        (
            'p contains c.name if { c := all[_]; c.image == "y/b" }\n\n'
            "all contains c if c := input.object.spec.containers[_]"
        ),
        "b",
        [CONTAINERS, f"{CONTAINERS}.1", f"{CONTAINERS}.1.image", f"{CONTAINERS}.1.name"],
    ),
    (
        "an element of a comprehension too",
        "p contains n if { names := [c.name | c := input.object.spec.containers[_]]; n := names[1] }",
        "b",
        [CONTAINERS, f"{CONTAINERS}.1", f"{CONTAINERS}.1.name"],
    ),
    (
        "a collection used whole stands on all it read",
        'p contains x if { have := {k | input.object.labels[k]}; x := count({"owner"} - have) }',
        1,
        ["object.labels all", "object.labels.app all", "object.labels.team all"],
    ),
    (
        "object.get is a read",
        'p contains x if x := object.get(input.object.labels, "owner", "nobody")',
        "nobody",
        ["object.labels", "object.labels.owner missing"],
    ),
    (
        "a rule's reads are those of whoever uses it",
        'p contains x if { q; x := 1 }\n\nq if input.object.labels.app == "web"',
        1,
        ["object.labels.app"],
    ),
    (
        "a rule that is undefined shows why",
        "p contains x if { not q; x := 1 }\n\nq if input.object.labels.owner",
        1,
        ["object.labels.owner missing not"],
    ),
    (
        "else shows the link that held",
        "p contains x if x := f(1)\n\nf(_) := 1 if input.object.labels.owner\nelse := 2 if input.repos[0]",
        2,
        ["repos", "repos.0"],
    ),
]


@pytest.mark.parametrize(
    ("module", "element", "want"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_reads(module: str, element: Any, want: list[str]) -> None:
    assert [found for name, found in reads(module) if name == element] == [want]


def test_the_span_is_that_of_the_expression_that_read() -> None:
    text = "package t\n\np contains x if x := input.object.labels.app\n"
    program = rego.compile({"t.rego": text})
    ((_, (read,)),) = program.explain_reads("data.t.p", POD)
    assert text[read.span.start : read.span.end] == "input.object.labels.app"


def test_a_complete_rule_gives_its_value() -> None:
    assert reads("p := input.object.labels.app") == [("web", ["object.labels.app"])]
    assert reads("p := input.nope") == []


def test_with_replaces_what_is_read() -> None:
    module = 'p contains x if x := q with input as {"a": 1}\n\nq := input.a'
    assert reads(module) == [(1, [])]
