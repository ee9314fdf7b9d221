"""OpenAPI: documents that hold together, and what kubectl looks for in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sekisho.apiserver.openapi import Documents, second_version
from sekisho.apiserver.registry import built_in_registry
from sekisho.apiserver.types import ResourceType

DOCUMENTS = Documents(built_in_registry())


def document(path: str) -> dict[str, Any]:
    found = DOCUMENTS.document(path)
    assert found is not None
    made: dict[str, Any] = json.loads(found)
    return made


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix("#/components/schemas/")
            else:
                yield from references(value)
    elif isinstance(node, list):
        for row in node:
            yield from references(row)


@pytest.mark.parametrize("path", list(DOCUMENTS.index()["paths"]))
def test_a_document_refers_to_nothing_outside_itself(path: str) -> None:
    found = document(path)
    assert set(references(found)) <= found["components"]["schemas"].keys()
    assert found["openapi"] == "3.0.0"


def test_patch_says_whom_it_is_of_and_takes_field_validation() -> None:
    found = document("apis/apps/v1")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    patch = found["patch"]
    kind = {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert patch["x-kubernetes-group-version-kind"] == kind
    assert "fieldValidation" in {row["name"] for row in patch["parameters"]}
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]


def test_kinds_are_described() -> None:
    schemas = document("apis/apps/v1")["components"]["schemas"]
    found = schemas["io.k8s.api.apps.v1.Deployment"]
    kind = {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert found["x-kubernetes-group-version-kind"] == [kind]
    assert found["description"].startswith("Deployment enables declarative updates")
    assert found["properties"]["spec"]["allOf"] == [
        {"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"}
    ]


WIDGETS = ResourceType(
    group="shop.example",
    version="v1",
    kind="Widget",
    plural="widgets",
    singular="widget",
    namespaced=True,
    stored="v1",
    custom=True,
    published={"type": "object", "properties": {"spec": {"type": "object", "description": "What."}}},
)


def test_custom_resources_are_described_and_take_no_strategic_patch() -> None:
    documents = Documents(built_in_registry().with_types([WIDGETS]))
    found = documents.document("apis/shop.example/v1")
    assert found is not None
    value = json.loads(found)
    widget = value["components"]["schemas"]["example.shop.v1.Widget"]
    assert widget["properties"]["spec"]["description"] == "What."
    assert widget["properties"]["metadata"]["allOf"]
    patch = value["paths"]["/apis/shop.example/v1/namespaces/{namespace}/widgets/{name}"]["patch"]
    assert "application/strategic-merge-patch+json" not in patch["requestBody"]["content"]


def test_the_hash_changes_with_the_document() -> None:
    from dataclasses import replace

    first = Documents(built_in_registry().with_types([WIDGETS])).hash("shop.example", "v1")
    other = replace(WIDGETS, published={"type": "object"})
    assert Documents(built_in_registry().with_types([other])).hash("shop.example", "v1") != first
    assert Documents(built_in_registry().with_types([WIDGETS])).hash("shop.example", "v1") == first


def test_what_is_not_served_has_no_document() -> None:
    assert DOCUMENTS.document("apis/no.such/v1") is None


def test_the_second_version_is_a_document_without_content() -> None:
    assert second_version().hex() == (
        "0a03322e30" "1215" "0a0a4b756265726e65746573" "120776312e33332e30" "42004a00"
    )  # fmt: skip
