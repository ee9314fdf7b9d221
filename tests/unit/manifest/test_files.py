from __future__ import annotations

import io
import os
import socket
from pathlib import Path

import pytest

from sekisho.diag import Blame, DiagnosticError, Limit
from sekisho.manifest import Read, files, read_paths, read_source


def read(*paths: str | Path, stdin: bytes = b"") -> list[Read]:
    return list(read_paths([str(path) for path in paths], stdin=io.BytesIO(stdin)))


def codes(reads: list[Read]) -> list[str]:
    return [problem.code.id for one in reads for problem in one.problems]


def names(reads: list[Read], root: Path) -> list[str]:
    return [os.path.relpath(one.source.name, root) for one in reads]


def make(root: Path, *files: str) -> None:
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"name: {file}\n")


def test_directories_are_walked_in_order(tmp_path: Path) -> None:
    make(
        tmp_path, "b.yaml", "a/z.yml", "a/y.json.yaml", "c.json", "a.yaml", "note.txt", "d.yaml.bak", "Z.yaml"
    )
    (tmp_path / "c.json").write_text('{"a": 1}')
    got = names(read(tmp_path), tmp_path)
    assert got == ["Z.yaml", "a/y.json.yaml", "a/z.yml", "a.yaml", "b.yaml", "c.json"]


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, ".git/config.yaml", ".hidden.yaml", ".github/x.yaml", "a.yaml")
    assert names(read(tmp_path), tmp_path) == ["a.yaml"]


def test_a_hidden_path_that_is_named_is_read(tmp_path: Path) -> None:
    make(tmp_path, ".github/x.yaml")
    assert names(read(tmp_path / ".github"), tmp_path) == [".github/x.yaml"]


def test_a_named_file_may_have_any_suffix(tmp_path: Path) -> None:
    make(tmp_path, "note.txt")
    assert [one.documents[0].value for one in read(tmp_path / "note.txt")] == [{"name": "note.txt"}]


def test_names_are_what_the_user_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "d/a.yaml")
    monkeypatch.chdir(tmp_path)
    assert [one.source.name for one in read("d/a.yaml")] == ["d/a.yaml"]
    assert [one.source.name for one in read("d")] == ["d/a.yaml"]
    assert [one.source.name for one in read("d/")] == ["d/a.yaml"]
    assert [one.source.name for one in read(".")] == ["./d/a.yaml"]


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    make(tmp_path, "a/x.yaml", "b/y.yaml", "z.yaml")
    (tmp_path / "a/loop").symlink_to("..")
    (tmp_path / "a/self").symlink_to(".")
    (tmp_path / "b/link.yaml").symlink_to("../z.yaml")
    (tmp_path / "d").symlink_to("b")
    assert names(read(tmp_path), tmp_path) == ["a/x.yaml", "b/link.yaml", "b/y.yaml"]


def test_what_is_reached_twice_is_read_once(tmp_path: Path) -> None:
    make(tmp_path, "a.yaml", "b.yaml")
    got = read(tmp_path / "b.yaml", tmp_path, tmp_path / "a.yaml", tmp_path)
    assert names(got, tmp_path) == ["b.yaml", "a.yaml"]


def test_standard_input(tmp_path: Path) -> None:
    (one,) = read("-", stdin=b"a: 1\n---\nb: 2\n")
    assert one.source.name == "<stdin>"
    assert [document.value for document in one.documents] == [{"a": 1}, {"b": 2}]


def test_broken_standard_input_is_told() -> None:
    assert codes(read("-", stdin=b"\0")) == ["SRC003"]


def test_nothing_that_is_wrong_with_one_path_ends_the_others(tmp_path: Path) -> None:
    make(tmp_path, "a.yaml", "c.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff")
    got = read(tmp_path / "nowhere", tmp_path)
    assert codes(got) == ["SRC020", "SRC002"]
    assert [len(one.documents) for one in got] == [0, 1, 0, 1]


@pytest.mark.parametrize("path", ["nowhere.yaml", "file/below.yaml", "a\0b"])
def test_missing_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path, "file")
    (one,) = read(path)
    assert codes([one]) == ["SRC020"]
    with pytest.raises(DiagnosticError) as error:
        read_source(path)
    assert error.value.diagnostics[0].code.id == "SRC020"


def test_a_link_to_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("nowhere")
    assert codes(read(tmp_path)) == ["SRC020"]


def test_an_empty_directory_is_told(tmp_path: Path) -> None:
    make(tmp_path, "note.txt")
    assert codes(read(tmp_path)) == ["SRC023"]


def test_devices_sockets_and_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.yaml"))
        assert codes(read("/dev/zero", tmp_path)) == ["SRC022", "SRC022", "SRC022"]


def test_pipes_of_the_shell_are_read() -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, b"a: 1\n")
        os.close(writing)
        (one,) = read(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
    assert [document.value for document in one.documents] == [{"a": 1}]


def test_unreadable_files_are_the_environments_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.yaml")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    (one,) = read(tmp_path / "a.yaml")
    assert [(problem.code.id, problem.code.blame) for problem in one.problems] == [
        ("SRC021", Blame.ENVIRONMENT)
    ]
    assert "Permission denied" in one.problems[0].message


def test_unreadable_folders_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a/b.yaml", "c.yaml")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    got = read(tmp_path)
    assert codes(got) == ["SRC021"]
    assert names(got, tmp_path) == ["a", "c.yaml"]


def test_a_directory_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticError) as error:
        read_source(str(tmp_path))
    assert error.value.diagnostics[0].code.id == "SRC022"


def test_names_can_be_printed(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/a\xff\x1b[1m\n.yaml"
    Path(os.fsdecode(name)).write_text("a: 1\n")
    (one,) = read(tmp_path)
    assert one.source.name.endswith(r"/a\xff\x1b[1m\n.yaml")
    assert len(one.documents) == 1


def test_all_files_together_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.yaml", "b.yaml", "c.yaml")
    monkeypatch.setattr(files, "ALL_FILES", Limit("all", 30, "bytes", "a test"))
    assert codes(read(tmp_path)) == ["SRC004"]


def test_one_file_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sekisho.manifest import text

    limit = Limit("a file's size", 10, "bytes", "a test")
    monkeypatch.setattr(files, "FILE_SIZE", limit)
    monkeypatch.setattr(text, "FILE_SIZE", limit)
    (tmp_path / "a.yaml").write_text("a: 1234567890\n")
    assert codes(read(tmp_path)) == ["SRC004"]
    assert codes(read("-", stdin=b"a" * 100)) == ["SRC004"]
