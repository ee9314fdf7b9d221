"""The runner on cases of our own, in the form of the specification's."""

from __future__ import annotations

from pathlib import Path

from tests.conformance.cel_spec.cases import libraries, load_cases, run_case
from tests.conformance.cel_spec.textproto import Message, parse

SAMPLE = """
# proto-file: simple.proto
name: "sample"
section {
  name: "first"
  test: { name: "sum" expr: "1 + x" type_env { name: "x" ident { type { primitive: INT64 } } }
    bindings { key: "x" value { value { int64_value: 2 } } } value { int64_value: 3 } }
  test { name: "sum" expr: "1 + 1" value: { uint64_value: 2 } }
  test { name: "fails" expr: "1 / 0" eval_error { errors { message: "divide by zero" } } }
  test { name: "does not" expr: "1 + 1" eval_error {} }
  test { name: "type" expr: "[1]" check_only: true
    typed_result { deduced_type { list_type { elem_type { primitive: INT64 } } } } }
  test { name: "any" expr: "duration('1s')" value { object_value {
    [type.googleapis.com/google.protobuf.Duration] { seconds: 1 } } } }
}
"""


def test_text_protos_are_read() -> None:
    message = parse('a: 1 b { c: "x" \'y\' } b < d: [1, 2] > [pkg.ext]: "\\303\\251\\n\\u00e9" # end')
    assert message == {
        "a": ["1"],
        "b": [{"c": [b"xy"]}, {"d": ["1", "2"]}],
        "[pkg.ext]": ["é\né".encode()],
    }
    assert isinstance(message.one("b"), Message)


def test_cases_are_run(tmp_path: Path) -> None:
    (tmp_path / "sample.textproto").write_text(SAMPLE, encoding="utf-8")
    outcomes = {case.label: run_case(case, libraries()) for case in load_cases(tmp_path)}
    assert [label for label, problem in outcomes.items() if problem is None] == [
        "sample/first/sum",
        "sample/first/fails",
        "sample/first/type",
        "sample/first/any",
    ]
    assert outcomes["sample/first/sum #1"] == "gives 2, should give 2u"
    assert outcomes["sample/first/does not"] == "gives 2, should fail"
