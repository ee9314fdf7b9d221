from __future__ import annotations

from typing import Any

import pytest

from sekisho.diag import DiagnosticError, Level, Source
from sekisho.manifest import load, parse
from sekisho.manifest.limits import NODES


def values(text: str) -> list[Any]:
    return [document.value for document in load(Source("x.yaml", text))]


def error_of(text: str, name: str = "x.yaml") -> tuple[str, int, int]:
    with pytest.raises(DiagnosticError) as error:
        load(Source(name, text))
    (problem,) = error.value.diagnostics
    assert problem.at is not None
    return problem.code.id, *problem.at.begins


def warnings(text: str) -> list[tuple[str, tuple[int, int], tuple[int, int]]]:
    read = parse(Source("x.yaml", text))
    assert all(problem.level is Level.WARNING for problem in read.problems)
    return [(p.code.id, tuple(p.at.begins), tuple(p.notes[0].at.begins)) for p in read.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n\n", []),
        ("# only a comment\n", []),
        ("---\n", []),
        ("---\n---\n# c\n---\n", []),
        ("a: 1\n", [{"a": 1}]),
        ("a: 1", [{"a": 1}]),
        ("---\na: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n--- # a comment\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n---   \nb: 2\n---", [{"a": 1}, {"b": 2}]),
        ("a: 1\n---\n\n# c\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("--- {a: 1}\n--- [b]\n", [{"a": 1}, ["b"]]),
        ("--- a\n---\nb: 2\n", ["a", {"b": 2}]),
        ("--- |\n  text\n---\nb: 2\n", ["text\n", {"b": 2}]),
        ("a: 1\n...\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n...\n", [{"a": 1}]),
        ("%YAML 1.1\n---\na: 1\n", [{"a": 1}]),
        ("%TAG !e! tag:yaml.org,2002:\n---\na: !e!str 1\n", [{"a": "1"}]),
        ("a: |\n  one\n  --- two\n  three\n", [{"a": "one\n--- two\nthree\n"}]),
        ("a: b\n---c\n", None),
        ("---\r\na: 1\r\n---\r\nb: 2\r\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\r---\rb: 2\r", [{"a": 1}, {"b": 2}]),
        ("null\n---\na: 1\n", [{"a": 1}]),
        ("a: |\r\n  x\r\n  y\r\n", [{"a": "x\ny\n"}]),
        ("\ufeffa: 1\n", [{"a": 1}]),
        ("\ufeffa: 1\n---\n\ufeffb: 2\n", [{"a": 1}, {"b": 2}]),
        ("\ufeffa: 1\n...\n", [{"a": 1}]),
    ],
)
def test_documents(text: str, expected: list[Any] | None) -> None:
    if expected is None:
        assert error_of(text)[0] == "SRC001"
    else:
        assert values(text) == expected


def test_index_counts_documents_and_items() -> None:
    text = "---\n# nothing\n---\na: 1\n---\nkind: List\nitems: [{b: 1}, {c: 1}]\n"
    found = load(Source("x.yaml", text))
    assert [(document.index, document.prefix) for document in found] == [
        (0, ()),
        (1, ("items", 0)),
        (2, ("items", 1)),
    ]


def test_a_broken_document_hides_no_other() -> None:
    read = parse(Source("x.yaml", "a: 1\n---\nb: [\n---\nc: 'x\n---\nd: 4\n"))
    assert [document.value for document in read.documents] == [{"a": 1}, {"d": 4}]
    assert [problem.at.begins.line for problem in read.problems] == [3, 5]


def test_documents_before_an_error_stay_where_a_text_cannot_be_cut() -> None:
    read = parse(Source("x.yaml", "%YAML 1.1\n---\na: 1\n---\nb: [\n"))
    assert [document.value for document in read.documents] == [{"a": 1}]
    assert len(read.problems) == 1


