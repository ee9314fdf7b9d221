"""Programs from the disk are the programs that were compiled."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

import sekisho.cel as cel
from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.cel.standard import OPTIONALS
from sekisho.cel.types import DYN, STRING, TIMESTAMP, Field, Struct, struct
from sekisho.cel.values import UInt
from sekisho.diag import DiagnosticError

ENVIRONMENT = cel.Environment(libraries=(OPTIONALS,), variables={"x": DYN})

EXPRESSION = "x.a.exists(v, v in ['a', 'b'] && v.matches('^a')) ? [1u, 2u] : [uint(x.?n.orValue(3)), dyn(duration('1h'))]"


def test_the_second_time_nothing_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = cel.program_cache(str(tmp_path))
    first = cel.cached(EXPRESSION, ENVIRONMENT, cache)
    monkeypatch.setattr(import_module("sekisho.cel.cached"), "_compile", None)
    second = cel.cached(EXPRESSION, ENVIRONMENT, cel.program_cache(str(tmp_path)))
    for item in ({"a": ["a"]}, {"a": []}, {"a": [], "n": 5}):
        assert second.run({"x": item}) == first.run({"x": item})
    assert second.type.same(first.type)
    assert second.eval({"x": {"a": ["a"]}}) == (UInt(1), UInt(2))


def test_what_is_kept_can_still_explain(tmp_path: Path) -> None:
    cache = cel.program_cache(str(tmp_path))
    cel.cached("x.a.b > 1", ENVIRONMENT, cache)
    program = cel.cached("x.a.b > 1", ENVIRONMENT, cache)
    [read] = program.reads({"x": {"a": {"b": 1}}})
    assert read.path == ("a", "b")
    with pytest.raises(DiagnosticError, match="CEL152: no such key: b"):
        program.eval({"x": {"a": {}}})


def read_date(text: str) -> object:
    return text


def test_another_environment_is_another_program(tmp_path: Path) -> None:
    cache = cel.program_cache(str(tmp_path))
    assert str(cel.cached("x", ENVIRONMENT, cache).type) == "dyn"
    assert str(cel.cached("x", cel.Environment(variables={"x": STRING}), cache).type) == "string"
    environments = [
        ENVIRONMENT,
        cel.Environment(variables={"x": DYN}),
        cel.Environment(variables={"x": DYN}, options=cel.KUBERNETES),
        cel.Environment(variables={"x": struct("T")}).with_structs(
            Struct(name="T", fields={"f": Field(type=TIMESTAMP)})
        ),
        cel.Environment(variables={"x": struct("T")}).with_structs(
            Struct(name="T", fields={"f": Field(type=TIMESTAMP, read=read_date)})
        ),
        cel.Environment(variables={"x": struct("T")}).with_structs(
            Struct(name="T", fields={"f": Field(type=TIMESTAMP, key="g")})
        ),
    ]
    assert len({environment.salt for environment in environments}) == len(environments)


def test_the_salt_is_the_same_in_every_process() -> None:
    for version in ("1.27", "1.30", "1.37"):
        salt = kubernetes_environment(version, variables={"x": DYN}).salt
        assert not any("0x" in part for part in salt)
