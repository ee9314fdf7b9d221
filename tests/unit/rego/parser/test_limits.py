from __future__ import annotations

import time

import pytest
from tests.unit.rego.parser.show import faults


@pytest.mark.parametrize(
    "value",
    [
        "[" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        "(" * 10_000,
        "{" * 10_000,
        '{"a":' * 10_000,
        "[a | " * 10_000,
        "f(" * 10_000,
        "a[" * 10_000,
        "1" + "+1" * 5_000,
        "1" + " in x" * 5_000,
        "f" + "(1)[0]" * 5_000,
    ],
    ids=lambda value: value[:8],
)
def test_nesting(value: str) -> None:
    begin = time.monotonic()
    (fault,) = faults(f"package p\np := {value}")
    assert " REG121 nesting" in fault
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("text", ["every x in y {", "not {"])
def test_nesting_of_bodies(text: str) -> None:
    (fault,) = faults("package p\nimport future.keywords.not\np if {" + text * 10_000)
    assert " REG121 nesting" in fault


def test_nesting_of_template_strings() -> None:
    (fault,) = faults("package p\np := " + '$"{' * 10_000)
    assert " REG101 nesting of template strings" in fault


def test_else_chain() -> None:
    (fault,) = faults("package p\np if x" + "\nelse := 1 if x" * 1_000)
    assert " REG121 an else chain" in fault


def test_size() -> None:
    (fault,) = faults("package p\n#" + "x" * 1_000_000)
    assert fault.startswith("1:1 REG120 a Rego source is limited to 1,000,000 characters")


def test_metadata_blocks() -> None:
    (fault,) = faults("package p\n" + "# METADATA\n# title: x\np := 1\n" * 2_001)
    assert " REG111 metadata is limited" in fault


@pytest.mark.parametrize("part", ["[a | {}, c]", "{{a | {}, c}}", "{{a: b | {}, c: d}}", "[f({}) | a, b]"])
def test_going_back_takes_linear_time(part: str) -> None:
    value = "x"
    for _ in range(28):
        value = part.replace("{}", value).replace("{{", "{").replace("}}", "}")
    begin = time.monotonic()
    faults(f"package p\np := {value}")
    faults(f"package p\np := {value[:-1]}")
    assert time.monotonic() - begin < 2


def test_ordinary_depth_is_no_fault() -> None:
    assert faults("package p\np := " + "[" * 30 + "]" * 30) == []
    assert faults("package p\np := a" + " | a" * 100) == []
