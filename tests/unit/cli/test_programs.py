"""The program cache of commands: used where it is ours, told of once where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.cli.programs import cached_compile
from sekisho.diag import Source
from sekisho.policy.code import Code
from sekisho.rego import Dialect

CODE = Code(
    main=Source("t", 'package k\n\nviolation contains {"msg": "x"} if input.request\n'),
    libs=(),
    dialect=Dialect.V1,
)


def test_a_second_compilation_comes_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_CACHE", str(tmp_path / "cache"))
    first = cached_compile(enabled=True)(CODE)
    monkeypatch.setattr("sekisho.policy.compiler.compile_code", None)
    second = cached_compile(enabled=True)(CODE)
    assert second.facts == first.facts
    assert second.facts.warned
    assert len(second.program.rule("data.template.violation")({"request": True})) == 1


@pytest.mark.parametrize("variant", ["explain_reads", "explain_held"])
def test_what_explains_comes_from_the_cache_too(
    variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEKISHO_CACHE", str(tmp_path / "cache"))
    explained = []
    for _ in range(3):  # made by the first that asks, after compiling or after loading
        program = cached_compile(enabled=True)(CODE).program
        explained.append(getattr(program, variant)("data.template.violation", {"request": True}))
        monkeypatch.setattr("sekisho.policy.compiler.compile_code", None)
    assert explained[0]
    assert repr(explained[0]) == repr(explained[1]) == repr(explained[2])


def test_what_explains_is_made_when_it_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_CACHE", str(tmp_path / "cache"))
    cached_compile(enabled=True)(CODE)
    program = cached_compile(enabled=True)(CODE).program
    assert program.explain_reads("data.template.violation", {"request": True})


def test_a_folder_of_others_is_told_once_and_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    monkeypatch.setenv("SEKISHO_CACHE", str(folder))
    compile = cached_compile(enabled=True)
    compile(CODE)
    compile(CODE)
    assert capsys.readouterr().err.count("SRC100") == 1
    assert not any(folder.rglob("*"))
