"""Which reads of a template's input are never there."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.diag import DiagnosticError, Source, Span
from sekisho.kube.object import Object
from sekisho.policy.compiler import compile_code
from sekisho.policy.template import Template, load_template

PARAMETERS = {
    "type": "object",
    "properties": {
        "labels": {"type": "array", "items": {"type": "object", "properties": {"key": {"type": "string"}}}},
        "limits": {"type": "object", "additionalProperties": {"type": "string"}},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}


def template(body: str, schema: Any = PARAMETERS, libs: list[str] | None = None, **target: Any) -> Template:
    rego = f'package t\nviolation contains {{"msg": "m"}} if {{\n{body}\n}}'
    source = {"rego": rego, "version": "v1", "libs": libs or []}
    code = [{"engine": "Rego", "source": source}]
    raw = {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "t"},
        "spec": {
            "crd": {"spec": {"names": {"kind": "T"}, "validation": {"openAPIV3Schema": schema}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "code": code, **target}],
        },
    }
    return load_template(Object(raw), compile=compile_code)


def text(at: Any) -> str:
    assert isinstance(at, Span)
    assert isinstance(at.source, Source)
    return at.source.text[at.start : at.end]


def warned(body: str, **options: Any) -> list[tuple[str, str]]:
    return [(text(row.at), row.message) for row in template(body, **options).warnings]


@pytest.mark.parametrize(
    "read",
    [
        "input.review.object.spec.anything",
        "input.review.kind.kind",
        "input.review.userInfo.groups[_]",
        "input.review.namespaceObject.metadata.labels.team",
        "input.review[_]",
        'object.get(input, "parameters", {})',
        "input.parameters.labels[_].key",
        "input.parameters.labels[0]",
        "input.parameters.limits.cpu",
        "input.parameters.limits[_]",
        "input.parameters.any.thing",
        "some name; input.parameters[name]",
        'object.get(input, ["review", "object", "spec"], {})',
        "object.get(input.parameters, input.review.name, 1)",
    ],
)
def test_what_may_be_there(read: str) -> None:
    assert warned(read) == []


NEVER: list[tuple[str, str, str]] = [
    ("input.request.object", "input.request.object", "did you mean input.review?"),
    ("input.oldObject.spec", "input.oldObject.spec", "did you mean input.review.oldObject?"),
    ("input.constraints[_]", "input.constraints[_]", "did you mean input.parameters?"),
    ("input.review.spec.hostPID", "input.review.spec.hostPID", "did you mean input.review.object.spec?"),
    ("input.review._unstable.namespace", "input.review._unstable.namespace", "namespaceObject?"),
    ("input.review.kind.name", "input.review.kind.name", "never holds"),
    ('input["request"]', 'input["request"]', "did you mean input.review?"),
    ('object.get(input.review, "usrInfo", 1)', 'object.get(input.review, "usrInfo", 1)', "always the default"),
    ('object.get(input, ["parameters", "labls"], [])', 'object.get(input, ["parameters", "labls"], [])', '"labels"'),
    ("input.parameters.labels[_].ky", "input.parameters.labels[_].ky", 'labels[_].ky is not in the schema'),
    ("input.parameters.limits.cpu.max", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("read", "at", "message"), NEVER, ids=[row[0] for row in NEVER])
def test_what_is_never_there(read: str, at: str, message: str) -> None:
    found = warned(read)
    if not at:
        assert found == []  # below a plain value the schema says nothing
        return
    ((where, told),) = found
    assert where == at
    assert message in told


def test_a_read_inside_another_one_is_told_once() -> None:
    assert [row[0] for row in warned('object.get(input.request, "object", {}).spec')] == ["input.request"]


def test_libraries_are_looked_at_too() -> None:
    lib = "package lib.pods\nspec := input.request.object.spec"
    ((where, _),) = warned("data.lib.pods.spec.hostPID", libs=[lib])
    assert where == "input.request.object.spec"


def test_without_a_schema_there_are_no_parameters() -> None:
    ((_, told),) = warned("input.parameters.labels", schema=None)
    assert told == "input.parameters is not in the schema of the parameters, so no constraint can set it"


def test_every_operation_and_another_one_contradict() -> None:
    with pytest.raises(DiagnosticError, match="must not specify other operations"):
        template("input.review.name", operations=["*", "CREATE"])
