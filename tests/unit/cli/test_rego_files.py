"""Loading of Rego sources and data."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.cli.rego.files import (
    Files,
    conflict,
    exact,
    float_number,
    load_files,
    merged,
    read_value,
    split_prefix,
)
from sekisho.diag import DiagnosticError, Source
from sekisho.rego import Dialect
from sekisho.rego.values import Number, Value


def load(*paths: Path | str, **more: object) -> Files:
    return load_files([str(path) for path in paths], dialect=Dialect.V1, **more)  # type: ignore[arg-type]


def put(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "prefix", "rest"),
    [
        ("a.json", (), "a.json"),
        ("x.y:a.json", ("x", "y"), "a.json"),
        (":a.json", (), ":a.json"),
        ("file:///a.json", (), "file:///a.json"),
        ("x:file:///a.json", ("x",), "file:///a.json"),
    ],
)
def test_split_prefix(path: str, prefix: tuple[str, ...], rest: str) -> None:
    assert split_prefix(path) == (prefix, rest)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1.0, 1),
        (-3.0, -3),
        (1.5, Number("1.5")),
        (1e20, 10**20),
        (1e30, Number("1e+30")),
        (1e-7, Number("1e-7")),
        (0.000001, Number("0.000001")),
    ],
)
def test_float_number(value: float, number: Value) -> None:
    found = float_number(value)
    assert type(found) is type(number)
    assert str(found) == str(number)


def test_exact_reaches_every_depth() -> None:
    assert exact({"a": [{"b": 2.0}]}) == {"a": [{"b": 2}]}


def test_numbers_of_json_are_kept_as_written() -> None:
    assert read_value(Source("a.json", '{"a": 1.10}'), [])["a"].text == "1.10"


def test_folders_are_the_steps_to_documents(tmp_path: Path) -> None:
    put(tmp_path / "x" / "y", data_json='{"a": 1}', more_yaml="b: 2\n", p_rego="package p\n", note_txt="hi")
    files = load(tmp_path)
    assert files.data == {"x": {"y": {"a": 1, "b": 2}}}
    assert [module.package.path for module in files.modules.values()] == [("p",)]
    assert not files.problems


def test_a_list_is_no_group_of_documents(tmp_path: Path) -> None:
    put(tmp_path, list_yaml="kind: List\nitems: [{a: 1}]\n")
    assert load(tmp_path).data == {"kind": "List", "items": [{"a": 1}]}


def test_a_folder_inside_itself_is_entered_once(tmp_path: Path) -> None:
    put(tmp_path / "x", data_json='{"a": 1}')
    (tmp_path / "x" / "again").symlink_to(tmp_path / "x")
    assert load(tmp_path).data == {"x": {"a": 1}}


def test_patterns_leave_files_and_folders_out(tmp_path: Path) -> None:
    put(tmp_path / ".hidden", data_json="{")
    put(tmp_path, a_json='{"a": 1}', b_json="{", c_json="{")
    assert load(tmp_path, ignore=[".*", "[^a].json"]).data == {"a": 1}
    assert load(tmp_path, ignore=[".*,b.json,c.*"]).data == {"a": 1}


def test_only_rego_leaves_data_out(tmp_path: Path) -> None:
    put(tmp_path, a_json="{", p_rego="package p\n")
    files = load(tmp_path, tmp_path / "a.json", only_rego=True)
    assert len(files.modules) == 1
    assert not files.problems


def test_every_file_tells_what_is_wrong_with_it(tmp_path: Path) -> None:
    put(tmp_path, a_json="{", b_yaml="[", c_rego="package", d_json="[]")
    codes = [problem.code.id for problem in load(tmp_path, tmp_path / "nowhere").problems]
    assert codes == ["SRC001", "SRC001", "REG100", "CLI101", "SRC020"]


def test_a_prefix_has_a_bounded_number_of_steps(tmp_path: Path) -> None:
    put(tmp_path, a_json="{}")
    [problem] = load(f"{'a.' * 1_500}a:{tmp_path}/a.json").problems
    assert problem.code.id == "SRC005"


def test_bundles_have_data_in_data_files_only(tmp_path: Path) -> None:
    put(tmp_path / "x", data_yml="a: 1\n", other_json="{", p_rego="package p\n")
    files = load(bundles=[str(tmp_path)])
    assert files.data == {"x": {"a": 1}}
    assert len(files.modules) == 1
    assert not files.problems


def test_merging_changes_neither_document() -> None:
    old, new = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(old, new) == {"a": {"b": 1, "c": 2}}
    assert (old, new) == ({"a": {"b": 1}}, {"a": {"c": 2}})


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ({"a": 1}, {"b": 1}, None),
        ({"a": {"b": 1}}, {"a": {"c": 1}}, None),
        ({"a": 1}, {"a": 1}, ("a",)),
        ({"a": {"b": {}}}, {"a": {"b": 1}}, ("a", "b")),
    ],
)
def test_conflict(old: dict[str, Value], new: dict[str, Value], path: tuple[str, ...] | None) -> None:
    assert conflict(old, new) == path


@pytest.mark.parametrize(
    ("path", "exists"),
    [(("a",), True), (("a", "b"), True), (("a", "b", "c"), True), (("a", "c"), False), (("b",), False)],
)
def test_exists(path: tuple[str, ...], exists: bool) -> None:
    assert Files(data={"a": {"b": 1}}).exists(path) is exists


def test_raise_errors_passes_over_warnings(tmp_path: Path) -> None:
    put(tmp_path, a_yaml="a: 1\n---\nb: 2\n")
    files = load(tmp_path)
    files.raise_errors()
    assert [problem.code.id for problem in files.problems] == ["CLI105"]
    put(tmp_path, b_json="[]")
    with pytest.raises(DiagnosticError, match="CLI101"):
        load(tmp_path).raise_errors()
