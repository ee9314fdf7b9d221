from __future__ import annotations

from typing import Any

import pytest
from tests.unit.rego.parser.show import faults, module

from sekisho.diag import Source
from sekisho.rego.dialect import Dialect
from sekisho.rego.parser import parse_module
from sekisho.rego.values import Number


def block(*lines: str, rule: str = "p := 1") -> str:
    return "\n".join(["package p", "", "# METADATA", *(f"# {line}" for line in lines), rule])


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["title: T"], {"title": "T"}),
        (["title: 1"], {"title": "1"}),
        (["description: |", "  a", "  b"], {"description": "a\nb\n"}),
        (["entrypoint: true"], {"scope": "document", "entrypoint": True}),
        (["entrypoint: false"], {}),
        (["organizations: [a, b]"], {"organizations": ["a", "b"]}),
        (["related_resources: [http://a]"], {"related_resources": [{"ref": "http://a"}]}),
        (
            ["related_resources:", "- ref: http://a", "  description: d"],
            {"related_resources": [{"ref": "http://a", "description": "d"}]},
        ),
        (["authors: [Jane Doe <j@e.org>]"], {"authors": [{"name": "Jane Doe", "email": "j@e.org"}]}),
        (["authors: [Jane Doe]"], {"authors": [{"name": "Jane Doe"}]}),
        (["authors: [{email: j@e.org}]"], {"authors": [{"email": "j@e.org"}]}),
        (
            ["schemas: [{input.a: schema.b}]"],
            {"schemas": [{"path": ["input", "a"], "schema": ["schema", "b"]}]},
        ),
        (
            ["schemas: [{input: {type: string}}]"],
            {"schemas": [{"path": ["input"], "definition": {"type": "string"}}]},
        ),
        (["custom: {a: [1, 1.5, 2.0, null, yes, true]}"], {"custom": {"a": [1, Number("1.5"), 2, None, "yes", True]}}),
        (["custom: {a: 0x10, b: 0o17, c: 017, d: 1_000, e: 2024-01-02}"], {"custom": {"a": 16, "b": 15, "c": 15, "d": 1000, "e": "2024-01-02T00:00:00Z"}}),
        (["custom: {a: &x [1], b: *x}"], {"custom": {"a": [1], "b": [1]}}),
        (["labels: {a: b}"], {"labels": {"a": "b"}}),
        (["unknown: field"], {}),
    ],
)  # fmt: skip
def test_values(lines: list[str], value: dict[str, Any]) -> None:
    found = module(block(*lines))
    (annotation,) = found.annotations
    assert annotation.value == {"scope": "rule", **value}
    assert annotation.scope == annotation.value["scope"]
    assert found.rules[0].annotations == (annotation,)


def test_scope_follows_the_statement() -> None:
    text = "# METADATA\n# title: a\npackage p\n\n# METADATA\n# title: b\np := 1"
    assert [a.scope for a in module(text).annotations] == ["package", "rule"]


def test_document_scope_belongs_to_every_rule_of_the_name() -> None:
    text = block("scope: document", "title: T", rule="p := 1 if x\nq := 1\np := 1 if y")
    assert [len(rule.annotations) for rule in module(text).rules] == [1, 0, 1]


def test_rule_scope_belongs_to_the_next_rule_only() -> None:
    text = block("title: T", rule="p := 1 if x\np := 1 if y")
    assert [len(rule.annotations) for rule in module(text).rules] == [1, 0]


def test_a_block_ends_where_its_comments_do() -> None:
    text = block("title: T", rule="\n# not: [this\np := 1")
    assert module(text).annotations[0].value["title"] == "T"


def test_an_indented_comment_is_no_block() -> None:
    assert module("package p\n  # METADATA\n  # title: [\np := 1").annotations == ()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "3:1 REG111 expected METADATA block, found whitespace"),
        (["scope: foo"], "3:1 REG111 invalid annotation scope 'foo'. Use one of 'rule', 'document', 'package', or 'subpackages'"),
        (["scope: package"], "3:1 REG111 annotation scope 'package' must be applied to package (have rule)"),
        (["scope: rule", "entrypoint: true"], "3:1 REG111 annotation entrypoint applied to non-document or package scope 'rule'"),
        (["title: a", "title: b"], '5:1 REG111 yaml: line 2: mapping key "title" already defined'),
        (["title: [a]"], "3:1 REG111 yaml: unmarshal errors: cannot unmarshal !!seq into string (title)"),
        (["custom: {1: 2}"], "3:1 REG111 invalid map key type(s): 1"),
        (["authors: ['']"], "3:1 REG111 invalid author definition : author is an empty string"),
        (["schemas: [{1 + 1: schema}]"], "3:1 REG111 invalid document reference"),
        (["schemas: [{input: data.x}]"], "3:1 REG111 invalid schema reference"),
    ],
)  # fmt: skip
def test_faults(lines: list[str], expected: str) -> None:
    assert faults(block(*lines)) == [expected]


def test_malformed_yaml_is_shown_at_its_line() -> None:
    (fault,) = faults(block("title: T", "custom: [1"))
    assert fault.startswith(("5:1 REG111 yaml: line ", "6:1 REG111 yaml: line "))


def test_without_annotations_they_are_comments() -> None:
    source = Source("p.rego", block("title: ["))
    found = parse_module(source, dialect=Dialect.V1, annotations=False)
    assert found.annotations == ()
    assert len(found.comments) == 2


def test_expansion_by_aliases_is_bounded() -> None:
    lines = ["custom:", "  a: &a [1,1,1,1,1,1,1,1,1,1]"]
    for name, last in zip("bcdef", "abcde", strict=True):
        lines.append(f"  {name}: &{name} [{','.join([f'*{last}'] * 10)}]")
    (fault,) = faults(block(*lines))
    assert "a metadata block is limited to 10,000 nodes" in fault
