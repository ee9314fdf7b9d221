"""What templates require to be synced (policy.md 1.11)."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.diag import DiagnosticError
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.policy.code import Inventoried
from sekisho.policy.compiler import compile_code
from sekisho.policy.syncdata import ANNOTATION, requirement_text, requirements, sync_test


def template(annotation: str | None, body: str = "true", libs: tuple[str, ...] = ()) -> Object:
    metadata: dict[str, Any] = {"name": "shop"}
    if annotation is not None:
        metadata["annotations"] = {ANNOTATION: annotation}
    target = {
        "target": "admission.k8s.gatekeeper.sh",
        "rego": f'package shop\nviolation[{{"msg": "m"}}] {{ {body} }}\n',
        "libs": list(libs),
    }
    return Object(
        {
            "apiVersion": "templates.gatekeeper.sh/v1",
            "kind": "ConstraintTemplate",
            "metadata": metadata,
            "spec": {"crd": {"spec": {"names": {"kind": "Shop"}}}, "targets": [target]},
        }
    )


def sync_set(*kinds: GVK) -> Object:
    return Object(
        {
            "apiVersion": "syncset.gatekeeper.sh/v1alpha1",
            "kind": "SyncSet",
            "metadata": {"name": "s"},
            "spec": {"gvks": [gvk.to_json() for gvk in kinds]},
        }
    )


SERVICE = GVK("", "v1", "Service")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, ()),
        ("[]", ()),
        ("null", ()),
        ('[[{"groups": [""], "versions": ["v1"], "kinds": ["Service"]}]]', (("/v1:Service",),)),
        ('\n"[[{"groups": [""], "versions": ["v1"], "kinds": ["Service"]}]]"\n', (("/v1:Service",),)),
        (
            '[[{"groups": ["a", "b"], "versions": ["v1", "v2"], "kinds": ["K"]}]]',
            (("a/v1:K", "a/v2:K", "b/v1:K", "b/v2:K"),),
        ),
        (
            (
                '[[{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}], '
                '[{"groups": ["g"], "versions": ["v1"], "kinds": ["K"]}, {"groups": ["h"]}]]'
            ),
            (("/v1:Pod",), ("g/v1:K",)),
        ),
        ('[[{"groups": [""], "versions": ["v1"], "kinds": ["Pod", "Pod"]}]] and more', (("/v1:Pod",),)),
    ],
)
def test_requirements_are_read_from_the_annotation(text: str | None, wanted: Any) -> None:
    found = requirements(template(text))
    assert tuple(tuple(requirement_text((gvk,)) for gvk in row) for row in found) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[{}]",
        "[[1]]",
        '[[{"kind": []}]]',
        '[[{"kinds": "Pod"}]]',
        '[[{"kinds": [1]}]]',
        "[" * 100_000,
    ],
)
def test_a_malformed_annotation_is_refused(text: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        requirements(template(text))
    assert caught.value.diagnostics[0].code.id == "POL091"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("true", []),
        ('data.inventory.cluster["v1"].Node[_]', [Inventoried("cluster", "v1", "Node")]),
        (
            'data.inventory.namespace.shop["apps/v1"].Deployment[_]',
            [Inventoried("namespace", "apps/v1", "Deployment")],
        ),
        ("data.inventory.namespace[_][_].Pod[_]", [Inventoried("namespace", "", "Pod")]),
        ("data.inventory.namespace[_][v][k][_]; v != k", [Inventoried("namespace", "", "")]),
        ("data.inventory.namespace.shop", [Inventoried("namespace", "", "")]),
        ("x := data.inventory; x", [Inventoried()]),
        ("data.inventory[_]", [Inventoried()]),
        (
            "data.inventory.cluster.v1.B[_]; not data.inventory.cluster.v1.A",
            [Inventoried("cluster", "v1", "A"), Inventoried("cluster", "v1", "B")],
        ),
    ],
)
def test_what_code_reads_is_derived_from_its_references(body: str, wanted: list[Inventoried]) -> None:
    (needs,) = sync_test([template(None, body)], omit_manifest=True, compile=compile_code).needs
    assert list(needs.reads or ()) == wanted


def test_what_libraries_read_counts() -> None:
    library = "package lib.x\nf(y) { data.inventory.cluster.v1.Node[y] }\n"
    report = sync_test(
        [template(None, "data.lib.x.f(1)", (library,))], omit_manifest=True, compile=compile_code
    )
    assert report.needs[0].reads == (Inventoried("cluster", "v1", "Node"),)


def test_a_template_that_does_not_compile_still_has_requirements() -> None:
    text = '[[{"groups": [""], "versions": ["v1"], "kinds": ["Service"]}]]'
    report = sync_test([template(text, "x == y")], omit_manifest=True, compile=compile_code)
    assert report.missing == {"shop": ((SERVICE,),)}
    assert report.needs[0].reads is None
    assert [found.level.value for found in report.warnings] == ["warning", "warning"]


def test_one_kind_of_a_requirement_is_enough() -> None:
    text = '[[{"groups": ["", "x"], "versions": ["v1"], "kinds": ["Service"]}]]'
    read = "data.inventory.namespace[_][_].Service[_]"
    report = sync_test([template(text, read), sync_set(SERVICE)], omit_manifest=True, compile=compile_code)
    assert not report.missing
    assert not report.warnings
    assert list(report.problems()) == []
