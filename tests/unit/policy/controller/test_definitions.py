"""Definitions of constraints, in Gatekeeper's form, and those that are shipped."""

from __future__ import annotations

import pytest
from tests.unit.policy.made import template

from sekisho.kube.object import Object
from sekisho.kube.schema import CustomKinds
from sekisho.policy.controller.definitions import (
    CONSTRAINT_LABEL,
    SHIPPED_LABEL,
    constraint_definition,
    of_library,
    shipped,
)
from sekisho.policy.library import entry_names

SCHEMA = {"type": "object", "properties": {"labels": {"type": "array", "items": {"type": "string"}}}}


def test_the_names_labels_and_versions_are_gatekeepers() -> None:
    found = constraint_definition(template(schema=SCHEMA))
    assert found["metadata"] == {
        "name": "k8sthing.constraints.gatekeeper.sh",
        "labels": {CONSTRAINT_LABEL: "yes"},
    }
    assert found["spec"]["names"] == {
        "kind": "K8sThing",
        "listKind": "K8sThingList",
        "plural": "k8sthing",
        "singular": "k8sthing",
        "categories": ["constraint", "constraints"],
    }
    assert found["spec"]["scope"] == "Cluster"
    rows = [(row["name"], row["served"], row["storage"]) for row in found["spec"]["versions"]]
    assert rows == [("v1beta1", True, True), ("v1alpha1", True, False)]
    assert all(row["subresources"] == {"status": {}} for row in found["spec"]["versions"])
    columns = [row["name"] for row in found["spec"]["versions"][0]["additionalPrinterColumns"]]
    assert columns == ["enforcement-action", "total-violations"]


def test_the_template_owns_it_and_gives_its_labels() -> None:
    raw = dict(template().raw)
    raw["metadata"] = {**raw["metadata"], "uid": "u1", "labels": {"team": "a"}}
    found = constraint_definition(Object(raw))
    assert found["metadata"]["labels"] == {"team": "a", CONSTRAINT_LABEL: "yes"}
    (owner,) = found["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("ConstraintTemplate", "k8sthing", "u1")
    assert owner["controller"] is True
    assert owner["blockOwnerDeletion"] is True


def test_parameters_are_the_templates_own() -> None:
    def properties(object: Object) -> dict[str, object]:
        schema = constraint_definition(object)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        found = schema["properties"]["spec"]["properties"]
        assert isinstance(found, dict)
        return found

    assert properties(template(schema=SCHEMA))["parameters"] == SCHEMA
    assert "parameters" not in properties(template())
    assert {"match", "enforcementAction", "scopedEnforcementActions"} <= set(properties(template()))


@pytest.mark.parametrize(
    ("version", "legacy", "kept"),
    [("v1", None, False), ("v1", True, True), ("v1beta1", None, True), ("v1beta1", False, False)],
)
def test_legacy_schemas_keep_unknown_fields(version: str, legacy: bool | None, kept: bool) -> None:
    raw = dict(template(schema={"type": "object"}).raw)
    raw["apiVersion"] = f"templates.gatekeeper.sh/{version}"
    if legacy is not None:
        raw["spec"]["crd"]["spec"]["validation"]["legacySchema"] = legacy
    schema = constraint_definition(Object(raw))["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    parameters = schema["properties"]["spec"]["properties"]["parameters"]
    assert parameters.get("x-kubernetes-preserve-unknown-fields", False) is kept


def test_what_is_shipped_can_be_served() -> None:
    rows = [Object(row) for row in (*shipped(), *of_library())]
    kinds = [row.get("spec", "names", "kind") for row in rows]
    assert {"ConstraintTemplate", "Config", "SyncSet", "Assign", "Provider", "Waiver", "Rollout"} <= set(
        kinds
    )
    assert len(kinds) == len(set(kinds))
    assert not CustomKinds.of(rows).diagnostics
    library = [row for row in rows if SHIPPED_LABEL in row.labels]
    assert len(library) == len(entry_names())
    assert all(row.labels[CONSTRAINT_LABEL] == "yes" for row in library)
    assert not any(row.metadata.get("ownerReferences") for row in library)
