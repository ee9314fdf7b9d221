"""The cache of compiled programs."""

from __future__ import annotations

from pathlib import Path

from sekisho.lang.programs import Programs


def test_code_survives(tmp_path: Path) -> None:
    programs = Programs(str(tmp_path), kind="test", form=1)
    key = programs.key(b"a", b"b")
    assert programs.get(key) is None
    programs.put(key, (compile("x = 1", "t", "exec"), ("names",), 3))
    code, names, number = Programs(str(tmp_path), kind="test", form=1).get(key)  # type: ignore[misc]
    scope: dict[str, int] = {}
    exec(code, scope)
    assert (scope["x"], names, number) == (1, ("names",), 3)


def test_another_form_is_another_cache(tmp_path: Path) -> None:
    first = Programs(str(tmp_path), kind="test", form=1)
    first.put(first.key(b"a"), (1,))
    assert Programs(str(tmp_path), kind="test", form=2).get(first.key(b"a")) is None


def test_parts_of_a_key_are_told_apart() -> None:
    programs = Programs(None, kind="test", form=1)
    assert programs.key(b"a", b"bc") != programs.key(b"ab", b"c")


def test_without_a_folder_nothing_is_kept() -> None:
    programs = Programs(None, kind="test", form=1)
    programs.put(programs.key(b"a"), (1,))
    assert programs.get(programs.key(b"a")) is None