LIST = """
apiVersion: v1
kind: List
items:
- kind: Pod
  metadata: {name: a}
- apiVersion: v1
  kind: List
  items:
  - kind: Pod
    metadata:
      name: b
- kind: Pod
  metadata: {name: c}
"""


def test_lists_are_taken_apart_at_any_depth_in_order() -> None:
    found = load(Source("x.yaml", LIST))
    assert [document.value["metadata"]["name"] for document in found] == ["a", "b", "c"]
    assert found[1].locate(("metadata", "name")).begins == (12, 13)
    assert found[2].locate(("metadata", "name")).begins == (14, 20)


def test_lists_stay_whole_on_request() -> None:
    (document,) = load(Source("x.yaml", LIST), lists=False)
    assert document.value["kind"] == "List"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "apiVersion: v1\nkind: PodList\nitems: [{spec: {}}]",
            [{"apiVersion": "v1", "kind": "Pod", "spec": {}}],
        ),
        ("kind: PodList\nitems: [{kind: Pod}]", [{"kind": "Pod"}]),
        ("kind: List\nitems: []", []),
        ("kind: List\nitems: [null, 1]", [None, 1]),
        ("kind: List\nitems: 1", [{"kind": "List", "items": 1}]),
        ("kind: AllowList\nspec: {}", [{"kind": "AllowList", "spec": {}}]),
    ],
)
def test_kinds_of_lists(text: str, expected: list[Any]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("\ufeffa: 1\nb: 2\n", (2, 4)),
        ("\ufeffb: 2\n...\n", (1, 5)),
        ("a: 1\n---\n\ufeffb: 2\n", (3, 5)),
    ],
)
def test_a_byte_order_mark_does_not_move_positions(text: str, place: tuple[int, int]) -> None:
    assert load(Source("x.yaml", text))[-1].locate(("b",)).begins == place


def test_a_byte_order_mark_inside_a_document_is_refused() -> None:
    assert error_of("a: 1\n...\n\ufeffb: 2\n") == ("SRC012", 3, 1)


# anchors, aliases, merge keys


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\nb: *x\n", {"a": 1, "b": 1}),
        ("a: &x {k: [v]}\nb: *x\n", {"a": {"k": ["v"]}, "b": {"k": ["v"]}}),
        ("a: &x 1\nb: &x 2\nc: *x\n", {"a": 1, "b": 2, "c": 2}),
        ("a: &x {k: &x 1}\nb: *x\n", {"a": {"k": 1}, "b": 1}),
        ("&k a: 1\nb: *k\n", {"a": 1, "b": "a"}),
        ("a: &k 1\n*k : b\n", {"a": 1, "1": "b"}),
        ("a: &m {k: 1}\nb:\n  <<: *m\n  l: 2\n", {"a": {"k": 1}, "b": {"k": 1, "l": 2}}),
        ("a: &m {k: 1}\nb:\n  <<: *m\n  k: 2\n", {"a": {"k": 1}, "b": {"k": 2}}),
        ("<<: [{a: 1}, {a: 2, b: 3}]\n", {"a": 1, "b": 3}),
        ("<<: {a: 1}\n", {"a": 1}),
        ("!!merge <<: {a: 1}\n", {"a": 1}),
        ("'<<': {a: 1}\n", {"<<": {"a": 1}}),
        ("a: &m {<<: {k: 1}, l: 2}\n<<: *m\n", {"a": {"k": 1, "l": 2}, "k": 1, "l": 2}),
    ],
)
def test_anchors_and_merge_keys(text: str, expected: Any) -> None:
    assert values(text) == [expected]


def test_a_merge_key_overrides_what_is_above_it_as_in_kubernetes_with_a_warning() -> None:
    text = "a: &m {k: 1}\nb:\n  k: 2\n  <<: *m\n"
    assert values(text)[0]["b"] == {"k": 1}
    assert warnings(text) == [("SRC015", (4, 3), (3, 3))]


