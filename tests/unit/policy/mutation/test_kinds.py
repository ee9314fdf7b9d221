"""AssignMetadata, ModifySet and AssignImage: Gatekeeper's own tables, in our words and values."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.policy.mutation.made import assign, mutate, mutator, widget

from sekisho.diag import DiagnosticError
from sekisho.kube.schema import ABSENT
from sekisho.policy.mutation import load_mutator
from sekisho.policy.mutation.assignimage import Image, image_problems, split_image
from sekisho.policy.mutation.edit import Context, SetError
from sekisho.policy.mutation.modifyset import SetOf

# --- AssignMetadata ---------------------------------------------------------------------------------------


def metadata(location: str, **source: Any) -> Any:
    return mutator("AssignMetadata", location=location, parameters={"assign": source or {"value": "set"}})


ADDED = [
    ("a label", "metadata.labels.team", {"value": "core"}, {}, {"labels": {"team": "core"}}),
    ("an annotation", "metadata.annotations.team", {"value": "core"}, {}, {"annotations": {"team": "core"}}),
    (
        "a key with a slash",
        'metadata.labels."a.example/b"',
        {"value": "c"},
        {"labels": {"x": "y"}},
        {"labels": {"x": "y", "a.example/b": "c"}},
    ),
    ("the name", "metadata.labels.it", {"fromMetadata": {"field": "name"}}, {}, {"labels": {"it": "cog"}}),
    (
        "one that is there",
        "metadata.labels.a",
        {"value": "new"},
        {"labels": {"a": "old"}},
        {"labels": {"a": "old"}},
    ),
    (
        "one that is there, empty",
        "metadata.labels.a",
        {"value": "new"},
        {"labels": {"a": ""}},
        {"labels": {"a": ""}},
    ),
]


@pytest.mark.parametrize(
    ("location", "source", "before", "after"), [row[1:] for row in ADDED], ids=[row[0] for row in ADDED]
)
def test_assign_metadata(location: str, source: Any, before: Any, after: Any) -> None:
    result = mutate(widget({}, **before), metadata(location, **source))
    assert result.object.raw["metadata"] == {"name": "cog", **after}


REFUSED_METADATA = [
    ("metadata", {"value": "a"}, "POL032", "invalid location for assignmetadata rule: metadata"),
    (
        "metadata.labels",
        {"value": "a"},
        "POL032",
        "invalid location for assignmetadata rule: metadata.labels",
    ),
    ("metadata.name", {"value": "a"}, "POL032", "invalid location for assignmetadata rule: metadata.name"),
    (
        "metadata.labels.a.b",
        {"value": "a"},
        "POL032",
        "invalid location for assignmetadata rule: metadata.labels.a.b",
    ),
    ("metadata.finalizers.a", {"value": "a"}, "POL032", "invalid location for assignmetadata rule"),
    ("spec.labels.a", {"value": "a"}, "POL032", "invalid location for assignmetadata rule: spec.labels.a"),
    ("metadata.labels[a: b]", {"value": "a"}, "POL032", "invalid location for assignmetadata rule"),
    ("", {"value": "a"}, "POL031", "invalid location for AssignMetadata rule: empty path"),
    ("metadata.labels.a", {"value": 7}, "POL034", 'value field must be a string for AssignMetadata "rule"'),
    ("metadata.labels.a", {"value": {"a": "b"}}, "POL034", "value field must be a string"),
    (
        "metadata.labels.a",
        {"externalData": {"provider": "p"}},
        "POL034",
        "only username data source is supported for assignmetadata rule",
    ),
]


@pytest.mark.parametrize(("location", "source", "code", "message"), REFUSED_METADATA)
def test_assign_metadata_is_refused(location: str, source: Any, code: str, message: str) -> None:
    with pytest.raises(DiagnosticError) as found:
        load_mutator(metadata(location, **source))
    (problem,) = found.value.diagnostics
    assert problem.code.id == code
    assert message in problem.message


# --- ModifySet --------------------------------------------------------------------------------------------

MERGE = [
    ("no list", ["a"], 7, None),
    ("no values", [], ["a", "b"], ["a", "b"]),
    ("all there", ["a", "b"], ["a", "b", "c"], ["a", "b", "c"]),
    ("some there", ["a", "d"], ["a", "b", "c"], ["a", "b", "c", "d"]),
    ("nothing there", ["a", "b"], ABSENT, ["a", "b"]),
    ("an empty list", ["a", "b"], [], ["a", "b"]),
    ("the same value twice", ["a", "a"], [], ["a"]),
    ("lists as values", [["a", "b"], ["c"]], [["a", "b"], ["d"]], [["a", "b"], ["d"], ["c"]]),
    ("objects as values", [{"a": 1}], [{"a": 1.0}], [{"a": 1.0}]),
    ("true is not 1", [True], [1], [1, True]),
]
PRUNE = [
    ("no list", ["a"], "a", None),
    ("no values", [], ["a", "b"], ["a", "b"]),
    ("all", ["a", "b", "c"], ["a", "b"], []),
    ("some", ["a", "d"], ["a", "b", "c"], ["b", "c"]),
    ("nothing there", ["a"], ABSENT, ABSENT),
    ("an empty list", ["a"], [], []),
    ("lists as values", [["a", "b"], ["c"]], [["a", "b"], ["d"]], [["d"]]),
    ("a value that is there twice", ["a"], ["a", "b", "a"], ["b"]),
    ("true is not 1", [True], [1, True], [1]),
]


@pytest.mark.parametrize(("values", "old", "want"), [row[1:] for row in MERGE], ids=[row[0] for row in MERGE])
def test_merge(values: list[Any], old: Any, want: Any) -> None:
    check_set(SetOf(tuple(values)), old, want)


@pytest.mark.parametrize(("values", "old", "want"), [row[1:] for row in PRUNE], ids=[row[0] for row in PRUNE])
def test_prune(values: list[Any], old: Any, want: Any) -> None:
    check_set(SetOf(tuple(values), prune=True), old, want)


def check_set(setter: SetOf, old: Any, want: Any) -> None:
    if want is None:
        with pytest.raises(SetError, match="is not a list of values, cannot treat it as a set"):
            setter.value(old, Context())
        return
    assert setter.value(old, Context()) == want


def modify(location: str, *values: Any, **more: Any) -> Any:
    return mutator("ModifySet", location=location, parameters={"values": {"fromList": list(values)}, **more})


def test_merge_makes_the_way_to_the_list() -> None:
    assert mutate(widget(), modify("spec.a[n: x].list", 1)).object.raw["spec"] == {
        "a": [{"n": "x", "list": [1]}]
    }


def test_prune_makes_nothing() -> None:
    object = widget({})
    assert mutate(object, modify("spec.a.b.list", 1, operation="prune")).object is object


def test_merge_is_the_default() -> None:
    assert mutate(widget({"a": [1]}), modify("spec.a", 2)).object.raw["spec"] == {"a": [1, 2]}


REFUSED_SETS = [
    (modify("spec.a[n: x]", 1), "POL032", "final node in a modifyset location cannot be a keyed list"),
    (modify("metadata.a", 1), "POL032", "modifyset rule can't change metadata"),
    (modify("", 1), "POL031", "empty path"),
    (
        mutator("ModifySet", location="spec.a", parameters={"values": {"fromList": "x"}}),
        "POL034",
        "values.fromList must be a list",
    ),
    (
        mutator("ModifySet", location="spec.a", applyTo=[]),
        "POL035",
        "applyTo required for ModifySet mutator rule",
    ),
    (modify("spec.a", 1, operation="keep"), "KUB103", 'supported values: "merge", "prune"'),
]


@pytest.mark.parametrize(("object", "code", "message"), REFUSED_SETS)
def test_modify_set_is_refused(object: Any, code: str, message: str) -> None:
    with pytest.raises(DiagnosticError) as found:
        load_mutator(object)
    (problem,) = found.value.diagnostics
    assert problem.code.id == code
    assert message in problem.message


# --- AssignImage ------------------------------------------------------------------------------------------

SPLIT = [
    ("registry.example/some/app:latest", ("registry.example", "some/app", ":latest")),
    ("", ("", "", "")),
    ("some/app@sha256:abcde", ("", "some/app", "@sha256:abcde")),
    ("some/app:latest", ("", "some/app", ":latest")),
    ("some/app", ("", "some/app", "")),
    ("app:v1", ("", "app", ":v1")),
    ("app", ("", "app", "")),
    ("_/app", ("", "_/app", "")),
    ("_/app:latest", ("", "_/app", ":latest")),
    ("library/app:v9", ("", "library/app", ":v9")),
    ("localhost/app:v1", ("localhost", "app", ":v1")),
    ("a.b.example/some/app:1.23", ("a.b.example", "some/app", ":1.23")),
    ("a.b.example:5000/some/app:latest", ("a.b.example:5000", "some/app", ":latest")),
    ("localhost:5000/some/app:latest", ("localhost:5000", "some/app", ":latest")),
    ("a.b.c/registry.example/app:latest", ("a.b.c", "registry.example/app", ":latest")),
    ("a.example/app:latest", ("a.example", "app", ":latest")),
    ("a.example/b/c4.//d/e.f:404@g/h/i", ("a.example", "b/c4.//d/e.f", ":404@g/h/i")),
]


@pytest.mark.parametrize(("text", "parts"), SPLIT)
def test_images_are_split_and_joined(text: str, parts: tuple[str, str, str]) -> None:
    image = split_image(text)
    assert image == parts
    assert str(image) == text


DIGEST = "@sha256:12345678901234567890123456789012"
GOOD_PARTS = [
    ("my.registry.example:5000", "lib/stuff/app", ":latest"),
    ("localhost:5000", "", ""),
    ("localhost", "", ""),
    ("a.b.c", "", ""),
    ("a-b-c.example:5000", "", ""),
    ("a.b.c:123", "", ""),
    ("a_b.example", "", ""),
    ("", "lib/stuff", ""),
    ("my.registry.example:5000", "a.b.c/stuff", ""),
    ("", "lib/stuff-app__thing/a/b--c/e", ""),
    ("", "a.b", ""),
    ("", "", ":latest"),
    ("", "", DIGEST),
    ("", "", "@sha256+b64:ABCDEFabcdef01234567890123456789"),
    ("", "", ":" + "a" * 128),
]


@pytest.mark.parametrize("parts", GOOD_PARTS)
def test_parts_that_can_be_set(parts: tuple[str, str, str]) -> None:
    assert not list(image_problems(Image(*parts)))


BAD_DOMAINS = [
    "registry",
    ".registry",
    "registry.",
    "registry.:5000",
    "registry/:5000",
    ".registry.",
    "a_b_c:123",
    "/a.b.example:2000",
    "a.b.example:2000/",
    "a/b/example",
    "a.b.example:x2000",
    "a.b.example:2000:",
    "a.b.example::2000",
    "a.b.example:latest",
    "a.b.example@sha256:abcde123456789",
    ";!234.example",
    "a.b.example\n",
    "ä.example",
]
BAD_PATHS = [
    "lib/app/",
    "/lib/app",
    ":lib/app",
    "@lib/app",
    "lib/app:",
    "lib/app@",
    "lib:x/app",
    "Lib/app",
    "lib//app",
    "lib/app\n",
]
BAD_TAGS = [
    "latest",
    "sha256:12345678901234567890123456789012",
    "@sha256:123456",
    "@sha256:1XYZ5678901234567890123456789012",
    "/:latest",
    ":latest/",
    ":latest:",
    ":latest@",
    ":lat:est",
    DIGEST * 2,
    "::latest",
    "@@sha256:1XYZ5678901234567890123456789012",
    "@:latest",
    ":",
    ":" + "a" * 129,
]


@pytest.mark.parametrize("domain", BAD_DOMAINS)
def test_domains_that_cannot_be_set(domain: str) -> None:
    ((field, message),) = image_problems(Image(domain, "", ""))
    assert field == "assignDomain"
    assert message == f'assignDomain "{domain}" must be a fully-qualified domain name or localhost'


@pytest.mark.parametrize("domain", ["", "my.registry.example:5000"])
@pytest.mark.parametrize("path", BAD_PATHS)
def test_paths_that_cannot_be_set(path: str, domain: str) -> None:
    ((field, message),) = image_problems(Image(domain, path, ""))
    assert field == "assignPath"
    assert message == f'assignPath "{path}" must be a valid docker image path'


@pytest.mark.parametrize("tag", BAD_TAGS)
def test_tags_that_cannot_be_set(tag: str) -> None:
    ((field, message),) = image_problems(Image("", "", tag))
    assert field == "assignTag"
    assert (
        message == f"assignTag \"{tag}\" must be a valid docker image tag or digest starting with ':' or '@'"
    )


def test_something_must_be_set() -> None:
    ((field, message),) = image_problems(Image("", "", ""))
    assert (field, message) == ("", "at least one of [assignDomain, assignPath, assignTag] must be set")


@pytest.mark.parametrize("path", ["a.b.c/stuff", "localhost/app"])
def test_a_path_that_would_become_a_domain_needs_a_domain(path: str) -> None:
    ((field, message),) = image_problems(Image("", path, ":latest"))
    assert field == "assignPath"
    assert message.startswith(f'assignDomain must be set if the first part of assignPath "{path}"')


SETTING = [
    ("tag", "library/app:v1", (None, None, ":new"), "library/app:new"),
    ("path and tag, empty", "", (None, "library/app", ":new"), "library/app:new"),
    ("path and tag, missing", None, (None, "library/app", ":new"), "library/app:new"),
    ("path", "library/app:v1", (None, "new/repo", None), "new/repo:v1"),
    ("domain", "docker.io/library/app:v1", ("a.example", None, None), "a.example/library/app:v1"),
    ("domain that was not there", "library/app:v1", ("a.example", None, None), "a.example/library/app:v1"),
    (
        "tag that was not there",
        "a.example/library/app",
        (None, None, ":latest"),
        "a.example/library/app:latest",
    ),
    ("digest", "a.example/library/app", (None, None, DIGEST), f"a.example/library/app{DIGEST}"),
    ("digest for a tag", "library/app:v1", (None, None, DIGEST), f"library/app{DIGEST}"),
    ("tag for a tag and a digest", f"app:v1{DIGEST}", (None, None, ":v2"), "app:v2"),
    ("all", "docker.io/library/app:v1", ("a.example", "new/box", ":v2"), "a.example/new/box:v2"),
    ("path without domain", "library/app:v1", (None, "new/box", None), "new/box:v1"),
    (
        "domain of what is no image",
        "a/b.c:D1_//e.f.g//localhost@h1",
        ("a.example", None, None),
        "a.example/a/b.c:D1_//e.f.g//localhost@h1",
    ),
    (
        "domain of what is no image, with one",
        "a.b.c:5000//d.e:F1_//localhost@g1",
        ("a.example", None, None),
        "a.example//d.e:F1_//localhost@g1",
    ),
    (
        "path and tag after an odd domain",
        "a.b.c:/d.e:F1_@g1",
        (None, "repo/app", ":latest"),
        "a.b.c:/repo/app:latest",
    ),
    (
        "path like a domain, with a domain",
        "a.b:latest",
        ("a.example", "b.c.d/e.f/g", None),
        "a.example/b.c.d/e.f/g:latest",
    ),
]


@pytest.mark.parametrize(
    ("old", "parts", "new"), [row[1:] for row in SETTING], ids=[row[0] for row in SETTING]
)
def test_assign_image(old: str | None, parts: tuple[str | None, ...], new: str) -> None:
    fields = zip(("assignDomain", "assignPath", "assignTag"), parts, strict=True)
    parameters = {field: part for field, part in fields if part is not None}
    rule = mutator("AssignImage", location="spec.parts[name: a].image", parameters=parameters)
    part = {"name": "a"} if old is None else {"name": "a", "image": old}
    result = mutate(widget({"parts": [part]}), rule)
    assert result.object.raw["spec"]["parts"] == [{"name": "a", "image": new}]
    assert not mutate(result.object, rule).mutated


def test_an_image_is_a_text() -> None:
    rule = mutator("AssignImage", location="spec.image", parameters={"assignTag": ":v1"})
    with pytest.raises(
        DiagnosticError, match="expected value at AssignImage location to be a string, got 7 of type int64"
    ):
        mutate(widget({"image": 7}), rule)


REFUSED_IMAGES = [
    ("metadata.labels.image", {"assignTag": ":v1"}, "POL032", "assignImage rule can't change metadata"),
    ("spec.a[n: x]", {"assignTag": ":v1"}, "POL032", "assignImage rule cannot mutate list-type fields"),
    ("/x[)", {"assignTag": ":v1"}, "POL031", "invalid location format `/x[)` for AssignImage rule"),
    (
        "spec.image",
        {"assignPath": "a.b/c"},
        "POL036",
        "assignImage rule has invalid parameters: assignDomain must be set",
    ),
    ("spec.image", {}, "POL036", "at least one of [assignDomain, assignPath, assignTag] must be set"),
    ("", {"assignTag": ":v1"}, "POL031", "empty path"),
]


@pytest.mark.parametrize(("location", "parameters", "code", "message"), REFUSED_IMAGES)
def test_assign_image_is_refused(location: str, parameters: Any, code: str, message: str) -> None:
    with pytest.raises(DiagnosticError) as found:
        load_mutator(mutator("AssignImage", location=location, parameters=parameters))
    (problem,) = found.value.diagnostics
    assert problem.code.id == code
    assert message in problem.message


def test_the_mutators_of_one_object_are_told_apart() -> None:
    result = mutate(
        widget({"image": "app:v1"}),
        assign("spec.x", 1),
        metadata("metadata.labels.a"),
        mutator("AssignImage", location="spec.image", parameters={"assignTag": ":v2"}),
        modify("spec.list", "x"),
    )
    assert [(change.mutator.policy, change.path, change.old, change.new) for change in result.changes] == [
        ("Assign/rule", ("spec", "x"), ABSENT, 1),
        ("AssignImage/rule", ("spec", "image"), "app:v1", "app:v2"),
        ("AssignMetadata/rule", ("metadata", "labels", "a"), ABSENT, "set"),
        ("ModifySet/rule", ("spec", "list"), ABSENT, ["x"]),
    ]
