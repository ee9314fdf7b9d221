"""Programs as their embedders use them: entries, limits, and what they must not do."""

from __future__ import annotations

import copy
import threading

import pytest

from sekisho import rego
from sekisho.diag import Deadline, DiagnosticError
from sekisho.lang.meter import Limits
from sekisho.rego.values import UNDEFINED


def code_of(caught: pytest.ExceptionInfo[DiagnosticError]) -> str:
    return caught.value.diagnostics[0].code.id


def test_a_rule_that_is_not_there_is_told() -> None:
    program = rego.compile({"a": "package a\n\np := 1\nf(x) := x\n"})
    for path in ("data.a.q", "data.b", "data.a.f"):
        with pytest.raises(DiagnosticError) as caught:
            program.rule(path)
        assert code_of(caught) == "REG530"


def test_an_entry_gives_the_value_or_undefined() -> None:
    entry = rego.compile({"a": "package a\n\np := input.x\n"}).rule("data.a.p")
    assert entry({"x": 1}) == 1
    assert entry({}) is UNDEFINED


def test_the_input_is_used_in_place_and_stays_as_it_is() -> None:
    program = rego.compile({"a": "package a\n\np := input.x\nq contains y if some y in input.x\n"})
    document = {"x": [{"b": 1}, {"a": 2}]}
    before = copy.deepcopy(document)
    assert program.rule("data.a.p")(document) is document["x"]
    program.rule("data.a.q")(document)
    assert document == before


def test_calls_that_nest_too_deeply_are_told() -> None:
    count = 3_000
    functions = "\n".join(f"f{n}(x) := f{n + 1}(x)" for n in range(count))
    program = rego.compile({"a": f"package a\n\n{functions}\nf{count}(x) := x\np := f0(1)\n"})
    with pytest.raises(DiagnosticError) as caught:
        program.rule("data.a.p")({})
    assert code_of(caught) == "REG522"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("xs := numbers.range(1, 100000)\n\txs[a] + xs[b] + xs[c] == -1", "REG520"),
        ("count(numbers.range(1, 1000000000000)) == 1", "REG521"),
        ('count(concat("", [x | some _ in numbers.range(1, 1000000); x := "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])) == 1', "REG521"),
        ("xs := [1 | a := numbers.range(1, 5000); a[_]; a[_]; a[_] > 0]\n\tcount(xs) == 1", "REG521"),
        ("bits.lsh(1, 10000000000) == 1", "REG521"),
    ],
)  # fmt: skip
def test_a_hostile_policy_is_stopped(body: str, code: str) -> None:
    program = rego.compile({"a": f"package a\n\np if {{\n\t{body}\n}}\n"}, limits=Limits(seconds=1.0))
    with pytest.raises(DiagnosticError) as caught:
        program.rule("data.a.p")({})
    assert code_of(caught) in {code, "REG520"}
    assert rego.compile({"a": "package a\n\np := 1\n"}).rule("data.a.p")({}) == 1


def test_a_slow_regex_is_no_trap() -> None:
    text = "package a\n\np if regex.match(`^(a+)+$`, input)\n"
    entry = rego.compile({"a": text}).rule("data.a.p")
    assert entry("a" * 50_000 + "b", deadline=Deadline.after(2.0)) is UNDEFINED


def test_threads_share_a_program() -> None:
    program = rego.compile({"a": "package a\n\np contains x if some x in input\nq := count(p)\n"})
    entry = program.rule("data.a.q")
    wrong: list[object] = []

    def work(size: int) -> None:
        wrong.extend(found for _ in range(50) if (found := entry(list(range(size)))) != size)

    threads = [threading.Thread(target=work, args=(size,)) for size in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_generated_code_sees_no_builtins() -> None:
    program = rego.compile({"a": "package a\n\np := 1\n"})
    assert program.scope["__builtins__"] == {}