def test_anchors_end_with_their_document() -> None:
    assert error_of("a: &x 1\n---\nb: *x\n") == ("SRC013", 3, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: *x\n", ("SRC013", 1, 4)),
        ("a: &x [*x]\n", ("SRC013", 1, 8)),
        ("a: &x {b: {c: *x}}\n", ("SRC013", 1, 15)),
        ("<<: 1\n", ("SRC014", 1, 5)),
        ("<<: ~\n", ("SRC014", 1, 5)),
        ("<<: [1]\n", ("SRC014", 1, 5)),
        ("a: &x [{b: 1}]\n<<: *x\n", ("SRC014", 2, 5)),
    ],
)
def test_wrong_aliases_and_merge_keys(text: str, expected: tuple[str, int, int]) -> None:
    assert error_of(text) == expected


def laughs(levels: int, width: int) -> str:
    rows = ["a0: &a0 [x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(rows) + "\n"


def test_a_billion_laughs_are_refused() -> None:
    code, line, _ = error_of(laughs(10, 10))
    assert code == "SRC006"
    assert line == 7


def test_merge_keys_are_counted_too() -> None:
    wide = "a: &a {" + ", ".join(f"k{n}: 1" for n in range(1000)) + "}\n"
    many = "b:\n" + "- {<<: *a}\n" * (NODES.value // 1000)
    assert error_of(wide + many)[0] == "SRC006"


def test_many_aliases_of_a_small_value_are_fine() -> None:
    assert len(values("a: &a 1\nb:\n" + "- *a\n" * 10_000)[0]["b"]) == 10_000


# depth


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000,
        "[" * 100_000 + "]" * 100_000,
        "{a: " * 10_000,
        "- " * 10_000 + "x",
        "".join(" " * n + f"k{n}:\n" for n in range(1_000)),
        "? " * 10_000 + "x",
        "a: " + "[" * 250 + "]" * 250,
        "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [[*a{n - 1}]]" for n in range(1, 150))]),
    ],
    ids=["open", "closed", "braces", "dashes", "block", "keys", "inside", "aliases"],
)
def test_deep_nesting_is_refused(text: str) -> None:
    assert error_of(text + "\n")[0] == "SRC005"


@pytest.mark.parametrize("text", ["[" * 200 + "]" * 200, "a:\n" + "- " * 198 + "- 1\n"])
def test_nesting_up_to_the_limit_is_read(text: str) -> None:
    assert len(values(text)) == 1


# duplicate keys


@pytest.mark.parametrize(
    ("text", "expected", "places"),
    [
        ("a: 1\na: 2\n", {"a": 2}, [((2, 1), (1, 1))]),
        ("x:\n  a: 1\n  b: 2\n  a: 3\n", {"x": {"a": 3, "b": 2}}, [((4, 3), (2, 3))]),
        ("{a: 1, a: 2}\n", {"a": 2}, [((1, 8), (1, 2))]),
        ("1: a\n'1': b\n", {"1": "b"}, [((2, 1), (1, 1))]),
        ("yes: 1\n'true': 2\n", {"true": 2}, [((2, 1), (1, 1))]),
        ("a: 1\na: 2\na: 3\n", {"a": 3}, [((2, 1), (1, 1)), ((3, 1), (2, 1))]),
    ],
)
def test_duplicate_keys(text: str, expected: Any, places: list[Any]) -> None:
    assert values(text) == [expected]
    assert warnings(text) == [("SRC007", *pair) for pair in places]


def test_duplicates_in_the_second_document_are_placed_in_the_file() -> None:
    assert warnings("a: 1\n---\nb: 1\nb: 2\n") == [("SRC007", (4, 1), (3, 1))]


def test_not_every_duplicate_of_a_hostile_text_is_told() -> None:
    assert len(parse(Source("x.yaml", "a: 1\n" * 5_000)).problems) == 100
